"""Notices: people and groups are told something about a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from engine.values import Value
from workflows.services.operation import Done, Operation, Reading, Values
from workflows.store.tables import notifications

GROUPS_WITHOUT_PLACE = frozenset({"provincial_officer", "provincial_leader", "expert"})


def _send_notice(inputs: Values, read: Reading) -> dict[str, Value]:
    if not recipients(inputs):
        raise ValueError("a notice names whom it is `to`: people, or groups with an @ or a group's name")
    if not isinstance(inputs.get("template"), str):
        raise ValueError("a notice names its `template`")
    return {"sent": True}


def _write_notices(connection: sa.Connection, done: Done) -> None:
    content = {key: value for key, value in done.inputs.items() if key not in ("to", "template")}
    rows = [
        {
            "case_id": done.case_id,
            "number": f"{done.job_id}/{place}",
            "recipient_kind": kind,
            "recipient": name,
            "template": done.inputs["template"],
            "content": content,
            "created_at": done.at,
        }
        for place, (kind, name) in enumerate(recipients(done.inputs))
    ]
    if rows:  # an example may answer a notice to nobody
        connection.execute(notifications.insert(), rows)


def recipients(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom a notice is to, each once: kind (group, user) and name."""
    to = inputs.get("to")
    names = [to] if isinstance(to, str) else to if isinstance(to, list) else []
    return [(_kind(name), name) for name in dict.fromkeys(n for n in names if isinstance(n, str) and n)]


def _kind(name: str) -> str:
    return "group" if "@" in name or name in GROUPS_WITHOUT_PLACE else "user"


OPERATIONS = (
    Operation(
        type="notice.send",
        sentence="Tell people or groups something about the case.",
        run=_send_notice,
        write=_write_notices,
        tables=(notifications,),
    ),
)
