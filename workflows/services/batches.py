"""Batches: a case opens a round with its rules and calendar, and closes it."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from engine.errors import BadDefinition, NotFound, WrongState
from engine.values import Value, to_json
from workflows.register import batches
from workflows.register.calendar import load_calendar
from workflows.register.rule_sets import approved_rules
from workflows.register.rules import RuleSet, flat
from workflows.services.inputs import needed, optional
from workflows.services.operation import Done, DrawnError, Operation, Reading, Values
from workflows.store.tables import cases


def _open(inputs: Values, read: Reading) -> dict[str, Value]:
    batch = needed(inputs, "batch")
    for name in ("name", "name_en", "approved_by"):
        needed(inputs, name)
    if batches.is_there(read.connection, batch):
        return _shipped(batches.find_batch(read.connection, batch))
    try:
        load_calendar(needed(inputs, "calendar"))
    except NotFound as error:
        raise DrawnError("CALENDAR_MISSING", str(error)) from None
    rules = _rules(inputs, read.connection)
    return {"batch": batch, "rules": f"{rules.id}:{rules.version}", "digest": rules.digest}


def _shipped(batch: batches.Batch) -> dict[str, Value]:
    """A round that came with the product, open and led by no case: it is led as it stands, rules and all."""
    if batch.case_id or batch.status != "open":
        raise DrawnError("BATCH_EXISTS", f"the batch {batch.id} was opened before")
    return {
        "batch": batch.id,
        "rules": f"{batch.rules.id}:{batch.rules.version}",
        "digest": batch.rules_digest,
    }


def _rules(inputs: Values, connection: sa.Connection) -> RuleSet:
    """The rules that are meant: an approved rule set by its id, of the newest version unless the `version` is
    told, with `changes` by full key or nested."""
    asked = inputs.get("rules")
    told = asked if isinstance(asked, Mapping) else {"id": asked}
    changes, version = told.get("changes"), told.get("version")
    try:
        number = None if version is None else int(version)
        rules = approved_rules(connection, needed(told, "id"), number).rules
        if not isinstance(changes, Mapping) or not changes:
            return rules
        plain = to_json(dict(changes))
        return rules.changed(flat(plain))
    except (BadDefinition, NotFound, WrongState) as error:
        raise DrawnError("RULES_INVALID", str(error)) from None


def _write_batch(connection: sa.Connection, done: Done) -> None:
    told, digest = done.told, optional(done.answer, "digest")
    starter = sa.select(cases.c.started_by).where(cases.c.case_id == done.case_id)
    batches.record_opening(
        connection,
        needed(told, "batch"),
        name=needed(told, "name"),
        name_en=needed(told, "name_en"),
        rules=batches.kept_rules(connection, digest) or _rules(told, connection),
        calendar=needed(told, "calendar"),
        by=connection.execute(starter).scalar_one_or_none() or "system",
        approved_by=needed(told, "approved_by"),
        case_id=done.case_id,
        now=done.at,
    )


def _close(inputs: Values, read: Reading) -> dict[str, Value]:
    batches.find_batch(read.connection, needed(inputs, "batch"))
    return {"closed": True}


def _write_closing(connection: sa.Connection, done: Done) -> None:
    batches.record_closing(
        connection,
        case_id=done.case_id,
        number=done.number,
        batch=needed(done.told, "batch"),
        at=done.at,
    )


OPERATIONS = (
    Operation(
        type="batch.open",
        sentence="Open a batch with its rules and its calendar.",
        run=_open,
        write=_write_batch,
    ),
    Operation(
        type="batch.close",
        sentence="Take no more applications into a batch.",
        run=_close,
        write=_write_closing,
        tables=(batches.batch_closings,),
    ),
)
