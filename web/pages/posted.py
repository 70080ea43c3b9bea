"""What a browser posted with a form: its values, files kept as evidence, and which button was pressed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage, MultiDict

from engine.errors import FieldError, InvalidInput
from web.form_names import pointer_of
from web.problems import refusal_of
from workflows.library.forms.form import Form

BUTTONS = ("_add", "_remove", "_drop", "_again")
TICKET, TRAP = "_ticket", "_website"
"""What a form without an account carries besides: its ticket, and a field that people leave empty."""

IGNORED = ("csrf_token", "outcome", "idempotency_key", TICKET, TRAP, *BUTTONS)
ROW = re.compile(r".+\[\d{1,4}\]")


@dataclass(frozen=True, kw_only=True)
class Posted:
    """`values` as the form's check takes them; `redraw` when a row or file was added or taken away;
    `errors` are of files that were not taken."""

    values: dict[str, Any]
    outcome: str | None
    redraw: bool
    errors: tuple[FieldError, ...] = ()


def read_post(form: Form, *, store: Callable[[FileStorage], str]) -> Posted:
    """The posted form. `store(upload) -> id` keeps an uploaded file; its id joins its field's values.

    Raises InvalidInput for names that no form has. A file that is refused is told among the errors, so
    that nothing else that was typed is lost.
    """
    sent: MultiDict[str, str] = MultiDict(request.form)
    errors = tuple(_keep_uploads(sent, store))
    _drop(sent)
    _remove(sent)
    values = form.parse_html(sent, ignore=IGNORED)
    _add(values, sent.get("_add"))
    redraw = any(name in sent for name in BUTTONS)
    return Posted(values=values, outcome=request.form.get("outcome"), redraw=redraw, errors=errors)


def errors_of(refused: InvalidInput) -> tuple[FieldError, ...]:
    """What a page tells of a refusal: its fields, or the whole of it where no field is to blame."""
    said = refusal_of(refused)
    return refused.fields or (
        FieldError(pointer="", code=refused.code, message=said.detail, message_zh=said.detail),
    )


def from_draft(form: Form, draft: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a saved draft: input name → text, list of texts or truth."""
    sent: MultiDict[str, str] = MultiDict()
    for name, value in draft.items():
        for one in _each(value):
            if one is not False and one is not None:
                sent.add(name, "true" if one is True else str(one))
    return form.parse_html(sent, ignore=IGNORED)


def draft_values(form: Form | None, sent: Mapping[str, Any]) -> dict[str, Any]:
    """A draft as it is kept: the form's values. Pages send input names with texts, programs the values."""
    nested = any(isinstance(one, dict) for value in sent.values() for one in _each(value))
    return dict(sent) if nested or form is None else from_draft(form, sent)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _keep_uploads(sent: MultiDict[str, str], store: Callable[[FileStorage], str]) -> Iterator[FieldError]:
    """Keep every file under its field's name; answers what is wrong with those that were not taken."""
    for name, upload in request.files.items(multi=True):
        if not _has_name(upload):
            continue
        try:
            sent.add(name, store(upload))
        except InvalidInput as refused:
            for error in errors_of(refused):
                yield replace(error, pointer=pointer_of(name))


def _has_name(upload: Any) -> bool:
    return bool(upload.filename)


def _drop(sent: MultiDict[str, str]) -> None:
    """`_drop=name=id` takes one file out of a field."""
    name, _, gone = sent.get("_drop", "").rpartition("=")
    if name:
        sent.setlist(name, [one for one in sent.getlist(name) if one != gone])


def _remove(sent: MultiDict[str, str]) -> None:
    """`_remove=list[2]` takes one row away."""
    gone = sent.get("_remove", "")
    if ROW.fullmatch(gone):
        for name in [name for name in sent if name.startswith(f"{gone}.")]:
            sent.poplist(name)


def _add(values: dict[str, Any], name: str | None) -> None:
    """`_add=group.list` puts an empty row at its end; a list that is not there yet is made."""
    here: Any = values
    parts = [part for part in re.split(r"[.\[\]]+", name or "") if part]
    for part in parts[:-1]:
        here = here[int(part)] if isinstance(here, list) and _is_index(part, here) else _member(here, part)
    if parts and isinstance(here, dict) and isinstance(rows := here.setdefault(parts[-1], []), list):
        rows.append({})


def _is_index(part: str, rows: list[Any]) -> bool:
    return part.isascii() and part.isdigit() and int(part) < len(rows)


def _member(here: Any, part: str) -> Any:
    return here.get(part) if isinstance(here, dict) else None
