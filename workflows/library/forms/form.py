"""Forms: a form-js file becomes checked, typed values; the browser's own checks are never trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import marshmallow as ma

from engine.errors import FieldError, InvalidInput
from engine.expressions.budget import STEPS, Budget, ExpressionError
from engine.expressions.feel import parse
from engine.values import Value
from workflows.library.forms.fields import DATA, NESTS, Field, Option, read_fields
from workflows.library.forms.html import html_values
from workflows.library.forms.values import (
    REQUIRED,
    Fault,
    bound_faults,
    fields_alone,
    is_blank,
    not_offered,
    read_number,
    schema_of,
)

Path = tuple[str | int, ...]
Values = dict[str, Value]
Functions = Mapping[str, Callable[..., Value]]


class Form:
    """One form file: its fields for rendering, and the only judge of what was filled in."""

    def __init__(self, form_id: str, fields: tuple[Field, ...]) -> None:
        self.id = form_id
        self.fields = fields
        self._schema = schema_of(fields)
        self._alone = fields_alone(self._schema)

    def walk(self) -> Iterator[Field]:
        """Every field, outer before inner, in the order of the file."""
        for top in self.fields:
            yield from top.walk()

    def check(
        self,
        values: Mapping[str, Any],
        *,
        context: Mapping[str, Value] | None = None,
        partial: bool = False,
        now: datetime | None = None,
        functions: Functions | None = None,
    ) -> Values:
        """The values as FEEL values, with the computed ones, without those of hidden fields.

        `context` is what the task sees of the case, for conditions and options. What was left blank or is
        hidden is absent, or null if the case holds a value of that name, so that it is cleared. `partial`
        (a draft) asks for nothing that is missing. Raises InvalidInput naming every fault by JSON pointer in
        both languages; unknown keys are faults.
        """
        typed, faults = self._read(values)
        round_ = _Round(context or {}, faults, not partial, Feel(now, functions or {}))
        kept = round_.settle(self.fields, typed, round_.outer, ())
        if round_.faults:
            raise _refusal(round_.faults, list(_names(self.fields)))
        emptied = [name for name in _names(self.fields) if not partial and name not in kept]
        return kept | {name: None for name in emptied if round_.outer.get(name) is not None}

    def compute(
        self,
        values: Mapping[str, Any],
        context: Mapping[str, Value] | None = None,
        *,
        now: datetime | None = None,
        functions: Functions | None = None,
        language: str = "zh",
    ) -> Values:
        """The values as far as they are sound, with every computed field; refuses nothing.

        In `en` with what English pages show, where a field says it: to be read, not to be kept.
        """
        return self._lenient(values, context, now, functions, language).values

    def hidden(
        self,
        values: Mapping[str, Any],
        context: Mapping[str, Value] | None = None,
        *,
        now: datetime | None = None,
        functions: Functions | None = None,
    ) -> frozenset[str]:
        """JSON pointers of the fields and groups that these values hide (`/list/0/key`).

        A group without a path has none of its own: its fields are named. Fields without a key are named
        by `#` and their component id.
        """
        return frozenset(map(pointer, self._lenient(values, context, now, functions).hidden))

    def options(
        self,
        rules: Field,
        context: Mapping[str, Value] | None = None,
        *,
        now: datetime | None = None,
        functions: Functions | None = None,
    ) -> tuple[Option, ...]:
        """The choices of a field for this case, whether they stand in the file or are found in `context`."""
        return offered(rules, dict(context or {}), Feel(now, functions or {}))

    def rows_due(
        self, rules: Field, context: Mapping[str, Value] | None = None, *, now: datetime | None = None
    ) -> int:
        """How many rows a list has that stands for another list of this case; 0 if it stands for none."""
        return due_rows(rules, context or {}, Feel(now, {})) if rules.rows_of else 0

    def parse_html(self, posted: Any, *, ignore: tuple[str, ...] = ("csrf_token",)) -> Values:
        """What a plain HTML form posted, as values for `check`: `list[0].key`, `group.key`, repeated names.

        `posted` is a multi-dict with `getlist`. Blank rows are dropped, absent checkboxes are false. Names
        that fit no field are kept, so that `check` refuses them. Raises InvalidInput for impossible names.
        """
        return html_values(self.fields, posted, ignore)

    def _read(self, values: Any) -> tuple[Values, dict[Path, list[Fault]]]:
        if type(values) is dict and values.keys() <= self._alone.keys():
            try:
                typed = {name: self._alone[name].deserialize(value) for name, value in values.items()}
                return {name: value for name, value in typed.items() if value is not ma.missing}, {}
            except ma.ValidationError:
                pass  # what is wrong is told by the whole schema
        try:
            return dict(self._schema.load(values)), {}
        except ma.ValidationError as error:
            found = error.valid_data if isinstance(error.valid_data, dict) else {}
            return found, dict(_flat(error.messages, ()))

    def _lenient(
        self,
        values: Mapping[str, Any],
        context: Mapping[str, Value] | None,
        now: datetime | None,
        functions: Functions | None,
        language: str = "zh",
    ) -> _Round:
        typed, faults = self._read(values)
        round_ = _Round(context or {}, faults, False, Feel(now, functions or {}), language)
        round_.values = round_.settle(self.fields, typed, round_.outer, ())
        return round_


def read_form(data: bytes) -> Form:
    """The form in a form-js file. Raises BadDefinition if it is none; `problems.check_form` says more."""
    return Form(*read_fields(data))


HOLDING = frozenset((*NESTS, *DATA, "expression"))
"""Kinds of fields that hold a value."""

MOST_WORK = 4 * STEPS
EACH = 20
"""What one evaluation costs at least, so that many rows of many fields do not add up to a hang."""


@dataclass(frozen=True)
class Feel:
    """How expressions of a form are evaluated: with the command's time and the calendar's functions.

    All of one check share one budget.
    """

    now: datetime | None
    functions: Functions
    budget: Budget = field(default_factory=lambda: Budget(steps=MOST_WORK))

    def value(self, text: str, scope: Mapping[str, Value]) -> Value:
        """The value of `text`; null if it has none or takes too long."""
        try:
            self.budget.spend(EACH)
            expression = parse(text)
            return expression.evaluate(scope, functions=self.functions, now=self.now, budget=self.budget)
        except ExpressionError:
            return None


class _Round:
    """One check of one set of values: what was kept, what is hidden, what is wrong."""

    def __init__(
        self,
        context: Mapping[str, Value],
        faults: dict[Path, list[Fault]],
        strict: bool,
        feel: Feel,
        language: str = "zh",
    ) -> None:
        self.language = language
        self.outer: Values = dict(context)
        self.faults = faults
        self.strict = strict
        self.feel = feel
        self.hidden: list[Path] = []
        self.values: Values = {}

    def settle(self, fields: tuple[Field, ...], typed: Values, outer: Values, path: Path) -> Values:
        """The values of one level that stand: visible, asked for, computed. Notes what is missing."""
        scope = {**outer, **dict.fromkeys(_names(fields)), **typed}
        self._precompute(fields, scope)
        kept: Values = {}
        self._fields(fields, typed, scope, kept, path)
        return kept

    def _precompute(self, fields: tuple[Field, ...], scope: Values) -> None:
        for rules in fields:
            if rules.kind == "group" and not rules.key:
                self._precompute(rules.children, scope)
            elif rules.kind == "expression" and rules.key:
                scope[rules.key] = self.feel.value(rules.computed(self.language), scope)

    def _fields(
        self, fields: tuple[Field, ...], typed: Values, scope: Values, kept: Values, path: Path
    ) -> None:
        for rules in fields:
            if rules.hide and self.feel.value(rules.hide, scope) is True:
                self._hide(rules, scope, path)
            elif rules.kind == "group" and not rules.key:
                self._fields(rules.children, typed, scope, kept, path)
            elif rules.key and rules.kind in HOLDING:
                self._field(rules, typed, scope, kept, (*path, rules.key))

    def _field(self, rules: Field, typed: Values, scope: Values, kept: Values, path: Path) -> None:
        value: Value = None
        if rules.kind == "expression":
            value = self.feel.value(rules.computed(self.language), scope)
        elif rules.kind == "group":
            value = self.settle(rules.children, typed.get(rules.key) or {}, scope, path)
        elif rules.kind == "dynamiclist":
            value = self._rows(rules, typed.get(rules.key) or [], scope, path)
        elif not rules.readonly:
            value = typed.get(rules.key)
            self._judge(rules, value, scope, path)
        scope[rules.key] = value
        if not is_blank(value) or rules.kind == "dynamiclist":
            kept[rules.key] = value

    def _rows(self, rules: Field, rows: list[Values], scope: Values, path: Path) -> list[Values]:
        if self.strict and path not in self.faults and (fault := self._too_few(rules, len(rows), scope)):
            self.faults[path] = [fault]
        kept = []
        for index, row in enumerate(rows):
            around = {**scope, "this": row, "parent": scope, "i": read_number(index + 1)}
            kept.append(self.settle(rules.children, row, around, (*path, index)))
        return kept

    def _too_few(self, rules: Field, count: int, scope: Values) -> Fault | None:
        """What is wrong with the number of rows; a list that the rows stand for has one for each item."""
        if rules.rows_of:
            due = due_rows(rules, scope, self.feel)
            wrong = Fault("rows", f"expected {due} rows, found {count}", f"应为{due}行，现有{count}行")
            return None if count == due else wrong
        least = rules.min_length or (1 if self._is_required(rules, scope) else 0)
        return Fault("min_rows", f"at least {least} rows", f"至少{least}行") if count < least else None

    def _judge(self, rules: Field, value: Value, scope: Values, path: Path) -> None:
        if path in self.faults:
            return
        missing = is_blank(value) or (rules.kind == "checkbox" and value is False)
        if missing and self.strict and self._is_required(rules, scope):
            self.faults[path] = [REQUIRED]
        elif not is_blank(value) and (faults := self._late_faults(rules, value, scope)):
            self.faults[path] = faults

    def _is_required(self, rules: Field, scope: Values) -> bool:
        return rules.required or (
            bool(rules.required_if) and self.feel.value(rules.required_if, scope) is True
        )

    def _late_faults(self, rules: Field, value: Value, scope: Values) -> list[Fault]:
        """Faults that only the case's data show: bounds and options that are expressions."""
        if rules.kind == "number":
            return bound_faults(value, self._bound(rules.minimum, scope), self._bound(rules.maximum, scope))
        if not (rules.options_key or rules.options_from):
            return []
        there = {option.value for option in offered(rules, scope, self.feel)}
        chosen = value if isinstance(value, list) else [value]
        return [not_offered(item) for item in chosen if item not in there]

    def _bound(self, bound: Any, scope: Values) -> Any:
        if isinstance(bound, str) and bound.startswith("="):
            return read_number(self.feel.value(bound[1:], scope))
        return None

    def _hide(self, rules: Field, scope: Values, path: Path) -> None:
        here = (*path, rules.key or f"#{rules.id}")
        self.hidden.append(here)
        for child in rules.children if rules.kind == "group" and not rules.key else ():
            self._hide(child, scope, path)
        if rules.key:
            scope[rules.key] = None
        for fault in [fault for fault in self.faults if fault[: len(here)] == here]:
            del self.faults[fault]


def due_rows(rules: Field, scope: Mapping[str, Value], feel: Feel) -> int:
    """The number of items of the list that a list's rows stand for."""
    listed = feel.value(rules.rows_of, scope)
    return len(listed) if isinstance(listed, list) else 0


def offered(rules: Field, scope: Mapping[str, Value], feel: Feel) -> tuple[Option, ...]:
    """The options of a field: static, under `valuesKey` of the data, or of an expression."""
    if not (rules.options_key or rules.options_from):
        return rules.options
    found = feel.value(rules.options_from, scope) if rules.options_from else scope.get(rules.options_key)
    return tuple(map(_found_option, found if isinstance(found, list) else ()))


def _found_option(item: Value) -> Option:
    if not isinstance(item, dict):
        return Option(value=str(item), label_zh=str(item), label_en="")
    value = str(item.get("value") or item.get("id") or "")
    label = str(item.get("label") or item.get("name") or value)
    english = item.get("labelEn") or item.get("nameEn") or item.get("name_en") or ""
    return Option(value=value, label_zh=label, label_en=str(english))


def _names(fields: tuple[Field, ...]) -> Iterator[str]:
    """The names of one level; a name that was not filled in is null, never what the case holds."""
    for rules in fields:
        if rules.kind == "group" and not rules.key:
            yield from _names(rules.children)
        elif rules.key and not rules.readonly:
            yield rules.key


def _flat(messages: Any, path: Path) -> Iterator[tuple[Path, list[Fault]]]:
    if isinstance(messages, list):
        yield path, [m if isinstance(m, Fault) else Fault("invalid", str(m), "值无效") for m in messages]
        return
    for key, inner in messages.items():
        yield from _flat(inner, path if key == "_schema" else (*path, key))


def _refusal(faults: Mapping[Path, list[Fault]], names: list[str]) -> InvalidInput:
    """All faults in the order of the form, what the form does not know at the end."""
    places = {name: place for place, name in enumerate(names)}

    def place(path: Path) -> tuple[int, list[tuple[bool, int, str]]]:
        return places.get(str(path[0]) if path else "", len(names)), list(map(_order, path[1:]))

    fields = tuple(
        FieldError(pointer=pointer(path), code=fault.code, message=str(fault), message_zh=fault.zh)
        for path in sorted(faults, key=place)
        for fault in faults[path]
    )
    return InvalidInput(f"{len(fields)} fields do not fit the form", fields=fields)


def _order(part: str | int) -> tuple[bool, int, str]:
    return (isinstance(part, str), part if isinstance(part, int) else 0, str(part))


def pointer(path: Path) -> str:
    """The JSON pointer of a path into the values."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
