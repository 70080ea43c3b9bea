"""What people hand in: checked against form, outcomes and required fields; and drafts of it until then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from engine.case.case import Case
from engine.definition.model import Element
from engine.errors import FieldError, InvalidInput, WrongState
from engine.values import Value, from_json, to_json
from workflows.library.catalog import Catalog
from workflows.library.forms.fields import Field
from workflows.library.forms.form import Form, read_form
from workflows.library.packages import split_list
from workflows.proof import evidence
from workflows.store.rows import Pending
from workflows.store.tables import drafts
from workflows.transaction.change import Change

Values = Mapping[str, Any]
OUTCOME = "outcome"
SAYABLE = frozenset({"reason"})
"""What an applicant may say with a message for which nobody drew a form."""

OUTSIDERS = frozenset({"unit", "public"})


def task_values(
    change: Change, library: Catalog, case: Case, task_id: str, values: Values
) -> dict[str, Value]:
    """What is handed in with a task, as FEEL values. Raises InvalidInput naming every fault.

    A task with outcomes takes one of them and what it requires. A task for which nobody drew a form
    takes what it is given; deploying it warned.
    """
    element = case.definition.elements[case.open_task(task_id).element]
    context = case.local(task_id)
    form = form_of(library, case, element)
    chosen, rest = _chosen(element, form, values)
    checked = form.check(rest, context=context, now=change.now) if form else typed(rest)
    decided = _decided(element, chosen, checked)
    attach_files(change, form, case.case_id, checked)
    return {**checked, **decided}


def message_values(
    change: Change, library: Catalog, case: Case, message: str, values: Values
) -> dict[str, Value]:
    """What comes with a message, as FEEL values: by the form its catching element names, if any.

    Without a form an applicant may only give a reason: nobody writes into a case past a form.
    """
    for element in _waiting(case, message):
        data = library.package(case.beginning.pins[element.process_id]).form(
            element.properties.get("form", element.id)
        )
        if data is not None:
            checked = read(data).check(values, context=case.variables, now=change.now)
            attach_files(change, read(data), case.case_id, checked)
            return checked
    strange = sorted(set(values) - SAYABLE)
    if change.actor.level in OUTSIDERS and strange:
        raise _faults(dict.fromkeys(strange, ("unknown", "there is no such field", "没有此字段")))
    return typed(values)


def senders(case: Case, message: str) -> tuple[str, ...]:
    """Group patterns of those who may send a message: the property `sent_by` of what waits for it."""
    return tuple(
        name
        for element in _waiting(case, message)
        for name in split_list(element.properties.get("sent_by", ""))
    )


def attach_files(change: Change, form: Form | None, case_id: str, values: Values) -> None:
    """Make the files that these values name part of the case. Raises InvalidInput for a stranger's file."""
    ids = list(_files(form.fields, values)) if form else []
    if ids:
        evidence.attach(change.writing, ids, case_id=case_id, by=change.actor.id)


def form_of(library: Catalog, case: Case, element: Element) -> Form | None:
    """The form of a user task in the version the case is pinned to."""
    data = library.form(case.beginning.pins, element)
    return read(data) if data is not None else None


@lru_cache(maxsize=512)
def read(data: bytes) -> Form:
    """The form in a file; the same content is read once."""
    return read_form(data)


def typed(values: Values) -> dict[str, Value]:
    """JSON values as FEEL values; values that are FEEL already pass. Raises InvalidInput."""
    return {
        name: from_json(to_json(value) if not _is_json(value) else value) for name, value in values.items()
    }


# --- drafts -------------------------------------------------------------------------------------------


def start_place(process: str) -> str:
    """Where drafts of a start form stand, for there is no case yet."""
    return f"start:{process}"


def keep_draft(change: Change, case_id: str, task_id: str, values: Values, revision: int) -> int:
    """Keep a draft over the revision last seen; answers the new one. Raises WrongState DRAFT_STALE."""
    mine = _mine(case_id, task_id, change.actor.id)
    found = change.connection.execute(sa.select(drafts).where(mine)).first()
    current = found.revision if found else 0
    if revision != current:
        raise WrongState(
            f"the draft stands at revision {current}, revision {revision} was expected",
            code="DRAFT_STALE",
            revision=current,
            values=found.values if found else {},
        )
    row = {"values": to_json(typed(values)), "revision": current + 1, "saved_at": change.now}
    if found:
        change.writing.execute(sa.update(drafts).where(mine).values(**row))
    else:
        key = {"case_id": case_id, "task_id": task_id, "person": change.actor.id}
        change.writing.execute(drafts.insert().values(**key, **row))
    return current + 1


def forget_drafts(rows: Pending, case_id: str, task_id: str, person: str | None = None) -> None:
    """Everybody's drafts of a task that is done, or one person's."""
    key = {"case_id": case_id, "task_id": task_id}
    rows.sweep(drafts, key | {"person": person} if person else key, None)


# --- below --------------------------------------------------------------------------------------------


def _files(fields: Iterable[Field], values: Any) -> Iterator[str]:
    """The evidence ids among the values, level by level as the form nests them."""
    for rules in fields if isinstance(values, Mapping) else ():
        inner = values.get(rules.key) if rules.key else values
        if rules.kind == "filepicker":
            yield from inner or ()
        if rules.children:
            for row in inner if isinstance(inner, list) else [inner]:
                yield from _files(rules.children, row)


def _waiting(case: Case, message: str) -> Iterable[Element]:
    return [case.definition.elements[a.element] for a in case.awaited() if a.message == message]


def _chosen(element: Element, form: Form | None, values: Values) -> tuple[str | None, dict[str, Any]]:
    rest = dict(values)
    if element.task is None or not element.task.outcomes:
        return None, rest
    chosen = rest.pop(OUTCOME, None)
    return (chosen if isinstance(chosen, str) else None), rest


def _decided(element: Element, chosen: str | None, checked: Values) -> dict[str, Value]:
    if element.task is None or not element.task.outcomes:
        return {}
    outcomes = {outcome.value: outcome for outcome in element.task.outcomes}
    if chosen not in outcomes:
        expected = ", ".join(outcomes)
        fault = ("outcome", f"expected one of {expected}, found {chosen!r}", "请选择办理结果")
        raise _faults({OUTCOME: fault})
    missing = [name for name in outcomes[chosen].requires if checked.get(name) in (None, "", [], {})]
    if missing:
        label = outcomes[chosen].label
        raise _faults(
            {
                name: ("required_if", f"{chosen} needs {name}", f"选择“{label}”时必须填写此项")
                for name in missing
            }
        )
    return {OUTCOME: chosen}


def _faults(found: Mapping[str, tuple[str, str, str]]) -> InvalidInput:
    fields = tuple(
        FieldError(pointer=f"/{name}", code=code, message=message, message_zh=message_zh)
        for name, (code, message, message_zh) in found.items()
    )
    return InvalidInput("; ".join(field.message for field in fields), fields=fields)


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str | list | dict)


def _mine(case_id: str, task_id: str, person: str) -> sa.ColumnElement[bool]:
    return (drafts.c.case_id == case_id) & (drafts.c.task_id == task_id) & (drafts.c.person == person)
