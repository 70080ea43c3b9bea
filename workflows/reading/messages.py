"""What a case would hear now: its messages, who may send them, and with which form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from engine.case.case import Case
from engine.definition.model import Element
from engine.replay import LiveCases
from engine.values import Value
from workflows.actors import duties
from workflows.actors.policy import Actor
from workflows.acts.submissions import read
from workflows.library.catalog import Catalog
from workflows.library.forms.form import Form
from workflows.library.packages import split_list
from workflows.transaction import facts


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """A message something in the case waits for. `context` is what its form's conditions see."""

    message: str
    element: str
    name: str
    name_en: str
    form: Form | None
    context: Mapping[str, Value]


def hearings(
    connection: sa.Connection, library: Catalog, live: LiveCases, case_id: str, actor: Actor
) -> tuple[Hearing, ...]:
    """The messages this actor may send to the case now, each once. Raises NotFound for no such case."""
    seen = facts.case_facts(connection, case_id)
    if seen.status != "active":
        return ()
    case = live.take(connection, case_id)
    try:
        waiting = {one.message: case.definition.elements[one.element] for one in case.awaited()}
        found = tuple(_hearing(library, case, message, element) for message, element in waiting.items())
    finally:
        live.put_back(case)
    return tuple(
        hearing
        for hearing in found
        if duties.may_send(actor, hearing.message, seen, sent_by=_senders(waiting[hearing.message])).allowed
    )


def _hearing(library: Catalog, case: Case, message: str, element: Element) -> Hearing:
    package = library.package(case.beginning.pins[element.process_id])
    data = package.form(element.properties.get("form", element.id))
    return Hearing(
        message=message,
        element=element.id,
        name=element.name or message,
        name_en=element.name_en or element.name or message,
        form=read(data) if data else None,
        context=dict(case.variables),
    )


def _senders(element: Element) -> tuple[str, ...]:
    return split_list(element.properties.get("sent_by", ""))
