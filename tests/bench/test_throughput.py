"""Scenario A in small: what a case asks of the database is counted, and may only become less.

Nothing here is timed. When a count falls, write the new one down: that is how it stays low.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from bench import form
from bench.lines import Line
from bench.order import Order
from bench.scenarios import throughput
from bench.subjects.ours import Ours
from bench.subjects.subject import Load, drive
from tests import postgres

CASES = 20
ACTS = 10
"""Durable transactions of a case: a start, eight completions, a timer."""


@dataclass(frozen=True, kw_only=True)
class Most:
    """The most that a case may cost; SQLite does not count its syncs."""

    statements: float
    transactions: float
    stored: float
    fsyncs: float = 0


BOUNDS = {
    ("sqlite", "ours"): Most(statements=95, transactions=10, stored=51_000),
    ("sqlite", "floor"): Most(statements=58, transactions=10, stored=37_000),
    ("pg", "ours"): Most(statements=95, transactions=13, stored=49_000, fsyncs=12),
    ("pg", "floor"): Most(statements=58, transactions=20, stored=36_000, fsyncs=12),
}


PG = pytest.param("pg", marks=pytest.mark.postgres)


@pytest.fixture(scope="module", params=["sqlite", PG])
def measured(request: pytest.FixtureRequest) -> dict[str, Line]:
    """One round of ours and the floor on each database, by subject."""
    reason = postgres.unavailable() if request.param == "pg" else ""
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"CI must count on PostgreSQL: {reason}")
    if reason:
        pytest.skip(reason)
    order = Order(scenario="A", store=request.param, cases=CASES, warm=10, calibrate=0.01)
    return {line["subject"]: {**line, "kind": request.param} for line in throughput.run(order)}


@pytest.fixture(params=["ours", "floor"])
def line(measured: dict[str, Line], request: pytest.FixtureRequest) -> Line:
    return measured[request.param]


@pytest.fixture
def most(line: Line) -> Most:
    return BOUNDS[line["kind"], line["subject"]]


def test_every_case_ends_with_the_score_that_its_points_earn(line):
    assert line["oracle"]["ok"], line["oracle"]
    assert line["oracle"]["double"] == 0
    assert line["oracle"]["events"] == CASES * form.EVENTS
    assert line["oracle"]["score"] == sum(form.score(10 + number) for number in range(CASES))


def test_a_case_asks_no_more_statements_than_recorded(line, most):
    assert line["per_case"]["stmts"] <= most.statements


def test_every_statement_that_sqlite_runs_is_counted(tmp_path):
    ours, ran = Ours(f"sqlite:///{tmp_path / 'counted.db'}", threads=1), []
    ours.release()
    sa.event.listen(ours.database, "connect", lambda raw, _: raw.set_trace_callback(ran.append))
    before = ours.asked.statements
    drive(ours, Load(cases=2))
    ours.close()

    assert ours.asked.statements - before == len([text for text in ran if _is_counted(text)])


def _is_counted(text: Any) -> bool:
    """Neither how a transaction begins and ends nor how a connection is prepared."""
    return str(text).split()[0] not in {"BEGIN", "COMMIT", "ROLLBACK", "PRAGMA"}


def test_an_act_is_one_durable_transaction(line, most):
    assert ACTS <= line["per_case"]["tx"] <= most.transactions


@pytest.mark.parametrize("measured", [PG], indirect=True)
def test_an_act_waits_for_the_disk_once(line, most):
    assert ACTS * 0.9 <= line["per_case"]["fsync"] <= most.fsyncs


def test_a_case_is_stored_in_no_more_bytes_than_recorded(line, most):
    assert line["per_case"]["stored_b"] <= most.stored
