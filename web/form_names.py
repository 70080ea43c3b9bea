"""Names, ids and raw texts of form inputs: how values stand in HTML and in drafts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from web import words
from workflows.library.forms.fields import Field
from workflows.library.forms.html import html_name


def pointer_of(name: str) -> str:
    """The JSON pointer of an input's name: `list[0].key` → `/list/0/key`."""
    return "".join(f"/{part}" for part in re.split(r"[.\[\]]+", name) if part)


def html_id(pointer: str) -> str:
    """The id of the input for a JSON pointer."""
    return "f" + re.sub(r"[^\w-]", "-", pointer)


def flat_names(values: Any, pointer: str = "") -> dict[str, Any]:
    """Values as a draft keeps them: input name → text, list of texts or truth."""
    match values:
        case dict():
            items = [(f"{pointer}/{key}", inner) for key, inner in values.items()]
        case list() if any(isinstance(item, dict | list) for item in values):
            items = [(f"{pointer}/{number}", inner) for number, inner in enumerate(values)]
        case _:
            return {html_name(pointer): raw(values)}
    return {name: value for key, inner in items for name, value in flat_names(inner, key).items()}


def raw(value: Any) -> Any:
    """One value as its input holds it."""
    match value:
        case None:
            return ""
        case bool():
            return value
        case list() | tuple():
            return [raw(item) for item in value]
        case datetime():
            return value.astimezone(words.ZONE).strftime("%Y-%m-%dT%H:%M")
        case time():
            return f"{value:%H:%M}"
        case date():
            return value.isoformat()
        case Decimal() | int() | float():
            return words.number(value)
    return str(value)


def file_ids(fields: tuple[Field, ...], values: Any) -> Iterator[str]:
    """Every evidence id among the values of a form."""
    for rules in fields:
        here = values.get(rules.key) if rules.key and isinstance(values, Mapping) else values
        if rules.kind == "filepicker":
            yield from (str(one) for one in here or () if isinstance(here, list))
        elif rules.kind == "dynamiclist" and isinstance(here, list):
            for row in here:
                yield from file_ids(rules.children, row)
        elif rules.children:
            yield from file_ids(rules.children, here)
