"""Elements that SpiffWorkflow reads and silently runs as something else."""

from __future__ import annotations

from SpiffWorkflow.bpmn.util import BpmnEvent
from SpiffWorkflow.util.task import TaskState

from tests.engine.drawing import ERROR, ERROR_EVENT, MESSAGE, SIGNAL, SIGNAL_EVENT, message, play, process
from tests.engine.stock import script
from tests.engine.stories.telling import stock, story

UNDO = "<bpmn:compensateEventDefinition/>"


@story("link")
def _():
    link = '<bpmn:linkEventDefinition name="L"/>'
    drawing = process().start().throw("go", link)
    drawing.add("intermediateCatchEvent", "come", link, connect=False).user("a").end()

    assert stock(drawing).is_done
    assert play(drawing).waiting() == ["a"]


@story("compensation throw")
def _():
    drawing = process().start().add("scriptTask", "book", script("x", "1")).throw("regret", UNDO).end()
    plain = stock(drawing)
    drawing.boundary("undo", "book", UNDO).add("task", "unbook", connect=False, isForCompensation="true")

    assert plain.is_done
    assert play(drawing.associate("undo", "unbook")).passed == ["start", "book", "unbook", "regret", "end"]


@story("signal end")
def _():
    drawing = process().define(SIGNAL).start().gateway("parallel", "f").user("a").end("stop", SIGNAL_EVENT)
    drawing.at("f").user("b").end("e2").boundary("heard", "b", SIGNAL_EVENT).end("e3")
    other = stock(drawing)
    other.complete("/a", {})

    assert other.waiting() == {"/b": 1}
    assert play(drawing).do("a").finish("stop").status == "completed"


@story("error start of an event sub-process")
def _():
    handler = process("h").start("hs", ERROR_EVENT).user("mend").end("he")
    drawing = process().define(ERROR).start().user("work").end().event_sub("h", handler)

    assert stock(drawing).waiting() == {"h/mend": 1, "/work": 1}
    assert play(drawing).waiting() == ["work"]


@story("condition on a single flow")
def _():
    drawing = process().start().user("a").at("a", "1 > 2").user("never").end()
    other = stock(drawing)
    other.complete("/a", {})

    assert other.waiting() == {"/never": 1}
    assert play(drawing).do("a").failed == ["a:NO_WAY_OUT"]


@story("interrupting event sub-process")
def _():
    handler = process("h").start("hs", SIGNAL_EVENT).user("instead").end("he")
    drawing = process().define(SIGNAL).start().gateway("parallel", "f").user("a").throw("t", SIGNAL_EVENT)
    drawing.end().at("f").user("b").end("e2").event_sub("h", handler)
    other = stock(drawing)
    other.complete("/a", {"x": 1})

    assert other.waiting()["/b"] == 1
    assert play(drawing).do("a", x=1).waiting() == ["instead"]


@story("boundary events that stay")
def _():
    drawing = process().define(MESSAGE).start().user("a").end()
    drawing.boundary("b", "a", message("m"), interrupting=False).user("more").end("e")
    other = stock(drawing)
    heard = []
    for _ in range(2):
        waiting = [t for t in other.workflow.event_manager.tasks.values() if t.state == TaskState.WAITING]
        heard.append(len(waiting))
        for task in waiting:
            other.workflow.send_event(BpmnEvent(task.task_spec.event_definition, payload={}))
        other.workflow.do_engine_steps()

    assert heard == [1, 0]
    assert play(drawing).say("answer").say("answer").waiting() == ["a", "more", "more"]


@story("quantities")
def _():
    drawing = process().start().add("scriptTask", "two", script("x", "1"), completionQuantity="2")
    drawing.user("a").end()

    assert stock(drawing).waiting() == {"/a": 1}
    assert play(drawing).waiting() == ["a", "a"]
