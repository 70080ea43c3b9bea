"""Decision models drawn in a line: what the tests of decisions are told with."""

# ruff: noqa: E501 (XML reads better unbroken)
from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from engine.decisions.reader import parse_decisions

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


GRADE = '<itemDefinition id="g" name="tGrade"><typeRef>string</typeRef><allowedValues><text>"a","b"</text></allowedValues></itemDefinition>'
