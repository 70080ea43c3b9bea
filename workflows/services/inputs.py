"""Inputs of operations: each taken as the kind of value it has to be, or refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from engine.values import Value

Values = Mapping[str, Value]


def needed(inputs: Values, name: str) -> str:
    """A text that must be there. Raises ValueError."""
    value = inputs.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected a text `{name}`, found {value!r}")
    return value


def optional(inputs: Values, name: str) -> str:
    """A text, empty if it is not there."""
    return "" if inputs.get(name) is None else str(inputs[name])


def chosen(inputs: Values, name: str, choices: tuple[str, ...]) -> str:
    """A text out of a few. Raises ValueError."""
    value = needed(inputs, name)
    if value not in choices:
        raise ValueError(f"expected `{name}` to be one of {', '.join(choices)}, found {value!r}")
    return value


def day(inputs: Values, name: str, default: date) -> date:
    """A date, or the default if none is given. Raises ValueError."""
    return some_day(inputs, name) or default


def some_day(inputs: Values, name: str) -> date | None:
    """A date, None if it is not there. Raises ValueError."""
    value = inputs.get(name)
    if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
        raise ValueError(f"expected `{name}` to be a date, found {value!r}")
    return value


def whole(inputs: Values, name: str) -> int | None:
    """A whole number from 0, None if it is not there. Raises ValueError."""
    value = inputs.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value) or value < 0:
        raise ValueError(f"expected `{name}` to be a whole number from 0, found {value!r}")
    return int(value)


def year(inputs: Values, default: int) -> int:
    """The year that is asked about. Raises ValueError."""
    found = whole(inputs, "year")
    return default if found is None else found


def number(inputs: Values, name: str) -> Decimal | None:
    """An exact number, None if it is not there. Raises ValueError."""
    value = inputs.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"expected `{name}` to be a number, found {value!r}")
    return Decimal(value)


def texts(inputs: Values, name: str) -> tuple[str, ...]:
    """A list of texts, empty if it is not there. Raises ValueError."""
    value: Any = inputs.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"expected `{name}` to be a list of texts, found {value!r}")
    return tuple(value)
