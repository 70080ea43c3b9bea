"""Decision tables: which rules match, and what the hit policy makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.decisions.items import Item, Items
from engine.expressions.budget import ExpressionError
from engine.expressions.builtins.registry import call_builtin
from engine.expressions.comparison import same
from engine.expressions.feel import Expression, UnaryTests
from engine.expressions.scope import Run, Scope
from engine.values import Value

Code = Callable[[Scope], Value]
POLICIES = ("UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
AGGREGATIONS = {"SUM": "sum", "MIN": "min", "MAX": "max", "COUNT": "count"}


@dataclass(frozen=True)
class Input:
    """A column that is tested."""

    id: str
    label: str
    expression: Expression
    item: Item | None = None
    allowed: UnaryTests | None = None


@dataclass(frozen=True)
class Output:
    """A column that is given; `order` are the allowed values, the most important first."""

    id: str
    name: str
    item: Item | None = None
    allowed: UnaryTests | None = None
    order: tuple[Expression, ...] = ()
    default: Expression | None = None


@dataclass(frozen=True)
class Rule:
    """One row."""

    id: str
    tests: tuple[UnaryTests, ...]
    results: tuple[Expression, ...]


@dataclass(frozen=True)
class Table:
    """A decision table as drawn."""

    id: str
    hit_policy: str
    aggregation: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]


class DecisionRun(Run):
    """An evaluation that remembers, for the decision at hand, which rules matched and which decision
    services were `called`."""

    __slots__ = ("called", "matched")
    matched: list[str]
    called: list[Any]


def table_code(table: Table, items: Items) -> Code:
    """The closure that decides by a table."""

    def decide(scope: Scope) -> Value:
        values = [_input_value(column, scope, items) for column in table.inputs]
        asked = [Scope({"?": value}, scope, scope.run) for value in values]
        hits = [rule for rule in table.rules if _matches(rule, asked, scope.run)]
        if isinstance(scope.run, DecisionRun):
            scope.run.matched.extend(rule.id for rule in hits)
        return _HitPolicy(table, items, scope).result(hits)

    return decide


def _input_value(column: Input, scope: Scope, items: Items) -> Value:
    value = column.expression.in_scope(scope)
    fits, value = items.fit(value, column.item, scope.run, is_input=True)
    if not fits:
        return scope.run.null(f"input {column.label!r} has a value of another type")
    if column.allowed is not None and value is not None and column.allowed.in_scope(value, scope) is not True:
        raise ExpressionError("decision.input", f"input {column.label!r} has a value that is not allowed")
    return value


def _matches(rule: Rule, asked: Sequence[Scope], run: Run) -> bool:
    run.budget.spend(len(asked))
    return all(test.met(scope) is True for test, scope in zip(rule.tests, asked, strict=True))


class _HitPolicy:
    """Makes one value of the rules that matched."""

    def __init__(self, table: Table, items: Items, scope: Scope) -> None:
        self.table = table
        self.items = items
        self.scope = scope

    def result(self, hits: list[Rule]) -> Value:
        policy = self.table.hit_policy
        if not hits:
            return self._nothing(policy)
        if policy in ("FIRST", "UNIQUE"):
            if policy == "UNIQUE" and len(hits) > 1:
                raise self._conflict("unique", "more than one rule matches", hits)
            return self._value(hits[0])
        values = [self._value(rule) for rule in hits]
        if policy == "ANY":
            if not all(same(values[0], value, self.scope.run) for value in values[1:]):
                raise self._conflict("any", "the rules that match disagree", hits)
            return values[0]
        if policy in ("PRIORITY", "OUTPUT ORDER"):
            values = self._by_priority(values)
        return values[0] if policy == "PRIORITY" else self._collected(values)

    def _conflict(self, policy: str, reason: str, hits: list[Rule]) -> ExpressionError:
        rules = ", ".join(rule.id for rule in hits)
        return ExpressionError(f"hit-policy.{policy}", f"table {self.table.id}: {reason}: {rules}")

    def _nothing(self, policy: str) -> Value:
        if any(output.default for output in self.table.outputs):
            return self._named([self._given(output, output.default) for output in self.table.outputs])
        if policy == "COLLECT":
            return {"": [], "COUNT": Decimal(0)}.get(self.table.aggregation)
        return [] if policy in ("RULE ORDER", "OUTPUT ORDER") else None

    def _value(self, rule: Rule) -> Value:
        columns = zip(self.table.outputs, rule.results, strict=True)
        return self._named([self._given(output, expression) for output, expression in columns])

    def _given(self, output: Output, expression: Expression | None) -> Value:
        value = expression.in_scope(self.scope) if expression else None
        fits, value = self.items.fit(value, output.item, self.scope.run)
        if not fits:
            return self.scope.run.null(f"output {output.name!r} has a value of another type")
        if output.allowed is not None and value is not None and not self._is_allowed(value, output.allowed):
            raise ExpressionError(
                "decision.output", f"output {output.name!r} has a value that is not allowed"
            )
        return value

    def _is_allowed(self, value: Value, allowed: UnaryTests) -> bool:
        values = value if isinstance(value, list) else [value]
        return all(allowed.in_scope(each, self.scope) is True for each in values)

    def _named(self, values: list[Value]) -> Value:
        if len(values) == 1:
            return values[0]
        return {output.name: value for output, value in zip(self.table.outputs, values, strict=True)}

    def _by_priority(self, values: list[Value]) -> list[Value]:
        orders = [[e.in_scope(self.scope) for e in output.order] for output in self.table.outputs]

        def rank(value: Value) -> tuple[int, ...]:
            parts = list(value.values()) if len(orders) > 1 else [value]
            return tuple(self._place(part, order) for part, order in zip(parts, orders, strict=True))

        return sorted(values, key=rank)

    def _place(self, value: Value, order: list[Value]) -> int:
        return next((n for n, each in enumerate(order) if same(each, value, self.scope.run)), len(order))

    def _collected(self, values: list[Value]) -> Value:
        if not self.table.aggregation:
            return values
        if self.table.aggregation == "COUNT":
            return Decimal(len(values))
        if len(self.table.outputs) > 1:
            raise ExpressionError(
                "hit-policy.collect", f"table {self.table.id}: one output can be aggregated"
            )
        return call_builtin(AGGREGATIONS[self.table.aggregation], [values], self.scope.run)
