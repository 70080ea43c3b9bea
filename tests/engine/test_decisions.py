"""Decision models: every hit policy, requirements, boxed expressions."""

# ruff: noqa: E501 (XML reads better unbroken)
from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.decisions.reader import parse_decisions
from engine.expressions.budget import Budget, ExpressionError
from tests.engine.drawn_decisions import GRADE, NAMESPACE, bkm, knows, literal, made, model, needs, table

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

    served = decisions.evaluate_service("Svc", {"a": Decimal(2), "b": Decimal(3)})

    assert (served.decision, served.value, served.inputs) == ("svc", 10, {"a": 2, "b": 3})
    assert [(made.decision, made.value) for made in served.required] == [("double", 10)]
    assert decisions.evaluate("svc", {"a": Decimal(2), "b": Decimal(3)}).value == 10
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


def test_a_null_is_explained_in_the_budget() -> None:
    budget = Budget()

    parse_decisions(model(table([["-", "score + 1"]]))).evaluate("d", {}, budget=budget)

    assert budget.warnings == ["there is no null + number"]


def in_namespace(name: str, body: str) -> bytes:
    return model(body).replace(b"urn:m", f"urn:{name}".encode())


def lends(alias: str) -> str:
    return f'<import name="{alias}" namespace="urn:{alias}" importType="{NAMESPACE}"/>'


GREETING = in_namespace(
    "far",
    '<inputData id="p" name="Person name"><variable name="Person name" typeRef="string"/></inputData>'
    f'<decision id="hi" name="Greet">{needs("p")}{literal(chr(34) + "Hi " + chr(34) + " + Person name")}</decision>'
    '<decisionService id="svc" name="Svc"><outputDecision href="#hi"/><inputData href="#p"/></decisionService>',
)
LOUD = in_namespace(
    "near",
    f'{lends("far")}<decision id="loud" name="Loud">'
    '<informationRequirement><requiredDecision href="urn:far#hi"/></informationRequirement>'
    '<informationRequirement><requiredInput href="urn:far#p"/></informationRequirement>'
    f"{literal('upper case(far.Greet) + far.Person name')}</decision>",
)


def test_imported_decisions_read_their_inputs_below_the_names_of_the_imports() -> None:
    top = in_namespace(
        "top",
        f'{lends("near")}<decision id="top" name="Top">'
        '<informationRequirement><requiredDecision href="urn:near#loud"/></informationRequirement>'
        f"{literal('near.Loud')}</decision>",
    )
    made = parse_decisions(top, others=[LOUD, GREETING]).evaluate(
        "Top", {"near": {"far": {"Person name": "bo"}}}
    )

    assert made.value == "HI BObo"
    assert made.required[0].inputs == {"far.Person name": "bo", "far.Greet": "Hi bo"}
    loud = parse_decisions(LOUD, others=[GREETING])
    assert loud.evaluate("Loud", {"far": {"Person name": Decimal(1)}}).value is None


def test_an_imported_service_is_called_by_its_name() -> None:
    caller = in_namespace(
        "top",
        f'{lends("far")}<decision id="top" name="Top"><knowledgeRequirement>'
        '<requiredKnowledge href="urn:far#svc"/></knowledgeRequirement>'
        f"{literal('far.Svc(Person name: ' + chr(34) + 'bo' + chr(34) + ')')}</decision>",
    )

    assert parse_decisions(caller, others=[GREETING]).evaluate("Top", {}).value == "Hi bo"


def test_the_record_tells_of_the_decisions_inside_a_service_that_was_called() -> None:
    body = table([["> 5", '"high"'], ["-", '"low"']], policy="FIRST") + (
        '<decisionService id="svc" name="Svc"><outputDecision href="#d"/><inputData href="#s"/></decisionService>'
        f'<decision id="user" name="User">{knows("svc")}{literal("[Svc(9), Svc(1)]")}</decision>'
    )
    made = parse_decisions(model(body)).evaluate("User", {})

    assert made.value == ["high", "low"]
    assert [(one.decision, one.inputs) for one in made.required] == [
        ("svc", {"score": 9}),
        ("svc", {"score": 1}),
    ]
    assert [one.required[0].matched for one in made.required] == [("r1", "r2"), ("r2",)]


def test_the_rules_of_a_table_inside_a_knowledge_model_are_on_record() -> None:
    cells = table([["> 5", '"high"'], ["-", '"low"']], policy="COLLECT")
    inside = cells[cells.index("<decisionTable") : cells.index("</decision>")]
    body = f'<inputData id="s" name="score"/>{bkm("rate", ["score"], inside)}'
    body += f'<decision id="u" name="U">{needs("s")}{knows("rate")}{literal("rate(score)")}</decision>'
    made = parse_decisions(model(body)).evaluate("U", {"score": Decimal(9)})

    assert (made.value, made.matched, made.inputs) == (["high", "low"], ("r1", "r2"), {"score": 9})


def test_without_values_of_its_own_an_output_takes_the_priority_of_its_type() -> None:
    text = table([["> 1", '"b"'], ["> 0", '"a"']], policy="OUTPUT ORDER")
    typed = text.replace('<output id="o0" name="level">', '<output id="o0" name="level" typeRef="tGrade">')

    assert parse_decisions(model(GRADE + typed)).evaluate("d", {"score": Decimal(7)}).value == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("function(n: number) n * 2", 6),
        ("function(a, b) a", None),
        ("function(t: string) t", None),
        ("5", None),
    ],
)
def test_a_function_item_holds_functions_of_its_parameters(text: str, value: Any) -> None:
    item = '<itemDefinition name="tF"><functionItem outputTypeRef="number"><parameters name="n" typeRef="number"/>'
    body = (
        f'{item}</functionItem></itemDefinition><decision id="f" name="F"><variable name="F" typeRef="tF"/>'
        f'{literal(text)}</decision><decision id="u" name="U">{needs("f", kind="Decision")}{literal("F(3)")}</decision>'
    )

    assert parse_decisions(model(body)).evaluate("u", {}).value == value
