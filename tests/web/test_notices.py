"""Public notices: everybody reads them, everybody may object, nobody learns more than they should."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workflows.actors.policy import SYSTEM
from workflows.library.packages import read_folder
from workflows.register.batches import load_batches

BPMN = Path(__file__).parents[2] / "bpmn"
PUBLICITY = {
    "level": "municipal",
    "terms": {
        "publish": 5,
        "window": 5,
        "register": 5,
        "statement": 5,
        "investigation": 15,
        "extension": 15,
        "decision": 5,
    },
    "officers": ["municipal_officer@620100"],
    "leaders": ["municipal_leader@620100"],
}
OBJECTION = {
    "objection.kind": "person",
    "objection.name": "王建国",
    "objection.id_no": "620102198001011234",
    "objection.contact": "13900000000",
    "objection.facts": "该厂三月仍在排放未经处理的废水。",
}


@pytest.fixture
def notice(app, signed_in):
    """A case whose draft list is under publicity; answers its id."""
    rooms = app.extensions["tidu"]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with rooms.database.begin() as connection:
        load_batches(connection, now=at)
        for name in ("objection_handling", "objection_window", "publicity"):
            rooms.catalog.deploy(connection, read_folder(BPMN / name), by="system", at=at)
    started = rooms.commands.start_case(
        "publicity",
        {"publicity": PUBLICITY},
        actor=SYSTEM,
        unit="u01",
    )
    officer = signed_in("lz.officer")
    task = officer.post("/inbox/claim-next").location
    form = officer.get(task).text
    said = dict.fromkeys(re.findall(r'type="date"[^>]*name="([^"]+)"', form), "2026-03-02")
    said |= dict.fromkeys(re.findall(r'type="text"[^>]*name="([^"]+)"', form), "http://gxt.gansu.gov.cn/1")
    said |= dict.fromkeys(re.findall(r'name="([^"]+)"[^>]*inputmode="decimal"', form), "5")
    published = officer.post(task, said)
    assert published.status_code == 303, published.text
    return started.case_id


def test_the_board_is_there_without_an_account(visitor, notice):
    page = visitor.get("/notices").text

    assert "兰州兰岭水泥有限公司" in page
    assert f'href="/notices/{notice}"' in page
    assert "剩 5 工作日" in page


def test_an_objection_is_heard(visitor, signed_in, notice):
    form = visitor.get(f"/notices/{notice}").text
    sent = visitor.post(f"/notices/{notice}", OBJECTION)

    assert 'name="objection.facts"' in form
    assert (sent.status_code, sent.location) == (303, "/notices"), sent.text
    waiting = signed_in("lz.officer").get("/inbox?queue=claimable").text
    assert notice in waiting
    assert notice in visitor.get("/notices").text, "an objection does not end the window"


def test_an_objection_needs_a_name_and_facts(visitor, notice):
    answer = visitor.post(f"/notices/{notice}", {"objection.contact": "13900000000"})

    assert answer.status_code == 422
    assert "此项必填" in answer.text
    assert 'value="13900000000"' in answer.text


def test_the_public_sees_no_more_of_the_case(visitor, notice):
    assert visitor.get(f"/case/{notice}").status_code == 303
    assert visitor.get(f"/api/v1/process-instance/{notice}").status_code == 401
    assert visitor.get("/notices/SM-2026-424242").status_code == 404


def test_what_is_not_under_publicity_hears_no_objection(visitor, application):
    assert visitor.get(f"/notices/{application}").status_code == 404
    assert visitor.post(f"/notices/{application}", OBJECTION).status_code == 404


def test_nobody_floods_an_office(visitor, notice):
    answers = [visitor.post(f"/notices/{notice}", {}).status_code for _ in range(12)]

    assert answers[0] == 422
    assert answers[-1] == 429
