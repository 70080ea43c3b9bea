"""The door to FEEL: read an expression or a table's cell once, evaluate it often."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

from lark import Tree

from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.builtins import contexts, lists, numbers, ranges, strings, times
from engine.expressions.builtins.registry import builtin
from engine.expressions.comparison import order
from engine.expressions.compiler import Compiler
from engine.expressions.grammar import Node, parse_tree
from engine.expressions.lexer import Source, needs_telling, wide_names
from engine.expressions.scope import NO_TYPES, NullResult, Range, Run, Scope
from engine.temporal import Unrepresentable
from engine.values import Value

ROOMS = (contexts, lists, numbers, ranges, strings, times)
NO_NAMES: frozenset[str] = frozenset()
NO_FUNCTIONS: Mapping[str, Callable[..., Value]] = {}


class _Compiled:
    """A text, its closures, and the names it takes from outside."""

    def __init__(self, source: Source) -> None:
        tree, tokens = parse_tree(source)
        compiler = Compiler()
        self.source = source
        self.text = source.text
        self.code = compiler.code(tree)
        self.names = frozenset(compiler.names)
        self.filter_names = frozenset(compiler.filter_names)
        self.calls = frozenset(compiler.calls)
        self._wide = wide_names(tokens, source.text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

    @property
    def tree(self) -> Node:
        """The syntax tree, read again: thousands of texts are kept, and only checks look at their trees."""
        return parse_tree(self.source)[0]

    def _told(self, context: Mapping[str, Value]) -> frozenset[str]:
        """Names in the context that make another expression of the text, such as `a-b` or `x and y`."""
        return frozenset(name for name in self._wide if name in context)

    def _run(self, scope: Scope) -> Value:
        try:
            return self.code(scope)
        except RecursionError:
            raise ExpressionError("budget.depth", "the expression is nested too deeply") from None
        except Unrepresentable as error:
            raise ExpressionError("temporal.range", str(error)) from None
        except ArithmeticError as error:
            raise ExpressionError("arithmetic", f"a number or a moment is out of range: {error}") from None


class Expression(_Compiled):
    """A FEEL expression.

    `names` are the variables it reads, `calls` the functions that are neither built in nor defined in
    it, `filter_names` names inside `[…]` that may be variables or entries of the items.
    """

    def evaluate(
        self,
        context: Mapping[str, Value],
        *,
        functions: Mapping[str, Callable[..., Value]] = NO_FUNCTIONS,
        now: datetime | None = None,
        budget: Budget | None = None,
        types: Mapping[str, object] = NO_TYPES,
    ) -> Value:
        """The value for these variables; what has no value is null, and `budget.warnings` says why.

        `functions` are further functions by their FEEL names, `now` is the command's time for now()
        and today(), `types` are the model's types for `instance of`.  Raises ExpressionError when the
        budget is used up, when now() is asked without a time, and for moments beyond years 1 to 9999.
        """
        if self._wide and (told := self._told(context)):
            return parse(self.text, self.source.names | told).in_scope(
                Scope(context, None, Run(budget or Budget(), functions, now, types))
            )
        return self._run(Scope(context, None, Run(budget or Budget(), functions, now, types)))

    def in_scope(self, scope: Scope) -> Value:
        """The value inside a scope that already exists."""
        return self._run(scope)


class UnaryTests(_Compiled):
    """The cell of a decision table: tests of one input value, which they may call `?`."""

    def matches(
        self,
        value: Value,
        context: Mapping[str, Value],
        *,
        functions: Mapping[str, Callable[..., Value]] = NO_FUNCTIONS,
        now: datetime | None = None,
        budget: Budget | None = None,
        types: Mapping[str, object] = NO_TYPES,
    ) -> bool | None:
        """Whether the value meets one of the tests; None if that cannot be said. Raises ExpressionError."""
        if self._wide and (told := self._told(context)):
            return parse_unary(self.text, self.source.names | told).in_scope(
                value, Scope(context, None, Run(budget or Budget(), functions, now, types))
            )
        return self.in_scope(value, Scope(context, None, Run(budget or Budget(), functions, now, types)))

    def pieces(self) -> tuple[str, ...]:
        """The texts of the single tests, in order."""
        starts = [node.meta for node in self.tree.children if isinstance(node, Tree)]
        return tuple(self.text[meta.start_pos : meta.end_pos] for meta in starts)

    def in_scope(self, value: Value, scope: Scope) -> bool | None:
        """The same inside a scope that already exists."""
        return self.met(Scope({"?": value}, scope, scope.run))

    def met(self, scope: Scope) -> bool | None:
        """The same inside a scope that already holds the value as `?`."""
        answer: bool | None = self._run(scope)
        return answer


def parse(text: str, names: frozenset[str] = NO_NAMES) -> Expression:
    """The expression in `text`. Raises ExpressionError syntax, syntax.size, syntax.depth.

    `names` are variables whose names hold operators or keywords (`pre-check`, `date of birth or loss`)
    and so must be known to read the text; plain names, also of several words, need not be told.
    """
    return _parse(text, _worth_telling(names))


def parse_unary(text: str, names: frozenset[str] = NO_NAMES) -> UnaryTests:
    """The tests in a table's cell; `-` is always met. Raises ExpressionError as `parse` does."""
    return ANYTHING if text.strip() == "-" else _parse_unary(text, _worth_telling(names))


@lru_cache(maxsize=256)
def _worth_telling(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if needs_telling(name)) if names else names


@lru_cache(maxsize=4096)
def _parse(text: str, names: frozenset[str]) -> Expression:
    return Expression(Source(text, names))


@lru_cache(maxsize=4096)
def _parse_unary(text: str, names: frozenset[str]) -> UnaryTests:
    return UnaryTests(Source(text, names, is_cell=True))


class _Anything(UnaryTests):
    """The cell `-`."""

    def __init__(self) -> None:
        super().__init__(Source("? = ?", is_cell=True))
        self.text = "-"

    def met(self, scope: Scope) -> bool | None:
        return True


ANYTHING = _Anything()
_RANGE = re.compile(r"([\[(\]])\s*(.*?)\s*\.\.\s*(.*?)\s*([\])\[])", re.DOTALL)
_PLAIN_NODES = frozenset({"expression", "number", "string", "at", "negative", "call", "name", "null"})


@builtin("range", "from: string")
def range_of_text(run: Run, text: str) -> Value:
    """`range("[1..3]")`, `range("[2..)")`: only of literals or of dates made from texts."""
    found = _RANGE.fullmatch(text.strip())
    if not found or not (found[2] or found[3]):
        raise NullResult("the text is not a range")
    start, end = (_end_of_range(part, run) if part else None for part in found.group(2, 3))
    if (not found[2] and found[1] == "[") or (not found[3] and found[4] == "]"):
        raise NullResult("an end that is missing cannot be included")
    if found[2] and found[3]:
        return _proper(Range(start, end, found[1] == "[", found[4] == "]"), run)
    sign = (">" if found[2] else "<") + "=" * ("[" in found[1] or "]" in found[4])
    return Range(start, end, found[1] == "[", found[4] == "]", sign)


def _end_of_range(text: str, run: Run) -> Value:
    try:
        made = parse(text)
    except ExpressionError as error:
        raise NullResult(error.message) from None
    is_plain = all(node.data in _PLAIN_NODES for node in made.tree.iter_subtrees())
    value = made.in_scope(Scope({}, None, run)) if is_plain and not made.calls else None
    if value is None or order(value, value, run) is None:
        raise NullResult("the end of a range must be a literal")
    return value


def _proper(span: Range, run: Run) -> Range:
    place = order(span.start, span.end, run)
    if place is None or place > 0:
        raise NullResult("the start of a range must not lie after its end")
    return span
