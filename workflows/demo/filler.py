"""Fills any form so that the form itself accepts it: what it asks for, and nothing it does not."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.errors import FieldError, InvalidInput
from engine.values import Value
from workflows.demo.chance import Chance
from workflows.demo.texts import sentence
from workflows.forms.fields import CHOICES, MANY, TEXTS, Field
from workflows.forms.form import Form

ROUNDS = 12
SHANGHAI_OFFSET = "+08:00"
FORMATS = {"email": "green@example.com", "phone": "0931-8800000"}
LARGE = 100


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What somebody filling a form has at hand: the case's data, the date, working days, a file to attach."""

    context: Mapping[str, Value]
    now: datetime
    chance: Chance
    evidence: str
    functions: Mapping[str, Callable[..., Value]]


def fill(form: Form, given: Mapping[str, Any], desk: Desk) -> dict[str, Any]:
    """Values the form accepts: `given` as far as they fit, and something plausible wherever it asks for more.

    Raises InvalidInput, as the form does, if after some rounds it still refuses.
    """
    values = copy.deepcopy(dict(given))
    for _ in range(ROUNDS):
        faults = _faults(form, values, desk)
        if not faults:
            return values
        for fault in faults:
            _mend(form, values, fault, desk)
    form.check(values, context=desk.context, now=desk.now, functions=desk.functions)
    return values


def _faults(form: Form, values: Mapping[str, Any], desk: Desk) -> tuple[FieldError, ...]:
    try:
        form.check(values, context=desk.context, now=desk.now, functions=desk.functions)
    except InvalidInput as error:
        return error.fields
    return ()


def _mend(form: Form, values: dict[str, Any], fault: FieldError, desk: Desk) -> None:
    """Put an invention where the fault is, or take away what no field asks for."""
    level: Any = values
    fields = form.fields
    *outer, last = [part.replace("~1", "/").replace("~0", "~") for part in fault.pointer.split("/")[1:]]
    for part in outer:
        if part.isdigit():
            if not isinstance(level, list):
                return
            level = level[int(part)]
            continue
        found = named(fields, part)
        if found is None:
            level.pop(part, None)
            return
        fields = found.children
        level = level.setdefault(part, [] if found.kind == "dynamiclist" else {})
    rules = None if last.isdigit() else named(fields, last)
    if rules is None:
        level.pop(int(last) if last.isdigit() else last, None)
    else:
        level[last] = _invent(form, rules, level.get(last), desk)


def named(fields: tuple[Field, ...], key: str) -> Field | None:
    """The field of this key on one level; groups without a key are no level of their own."""
    return next((rules for rules in _level(fields) if rules.key == key), None)


def _level(fields: tuple[Field, ...]) -> Iterator[Field]:
    for rules in fields:
        if rules.kind == "group" and not rules.key:
            yield from _level(rules.children)
        else:
            yield rules


def _invent(form: Form, rules: Field, had: Any, desk: Desk) -> Any:
    if rules.kind in TEXTS:
        return _text(rules, desk.chance)
    if rules.kind in CHOICES | MANY:
        return _choice(form, rules, desk)
    match rules.kind:
        case "number":
            return _number(rules, desk.chance)
        case "checkbox":
            return True
        case "datetime":
            return _moment(rules, desk.now)
        case "filepicker":
            return [desk.evidence]
        case "dynamiclist":
            rows = had if isinstance(had, list) else []
            return rows + [{} for _ in range(max((rules.min_length or 1) - len(rows), 0))]
    return {}


def _text(rules: Field, chance: Chance) -> str:
    if rules.validation in FORMATS:
        return FORMATS[rules.validation]
    text = sentence(chance)
    while len(text) < (rules.min_length or 1):
        text += sentence(chance)
    return text[: rules.max_length or len(text)]


def _choice(form: Form, rules: Field, desk: Desk) -> Any:
    offered = form.options(rules, desk.context, now=desk.now, functions=desk.functions)
    if not offered:
        return None
    chosen = desk.chance.one_of(offered).value
    return [chosen] if rules.kind in MANY else chosen


def _number(rules: Field, chance: Chance) -> str:
    least = rules.minimum if isinstance(rules.minimum, int | float) else 1
    most = rules.maximum if isinstance(rules.maximum, int | float) else least + LARGE
    low, high = Decimal(str(least)), Decimal(str(most))
    spread = int((high - low) * 10)
    number = low + Decimal(chance.between(spread * 6 // 10, spread * 9 // 10)) / 10  # towards the good end
    return f"{number.quantize(Decimal(1) if rules.decimals == 0 else Decimal('0.1')).normalize():f}"


def _moment(rules: Field, now: datetime) -> str:
    day = now.date().isoformat()
    return {"time": "10:00:00", "datetime": f"{day}T10:00:00{SHANGHAI_OFFSET}"}.get(rules.subtype, day)
