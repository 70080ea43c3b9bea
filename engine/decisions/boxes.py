"""Boxed expressions as closures: formulas, tables, contexts, calls, lists, relations, functions, loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lxml import etree

from engine.decisions.items import Item, Items
from engine.decisions.tables import Code, Input, Output, Rule, Table, table_code
from engine.decisions.texts import (
    Names,
    Texts,
    child,
    children,
    id_of,
    name_in,
    tag_of,
    text_in,
    type_ref,
)
from engine.expressions.budget import ExpressionError
from engine.expressions.builtins.registry import BUILTINS, call_builtin_named
from engine.expressions.calls import foreign, invoke_named
from engine.expressions.feel import Expression
from engine.expressions.loops import Iteration, for_each, quantified, sift_items
from engine.expressions.operators import choice, context_of, list_of
from engine.expressions.scope import Function, Run, Scope
from engine.expressions.types import ANY
from engine.values import Value

Element = etree._Element
CALL_DEPTH = 20
ROUND_COST = 10


class Boxes:
    """Turns the boxed expressions of one model into closures."""

    def __init__(self, texts: Texts, items: Items) -> None:
        self.texts = texts
        self.items = items
        self.tables: list[Table] = []
        self.kinds: dict[str, Callable[[Element, Names], Code | None]] = {
            "literalExpression": self._literal,
            "decisionTable": self._table,
            "context": self._context,
            "invocation": self._invocation,
            "list": self._list,
            "relation": self._relation,
            "functionDefinition": self._function,
            "conditional": self._conditional,
            "filter": self._filter,
            "for": self._for,
            "some": self._some,
            "every": self._every,
        }

    def inside(self, element: Element | None, known: Names) -> Code | None:
        """The closure of the boxed expression inside an element; None if there is none."""
        for inner in element if element is not None else ():
            kind = self.kinds.get(tag_of(inner))
            if kind:
                return self._typed(kind(inner, known), inner)
        return None

    def _needed(self, element: Element | None, known: Names, owner: Element) -> Code:
        code = self.inside(element, known)
        if code is not None:
            return code
        self.texts.problem(owner, "dmn.empty", "warning", "an expression is missing", "缺少表达式")
        return lambda scope: scope.run.null("an expression is missing")

    def _typed(self, code: Code | None, element: Element) -> Code | None:
        """A box may say what type it gives; anything else becomes null."""
        item = self.texts.item(element, element.get("typeRef"))
        if code is None or item is None or tag_of(element) == "functionDefinition":
            return code
        return self._fitting(code, item, id_of(element))

    def _fitting(self, code: Code, item: Item | None, what: str) -> Code:
        if item is None:
            return code
        items = self.items

        def fitted(scope: Scope) -> Value:
            fits, value = items.fit(code(scope), item, scope.run)
            return value if fits else scope.run.null(f"{what}: the value is not a {item.name}")

        return fitted

    def _literal(self, element: Element, known: Names) -> Code | None:
        text = text_in(element)
        root = element.getroottree().getroot()
        language = element.get("expressionLanguage") or root.get("expressionLanguage")
        if language and "feel" not in language.lower():
            return self._other_language(element, language)
        return self.texts.expression(text, element, known).in_scope if text else None

    def _other_language(self, element: Element, language: str) -> Code:
        self.texts.problem(
            element,
            "dmn.language",
            "error",
            f"expressions in {language!r} are not run, only FEEL",
            f"不执行“{language}”表达式，只支持 FEEL",
        )

        def refuse(_scope: Scope) -> Value:
            raise ExpressionError("decision.language", f"expressions in {language!r} are not run")

        return refuse

    def _context(self, element: Element, known: Names) -> Code | None:
        entries: list[tuple[str, Code]] = []
        result: Code | None = None
        for entry in children(element, "contextEntry"):
            variable = child(entry, "variable")
            if variable is None:
                result = self._needed(entry, known, entry)
                continue
            code = self._needed(entry, known | {name_in(variable)}, entry)
            item = self.texts.item(variable, type_ref(variable))
            entries.append((name_in(variable), self._fitting(code, item, name_in(variable))))
            known = known | {name_in(variable)}
        return _context_code(entries, result)

    def _invocation(self, element: Element, known: Names) -> Code | None:
        called = child(element, "literalExpression")
        name = text_in(called)
        function = self.texts.expression(name, element if called is None else called, known)
        arguments = {
            name_in(parameter): self._needed(binding, known, element)
            for binding in children(element, "binding")
            if (parameter := child(binding, "parameter")) is not None
        }
        return _invocation_code(name, function, arguments)

    def _list(self, element: Element, known: Names) -> Code | None:
        codes = [self.kinds[tag_of(inner)](inner, known) for inner in element if tag_of(inner) in self.kinds]
        return list_of([code for code in codes if code])

    def _relation(self, element: Element, known: Names) -> Code | None:
        columns = [name_in(column) for column in children(element, "column")]
        rows: list[Code] = []
        for row in children(element, "row"):
            cells = [self.kinds[tag_of(c)](c, known) for c in row if tag_of(c) in self.kinds]
            rows.append(_row_code([(n, c) for n, c in zip(columns, cells, strict=False) if c]))
        return list_of(rows)

    def _conditional(self, element: Element, known: Names) -> Code | None:
        parts = [self._needed(child(element, tag), known, element) for tag in ("if", "then", "else")]
        return choice(*parts)

    def _filter(self, element: Element, known: Names) -> Code | None:
        source = self._needed(child(element, "in"), known, element)
        condition = self._needed(child(element, "match"), known | {"item"}, element)

        def sift(scope: Scope) -> Value:
            value = source(scope)
            items = value if isinstance(value, list) else [] if value is None else [value]
            return sift_items(items, condition, ROUND_COST, scope)

        return sift

    def _for(self, element: Element, known: Names) -> Code | None:
        iterations, inner = self._iteration(element, known)
        body = self._needed(child(element, "return"), inner | {"partial"}, element)
        return for_each(iterations, body, ROUND_COST)

    def _some(self, element: Element, known: Names) -> Code | None:
        iterations, inner = self._iteration(element, known)
        return quantified(
            iterations, self._needed(child(element, "satisfies"), inner, element), ROUND_COST, until=True
        )

    def _every(self, element: Element, known: Names) -> Code | None:
        iterations, inner = self._iteration(element, known)
        return quantified(
            iterations, self._needed(child(element, "satisfies"), inner, element), ROUND_COST, until=False
        )

    def _iteration(self, element: Element, known: Names) -> tuple[list[Iteration], Names]:
        name = element.get("iteratorVariable") or "item"
        source = self._needed(child(element, "in"), known, element)
        return [Iteration(name, source)], known | {name}

    def _function(self, element: Element, known: Names) -> Code | None:
        return self.function(element, "function", known, None)

    def function(self, element: Element, name: str, known: Names, result: Item | None) -> Code:
        """A function definition: parameters and result as their types allow, else null."""
        formal = children(element, "formalParameter")
        parameters = [(name_in(one), self.texts.item(one, type_ref(one))) for one in formal]
        if (element.get("kind") or "FEEL") != "FEEL":
            self.texts.problem(
                element, "dmn.external", "error", "only FEEL functions are run", "只支持 FEEL 函数"
            )
            return foreign([(one, self.items.type_of(item) if item else ANY) for one, item in parameters])
        body = self._needed(element, known | {one for one, _ in parameters}, element)
        wanted = result or self.texts.item(element, element.get("typeRef"))
        return _function_code(name, parameters, self._fitting(body, result, name), wanted, self.items)

    def _table(self, element: Element, known: Names) -> Code | None:
        table = self.table(element, known)
        return table_code(table, self.items)

    def table(self, element: Element, known: Names) -> Table:
        """The decision table as drawn."""
        inputs = tuple(self._input(column, known) for column in children(element, "input"))
        outputs = tuple(self._output(column, element, known) for column in children(element, "output"))
        names = known | {"?"}
        rules = tuple(
            self._rule(rule, f"{id_of(element)}:{n}", names, len(inputs))
            for n, rule in enumerate(children(element, "rule"), start=1)
        )
        policy = (element.get("hitPolicy") or "UNIQUE").upper()
        table = Table(
            id_of(element), policy, (element.get("aggregation") or "").upper(), inputs, outputs, rules
        )
        self.tables.append(table)
        return table

    def _input(self, column: Element, known: Names) -> Input:
        expression = child(column, "inputExpression")
        owner = column if expression is None else expression
        text = text_in(expression) or column.get("label") or "null"
        values = text_in(child(column, "inputValues"))
        return Input(
            id=id_of(column),
            label=column.get("label") or text,
            expression=self.texts.expression(text, owner, known),
            item=self.texts.item(owner, type_ref(expression)),
            allowed=self.texts.tests(values, column, known) if values else None,
        )

    def _output(self, column: Element, table: Element, known: Names) -> Output:
        values = text_in(child(column, "outputValues"))
        item = self.texts.item(column, type_ref(column))
        default = text_in(child(column, "defaultOutputEntry"))
        return Output(
            id=id_of(column),
            name=name_in(column) or " ".join((table.get("outputLabel") or "").split()),
            item=item,
            allowed=self.texts.tests(values, column, known) if values else None,
            order=self._order(values or self.items.allowed_text(item), column),
            default=self.texts.expression(default, column, known) if default else None,
        )

    def _order(self, values: str, column: Element) -> tuple[Expression, ...]:
        """The listed values, one expression each: the priority of the outputs."""
        tests = self.texts.tests(values, column, frozenset()) if values else None
        if tests is None or not hasattr(tests, "pieces"):
            return ()
        return tuple(self.texts.expression(piece, column, frozenset()) for piece in tests.pieces())

    def _rule(self, rule: Element, fallback: str, known: Names, columns: int) -> Rule:
        cells = children(rule, "inputEntry")
        if len(cells) != columns:
            self.texts.problem(
                rule,
                "dmn.table",
                "error",
                f"the rule has {len(cells)} cells for {columns} inputs",
                "规则的单元格数与输入列数不符",
            )
        return Rule(
            id=rule.get("id") or fallback,
            tests=tuple(self.texts.tests(text_in(cell) or "-", cell, known) for cell in cells),
            results=tuple(
                self.texts.expression(text_in(cell) or "null", cell, known - {"?"})
                for cell in children(rule, "outputEntry")
            ),
        )


def _context_code(entries: Sequence[tuple[str, Code]], result: Code | None) -> Code:
    if result is None:
        return context_of(entries)
    build = context_of(entries)

    def last(scope: Scope) -> Value:
        return result(Scope(build(scope) or {}, scope, scope.run))

    return last


def _row_code(cells: Sequence[tuple[str, Code]]) -> Code:
    return lambda scope: {name: code(scope) for name, code in cells}


def _invocation_code(name: str, function: Expression, arguments: dict[str, Code]) -> Code:
    def call(scope: Scope) -> Value:
        values = {key: code(scope) for key, code in arguments.items()}
        called = function.in_scope(scope)
        if isinstance(called, Function):
            return invoke_named(called, values, scope.run)
        if name in BUILTINS:
            return call_builtin_named(name, values, scope.run)
        return scope.run.null(f"{name!r} is not a function")

    return call


def _function_code(
    name: str, parameters: Sequence[tuple[str, Item | None]], body: Code, result: Item | None, items: Items
) -> Code:
    names = tuple(one for one, _ in parameters)
    types = tuple(items.type_of(item) if item else ANY for _, item in parameters)
    gives = items.type_of(result) if result else None

    def defined(scope: Scope) -> Value:
        def call(arguments: Sequence[Value], run: Run) -> Value:
            values: dict[str, Any] = {}
            for (one, item), argument in zip(parameters, arguments, strict=True):
                fits, values[one] = items.fit(argument, item, run)
                if not fits:
                    return run.null(f"{name}(): {one} is not a {item.name if item else 'value'}")
            run.budget.spend(CALL_DEPTH)
            run.budget.enter(CALL_DEPTH)
            try:
                return body(Scope(values, scope, run))
            finally:
                run.budget.leave(CALL_DEPTH)

        return Function(name, names, call, types, gives)

    return defined
