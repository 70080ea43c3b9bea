"""What is wrong with a decision model before anybody uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import prod

from engine.decisions.cells import check_cells, finding
from engine.decisions.model import Decision, Model
from engine.decisions.regions import Unclear, hits, witnesses
from engine.decisions.tables import Rule, Table
from engine.decisions.texts import Text
from engine.errors import Problem
from engine.expressions.builtins.registry import BUILTINS
from engine.expressions.scope import literal
from engine.values import Value

MAX_COMBINATIONS = 100_000
MAX_TRIALS = 500_000
MAX_FINDINGS = 10
HOST_FUNCTIONS = frozenset({"add working days", "working days between", "is working day"})
ALWAYS_KNOWN = frozenset({"?", "item", "partial"})


def check(model: Model, *, functions: frozenset[str] = HOST_FUNCTIONS) -> tuple[Problem, ...]:
    """All findings, errors first: texts that cannot be read, unknown names and functions, cells of another
    type than their column, outputs that are not allowed; as warnings gaps and overlaps with a witness,
    rules that never match, never decide or are written twice, inputs that are required and not used,
    drawn and not read, or never tested.

    `functions` are the names of the host's functions.
    """
    found = [*model.problems]
    for text in model.texts:
        found += _unknown(text, functions, is_open=model.is_open)
    for table in model.tables:
        found += check_cells(table, model.items)
        found += _Analysis(table, model).problems()
    for decision in {d.id: d for d in model.decisions.values()}.values():
        found += _unused(decision, model)
    found += _unread(model)
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: problem.severity != "error"))


def _unknown(text: Text, functions: frozenset[str], *, is_open: bool) -> Iterator[Problem]:
    names = text.expression.names - text.known - ALWAYS_KNOWN - BUILTINS.keys()
    for name in [] if is_open else sorted(names):
        yield finding(
            text.element, "feel.name", "error", f"{name!r} is not known here", f"此处没有变量“{name}”"
        )
    for name in sorted(text.expression.calls - text.known - functions):
        yield finding(
            text.element, "feel.function", "error", f"there is no function {name!r}", f"没有函数“{name}”"
        )


def _unused(decision: Decision, model: Model) -> Iterator[Problem]:
    names = [model.inputs[key].name for key in decision.inputs if key in model.inputs]
    names += [model.decisions[key].name for key in decision.decisions if key in model.decisions]
    for name in names:
        if decision.code is not None and name not in decision.reads:
            message = f"{name!r} is required and not used"
            yield finding(decision.id, "dmn.unused", "warning", message, f"需求“{name}”没有被使用")


def _unread(model: Model) -> Iterator[Problem]:
    """Input data that nothing requires."""
    decisions, services = model.decisions.values(), model.services.values()
    required = {key for decision in decisions for key in decision.inputs}
    required |= {key for service in services for key in service.inputs}
    for data in model.inputs.values():
        if data.id not in required:
            message = f"nothing reads input {data.name!r}"
            yield finding(data.id, "dmn.unread", "warning", message, f"没有元素读取输入“{data.name}”")


class _Analysis:
    """Gaps, overlaps and useless rules of one table, found by trying one value out of each region."""

    def __init__(self, table: Table, model: Model) -> None:
        self.table = table
        self.model = model

    def problems(self) -> list[Problem]:
        try:
            values = [witnesses(self.table, n, self.model.items) for n in range(len(self.table.inputs))]
        except Unclear:
            return []
        trials = sum(map(len, values)) * len(self.table.rules)
        if prod(map(len, values)) > MAX_COMBINATIONS or trials > MAX_TRIALS or not self.table.rules:
            return []
        found = dict(self._seen(values))
        return [*self._gaps(values), *self._overlaps(found), *self._useless(found)]

    def _masks(self, values: Sequence[Sequence[Value]]) -> list[list[int]]:
        return [hits([rule.tests[n] for rule in self.table.rules], column) for n, column in enumerate(values)]

    def _seen(self, values: Sequence[Sequence[Value]]) -> Iterator[tuple[int, tuple[Value, ...]]]:
        """Every set of rules that matches together, and an input for which it does."""
        masks = self._masks(values)
        everything = (1 << len(self.table.rules)) - 1
        for places in product(*(range(len(column)) for column in values)):
            together = everything
            for column, place in zip(masks, places, strict=True):
                together &= column[place]
            yield together, tuple(column[place] for column, place in zip(values, places, strict=True))

    def _gaps(self, values: Sequence[Sequence[Value]]) -> Iterator[Problem]:
        has_default = any(output.default for output in self.table.outputs)
        if has_default or self.table.hit_policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER"):
            return
        gaps = [combination for mask, combination in self._seen(values) if not mask]
        for combination in gaps[:MAX_FINDINGS]:
            where = self._witness(combination)
            yield finding(
                self.table.id, "dmn.gap", "warning", f"no rule matches {where}", f"没有规则匹配 {where}"
            )

    def _overlaps(self, found: dict[int, tuple[Value, ...]]) -> Iterator[Problem]:
        if self.table.hit_policy not in ("UNIQUE", "ANY"):
            return
        conflicts = [(mask, c) for mask, c in found.items() if mask & (mask - 1) and self._differ(mask)]
        for mask, combination in conflicts[:MAX_FINDINGS]:
            rules = self._rules(mask)
            names, where = ", ".join(rule.id for rule in rules), self._witness(combination)
            yield finding(
                rules[0].id,
                "dmn.overlap",
                "warning",
                f"rules {names} all match {where}",
                f"规则 {names} 同时匹配 {where}",
            )

    def _differ(self, mask: int) -> bool:
        """UNIQUE forbids every overlap, ANY only those that disagree."""
        if self.table.hit_policy == "UNIQUE":
            return True
        return len({tuple(result.text for result in rule.results) for rule in self._rules(mask)}) > 1

    def _useless(self, found: dict[int, tuple[Value, ...]]) -> Iterator[Problem]:
        reached = decided = 0
        winner = self._winners()
        for mask in found:
            reached |= mask
            decided |= winner(mask)
        for n, rule in enumerate(self.table.rules):
            if not reached >> n & 1:
                yield finding(
                    rule.id, "dmn.unreachable", "warning", "the rule never matches", "规则永远不会匹配"
                )
            elif not decided >> n & 1:
                yield finding(
                    rule.id,
                    "dmn.masked",
                    "warning",
                    "other rules decide whenever this one matches",
                    "规则总是被其他规则遮盖",
                )

    def _winners(self) -> Callable[[int], int]:
        """Which rules of a set that matches decide: the first, those of the highest priority, or all."""
        if self.table.hit_policy == "FIRST":
            return lambda mask: mask & -mask
        ranks = self._ranks() if self.table.hit_policy == "PRIORITY" else None
        if ranks is None:
            return lambda mask: mask

        def best(mask: int) -> int:
            matching = [n for n in range(len(ranks)) if mask >> n & 1]
            highest = min((ranks[n] for n in matching), default=())
            return sum(1 << n for n in matching if ranks[n] == highest)

        return best

    def _ranks(self) -> list[tuple[int, ...]] | None:
        """The priority of each rule's outputs; None if they are not all listed literals."""
        orders = [[one.text for one in output.order] for output in self.table.outputs]
        rows = [[result.text for result in rule.results] for rule in self.table.rules]
        if not all(text in order for row in rows for text, order in zip(row, orders, strict=True)):
            return None
        return [tuple(order.index(text) for text, order in zip(row, orders, strict=True)) for row in rows]

    def _rules(self, mask: int) -> list[Rule]:
        return [rule for n, rule in enumerate(self.table.rules) if mask >> n & 1]

    def _witness(self, combination: Sequence[Value]) -> str:
        columns = zip(self.table.inputs, combination, strict=True)
        parts = [f"{column.label} = {literal(value)}" for column, value in columns if value is not None]
        return ", ".join(parts) or "any input"
