"""A database that is away, or behind: what programs, people, machines and operators are told."""

from __future__ import annotations

import pytest

from engine.events import moment
from web.app import create_app, wall_clock
from web.cli import main as cli
from web.settings import Settings
from workflows.store.tidemarks import Mark

NOWHERE = "postgresql+psycopg://tidu@/tidu?host=/nowhere"


@pytest.fixture
def left_alone(tmp_path):
    """A house whose database is away."""
    app = create_app(Settings(data_dir=tmp_path, database_url=NOWHERE, secret_key="k" * 40))
    return app.test_client()


def test_programs_are_told_to_ask_again(left_alone):
    answer = left_alone.get("/api/v1/task", headers={"Authorization": "Bearer t0000000.secret"})

    assert (answer.status_code, answer.json["code"]) == (503, "DATABASE_AWAY")
    assert answer.headers["Retry-After"] == "2"
    assert (
        "idempotency key"
        in left_alone.get(
            "/api/v1/task", headers={"Authorization": "Bearer t0000000.secret", "Accept-Language": "en"}
        ).json["detail"]
    )


def test_people_are_told_in_a_page(left_alone):
    with left_alone.session_transaction() as session:
        session["session"] = "anything"

    answer = left_alone.get("/inbox")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "数据库暂时无法访问" in answer.text


def test_machines_are_told_that_it_is_not_ready(left_alone):
    assert left_alone.get("/healthz").status_code == 200
    assert left_alone.get("/readyz").json == {"status": "unavailable", "missing": "database"}


def test_the_command_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TIDU_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TIDU_DATABASE_URL", NOWHERE)

    assert cli.main(["worker"]) == 1
    assert "DATABASE_AWAY" in capsys.readouterr().err


def test_a_database_that_is_behind_is_read_and_not_written(app, visitor):
    marks = app.extensions["tidu"].tidemarks
    marks.note([Mark(at=moment(wall_clock()), case_id="GF-2026-000001", seq=9, digest="gone")], wall_clock())
    app.extensions["tidu"].database.dispose()

    visitor.sign_in("app01")
    answer = visitor.api("POST", "/process-definition/key/small_application/start", {"values": {}})

    assert (answer.status_code, answer.json["code"]) == (503, "DATABASE_BEHIND")
    assert visitor.get("/inbox").status_code == 200
    assert visitor.get("/readyz").json == {"status": "unavailable", "missing": "acknowledged entries"}
