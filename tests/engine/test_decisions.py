"""Decision models: every hit policy, requirements, boxed expressions, and what is refused."""

# ruff: noqa: E501 (XML reads better unbroken)
from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import pytest

from engine.decisions.reader import parse_decisions
from engine.errors import BadDefinition
from engine.expressions.budget import Budget, ExpressionError

NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def model(body: str) -> bytes:
    head = f'<definitions xmlns="{NAMESPACE}" id="m" name="m" namespace="urn:m">'
    return f"{head}{body}</definitions>".encode()


def table(
    rules: Sequence[Sequence[str]],
    *,
    policy: str = "UNIQUE",
    inputs: Sequence[str] = ("score",),
    outputs: Sequence[str] = ("level",),
    values: str = "",
    default: str = "",
) -> str:
    """A decision `d` with a table `t`, its rules `r1`, `r2`…; a rule lists its cells and its outputs."""
    hit, _, aggregation = policy.partition("+")
    columns = [
        f'<input id="i{n}"><inputExpression id="e{n}"><text>{escape(text)}</text></inputExpression></input>'
        for n, text in enumerate(inputs)
    ]
    extra = f"<outputValues><text>{values}</text></outputValues>" * bool(values)
    extra += f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>" * bool(default)
    columns += [f'<output id="o{n}" name="{name}">{extra}</output>' for n, name in enumerate(outputs)]
    rows = [row(n, cells, len(inputs)) for n, cells in enumerate(rules, start=1)]
    attributes = f'hitPolicy="{hit}"' + f' aggregation="{aggregation}"' * bool(aggregation)
    return (
        f'<inputData id="s" name="score"/><decision id="d" name="Level">{needs("s")}'
        f'<decisionTable id="t" {attributes}>{"".join(columns + rows)}</decisionTable></decision>'
    )


def row(number: int, cells: Sequence[str], inputs: int) -> str:
    parts = [
        f"<{tag}><text>{escape(cell)}</text></{tag}>"
        for n, cell in enumerate(cells)
        for tag in ["inputEntry" if n < inputs else "outputEntry"]
    ]
    return f'<rule id="r{number}">{"".join(parts)}<annotationEntry><text>why</text></annotationEntry></rule>'


def needs(*references: str, kind: str = "Input") -> str:
    return "".join(
        f'<informationRequirement><required{kind} href="#{one}"/></informationRequirement>'
        for one in references
    )


def literal(text: str) -> str:
    return f"<literalExpression><text>{escape(text)}</text></literalExpression>"


GRADES = [[">= 90", '"a"'], [">= 80", '"b"'], [">= 80", '"c"'], ["< 60", '"d"']]
NUMBERS = [[">= 90", "30"], [">= 80", "20"], ["-", "10"]]
LISTED = '"d","c","b","a"'
POLICIES: list[tuple[str, list[list[str]], str, int, Any, tuple[str, ...]]] = [
    ("UNIQUE", GRADES, "", 50, "d", ("r4",)),
    ("UNIQUE", GRADES, "", 70, None, ()),
    ("FIRST", GRADES, "", 95, "a", ("r1", "r2", "r3")),
    ("FIRST", GRADES, "", 85, "b", ("r2", "r3")),
    ("PRIORITY", GRADES, LISTED, 95, "c", ("r1", "r2", "r3")),
    ("OUTPUT ORDER", GRADES, LISTED, 95, ["c", "b", "a"], ("r1", "r2", "r3")),
    ("RULE ORDER", GRADES, "", 95, ["a", "b", "c"], ("r1", "r2", "r3")),
    ("RULE ORDER", GRADES, "", 70, [], ()),
    ("COLLECT", GRADES, "", 95, ["a", "b", "c"], ("r1", "r2", "r3")),
    ("COLLECT", GRADES, "", 70, [], ()),
    ("COLLECT+COUNT", GRADES, "", 95, 3, ("r1", "r2", "r3")),
    ("COLLECT+COUNT", GRADES, "", 70, 0, ()),
    ("COLLECT+SUM", NUMBERS, "", 85, 30, ("r2", "r3")),
    ("COLLECT+MIN", NUMBERS, "", 95, 10, ("r1", "r2", "r3")),
    ("COLLECT+MAX", NUMBERS, "", 95, 30, ("r1", "r2", "r3")),
    ("ANY", [[">= 80", '"ok"'], [">= 90", '"ok"']], "", 95, "ok", ("r1", "r2")),
]


@pytest.mark.parametrize(("policy", "rules", "values", "score", "value", "matched"), POLICIES)
def test_each_hit_policy_gives_its_value_and_every_rule_that_matched(
    policy: str, rules: list[list[str]], values: str, score: int, value: Any, matched: tuple[str, ...]
) -> None:
    decisions = parse_decisions(model(table(rules, policy=policy, values=values)))

    evaluation = decisions.evaluate("d", {"score": Decimal(score)})

    assert (evaluation.value, evaluation.matched) == (value, matched)
    assert evaluation.inputs == {"score": Decimal(score)}


@pytest.mark.parametrize(
    ("policy", "score", "name", "rules"),
    [("UNIQUE", 85, "hit-policy.unique", "r2, r3"), ("ANY", 95, "hit-policy.any", "r1, r2, r3")],
)
def test_a_broken_hit_policy_is_an_error_that_names_the_rules(
    policy: str, score: int, name: str, rules: str
) -> None:
    decisions = parse_decisions(model(table(GRADES, policy=policy)))

    with pytest.raises(ExpressionError) as conflict:
        decisions.evaluate("Level", {"score": Decimal(score)})

    assert conflict.value.name == name
    assert conflict.value.message.endswith(rules)


def test_several_outputs_are_one_context_and_defaults_fill_in() -> None:
    rules = [["> 5", '"high"', "score * 2"]]
    decisions = parse_decisions(model(table(rules, outputs=("level", "points"), default='"none"')))

    assert decisions.evaluate("d", {"score": Decimal(6)}).value == {"level": "high", "points": 12}
    assert decisions.evaluate("d", {"score": Decimal(1)}).value == {"level": "none", "points": "none"}


def test_a_dash_matches_false_and_null_too() -> None:
    decisions = parse_decisions(model(table([["-", '"x"']])))

    assert [decisions.evaluate("d", {"score": v}).value for v in (False, None, "a")] == ["x", "x", "x"]


def test_a_required_decision_is_made_once_and_on_record() -> None:
    body = (
        '<inputData id="a" name="申报 分数"/>'
        f'<decision id="base" name="Pre-check">{needs("a")}{literal("申报 分数 * 2")}</decision>'
        f'<decision id="left" name="Left">{needs("base", kind="Decision")}{literal("Pre-check + 1")}</decision>'
        f'<decision id="top" name="Top">{needs("left", "base", kind="Decision")}'
        f"{literal('Left - Pre-check')}</decision>"
    )
    evaluation = parse_decisions(model(body)).evaluate("Top", {"申报 分数": Decimal(4)})

    assert evaluation.value == 1
    assert evaluation.inputs == {"Left": 9, "Pre-check": 8}
    assert [(r.decision, r.value) for r in evaluation.required] == [("left", 9), ("base", 8)]
    assert evaluation.required[0].required[0] is evaluation.required[1]


def bkm(name: str, parameters: Sequence[str], body: str, *, kind: str = "") -> str:
    formal = "".join(f'<formalParameter name="{one}" {kind}/>' for one in parameters)
    return (
        f'<businessKnowledgeModel id="{name}" name="{name}"><variable name="{name}"/>'
        f"<encapsulatedLogic>{formal}{body}</encapsulatedLogic></businessKnowledgeModel>"
    )


def knows(*references: str) -> str:
    return "".join(
        f'<knowledgeRequirement><requiredKnowledge href="#{r}"/></knowledgeRequirement>' for r in references
    )


def made(box: str, *, extra: str = "", inputs: dict[str, Any] | None = None, variable: str = "") -> Any:
    """The value of one decision made by that box."""
    body = (
        f'{extra}<inputData id="x" name="x"/><decision id="d" name="D">{variable}{needs("x")}{box}</decision>'
    )
    return parse_decisions(model(body)).evaluate("d", inputs or {"x": Decimal(3)}).value


BOXES: dict[str, tuple[str, Any]] = {
    "context with a result": (
        f'<context><contextEntry><variable name="a b"/>{literal("x + 1")}</contextEntry>'
        f"<contextEntry>{literal('a b * 2')}</contextEntry></context>",
        8,
    ),
    "context": (
        f'<context><contextEntry><variable name="a"/>{literal("x")}</contextEntry>'
        f'<contextEntry><variable name="b"/>{literal("a + 1")}</contextEntry></context>',
        {"a": 3, "b": 4},
    ),
    "list": (f"<list>{literal('x')}{literal('x + 1')}</list>", [3, 4]),
    "relation": (
        '<relation><column name="n"/><column name="m"/>'
        f"<row>{literal('1')}{literal('x')}</row><row>{literal('2')}{literal('4')}</row></relation>",
        [{"n": 1, "m": 3}, {"n": 2, "m": 4}],
    ),
    "conditional": (
        f"<conditional><if>{literal('x > 2')}</if><then>{literal('1')}</then><else>{literal('2')}</else></conditional>",
        1,
    ),
    "filter": (
        f"<filter><in>{literal('[1, 5, x]')}</in><match>{literal('item > 2')}</match></filter>",
        [5, 3],
    ),
    "for": (
        f'<for iteratorVariable="i"><in>{literal("[1, x]")}</in><return>{literal("i * x")}</return></for>',
        [3, 9],
    ),
    "every": (
        f'<every iteratorVariable="i"><in>{literal("[1, x]")}</in><satisfies>{literal("i > 1")}</satisfies></every>',
        False,
    ),
    "some": (
        f'<some iteratorVariable="i"><in>{literal("[1, x]")}</in><satisfies>{literal("i > 1")}</satisfies></some>',
        True,
    ),
    "function in a context": (
        '<context><contextEntry><variable name="f"/><functionDefinition><formalParameter name="n"/>'
        f"{literal('n + x')}</functionDefinition></contextEntry><contextEntry>{literal('f(10)')}</contextEntry></context>",
        13,
    ),
    "invocation of a built-in": (
        f'<invocation>{literal("string length")}<binding><parameter name="string"/>{literal(chr(34) + "ab" + chr(34))}'
        "</binding></invocation>",
        2,
    ),
}


@pytest.mark.parametrize("box", BOXES)
def test_each_boxed_expression_gives_its_value(box: str) -> None:
    text, value = BOXES[box]

    assert made(text) == value


def test_a_knowledge_model_is_called_in_text_and_in_a_box() -> None:
    twice = bkm("twice as", ["n"], literal("n * 2"))
    in_a_box = f'<invocation>{literal("twice as")}<binding><parameter name="n"/>{literal("x")}</binding></invocation>'

    assert made(knows("twice as") + literal("twice as(x) + twice as(n: 1)"), extra=twice) == 8
    assert made(knows("twice as") + in_a_box, extra=twice) == 6


def test_a_knowledge_model_may_call_another_and_itself() -> None:
    factorial = bkm("factorial", ["n"], literal("if n <= 1 then 1 else n * factorial(n - 1)"))
    both = bkm("half", ["n"], knows() + literal("n / 2")) + factorial

    assert made(knows("factorial", "half") + literal("half(factorial(5))"), extra=both) == 60


def test_endless_recursion_in_a_model_ends_with_a_name() -> None:
    endless = bkm("endless", ["n"], literal("endless(n + 1)"))

    with pytest.raises(ExpressionError, match=r"budget\.depth"):
        made(knows("endless") + literal("endless(1)"), extra=endless)


GRADE = '<itemDefinition id="g" name="tGrade"><typeRef>string</typeRef><allowedValues><text>"a","b"</text></allowedValues></itemDefinition>'
UNIT = (
    '<itemDefinition id="u" name="tUnit"><itemComponent name="grade"><typeRef>tGrade</typeRef></itemComponent>'
    '<itemComponent name="sizes" isCollection="true"><typeRef>number</typeRef></itemComponent></itemDefinition>'
)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ('"a"', "tGrade", "a"),
        ('"c"', "tGrade", None),
        ("1", "tGrade", None),
        ('["b"]', "tGrade", "b"),
        ('{grade: "a", sizes: [1, 2]}', "tUnit", {"grade": "a", "sizes": [1, 2]}),
        ('{grade: "a", sizes: 1}', "tUnit", {"grade": "a", "sizes": [1]}),
        ('{grade: "c", sizes: []}', "tUnit", None),
        ('{grade: "a"}', "tUnit", None),
        ('@"2026-01-01"', "date", made(literal('@"2026-01-01"'))),
        ("1", "date", None),
        ('{grade: "a", sizes: []} instance of tUnit', "boolean", True),
        ('{grade: "a"} instance of tUnit', "boolean", False),
    ],
)
def test_a_value_that_its_type_does_not_allow_is_null(text: str, kind: str, value: Any) -> None:
    variable = f'<variable name="D" typeRef="{kind}"/>'

    assert made(literal(text), extra=GRADE + UNIT, variable=variable) == value


def test_a_decision_service_is_a_function_of_its_inputs() -> None:
    body = (
        '<inputData id="a" name="a"/><inputData id="b" name="b"/>'
        f'<decision id="sum" name="Sum">{needs("a", "b")}{literal("a + b")}</decision>'
        f'<decision id="double" name="Double">{needs("sum", kind="Decision")}{literal("Sum * 2")}</decision>'
        '<decisionService id="svc" name="Svc"><outputDecision href="#double"/><encapsulatedDecision href="#sum"/>'
        '<inputData href="#a"/><inputData href="#b"/></decisionService>'
        '<decisionService id="part" name="Part"><outputDecision href="#double"/><inputDecision href="#sum"/>'
        "</decisionService>"
        f'<decision id="user" name="User">{knows("svc", "part")}{literal("Svc(1, 2) + Part(Sum: 10)")}</decision>'
    )
    decisions = parse_decisions(model(body))

    assert decisions.evaluate_service("Svc", {"a": Decimal(2), "b": Decimal(3)}) == 10
    assert decisions.evaluate("user", {}).value == 26


def test_an_imported_model_is_used_by_its_name() -> None:
    library = model(bkm("twice", ["n"], literal("n * 2"))).replace(
        b'namespace="urn:m"', b'namespace="urn:lib"'
    )
    body = (
        f'<import name="lib" namespace="urn:lib" importType="{NAMESPACE}"/><decision id="d" name="D">'
        '<knowledgeRequirement><requiredKnowledge href="urn:lib#twice"/></knowledgeRequirement>'
        f"{literal('lib.twice(4)')}</decision>"
    )

    assert parse_decisions(model(body), others=[library]).evaluate("d", {}).value == 8


def test_a_model_that_draws_no_input_data_reads_the_variables_directly() -> None:
    body = (
        table([["> limits.low", "score * 2"]])
        .replace('<inputData id="s" name="score"/>', "")
        .replace(needs("s"), "")
    )
    evaluation = parse_decisions(model(body)).evaluate(
        "d", {"score": Decimal(5), "limits": {"low": Decimal(3)}, "other": "x"}
    )

    assert evaluation.value == 10
    assert evaluation.inputs == {"score": 5, "limits": {"low": 3}}


def test_a_model_that_draws_input_data_sees_only_what_it_requires() -> None:
    body = f'<inputData id="s" name="score"/><decision id="d" name="D">{literal("score")}</decision>'

    assert parse_decisions(model(body)).evaluate("d", {"score": Decimal(5)}).value is None


def test_host_functions_and_the_commands_time_reach_every_table() -> None:
    decisions = parse_decisions(model(table([["twice(2)", "twice(score)"]])))

    assert decisions.evaluate("d", {"score": Decimal(4)}, functions={"twice": lambda n: n * 2}).value == 8


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


def test_a_null_is_explained_in_the_budget() -> None:
    budget = Budget()

    parse_decisions(model(table([["-", "score + 1"]]))).evaluate("d", {}, budget=budget)

    assert budget.warnings == ["there is no null + number"]
