"""Item definitions: which values a variable of a decision model may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.expressions.feel import UnaryTests
from engine.expressions.scope import Run, Scope
from engine.expressions.types import ANY, Type, coerce
from engine.values import Value


@dataclass(frozen=True)
class Item:
    """One item definition: a FEEL type, another item by name, or fields; a list of it; what is allowed."""

    name: str
    base: Type | None = None
    refers_to: str = ""
    fields: tuple[tuple[str, Item], ...] | None = None
    is_list: bool = False
    allowed: UnaryTests | None = None
    constraint: UnaryTests | None = None


class Items:
    """All item definitions of a model by name."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        self.items = dict(items)
        self.types: dict[str, Type] = {}
        for name in self.items:
            self._named(name)

    def _named(self, name: str) -> Type:
        """The type of that name, made once; inside itself it is anything."""
        if name not in self.types and name in self.items:
            self.types[name] = ANY
            self.types[name] = self.type_of(self.items[name])
        return self.types.get(name, ANY)

    def type_of(self, item: Item) -> Type:
        """The FEEL type of an item, without its allowed values."""
        if item.fields is not None:
            found = Type("context", fields=tuple((name, self.type_of(field)) for name, field in item.fields))
        elif item.refers_to:
            found = self._named(item.refers_to)
        else:
            found = item.base or ANY
        return Type("list", item=found) if item.is_list else found

    def fit(self, value: Value, item: Item | None, run: Run, *, is_input: bool = False) -> tuple[bool, Value]:
        """Whether a value may stand for an item, and as what; an input may leave fields out."""
        if item is None or value is None:
            return True, value
        if not item.is_list:
            return self._fit_one(value, item, run, is_input)
        if not isinstance(value, list):
            value = [value]
        run.budget.check_list(len(value))
        found = [self._fit_one(each, item, run, is_input) for each in value]
        if not all(fits for fits, _ in found):
            return False, None
        whole = [each for _, each in found]
        return self._meets(item.constraint, whole, run), whole

    def _fit_one(self, value: Value, item: Item, run: Run, is_input: bool) -> tuple[bool, Value]:
        if item.fields is not None:
            fits, value = self._fit_fields(value, item.fields, run, is_input)
        elif item.refers_to:
            fits, value = self.fit(value, self.items.get(item.refers_to), run, is_input=is_input)
        else:
            fits, value = coerce(value, item.base or ANY, run)
        if not fits or (value is None and item.is_list):
            return fits, value
        if value is None and item.allowed is None:
            return True, None
        fits = self._meets(item.allowed, value, run)
        if not item.is_list:
            fits = fits and self._meets(item.constraint, value, run)
        return fits, value

    def _fit_fields(
        self, value: Value, fields: tuple[tuple[str, Item], ...], run: Run, is_input: bool
    ) -> tuple[bool, Value]:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict) or not (is_input or all(name in value for name, _ in fields)):
            return False, None
        made = dict(value)
        for name, field in fields:
            if name in made:
                fits, made[name] = self.fit(made[name], field, run, is_input=is_input)
                if not fits:
                    return False, None
        return True, made

    def _meets(self, tests: UnaryTests | None, value: Value, run: Run) -> bool:
        return tests is None or tests.in_scope(value, Scope({}, None, run)) is True

    def allowed_text(self, item: Item | None) -> str:
        """The allowed values of an item, or of the one it refers to, as they are written."""
        for _ in range(10):
            if item is None or item.allowed is not None:
                break
            item = self.items.get(item.refers_to)
        return item.allowed.text if item is not None and item.allowed is not None else ""
