"""Values as people and programs write them in JSON, with what JSON lacks as {"type": …, "value": text}."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.errors import InvalidInput
from engine.expressions.comparison import kind
from engine.expressions.scope import text_of
from engine.expressions.wide import read_date, read_duration, read_moment, read_time
from engine.values import Value, from_json, number_text

EXACT_DIGITS = 15
"""So many digits survive the way through a JSON reader that knows only doubles."""

MAX_VALUES, MAX_LEVELS = 1_000_000, 200

READERS: dict[str, Callable[[str], Value]] = {
    "date": read_date,
    "time": read_time,
    "date and time": read_moment,
    "days and time duration": read_duration,
    "years and months duration": read_duration,
    "number": Decimal,
}


def to_typed(value: Value) -> Any:
    """Friendly JSON that keeps every type and digit; a context of just `type` and `value` is wrapped.

    Raises InvalidInput for more than a million values or 200 levels.
    """
    return _Writer().write(value, MAX_LEVELS)


class _Writer:
    """Counts what has passed: lists may share their items and so be larger than memory when written out."""

    def __init__(self) -> None:
        self.left = MAX_VALUES

    def write(self, value: Value, levels: int) -> Any:
        self.left -= 1
        if self.left < 0 or levels < 0:
            raise InvalidInput("the value is too large or too deep to be told", code="VALUE_SIZE")
        match value:
            case None | bool() | str() | int():
                return value
            case Decimal():
                return _number(value)
            case list() | tuple():
                return [self.write(item, levels - 1) for item in value]
            case dict():
                inner = {str(key): self.write(item, levels - 1) for key, item in value.items()}
                return {"type": "context", "value": inner} if set(inner) == {"type", "value"} else inner
        what = kind(value)
        return {"type": what, "value": text_of(value)} if what in READERS else str(value)


def from_typed(obj: Any) -> Value:
    """The value of such JSON; floats become exact decimals. Raises InvalidInput."""
    match obj:
        case list():
            return [from_typed(item) for item in obj]
        case {"type": "context", "value": dict() as inner} if len(obj) == 2:
            return {key: from_typed(item) for key, item in inner.items()}
        case {"type": str() as what, "value": str() as text} if len(obj) == 2 and what in READERS:
            return _read(what, text)
        case dict():
            return {key: from_typed(item) for key, item in obj.items()}
    return from_json(obj)


def _number(value: Decimal) -> Any:
    if len(value.normalize().as_tuple().digits) > EXACT_DIGITS or abs(value.adjusted()) > EXACT_DIGITS:
        return {"type": "number", "value": number_text(value)}
    return int(value) if value == value.to_integral_value() else float(value)


def _read(what: str, text: str) -> Value:
    try:
        return READERS[what](text)
    except (ValueError, ArithmeticError) as error:
        raise InvalidInput(f"expected a {what}, found {text!r}", code="VALUE") from error
