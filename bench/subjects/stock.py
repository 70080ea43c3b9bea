"""SpiffWorkflow as it comes, with the store that its documentation suggests: the whole case as one text.

Every act reads the case, lets it move, writes it back, and adds one row to a history. Its clock is moved by
hand, as in our own comparison tests.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.event_definitions import timer
from SpiffWorkflow.camunda.parser.CamundaParser import CamundaParser
from SpiffWorkflow.camunda.serializer.config import CAMUNDA_CONFIG
from SpiffWorkflow.util.task import TaskState

from bench import form
from bench.subjects.subject import Subject
from engine.tables import connect

BENCH = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
TABLES = (
    "CREATE TABLE IF NOT EXISTS spiff_case (case_id TEXT PRIMARY KEY, over INTEGER NOT NULL, score INTEGER,"
    " state TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS spiff_task (case_id TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL,"
    " PRIMARY KEY (case_id, step))",
    "CREATE TABLE IF NOT EXISTS spiff_event (case_id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY (case_id, seq))",
)


class HandClock(datetime):
    """Stands for `datetime` in SpiffWorkflow's timers."""

    moment = NOW

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.moment


class Stock(Subject):
    """One text for each case, read and written whole."""

    name = "spiff"

    def __init__(self, url: str, *, threads: int) -> None:
        super().__init__(url, threads=threads)
        timer.datetime = HandClock
        self._specs = _specs()
        self._texts = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(CAMUNDA_CONFIG))
        self._database = connect(url, pool_size=threads + 4)
        with self._database.begin() as connection:
            for table in TABLES:
                connection.exec_driver_sql(table)
        sa.event.listen(self._database, "before_cursor_execute", self._count_statement)
        sa.event.listen(self._database, "commit", self._count_commit)

    def _count_statement(self, *received: Any) -> None:
        self.asked.statements += 0 if str(received[2]).startswith("BEGIN") else 1

    def _count_commit(self, _: Any) -> None:
        self.asked.transactions += 1

    def start(self, number: int) -> str:
        HandClock.moment = NOW
        case = f"S-{number:08}"
        workflow = BpmnWorkflow(*self._specs)
        workflow.do_engine_steps()
        with self._database.begin() as connection:
            row = {"case": case, "state": self._written(workflow)}
            connection.execute(sa.text("INSERT INTO spiff_case VALUES (:case, 0, NULL, :state)"), row)
            self._note(connection, case, workflow, set(), {"started": case})
        return case

    def find(self, case: str, step: str) -> str:
        if step == form.TIMER:
            return step
        ask = "SELECT step FROM spiff_task WHERE case_id = :case AND step = :step AND state = 'ready'"
        with self._database.connect().execution_options(reading=True) as connection:
            return str(connection.execute(sa.text(ask), {"case": case, "step": step}).scalar_one())

    def complete(self, case: str, task: str, step: str, page: form.Page, points: int) -> None:
        def hand_in(workflow: Any) -> None:
            ready = next(t for t in _ready(workflow) if t.task_spec.name == task)
            ready.data.update({f"{step}_page": page, "points": points})
            ready.run()

        self._moved(case, hand_in, {"completed": step, "page": page})

    def fire(self, case: str, _timer: str) -> None:
        HandClock.moment = NOW + timedelta(days=16)
        self._moved(case, lambda workflow: workflow.refresh_waiting_tasks(), {"fired": form.TIMER})

    def _moved(self, case: str, act: Any, told: dict[str, Any]) -> None:
        lock = " FOR UPDATE" if self._database.dialect.name == "postgresql" else ""
        read = sa.text(f"SELECT state FROM spiff_case WHERE case_id = :case{lock}")
        write = sa.text(
            "UPDATE spiff_case SET state = :state, over = :over, score = :score WHERE case_id = :case"
        )
        with self._database.begin() as connection:
            text = connection.execute(read, {"case": case}).scalar_one()
            workflow = self._texts.deserialize_json(text)
            before = _waiting(workflow)
            act(workflow)
            workflow.do_engine_steps()
            over = int(workflow.is_completed())
            score = workflow.last_task.data.get("score") if over else None
            row = {"case": case, "state": self._written(workflow), "over": over, "score": score}
            connection.execute(write, row)
            self._note(connection, case, workflow, before, told)

    def _note(self, connection: sa.Connection, case: str, workflow: Any, before: set[str], told: Any) -> None:
        """The task list and the history."""
        after = _waiting(workflow)
        for step in sorted(before - after):
            ended = sa.text("UPDATE spiff_task SET state = 'done' WHERE case_id = :case AND step = :step")
            connection.execute(ended, {"case": case, "step": step})
        for step in sorted(after - before):
            connection.execute(
                sa.text("INSERT INTO spiff_task VALUES (:case, :step, 'ready')"), {"case": case, "step": step}
            )
        behind = "SELECT :case, coalesce(max(seq), 0) + 1, :body FROM spiff_event WHERE case_id = :case"
        connection.execute(
            sa.text(f"INSERT INTO spiff_event {behind}"), {"case": case, "body": orjson.dumps(told).decode()}
        )

    def _written(self, workflow: Any) -> str:
        return str(self._texts.serialize_json(workflow))

    def judge(self, cases: list[str], first: int) -> dict[str, Any]:
        where = "WHERE case_id BETWEEN :first AND :last"
        asks = {
            len(cases): f"SELECT sum(over) FROM spiff_case {where}",
            sum(form.score(first + place) for place in range(len(cases))): (
                f"SELECT sum(score) FROM spiff_case {where}"
            ),
            len(cases) * form.COMPLETIONS: f"SELECT count(*) FROM spiff_task {where} AND state = 'done'",
            len(cases) * 10: f"SELECT count(*) FROM spiff_event {where}",
        }
        span = {"first": min(cases), "last": max(cases)}
        with self._database.connect().execution_options(reading=True) as connection:
            found = [connection.execute(sa.text(ask), span).scalar_one() for ask in asks.values()]
        wrong = {} if found == list(asks) else {"wrong": {"found": found, "expected": list(asks)}}
        return {"ok": not wrong, "events": found[-1], "double": 0, "score": found[1], **wrong}

    def release(self) -> None:
        self._database.dispose()


def _specs() -> tuple[Any, Any]:
    parser = CamundaParser()
    parser.add_bpmn_xml(etree.parse(BENCH / "peers" / "spiff.bpmn").getroot())
    parser.add_dmn_xml(etree.parse(BENCH / "drawn" / "bench_case" / "bench_score.dmn").getroot())
    return parser.get_spec("bench_case"), parser.get_subprocess_specs("bench_case")


def _ready(workflow: Any) -> list[Any]:
    return list(workflow.get_tasks(state=TaskState.READY, manual=True))


def _waiting(workflow: Any) -> set[str]:
    return {task.task_spec.name for task in _ready(workflow)}
