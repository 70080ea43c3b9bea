"""FEEL texts of a decision model: read once, listed for the check, and kept even if they are wrong."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from engine.decisions.items import Item
from engine.errors import Problem
from engine.expressions.budget import ExpressionError
from engine.expressions.feel import Expression, UnaryTests, parse, parse_unary
from engine.expressions.scope import Scope
from engine.expressions.types import simple
from engine.values import Value

Element = etree._Element
Names = frozenset[str]


@dataclass(frozen=True)
class Text:
    """A text that was read: the element it stands in, and the names known there."""

    element: str
    expression: Expression | UnaryTests
    known: Names


class UnreadableExpression(Expression):
    """A text that is not FEEL: evaluating it is the error that reading it was."""

    def __init__(self, text: str, error: ExpressionError) -> None:
        self.text = text
        self.error = error
        self.names = self.calls = self.filter_names = frozenset()

    def in_scope(self, scope: Scope) -> Value:
        raise self.error


class UnreadableTests(UnaryTests):
    """A cell that is not FEEL."""

    def __init__(self, text: str, error: ExpressionError) -> None:
        self.text = text
        self.error = error
        self.names = self.calls = self.filter_names = frozenset()

    def met(self, scope: Scope) -> bool | None:
        raise self.error


class Texts:
    """Reads the texts of one model."""

    def __init__(self, names: Names, items: frozenset[str]) -> None:
        self.names = names
        self.items = items
        self.read: list[Text] = []
        self.problems: list[Problem] = []

    def expression(self, text: str, element: Element, known: Names) -> Expression:
        """The expression, readable or not."""
        try:
            found = parse(text, self.names)
        except ExpressionError as error:
            self._report(text, element, error)
            return UnreadableExpression(text, error)
        self.read.append(Text(id_of(element), found, known))
        return found

    def tests(self, text: str, element: Element, known: Names) -> UnaryTests:
        """The cell's tests, readable or not."""
        try:
            found = parse_unary(text, self.names)
        except ExpressionError as error:
            self._report(text, element, error)
            return UnreadableTests(text, error)
        self.read.append(Text(id_of(element), found, known))
        return found

    def item(self, element: Element, type_ref: str | None) -> Item | None:
        """What a typeRef allows; None for anything, and a warning for a type that does not exist."""
        name = " ".join((type_ref or "").split()).removeprefix("feel:")
        if not name or name in ("Any", "any"):
            return None
        if name in self.items:
            return Item(name, refers_to=name)
        found = simple(name)
        if found is None:
            self.problem(
                element, "dmn.type", "warning", f"type {name!r} is not defined", f"类型“{name}”未定义"
            )
            return None
        return Item(name, base=found)

    def problem(self, element: Element, rule: str, severity: str, message: str, message_zh: str) -> None:
        """Note a finding."""
        self.problems.append(
            Problem(
                element=id_of(element), rule=rule, severity=severity, message=message, message_zh=message_zh
            )
        )

    def _report(self, text: str, element: Element, error: ExpressionError) -> None:
        place = "" if error.position is None else f" at {error.position}"
        self.problem(
            element,
            f"feel.{error.name}",
            "error",
            f"{text[:80]!r} cannot be read{place}: {error.message}",
            f"表达式“{text[:80]}”无法读取（位置 {error.position}）",
        )


def id_of(element: Element) -> str:
    """The id of the element, or of the nearest one around it that has an id."""
    nearest: Element | None = element
    while nearest is not None:
        if nearest.get("id"):
            return str(nearest.get("id"))
        nearest = nearest.getparent()
    return ""


def tag_of(element: Element) -> str:
    """The local name of a DMN element; empty for elements of other namespaces."""
    name = etree.QName(element)
    return name.localname if name.namespace and "/DMN/" in name.namespace else ""


def children(element: Element, tag: str) -> list[Element]:
    """The DMN children of that name."""
    return [child for child in element if tag_of(child) == tag]


def child(element: Element | None, tag: str) -> Element | None:
    """The first DMN child of that name."""
    return next(iter(children(element, tag)), None) if element is not None else None


def text_in(element: Element | None) -> str:
    """The `text` inside an element, or its own text."""
    if element is None:
        return ""
    inner = child(element, "text")
    return ((inner if inner is not None else element).text or "").strip()


def type_ref(element: Element | None) -> str | None:
    """The typeRef, as an attribute or a child."""
    if element is None:
        return None
    inner = child(element, "typeRef")
    return (inner.text or "").strip() if inner is not None else element.get("typeRef")


def name_in(element: Element) -> str:
    """A name in its one spelling."""
    return " ".join((element.get("name") or "").split())
