"""The physical floor: hand-written tables for this one case shape, no engine, the same transactions.

Each act is one transaction sent in one go (pipelined on PostgreSQL): the task row, the next one, the entries
with their digests, the case. The unique (case_id, seq) settles races, as with us.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
import psycopg
import sqlalchemy as sa

from bench import form
from bench.subjects.subject import Asked, Subject

Statement = tuple[str, tuple[Any, ...]]

TABLES = (
    "CREATE TABLE floor_case (case_id TEXT PRIMARY KEY, state TEXT NOT NULL, seq INTEGER NOT NULL,"
    " digest TEXT NOT NULL, pending INTEGER NOT NULL, points INTEGER NOT NULL, score INTEGER)",
    "CREATE TABLE floor_task (case_id TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL,"
    " assignee TEXT NOT NULL, PRIMARY KEY (case_id, step))",
    "CREATE TABLE floor_timer (case_id TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL,"
    " due_at TEXT NOT NULL, PRIMARY KEY (case_id, step))",
    "CREATE TABLE floor_event (case_id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,"
    " digest TEXT NOT NULL, PRIMARY KEY (case_id, seq))",
    "CREATE INDEX floor_inbox ON floor_task (assignee, state)",
    "CREATE INDEX floor_due ON floor_timer (state, due_at)",
)
NEXT = {
    "submit": ("review",),
    "review": form.CONSULTS,
    **dict.fromkeys(form.CONSULTS, ("designation",)),
    "designation": (),
    form.TIMER: ("objections",),
    "objections": ("promotion",),
    "promotion": (),
}
FIND = (
    "SELECT c.seq, c.digest, c.pending, c.points FROM {table} t JOIN floor_case c ON c.case_id = t.case_id"
    " WHERE t.case_id = %s AND t.step = %s AND t.state = 'open'"
)
END = "UPDATE {table} SET state = 'done' WHERE case_id = %s AND step = %s AND state = 'open'"
TASK = "INSERT INTO floor_task VALUES (%s, %s, 'open', 'somebody')"
TIMER = "INSERT INTO floor_timer VALUES (%s, %s, 'open', '2026-03-17T01:00:00.000000Z')"
EVENT = "INSERT INTO floor_event VALUES (%s, %s, %s, %s)"


class Head(NamedTuple):
    """Where a case stands: what the look-up of a task brings along."""

    seq: int
    digest: str
    pending: int
    points: int


class Floor(Subject):
    """Eight kinds of rows and the decision as a chain of ifs."""

    name = "floor"

    def __init__(self, url: str, *, threads: int) -> None:
        super().__init__(url, threads=threads)
        self._own = threading.local()
        self._open: list[_Postgres | _Sqlite] = []
        for table in TABLES:
            self._connection().write([(table.replace(" floor", " IF NOT EXISTS floor", 1), ())])

    def _connection(self) -> _Postgres | _Sqlite:
        """This thread's own connection."""
        mine = getattr(self._own, "connection", None)
        if mine is None or mine.closed:
            kind = _Sqlite if self.url.startswith("sqlite") else _Postgres
            mine = self._own.connection = kind(self.url, self.asked)
            self._open.append(mine)
        return mine

    def start(self, number: int) -> str:
        case = f"F-{number:08}"
        told, head = _events(case, 0, "", [("started", {})])
        row = (case, "open", head.seq, head.digest, 0, form.points(number))
        opened = ("INSERT INTO floor_case VALUES (%s, %s, %s, %s, %s, %s, NULL)", row)
        self._connection().write([opened, (TASK, (case, "submit")), *told])
        return case

    def find(self, case: str, step: str) -> Head:
        table = "floor_timer" if step == form.TIMER else "floor_task"
        return Head(*self._connection().one((FIND.format(table=table), (case, step))))

    def complete(self, case: str, task: Head, step: str, page: form.Page, points: int) -> None:
        done: list[Statement] = [(END.format(table="floor_task"), (case, step))]
        self._move(case, task, step, done, [("completed", {"step": step, "page": page, "points": points})])

    def fire(self, case: str, timer: Head) -> None:
        done: list[Statement] = [(END.format(table="floor_timer"), (case, form.TIMER))]
        self._move(case, timer, form.TIMER, done, [("fired", {"step": form.TIMER})])

    def _move(
        self, case: str, head: Head, step: str, done: list[Statement], told: list[tuple[str, Any]]
    ) -> None:
        """What follows from a step: deadlines set or cancelled, the join, the decision, the next tasks."""
        pending, score, following = head.pending, None, NEXT[step]
        if step == "review":
            pending = len(form.CONSULTS)
            done += [(TIMER, (case, consult)) for consult in form.CONSULTS]
            told += [("timer set", {"step": consult}) for consult in form.CONSULTS]
        if step in form.CONSULTS:
            pending -= 1
            done.append((END.format(table="floor_timer"), (case, step)))
            following = () if pending else following
        if step in form.CONSULTS and not pending:
            score = _score(head.points)
            told.append(("decided", {"score": score}))
        if step == "designation":
            done.append((TIMER, (case, form.TIMER)))
            told.append(("timer set", {"step": form.TIMER}))
        rows, behind = _events(case, head.seq, head.digest, told)
        state = "over" if step == "promotion" else "open"
        moved = (state, behind.seq, behind.digest, pending, score, case)
        kept = (
            "UPDATE floor_case SET state = %s, seq = %s, digest = %s, pending = %s,"
            " score = coalesce(%s, score) WHERE case_id = %s"
        )
        self._connection().write([*done, *((TASK, (case, one)) for one in following), *rows, (kept, moved)])

    def judge(self, cases: list[str], first: int) -> dict[str, Any]:
        ask, span = self._connection().one, (min(cases), max(cases))
        where = "WHERE case_id BETWEEN %s AND %s"
        over, scored = ask((f"SELECT count(*), sum(score) FROM floor_case {where} AND state = 'over'", span))
        (done,) = ask((f"SELECT count(*) FROM floor_task {where} AND state = 'done'", span))
        (events,) = ask((f"SELECT count(*) FROM floor_event {where}", span))
        expected = sum(form.score(first + place) for place in range(len(cases)))
        found = (over, done, events, scored)
        wanted = (
            len(cases),
            len(cases) * form.COMPLETIONS,
            len(cases) * form.EVENTS,
            expected,
        )
        wrong = {} if found == wanted else {"wrong": {"found": list(found), "expected": list(wanted)}}
        return {"ok": not wrong, "events": events, "double": 0, "score": scored, **wrong}

    def release(self) -> None:
        for connection in self._open:
            connection.close()
        self._open.clear()


def _score(points: int) -> int:
    for score, least in ((5, 90), (4, 80), (3, 70), (2, 60)):
        if points >= least:
            return score
    return 1


def _events(
    case: str, seq: int, digest: str, told: Sequence[tuple[str, Any]]
) -> tuple[list[Statement], Head]:
    """Rows for the journal, each digested with the one before."""
    rows: list[Statement] = []
    for kind, data in told:
        seq += 1
        body = orjson.dumps({"case": case, "seq": seq, "type": kind, "data": data}).decode()
        digest = hashlib.sha256((digest + body).encode()).hexdigest()
        rows.append((EVENT, (case, seq, body, digest)))
    return rows, Head(seq, digest, 0, 0)


class _Postgres:
    """One connection; a transaction is one round trip."""

    def __init__(self, url: str, asked: Asked) -> None:
        address = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._raw = psycopg.connect(address, autocommit=True, prepare_threshold=2)
        self._asked = asked

    @property
    def closed(self) -> bool:
        return self._raw.closed

    def one(self, statement: Statement) -> tuple[Any, ...]:
        self._asked.statements += 1
        row = self._raw.execute(*statement).fetchone()
        assert row is not None, f"nothing found by {statement}"
        return row

    def write(self, statements: Sequence[Statement]) -> None:
        self._asked.statements += len(statements)
        self._asked.transactions += 1
        with self._raw.pipeline(), self._raw.transaction():
            for statement in statements:
                self._raw.execute(*statement)

    def close(self) -> None:
        self._raw.close()


class _Sqlite:
    """One connection with the settings of ours."""

    def __init__(self, url: str, asked: Asked) -> None:
        from engine.tables import connect

        self._raw: Any = connect(url).raw_connection()
        self._asked = asked
        self.closed = False

    def one(self, statement: Statement) -> tuple[Any, ...]:
        self._asked.statements += 1
        row: tuple[Any, ...] = self._raw.cursor().execute(*_lite(statement)).fetchone()
        return row

    def write(self, statements: Sequence[Statement]) -> None:
        self._asked.statements += len(statements)
        self._asked.transactions += 1
        cursor = self._raw.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        for statement in statements:
            cursor.execute(*_lite(statement))
        cursor.execute("COMMIT")

    def close(self) -> None:
        self.closed = True
        self._raw.close()


def _lite(statement: Statement) -> Statement:
    return statement[0].replace("%s", "?"), statement[1]
