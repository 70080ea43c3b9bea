"""FEEL's types: what conforms, and what is turned into what conforms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.expressions.comparison import kind
from engine.expressions.scope import Function, Range, Run
from engine.expressions.wide import midnight
from engine.values import Value

SIMPLE = frozenset(
    {
        "number",
        "string",
        "boolean",
        "date",
        "time",
        "date and time",
        "days and time duration",
        "years and months duration",
        "list",
        "context",
        "range",
        "function",
        "Any",
        "Null",
    }
)
ALIASES = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "any": "Any",
    "null": "Null",
}


@dataclass(frozen=True)
class Type:
    """A FEEL type: a simple one by `name`, with items, fields, or parameters and result if it has them."""

    name: str
    item: Type | None = None
    fields: tuple[tuple[str, Type], ...] | None = None
    parameters: tuple[Type, ...] | None = None
    result: Type | None = None


ANY = Type("Any")


def simple(name: str) -> Type | None:
    """The type of that FEEL name, if there is one."""
    name = ALIASES.get(name, name)
    return Type(name) if name in SIMPLE else None


def conforms(value: Value, wanted: Type, run: Run) -> bool:
    """Whether `value` is an instance of `wanted`; null is one only of Null. `run` pays for it."""
    if wanted.name == "Any":
        return value is not None
    if wanted.name == "Null":
        return value is None
    if kind(value) != wanted.name:
        return False
    match value:
        case list() if wanted.item:
            run.budget.spend(len(value))
            return all(fits(item, wanted.item, run) for item in value)
        case dict() if wanted.fields is not None:
            run.budget.spend(len(value))
            return _has_fields(value, wanted.fields, run)
        case Range() if wanted.item:
            ends = (value.start, value.end)
            return all(end is None or conforms(end, wanted.item, run) for end in ends)
        case Function() if wanted.parameters is not None:
            return _is_function(value, wanted)
    return True


def fits(value: Value, wanted: Type, run: Run) -> bool:
    """Whether `value` may stand where `wanted` is declared: null always may."""
    return value is None or conforms(value, wanted, run)


def _has_fields(value: Mapping[str, Value], fields: tuple[tuple[str, Type], ...], run: Run) -> bool:
    return all(name in value and fits(value[name], wanted, run) for name, wanted in fields)


def _is_function(value: Function, wanted: Type) -> bool:
    """Parameters may be wider and the result narrower than asked for."""
    wished = wanted.parameters or ()
    if len(value.parameters) != len(wished):
        return False
    own = value.types or (ANY,) * len(wished)
    parameters = all(
        isinstance(mine, Type) and is_part(asked, mine) for mine, asked in zip(own, wished, strict=True)
    )
    result = value.result if isinstance(value.result, Type) else ANY
    return parameters and (wanted.result is None or is_part(result, wanted.result))


def is_part(narrow: Type, wide: Type) -> bool:
    """Whether every value of `narrow` is one of `wide`."""
    if wide.name == "Any" or narrow.name == "Null":
        return True
    if narrow.name != wide.name:
        return False
    if wide.item and not is_part(narrow.item or ANY, wide.item):
        return False
    if wide.fields:
        own = dict(narrow.fields or ())
        return all(name in own and is_part(own[name], wanted) for name, wanted in wide.fields)
    return True


def coerce(value: Value, wanted: Type, run: Run) -> tuple[bool, Value]:
    """Whether `value` can stand for `wanted`, and as what.

    DMN's implicit conversions: one item from a list of one, a list of one from an item, midnight UTC
    from a date.
    """
    if wanted.name == "Any" or fits(value, wanted, run):
        return True, value
    if wanted.name == "list" and not isinstance(value, list):
        done, item = coerce(value, wanted.item or ANY, run)
        return done, [item]
    if isinstance(value, list) and len(value) == 1 and wanted.name != "list":
        return (True, value[0]) if conforms(value[0], wanted, run) else (False, None)
    if wanted.name == "date and time" and kind(value) == "date":
        return True, midnight(value)
    return False, None
