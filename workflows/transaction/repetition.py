"""A request that comes again is answered as the first time, word for word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import sqlalchemy as sa

from engine import journal, sending
from engine.errors import InvalidInput
from workflows.actors.policy import Actor
from workflows.store import schema
from workflows.store.rows import Pending
from workflows.store.tables import idempotency
from workflows.transaction.results import LASTING, Idempotency, Result, record_of, result_of

REMEMBERED = timedelta(hours=24)

Request = tuple[str, str]
"""Who asked, and the key of the request."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a request was answered, as it is kept."""

    request_digest: str
    text: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Known:
    """What several commands ask before they begin: the schema, where their cases end, what was answered
    before."""

    schema: str
    heads: Mapping[str, int | None]
    answers: Mapping[Request, Answer]


def look_up(connection: sa.Connection, case_ids: Iterable[str], requests: Iterable[Request]) -> Known:
    """All of it in one round trip. A case without a journal has no head."""
    kind, cases, keys = connection.dialect.name, sorted(set(case_ids)), sorted(set(requests))
    asked: list[tuple[str, list[str]]] = [(schema.ASKED, [])]
    asked += [(journal.heads_query(kind), [orjson.dumps(cases).decode()])] if cases else []
    asked += [(_ANSWERS[kind], [orjson.dumps(keys).decode()])] if keys else []
    found = sending.exchange(connection, asked)
    heads = {case_id: seq and int(seq) for case_id, seq in (found[1] if cases else [])}
    answers = {
        (actor, key): Answer(request_digest=digest, text=text, at=datetime.fromisoformat(at))
        for actor, key, digest, text, at in (found[-1] if keys else [])
    }
    return Known(schema=found[0][0][0], heads=heads, answers=answers)


def answered_before(
    known: Known, rows: Pending, actor: Actor, request: Idempotency, now: datetime
) -> Result | None:
    """What this very request was answered within 24 hours, a letter's ever. An older answer goes.

    Raises InvalidInput IDEMPOTENCY_REUSED.
    """
    found = known.answers.get((actor.id, request.key)) if request.key else None
    if found is None or request.key is None:
        return None
    if now - found.at > REMEMBERED and not request.key.startswith(LASTING):
        rows.sweep(idempotency, {"actor": actor.id, "key": request.key}, None)
        return None
    if found.request_digest != request.request_digest:
        raise InvalidInput("this idempotency key stood on another request", code="IDEMPOTENCY_REUSED")
    return result_of(orjson.loads(found.text))


def remember_answer(rows: Pending, actor: Actor, request: Idempotency, result: Result, now: datetime) -> None:
    """Keep the answer beside what it answers; a simultaneous twin of the request fails on the key."""
    if request.key is not None:
        row = {"actor": actor.id, "key": request.key, "request_digest": request.request_digest}
        rows.add(idempotency, {**row, "answer": record_of(result), "at": now})


_COLUMNS = "kept.actor, kept.key, kept.request_digest, kept.answer, kept.at"
_ANSWERS = {
    "sqlite": f"SELECT {_COLUMNS} FROM json_each(?) AS asked JOIN idempotency AS kept"
    " ON kept.actor = json_extract(asked.value, '$[0]') AND kept.key = json_extract(asked.value, '$[1]')",
    "postgresql": f"SELECT {_COLUMNS} FROM json_array_elements($1::json) AS asked JOIN idempotency AS kept"
    " ON kept.actor = asked.value ->> 0 AND kept.key = asked.value ->> 1",
}
