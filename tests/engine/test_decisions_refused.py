"""Decision models that must be refused, or must end with a name and soon."""

# ruff: noqa: E501 (XML reads better unbroken)
from __future__ import annotations

from decimal import Decimal

import pytest

from engine.decisions.check import check
from engine.decisions.reader import parse_decisions
from engine.errors import BadDefinition
from engine.expressions.budget import ExpressionError
from tests.engine.drawn_decisions import NAMESPACE, bkm, knows, literal, made, model, needs, table


def test_endless_recursion_in_a_model_ends_with_a_name() -> None:
    endless = bkm("endless", ["n"], literal("endless(n + 1)"))

    with pytest.raises(ExpressionError, match=r"budget\.depth"):
        made(knows("endless") + literal("endless(1)"), extra=endless)


def test_models_that_double_at_every_step_stay_cheap() -> None:
    """28 and its like: forty steps, each requiring the one before twice, in each of the three graphs."""
    functions = bkm("f0", ["n"], literal("n"))
    items = '<itemDefinition id="t0" name="t0"><typeRef>number</typeRef></itemDefinition>'
    decisions = f'<decision id="d0" name="d0">{literal("1")}</decision>'
    for n in range(1, 41):
        before = n - 1
        functions += bkm(f"f{n}", ["n"], literal(f"f{before}(n)")).replace(
            "<encapsulatedLogic>", knows(f"f{before}", f"f{before}") + "<encapsulatedLogic>"
        )
        fields = "".join(
            f'<itemComponent name="{x}"><typeRef>t{before}</typeRef></itemComponent>' for x in "ab"
        )
        items += f'<itemDefinition id="t{n}" name="t{n}">{fields}</itemDefinition>'
        required = needs(f"d{before}", f"d{before}", kind="Decision")
        decisions += f'<decision id="d{n}" name="d{n}">{required}{literal(f"d{before}")}</decision>'
    last = f'<decision id="d" name="D"><variable name="D" typeRef="t40"/>{knows("f40")}{literal("f1(1)")}</decision>'
    decisions_read = parse_decisions(model(items + functions + decisions + last))

    assert decisions_read.evaluate("d40", {}).value == 1
    assert decisions_read.evaluate("d", {}).value is None


def test_items_that_refer_to_each_other_end_with_a_name() -> None:
    items = (
        '<itemDefinition id="a" name="tA"><typeRef>tB</typeRef></itemDefinition>'
        '<itemDefinition id="b" name="tB"><typeRef>tA</typeRef></itemDefinition>'
    )

    with pytest.raises(ExpressionError, match=r"budget\.depth"):
        made(literal("1"), extra=items, variable='<variable name="D" typeRef="tA"/>')


def test_a_model_of_a_million_rules_is_refused_unread() -> None:
    with pytest.raises(BadDefinition, match=r"xml\.(size|nodes)"):
        parse_decisions(model(table([["1", "2"]] * 20_000)))


REFUSED: dict[str, tuple[str, str, str]] = {
    "circle": (
        f'<decision id="a" name="A">{needs("b", kind="Decision")}{literal("B")}</decision>'
        f'<decision id="b" name="B">{needs("a", kind="Decision")}{literal("A")}</decision>',
        "dmn.cycle",
        "a",
    ),
    "itself": (
        f'<decision id="a" name="A">{needs("a", kind="Decision")}{literal("A")}</decision>',
        "dmn.cycle",
        "a",
    ),
    "reference to nothing": (
        f'<decision id="a" name="A">{needs("no")}{literal("1")}</decision>',
        "dmn.reference",
        "a",
    ),
    "one id twice": ('<inputData id="a" name="A"/><inputData id="a" name="B"/>', "dmn.id", "a"),
    "no id": ('<inputData name="A"/>', "dmn.id", "A"),
    "a cell too many": (table([["1", "2", "3"]]), "dmn.table", "r1"),
    "unknown policy": (table([["1", "2"]], policy="WHICHEVER"), "dmn.hit-policy", "t"),
    "import of nothing": (
        f'<import id="i" name="l" namespace="urn:l" importType="{NAMESPACE}"/>',
        "dmn.import",
        "i",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_model_that_cannot_be_decided_is_refused_with_the_element(case: str) -> None:
    body, rule, element = REFUSED[case]

    with pytest.raises(BadDefinition) as refusal:
        parse_decisions(model(body))

    assert (rule, element) in [(p.rule, p.element) for p in refusal.value.problems]


@pytest.mark.parametrize("text", ["<a/>", '<definitions xmlns="urn:other"/>'])
def test_what_is_not_dmn_is_refused(text: str) -> None:
    with pytest.raises(BadDefinition, match=r"dmn\.root"):
        parse_decisions(text)


def test_dmn_with_a_doctype_is_refused() -> None:
    with pytest.raises(BadDefinition, match=r"xml\.doctype"):
        parse_decisions(b"<!DOCTYPE definitions>" + model(""))


def test_an_unknown_decision_and_a_cell_in_another_language_are_errors_with_a_name() -> None:
    decisions = parse_decisions(model(table([["__import__('os').system('id')", "1"]])))

    with pytest.raises(ExpressionError, match=r"decision\.unknown"):
        decisions.evaluate("nothing", {})
    with pytest.raises(ExpressionError, match=r"\[syntax\]"):
        decisions.evaluate("d", {"score": Decimal(1)})


JAVA = (
    '<context><contextEntry><variable name="f"/><functionDefinition kind="Java"><formalParameter name="x"/>'
    f'<context><contextEntry><variable name="class"/>{literal(chr(34) + "Math" + chr(34))}</contextEntry></context>'
    "</functionDefinition></contextEntry><contextEntry>@</contextEntry></context>"
)


def test_a_function_of_another_language_is_an_error_when_it_is_called() -> None:
    assert made(JAVA.replace("@", literal("f instance of function"))) is True
    with pytest.raises(ExpressionError, match=r"function\.external"):
        made(JAVA.replace("@", literal("f(1)")))


def test_an_expression_of_another_language_is_found_by_the_check_and_never_run() -> None:
    box = literal("x.y").replace("<literalExpression", '<literalExpression expressionLanguage="javascript"')
    decisions = parse_decisions(model(f'<decision id="d" name="D">{box}</decision>'))

    assert [problem.rule for problem in check(decisions)] == ["dmn.language"]
    with pytest.raises(ExpressionError, match=r"decision\.language"):
        decisions.evaluate("d", {})
    feel = literal("1").replace(">", ' expressionLanguage="https://www.omg.org/spec/DMN/20230324/FEEL/">', 1)
    assert made(feel) == 1
