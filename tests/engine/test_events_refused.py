"""Events that cannot be run as drawn are refused, each with its element, its rule and a reason."""

from __future__ import annotations

import pytest

from engine.definition.model import check_definition
from tests.engine.behaviors import throwing, when
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    KEPT,
    MESSAGE,
    SIGNAL,
    SIGNAL_EVENT,
    condition,
    extension,
    for_each,
    message,
    process,
    timer,
)

UNDO = "<bpmn:compensateEventDefinition/>"


def after_start():
    return process().start()


REFUSED = {
    "a sender without a message and without a type": (
        lambda: after_start().add("sendTask", "t").end(),
        ("t", "job.missing"),
    ),
    "a job of a type that the house keeps for itself": (
        lambda: after_start().job("j", "message.deliver").end(),
        ("j", "job.reserved"),
    ),
    "a signal of a strange scope": (
        lambda: after_start().define(SIGNAL).throw("t", KEPT.replace("case", "town") + SIGNAL_EVENT).end(),
        ("t", "signal.scope"),
    ),
    "a start that waits for the clock": (
        lambda: process().start(inside=timer("P1D")).end(),
        ("start", "start.timer"),
    ),
    "a start that waits for a condition": (
        lambda: process().start(inside=condition("=x")).end(),
        ("start", "start.conditional"),
    ),
    "a start that needs several triggers": (
        lambda: (
            process()
            .define(MESSAGE)
            .define(SIGNAL)
            .start(inside=message("m") + SIGNAL_EVENT, parallelMultiple="true")
            .end()
        ),
        ("start", "start.parallel"),
    ),
    "two starts without a trigger": (
        lambda: process().start("a").end("b").start("start").end(),
        ("p", "start.single"),
    ),
    "two starts by one message": (
        lambda: process().define(MESSAGE).start("a", message("m")).end("b").start("c", message("m")).end(),
        ("c", "start.ambiguous"),
    ),
    "a beginning that a flow leads to": (
        lambda: (
            after_start().define(MESSAGE).add("receiveTask", "r", messageRef="m", instantiate="true").end()
        ),
        ("r", "instantiate.incoming"),
    ),
    "a beginning inside a sub-process": (
        lambda: (
            after_start()
            .define(MESSAGE)
            .sub(
                "s",
                process("i")
                .add("receiveTask", "r", connect=False, messageRef="m", instantiate="true")
                .end("e"),
            )
            .end()
        ),
        ("r", "instantiate.level"),
    ),
    "a beginning that is repeated": (
        lambda: (
            process()
            .define(MESSAGE)
            .add("receiveTask", "r", for_each("=x", "i"), connect=False, messageRef="m", instantiate="true")
            .end()
        ),
        ("r", "instantiate.loop"),
    ),
    "a race that begins a case by the clock": (
        lambda: (
            process()
            .define(MESSAGE)
            .add("eventBasedGateway", "g", connect=False, instantiate="true")
            .catch("c", message("m"))
            .end()
            .at("g")
            .catch("t", timer("P1D"))
            .end("e")
        ),
        ("t", "instantiate.trigger"),
    ),
    "a race in which all must win": (
        lambda: (
            after_start()
            .define(MESSAGE)
            .add("eventBasedGateway", "g", eventGatewayType="Parallel")
            .catch("c", message("m"))
            .end()
            .at("g")
            .catch("t", timer("P1D"))
            .end("e")
        ),
        ("g", "race.parallel"),
    ),
    "an undoing with something else": (
        lambda: after_start().define(SIGNAL).throw("t", SIGNAL_EVENT + UNDO).end(),
        ("t", "event.several"),
    ),
    "one unknown trigger among several": (
        lambda: (
            after_start()
            .define(SIGNAL)
            .catch("c", SIGNAL_EVENT + "<bpmn:eventDefinitionRef>ghost</bpmn:eventDefinitionRef>")
            .end()
        ),
        ("c", "event.unknown"),
    ),
    "an error that waits for others": (
        lambda: (
            after_start()
            .define(MESSAGE)
            .user("a")
            .end()
            .add(
                "boundaryEvent",
                "b",
                message("m") + "<bpmn:errorEventDefinition/>",
                connect=False,
                attachedToRef="a",
                parallelMultiple="true",
            )
            .end("e")
        ),
        ("b", "event.parallel"),
    ),
    "a moment that would have to come again": (
        lambda: (
            after_start()
            .define(MESSAGE)
            .user("a")
            .end()
            .add(
                "boundaryEvent",
                "b",
                message("m") + timer("P1D"),
                connect=False,
                attachedToRef="a",
                cancelActivity="false",
                parallelMultiple="true",
            )
            .end("e")
        ),
        ("b", "event.parallel_timer"),
    ),
    "one job type for several messages": (
        lambda: (
            after_start()
            .define(MESSAGE)
            .define('<bpmn:message id="m2" name="more"/>')
            .throw("t", extension('<zeebe:taskDefinition type="post"/>') + message("m") + message("m2"))
            .end()
        ),
        ("t", "message.job"),
    ),
    "instances that throw nothing": (
        lambda: after_start().user("a", inside=throwing("One")).end(),
        ("a", "loop.event"),
    ),
    "instances that throw an error": (
        lambda: (
            after_start()
            .define(ERROR)
            .user("a", inside=throwing("Complex", when("=true", ERROR_EVENT)))
            .end()
        ),
        ("a", "loop.event"),
    ),
    "a behaviour nobody knows": (
        lambda: after_start().user("a", inside=throwing("Some")).end(),
        ("a", "attribute.value"),
    ),
    "a complex behaviour whose condition is a number": (
        lambda: (
            after_start()
            .define(SIGNAL)
            .user("a", inside=throwing("Complex", when("=23", SIGNAL_EVENT)))
            .end()
        ),
        ("a", "loop.condition"),
    ),
    "an instance whose end would end the others": (
        lambda: (
            after_start()
            .define(SIGNAL)
            .user("a", inside=throwing("Complex", when("=true", SIGNAL_EVENT)))
            .end()
            .boundary("b", "a", SIGNAL_EVENT)
            .end("e")
        ),
        ("b", "loop.event_interrupts"),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(what):
    make, expected = REFUSED[what]

    errors = [p for p in check_definition(make().sources()) if p.severity == "error"]

    assert expected in {(p.element, p.rule) for p in errors}
    assert all(p.message and p.message_zh for p in errors)


def errors_of(drawing):
    return {(p.element, p.rule) for p in check_definition(drawing.sources()) if p.severity == "error"}


def carrying(*items):
    """An event with two triggers that carry data, and these data elements."""
    data = "".join(f'<bpmn:dataOutput id="d{n}" itemSubjectRef="{item}"/>' for n, item in enumerate(items))
    drawing = process().define('<bpmn:itemDefinition id="i1" structureRef="a"/>')
    drawing.define('<bpmn:itemDefinition id="i2" structureRef="b"/>')
    drawing.define(MESSAGE.replace("/>", ' itemRef="i1"/>')).define(
        SIGNAL.replace("/>", ' structureRef="i2"/>')
    )
    return drawing.start(inside=data + message("m") + SIGNAL_EVENT).end()


def test_each_of_several_triggers_has_its_own_data_in_order():
    assert errors_of(carrying("i1", "i2")) == errors_of(carrying()) == set()
    for wrong in (["i1"], ["i2", "i1"], ["i1", "i2", "i2"]):
        assert ("start", "data.event_items") in errors_of(carrying(*wrong))


def flowing(source, target):
    """A process that throws and catches, and a pool beside it with one message flow."""
    drawing = process().define(MESSAGE).start().throw("t", message("m")).catch("c", message("m")).end()
    flow = f'<bpmn:messageFlow id="f" sourceRef="{source}" targetRef="{target}"/>'
    return drawing.define(
        f'<bpmn:collaboration id="k"><bpmn:participant id="pool"/>{flow}</bpmn:collaboration>'
    )


def test_a_message_flow_leaves_what_throws_and_enters_what_catches():
    assert errors_of(flowing("t", "pool")) == errors_of(flowing("pool", "c")) == set()
    assert errors_of(flowing("pool", "t")) == {("f", "message_flow.direction")}
    assert errors_of(flowing("c", "pool")) == {("f", "message_flow.direction")}
