"""Fills any form so that the form itself accepts it: what it asks for, and nothing it does not."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.errors import FieldError, InvalidInput
from engine.values import Value
from workflows.demo.chance import Chance
from workflows.demo.texts import sentence
from workflows.library.forms.fields import CHOICES, MANY, TEXTS, Field
from workflows.library.forms.form import Form
from workflows.library.forms.values import is_blank

ROUNDS = 12
SHANGHAI_OFFSET = "+08:00"
FORMATS = {"email": "green@example.com", "phone": "0931-8800000"}
LARGE = 100
BOUNDS = {"max": "maximum", "min": "minimum"}
"""Where a field keeps the bound that a fault of this code speaks of; an expression is a text."""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What somebody filling a form has at hand: the case's data, the date, a name for their papers.

    `needed` are keys that must not stay empty whatever the form says, because the button they will press
    needs them. `diligence` is the per cent of files attached where none is demanded. `attached` collects
    the evidence that the values name and that must be entered: its id, and what it is called.
    """

    context: Mapping[str, Value]
    now: datetime
    chance: Chance
    papers: str
    needed: tuple[str, ...] = ()
    diligence: int = 0
    attached: dict[str, str] = field(default_factory=dict)

    def attach(self, rules: Field) -> list[str]:
        """One more piece of evidence, by its id."""
        name = f"{self.papers}-{len(self.attached) + 1}"
        self.attached[name] = f"{rules.label_zh or rules.key}.pdf"
        return [name]


def fill(form: Form, given: Mapping[str, Any], around: Circumstances) -> dict[str, Any]:
    """Values the form accepts: `given` as far as they fit, and something plausible wherever it asks for more.

    Raises InvalidInput, as the form does, if after some rounds it still refuses.
    """
    values = copy.deepcopy(dict(given))
    _use_own_papers(form.fields, values, around)
    for _ in range(ROUNDS):
        faults = _faults(form, values, around)
        if not faults:
            return values
        for fault in faults:
            _mend(form, values, fault, around)
    form.check(values, context=around.context, now=around.now)
    return values


def _use_own_papers(fields: tuple[Field, ...], values: Any, around: Circumstances) -> None:
    """Put our own evidence in the place of somebody else's, and where the diligent attach some."""
    for rules in _level(fields) if isinstance(values, dict) else ():
        filled = values.get(rules.key)
        if rules.kind == "filepicker" and (filled or around.chance.happens(around.diligence)):
            values[rules.key] = around.attach(rules)
        for row in filled if isinstance(filled, list) and rules.kind == "dynamiclist" else [filled]:
            _use_own_papers(rules.children, row, around)


def _faults(form: Form, values: Mapping[str, Any], around: Circumstances) -> tuple[FieldError, ...]:
    try:
        kept = form.check(values, context=around.context, now=around.now)
    except InvalidInput as error:
        return error.fields
    return tuple(
        FieldError(pointer=f"/{key}", code="required_if", message=f"{key} is needed")
        for key in around.needed
        if is_blank(kept.get(key))
    )


def _mend(form: Form, values: dict[str, Any], fault: FieldError, around: Circumstances) -> None:
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
    elif fault.code in BOUNDS and isinstance(getattr(rules, BOUNDS[fault.code]), str):
        level[last] = _nearer(level[last], fault.code)
    else:
        level[last] = _invent(form, rules, level.get(last), around)


def _nearer(had: Any, code: str) -> str:
    """Half of what was too large, or twice what was too small: only the form can work out the bound."""
    number = Decimal(str(had))
    further = number / 2 if code == "max" else number * 2 + 1
    return f"{further.quantize(Decimal('0.1')).normalize():f}"


def named(fields: tuple[Field, ...], key: str) -> Field | None:
    """The field of this key on one level; groups without a key are no level of their own."""
    return next((rules for rules in _level(fields) if rules.key == key), None)


def _level(fields: tuple[Field, ...]) -> Iterator[Field]:
    for rules in fields:
        if rules.kind == "group" and not rules.key:
            yield from _level(rules.children)
        else:
            yield rules


def _invent(form: Form, rules: Field, had: Any, around: Circumstances) -> Any:
    if rules.kind in TEXTS:
        return _text(rules, around.chance)
    if rules.kind in CHOICES | MANY:
        return _choice(form, rules, around)
    match rules.kind:
        case "number":
            return _number(rules, around.chance)
        case "checkbox":
            return True
        case "datetime":
            return _moment(rules, around.now)
        case "filepicker":
            return around.attach(rules)
        case "dynamiclist":
            rows = had if isinstance(had, list) else []
            due = form.rows_due(rules, around.context, now=around.now) or rules.min_length or 1
            kept = rows[:due] if rules.rows_of else rows
            return kept + [{} for _ in range(max(due - len(kept), 0))]
    return {}


def _text(rules: Field, chance: Chance) -> str:
    if rules.validation in FORMATS:
        return FORMATS[rules.validation]
    text = sentence(chance)
    while len(text) < (rules.min_length or 1):
        text += sentence(chance)
    return text[: rules.max_length or len(text)]


def _choice(form: Form, rules: Field, around: Circumstances) -> Any:
    offered = form.options(rules, around.context, now=around.now)
    if not offered:
        return None
    chosen = around.chance.one_of(offered).value
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
