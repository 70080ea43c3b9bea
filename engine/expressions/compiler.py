"""From a syntax tree to closures: one small function for each node, no Python in sight."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, DecimalException
from typing import Any

from lark import Token, Tree

from engine.expressions import operators
from engine.expressions.budget import ExpressionError
from engine.expressions.builtins.registry import BUILTINS
from engine.expressions.calls import (
    Body,
    call_by_name,
    call_by_name_with_names,
    call_value,
    call_value_with_names,
    define,
    foreign,
)
from engine.expressions.grammar import Node
from engine.expressions.lexer import normal_name
from engine.expressions.loops import Iteration, Sought, at_index, filtered, for_each, quantified
from engine.expressions.scope import Scope
from engine.expressions.types import ANY, Type, simple
from engine.expressions.wide import read_date, read_duration, read_moment, read_time
from engine.temporal import Unrepresentable
from engine.values import CONTEXT, Value

Code = Callable[[Scope], Value]
MAX_DEPTH = 80
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{6}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


class Compiler:
    """Compiles one tree, and notes which names it takes from outside."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.filter_names: set[str] = set()
        self.calls: set[str] = set()
        self.bound: list[str] = []
        self.filters = 0
        self.depth = 0
        self.deepest = 0

    def code(self, node: Any) -> Code:
        """The closure of a node. Raises ExpressionError syntax.depth."""
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        if self.depth > MAX_DEPTH:
            raise ExpressionError(
                "syntax.depth", f"the expression is nested more than {MAX_DEPTH} levels deep"
            )
        compile_node: Callable[[list[Any]], Code] = getattr(self, f"on_{node.data}")
        made = compile_node(node.children)
        self.depth -= 1
        return made

    def codes(self, nodes: Sequence[Any]) -> list[Code]:
        return [self.code(node) for node in nodes if isinstance(node, Tree)]

    @contextmanager
    def names_bound(self, names: Sequence[str]) -> Iterator[None]:
        before = len(self.bound)
        self.bound.extend(names)
        yield
        del self.bound[before:]

    def on_expression(self, parts: list[Any]) -> Code:
        return self.code(parts[0])

    # Literals

    def on_number(self, parts: list[Any]) -> Code:
        try:
            return operators.constant(CONTEXT.create_decimal(str(parts[0])))
        except DecimalException:
            raise ExpressionError("syntax", "the number is too large", position=parts[0].start_pos) from None

    def on_string(self, parts: list[Any]) -> Code:
        return operators.constant(unquoted(parts[0]))

    def on_at(self, parts: list[Any]) -> Code:
        text = str(parts[0])[2:-1]
        for read in (read_date, read_moment, read_time, read_duration):
            try:
                return operators.constant(read(text))
            except Unrepresentable as error:
                raise ExpressionError("temporal.range", str(error), position=parts[0].start_pos) from None
            except ValueError:
                continue
        return operators.nothing(f"{text!r} is not a date, a time or a duration")

    def on_true(self, _parts: list[Any]) -> Code:
        return operators.constant(True)

    def on_false(self, _parts: list[Any]) -> Code:
        return operators.constant(False)

    def on_null(self, _parts: list[Any]) -> Code:
        return operators.constant(None)

    def on_group(self, parts: list[Any]) -> Code:
        return self.code(parts[1])

    def on_list(self, parts: list[Any]) -> Code:
        return operators.list_of(self.codes(parts))

    def on_range(self, parts: list[Any]) -> Code:
        start, end = self.codes(parts)
        return operators.range_of(start, end, is_from=parts[0] == "[", is_to=parts[-1] == "]")

    def on_half_range(self, parts: list[Any]) -> Code:
        sign, end = parts[1].children
        return operators.half_range(str(sign), self.code(end))

    def on_context(self, parts: list[Any]) -> Code:
        entries: list[tuple[str, Code]] = []
        with self.names_bound(()):
            for entry in parts:
                key = name_of(entry.children[0])
                entries.append((key, self.code(entry.children[1])))
                self.bound.append(key)
        return operators.context_of(entries)

    # Names, paths, calls

    def on_name(self, parts: list[Any]) -> Code:
        name = str(parts[0])
        if name not in self.bound:
            (self.filter_names if self.filters else self.names).add(name)
        return operators.variable(name)

    def on_path(self, parts: list[Any]) -> Code:
        source, name = parts[0], str(parts[1])
        made = self.code(source)
        return (
            operators.entry(str(source.children[0]), name)
            if source.data == "name"
            else operators.path(made, name)
        )

    def on_filter(self, parts: list[Any]) -> Code:
        source, condition = parts[0], parts[2]
        index = _constant_index(condition)
        if index is not None:
            return at_index(self.code(source), index)
        made = self.code(source)
        self.filters += 1
        with self.names_bound(("item",)):
            sieve = self.code(condition)
        self.filters -= 1
        return filtered(made, sieve, size_of(condition), _sought(condition))

    def on_call(self, parts: list[Any]) -> Code:
        arguments = self.codes(parts[1:])
        name = self._callee(parts[0])
        return call_by_name(name, arguments) if name else call_value(self.code(parts[0]), arguments)

    def on_call_named(self, parts: list[Any]) -> Code:
        named: list[Any] = [node for node in parts[1:] if isinstance(node, Tree)]
        arguments = {name_of(node.children[0]): self.code(node.children[1]) for node in named}
        name = self._callee(parts[0])
        if len(arguments) < len(named):
            return operators.nothing("an argument is given twice")
        if name:
            return call_by_name_with_names(name, arguments)
        return call_value_with_names(self.code(parts[0]), arguments)

    def _callee(self, node: Any) -> str:
        """The name that is called; it counts as a call unless it is built in or defined here."""
        if node.data != "name":
            return ""
        name = str(node.children[0])
        if name not in BUILTINS and name not in self.bound:
            self.calls.add(name)
        return name

    def on_function(self, parts: list[Any]) -> Code:
        parameters = [self._parameter(node) for node in parts[:-1] if isinstance(node, Tree)]
        before, self.deepest = self.deepest, self.depth
        with self.names_bound([name for name, _ in parameters]):
            body = self.code(parts[-1])
        depth = self.deepest - self.depth
        self.deepest = max(before, self.deepest)
        return define(parameters, Body(body, size_of(parts[-1]), depth))

    def _parameter(self, node: Any) -> tuple[str, Type]:
        wanted = type_of(node.children[1]) if len(node.children) > 1 else ANY
        return str(node.children[0]), wanted if isinstance(wanted, Type) else ANY

    def on_external(self, parts: list[Any]) -> Code:
        return foreign([self._parameter(node) for node in parts[:-1] if isinstance(node, Tree)])

    # Control

    def on_if_(self, parts: list[Any]) -> Code:
        return operators.choice(*self.codes(parts))

    def on_for_(self, parts: list[Any]) -> Code:
        iterations, body = self._iterations(parts, also="partial")
        return for_each(iterations, body, size_of(parts[-1]))

    def on_some(self, parts: list[Any]) -> Code:
        iterations, body = self._iterations(parts)
        return quantified(iterations, body, size_of(parts[-1]), until=True)

    def on_every(self, parts: list[Any]) -> Code:
        iterations, body = self._iterations(parts)
        return quantified(iterations, body, size_of(parts[-1]), until=False)

    def _iterations(self, parts: list[Any], also: str = "") -> tuple[list[Iteration], Code]:
        iterations: list[Iteration] = []
        *nodes, body = [node for node in parts if isinstance(node, Tree)]
        with self.names_bound([also] if also else []):
            for node in nodes:
                name = str(node.children[0])
                iterations.append(Iteration(name, *self.codes(node.children[1:])))
                self.bound.append(name)
            return iterations, self.code(body)

    # Operators

    def on_disjunction(self, parts: list[Any]) -> Code:
        return operators.either(self.codes(parts))

    def on_conjunction(self, parts: list[Any]) -> Code:
        return operators.both(self.codes(parts))

    def on_compare(self, parts: list[Any]) -> Code:
        left, right = self.codes(parts)
        return operators.COMPARISONS[str(parts[1])](left, right)

    def on_between(self, parts: list[Any]) -> Code:
        return operators.between(*self.codes(parts))

    def on_in_(self, parts: list[Any]) -> Code:
        value, target = parts
        return operators.inside(self.code(value), self.target(target))

    def target(self, node: Any) -> operators.Test:
        """What stands after `in`: one value, one comparison or several of them."""
        if node.data == "in_list":
            tests = [self.target(item) for item in node.children if isinstance(item, Tree)]
            return operators.any_test(tests)
        if node.data == "comparison":
            return operators.comparison_test(str(node.children[0]), self.code(node.children[1]))
        return operators.value_test(self.code(node))

    def on_sum(self, parts: list[Any]) -> Code:
        return self._chain(parts)

    def on_product(self, parts: list[Any]) -> Code:
        return self._chain(parts)

    def on_power(self, parts: list[Any]) -> Code:
        spaced: list[Any] = [parts[0]]
        for part in parts[1:]:
            spaced += ["**", part]
        return self._chain(spaced)

    def _chain(self, parts: list[Any]) -> Code:
        first = self.code(parts[0])
        rest = [
            (operators.ARITHMETIC[str(sign)], self.code(node))
            for sign, node in zip(parts[1::2], parts[2::2], strict=True)
        ]
        return operators.arithmetic(first, rest)

    def on_negative(self, parts: list[Any]) -> Code:
        return operators.minus(self.code(parts[1]))

    def on_instance_of(self, parts: list[Any]) -> Code:
        return operators.instance_of(self.code(parts[0]), type_of(parts[1]))

    # Cells

    def on_cell(self, parts: list[Any]) -> Code:
        return operators.cell([self._cell_test(node) for node in parts])

    def on_cell_not(self, parts: list[Any]) -> Code:
        tests = [self._cell_test(node) for node in parts if isinstance(node, Tree)]
        return operators.negated(operators.cell(tests))

    def _cell_test(self, node: Any) -> operators.Test:
        with self.names_bound(("?",)):
            if node.data == "comparison":
                return self.target(node)
            if any("?" in inner.children for inner in node.iter_subtrees() if inner.data == "name"):
                return operators.truth_test(self.code(node))
            return operators.cell_value_test(self.code(node))


def size_of(node: Node) -> int:
    """How many nodes a subtree has: the steps one pass through it costs."""
    return sum(1 for _ in node.iter_subtrees())


def name_of(token: Token) -> str:
    """A key or a parameter's name, quoted or not."""
    return unquoted(token) if token.type == "STRING" else str(token)


def unquoted(token: Token) -> str:
    """The text of a string literal. Raises ExpressionError syntax."""
    text = _ESCAPE.sub(_unescaped, str(token)[1:-1])
    if "\0" in text:
        raise ExpressionError("syntax", "a text cannot hold the character NUL", position=token.start_pos)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionError("syntax", "half a character", position=token.start_pos) from None


def _unescaped(found: re.Match[str]) -> str:
    escape = found[1]
    if len(escape) > 1:
        number = int(escape[1:], 16)
        return chr(number) if number < 0x110000 else found[0]
    return _LETTERS.get(escape, found[0])


def _constant_index(node: Any) -> Decimal | None:
    if node.data == "number":
        return Decimal(str(node.children[0]))
    if node.data == "negative" and node.children[1].data == "number":
        return -Decimal(str(node.children[1].children[0]))
    return None


def _sought(node: Any) -> Sought | None:
    """What a condition such as `item.no = row.no` looks for; None for every other."""
    if node.data != "compare" or node.children[1] != "=":
        return None
    left, right = _names(node.children[0]), _names(node.children[2])
    if len(left) != 2 or left[0] != "item" or not right or right[0] == "item":
        return None
    return Sought(left[1], right)


def _names(node: Any) -> tuple[str, ...]:
    """The names of a path such as `a.b.c`; () if there is more to it."""
    if node.data == "name":
        return (str(node.children[0]),)
    if node.data != "path":
        return ()
    before = _names(node.children[0])
    return (*before, str(node.children[1])) if before else ()


def type_of(node: Any) -> Type | str | None:
    """The type a type expression names, the name of one that only the model knows, or None."""
    parts = [part for part in node.children if isinstance(part, Tree)]
    if node.data == "type":
        name = ".".join(str(part) for part in node.children)
        return simple(name) or normal_name(name)
    inner = [type_of(part.children[1] if part.data == "field" else part) for part in parts]
    if not all(isinstance(one, Type) for one in inner):
        return None
    types = tuple(one for one in inner if isinstance(one, Type))
    if node.data == "type_context":
        return Type(
            "context", fields=tuple((str(p.children[0]), t) for p, t in zip(parts, types, strict=True))
        )
    if node.data == "type_function":
        return Type("function", parameters=types[:-1], result=types[-1]) if types else Type("function")
    name = str(node.children[0])
    return Type(name, item=types[0]) if name in ("list", "range") and len(types) == 1 else None
