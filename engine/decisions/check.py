"""What is wrong with a decision model before anybody uses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from engine.decisions.model import Decision, Model
from engine.decisions.regions import Unclear, hits, witnesses
from engine.decisions.tables import Output, Rule, Table
from engine.decisions.texts import Text, UnreadableExpression
from engine.errors import Problem
from engine.expressions.budget import ExpressionError
from engine.expressions.builtins.registry import BUILTINS
from engine.expressions.scope import literal
from engine.values import Value

MAX_COMBINATIONS = 100_000
MAX_TRIALS = 500_000
MAX_FINDINGS = 10
HOST_FUNCTIONS = frozenset(
    {"add working days", "working days between", "is working day", "end of working day"}
)
ALWAYS_KNOWN = frozenset({"?", "item", "partial"})


def check(model: Model, *, functions: frozenset[str] = HOST_FUNCTIONS) -> tuple[Problem, ...]:
    """All findings, errors first: texts that cannot be read, unknown names and functions, outputs that
    are not allowed; as warnings gaps and overlaps with a witness, rules that never match or never
    decide, inputs that are required and not used.

    `functions` are the names of the host's functions.
    """
    found = [*model.problems]
    for text in model.texts:
        found += _unknown(text, functions, is_open=model.is_open)
    for table in model.tables:
        found += _outputs(table)
        found += _Analysis(table, model).problems()
    for decision in {d.id: d for d in model.decisions.values()}.values():
        found += _unused(decision, model)
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: problem.severity != "error"))


def _unknown(text: Text, functions: frozenset[str], *, is_open: bool) -> Iterator[Problem]:
    names = text.expression.names - text.known - ALWAYS_KNOWN - BUILTINS.keys()
    for name in [] if is_open else sorted(names):
        yield _problem(
            text.element, "feel.name", "error", f"{name!r} is not known here", f"此处没有变量“{name}”"
        )
    for name in sorted(text.expression.calls - text.known - functions):
        yield _problem(
            text.element, "feel.function", "error", f"there is no function {name!r}", f"没有函数“{name}”"
        )


def _unused(decision: Decision, model: Model) -> Iterator[Problem]:
    names = [model.inputs[key].name for key in decision.inputs if key in model.inputs]
    names += [model.decisions[key].name for key in decision.decisions if key in model.decisions]
    for name in names:
        if decision.code is not None and name not in decision.reads:
            message = f"{name!r} is required and not used"
            yield _problem(decision.id, "dmn.unused", "warning", message, f"需求“{name}”没有被使用")


def _outputs(table: Table) -> Iterator[Problem]:
    for rule in table.rules:
        for output, expression in zip(table.outputs, rule.results, strict=True):
            if isinstance(expression, UnreadableExpression) or expression.names or expression.calls:
                continue
            try:
                value = expression.evaluate({})
            except ExpressionError:
                continue
            yield from _output(rule, output, value)


def _output(rule: Rule, output: Output, value: Value) -> Iterator[Problem]:
    allowed = output.allowed
    values = value if isinstance(value, list) else [value]
    if allowed is None or value is None or all(allowed.matches(each, {}) is True for each in values):
        return
    yield _problem(
        rule.id,
        "dmn.output",
        "error",
        f"{literal(value)} is not among the allowed values of {output.name!r}",
        f"{literal(value)} 不在输出“{output.name}”的允许值之内",
    )


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
            yield _problem(
                self.table.id, "dmn.gap", "warning", f"no rule matches {where}", f"没有规则匹配 {where}"
            )

    def _overlaps(self, found: dict[int, tuple[Value, ...]]) -> Iterator[Problem]:
        if self.table.hit_policy not in ("UNIQUE", "ANY"):
            return
        conflicts = [(mask, c) for mask, c in found.items() if mask & (mask - 1) and self._differ(mask)]
        for mask, combination in conflicts[:MAX_FINDINGS]:
            rules = self._rules(mask)
            names, where = ", ".join(rule.id for rule in rules), self._witness(combination)
            yield _problem(
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
        for mask in found:
            reached |= mask
            decided |= mask & -mask if self.table.hit_policy == "FIRST" else mask
        for n, rule in enumerate(self.table.rules):
            if not reached >> n & 1:
                yield _problem(
                    rule.id, "dmn.unreachable", "warning", "the rule never matches", "规则永远不会匹配"
                )
            elif not decided >> n & 1:
                yield _problem(
                    rule.id,
                    "dmn.masked",
                    "warning",
                    "earlier rules match whenever this one does",
                    "规则总是被前面的规则遮盖",
                )

    def _rules(self, mask: int) -> list[Rule]:
        return [rule for n, rule in enumerate(self.table.rules) if mask >> n & 1]

    def _witness(self, combination: Sequence[Value]) -> str:
        columns = zip(self.table.inputs, combination, strict=True)
        parts = [f"{column.label} = {literal(value)}" for column, value in columns if value is not None]
        return ", ".join(parts) or "any input"


def _problem(element: str, rule: str, severity: str, message: str, message_zh: str) -> Problem:
    return Problem(element=element, rule=rule, severity=severity, message=message, message_zh=message_zh)
