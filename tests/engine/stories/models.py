"""Drawings that should be refused or stopped."""

from __future__ import annotations

from tests.engine.drawing import play, process
from tests.engine.stories.telling import rules, stock, story


@story("duplicate ids")
def _():
    drawing = process().start().user("a").end()
    drawing.parts.append('<bpmn:task id="a"/>')

    assert "id.unique" in rules(drawing)


@story("a loop that never waits")
def _():
    drawing = process().start().script("s", "=1", "x").gateway("exclusive", "g", default="g__s")
    drawing.at("g", "=n > 1").end().at("g").to("s")

    assert play(drawing, n=0).failed[0].endswith("TOO_MANY_STEPS")


@story("too many instances")
def _():
    many = "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>"
    several = f"{many}=1000000000</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
    several = several.replace("loopCardinality>=", 'loopCardinality xsi:type="bpmn:tFormalExpression">=')
    played = play(process().start().user("a", inside=several).end())

    assert [failure.partition(":")[0] for failure in played.failed] == ["a"]


@story("calls in a circle")
def _():
    drawing = process().start().call("c", "p").end()
    problems = rules(drawing)

    assert problems or play(drawing).failed


@story("Python in a drawing")
def _():
    reach = "().__class__.__base__.__subclasses__()"
    drawing = (
        process().start().add("scriptTask", "s", f"<bpmn:script>x = len({reach})</bpmn:script>").user("a")
    )
    other = stock(drawing.end())
    ours = process().start().script("s", f"={reach}", "x").end()

    assert other.seen_by("/a")["x"] > 100
    assert rules(drawing) == {"script.missing"}
    assert "expression.syntax" in rules(ours)
