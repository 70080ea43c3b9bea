"""A spot check by lot: the share of the rule set, drawn from the register, with its proof on the page."""

from __future__ import annotations

import hashlib
import re
from datetime import date

import pytest
import sqlalchemy as sa

from engine import journal
from tests.conftest import START
from tests.processes import drawn
from tests.story import Clock
from web.app import create_app
from web.settings import Settings
from workflows.actors.people import accounts
from workflows.library.packages import in_call_order
from workflows.register import titles
from workflows.store.tables import cases
from workflows.workshop.checking import read_closure

UNITS = [f"u{n:02}" for n in range(1, 31)]
ORDER = {"track": "gf", "level": "provincial", "kind": "spot", "standard": "GB/T 36132-2025"}


@pytest.fixture
def clock():
    """The clock that stories move."""
    return Clock(START)


@pytest.fixture
def app(story, tmp_path):
    """The pages over the database of the story."""
    settings = Settings(
        data_dir=tmp_path,
        database_url=story.database.url.render_as_string(hide_password=False),
        secret_key="only for the tests of this house, 32 and more",
    )
    app = create_app(settings, clock=story.clock)
    yield app
    app.extensions["tidu"].database.dispose()


@pytest.fixture
def order(story):
    """Thirty green factories are listed, and an officer orders a spot check."""
    found = {p.process_id: p for name in ("re_evaluation_order", "re_evaluation") for p in closure(name)}
    with story.database.begin() as connection:
        people = ("prov.officer", "auditor", "app01")
        account = {"password": "", "failures": 0, "disabled": False, "changed_at": story.clock()}
        connection.execute(accounts.insert(), [{"person": person, **account} for person in people])
        for package in in_call_order(found.values()):
            story.catalog.deploy(connection, package, by="owner", at=story.clock())
        for unit in UNITS:
            case_id = f"GF-2024-0000{unit[1:]}"
            facts = {"case_id": case_id, "unit": unit, "track": "gf", "level": "provincial"}
            titles.record_designation(
                connection,
                designation_id=f"{case_id}-gf-provincial",
                title="省级绿色工厂",
                decided_on=date(2024, 10, 20),
                **facts,
            )
    story.start(
        "re_evaluation_order",
        by="prov.officer",
        values={**ORDER, "reason": "不定期抽查。", "document_no": "1号"},
    )
    story.work()
    return story.case_id


def closure(name):
    return read_closure(drawn.ROOT / name)


def test_the_lot_decides_who_is_looked_at_again_and_its_proof_is_shown(story, signed_in, order):
    (draw,) = story.history.draws(order)
    story.do("reo_confirm", "prov.leader", outcome="confirmed", note="按抽签结果。")
    while story.work().jobs:
        pass
    page = signed_in("prov.officer").get(f"/case/{order}").text

    with story.database.connect() as connection:
        begun = connection.scalars(sa.select(cases.c.unit_id).where(cases.c.process_id == "re_evaluation"))
        chosen = sorted(begun)
        (line,) = [one for one in journal.read(connection, order) if one.seq == draw.asked]
    assert len(draw.drawn) == 2, "a share of 0.05 of thirty"
    assert chosen == sorted(f"u{name[12:14]}" for name in draw.drawn)
    assert draw.seed == line.digest
    assert draw.drawn == tuple(
        sorted((name for name, _ in draw.lots), key=lambda name: mark(draw.seed, name))[:2]
    )
    assert "复算一致" in page
    assert "30 个中抽中 2 个" in page
    assert re.findall(r"\b[0-9a-f]{64}\b", page) == [draw.seed]


def test_only_who_looks_inside_sees_a_draw(signed_in, order):
    assert "复算一致" in signed_in("auditor").get(f"/case/{order}").text
    assert signed_in("app01").get(f"/case/{order}").status_code == 404


def mark(seed, name):
    return hashlib.sha256(f"{seed}\0{name}".encode()).hexdigest()
