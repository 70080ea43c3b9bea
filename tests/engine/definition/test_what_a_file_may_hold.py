"""Nothing unknown, misplaced, doubled or foreign slips into a drawing unsaid."""

from __future__ import annotations

import pytest

from engine.definition.model import Sources, check_definition, read_definition
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    FORMAL,
    Drawing,
    for_each,
    process,
)

CAMUNDA = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
COLOR = 'xmlns:color="http://www.omg.org/spec/BPMN/non-normative/color/1.0"'


def plain() -> Drawing:
    return process().start().user("u").end()


def with_part(xml: str) -> Drawing:
    """One more child of the process."""
    drawing = plain()
    drawing.parts.append(xml)
    return drawing


def with_root(xml: str) -> Drawing:
    """One more child of the file."""
    return plain().define(xml)


def with_attribute(text: str, kind: str = "userTask") -> Drawing:
    """One more attribute of the first element of a kind."""
    drawing = process().define(ERROR).start().user("u").job("j", "send").end()
    drawing.boundary("b", "j", ERROR_EVENT).end("be")
    for parts in (drawing.parts, drawing.flows):
        for n, part in enumerate(parts):
            if part.startswith(f"<bpmn:{kind} "):
                name = text.partition("=")[0]
                known = part.partition(f" {name}=")
                rest = known[2].split('"', 2)[2] if known[1] else ""
                parts[n] = f"{known[0]} {text}{rest}" if known[1] else part.replace(" ", f" {text} ", 1)
                return drawing
    raise AssertionError(kind)


def with_task(inside: str) -> Drawing:
    """A task with one more child."""
    return process().start().user("u", inside=inside).end()


def with_extension(inside: str) -> Drawing:
    """A task with one more word of a vocabulary."""
    return process().start().user("u", extra=inside).end()


REFUSED = {
    "an element nobody knows": (with_part('<bpmn:magicTask id="m"/>'), ("m", "element.unknown")),
    "an element at another's place": (with_part('<bpmn:message id="m"/>'), ("m", "element.place")),
    "an element that only others are derived from": (
        with_part('<bpmn:activity id="a"/>'),
        ("a", "element.place"),
    ),
    "an extension that is not marked as one": (with_task("<zeebe:script/>"), ("u", "element.place")),
    "a task in a wrapping": (
        with_part('<my:box xmlns:my="urn:my"><bpmn:task id="hidden"/></my:box>'),
        ("p", "element.place"),
    ),
    "an attribute in BPMN's own namespace": (
        with_attribute('bpmn:isForCompensation="true"'),
        ("u", "attribute.unknown"),
    ),
    "a task that says it is another": (
        with_attribute('xsi:type="bpmn:tScriptTask"'),
        ("u", "element.type"),
    ),
    "a condition that is no expression": (
        with_task(
            "<bpmn:standardLoopCharacteristics>"
            '<bpmn:loopCondition xsi:type="xsd:string">a</bpmn:loopCondition>'
            "</bpmn:standardLoopCharacteristics>"
        ),
        ("u", "element.type"),
    ),
    "a BPMN element among extensions": (with_extension("<bpmn:task/>"), ("u", "element.place")),
    "two loop conditions": (
        with_task(
            "<bpmn:standardLoopCharacteristics>"
            + f"<bpmn:loopCondition {FORMAL}>=true</bpmn:loopCondition>" * 2
            + "</bpmn:standardLoopCharacteristics>"
        ),
        ("u", "element.twice"),
    ),
    "two lists of mappings": (with_extension("<zeebe:ioMapping/>" * 2), ("u", "element.twice")),
    "an attribute nobody knows": (with_attribute('color="red"'), ("u", "attribute.unknown")),
    "another's attribute": (with_attribute('attachedToRef="x"'), ("u", "attribute.unknown")),
    "a boolean that is none": (with_attribute('isForCompensation="yes"'), ("u", "attribute.value")),
    "a boundary that interrupts perhaps": (
        with_attribute('cancelActivity="maybe"', "boundaryEvent"),
        ("b", "attribute.value"),
    ),
    "a number that is none": (with_attribute('startQuantity="x"'), ("u", "attribute.value")),
    "a number with a sign": (with_attribute('startQuantity="+1"'), ("u", "attribute.value")),
    "a sequence of instances, perhaps": (
        with_task(for_each("=x", "i").replace('"false"', '"maybe"', 1)),
        ("u", "attribute.value"),
    ),
    "a behaviour nobody knows": (
        with_task(for_each("=x", "i").replace("Characteristics", 'Characteristics behavior="Some"', 1)),
        ("u", "attribute.value"),
    ),
    "a negative maximum": (
        with_task('<bpmn:standardLoopCharacteristics loopMaximum="-1"/>'),
        ("u", "loop.maximum"),
    ),
    "steps that are not drawn": (
        with_attribute('isImmediate="false"', "sequenceFlow"),
        ("start__u", "flow.immediate"),
    ),
    "owners in the standard's words": (
        with_task("<bpmn:potentialOwner><bpmn:resourceRef>r</bpmn:resourceRef></bpmn:potentialOwner>"),
        ("u", "element.potentialOwner"),
    ),
    "results in the standard's words": (
        with_task(
            "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopDataOutputRef>o</bpmn:loopDataOutputRef>"
            "</bpmn:multiInstanceLoopCharacteristics>"
        ),
        ("u", "loop.loopDataOutputRef"),
    ),
    "compensation that nobody waits for": (
        process().start().throw("t", '<bpmn:compensateEventDefinition waitForCompletion="false"/>').end(),
        ("t", "compensation.wait"),
    ),
    "an extension that must be understood": (
        with_root('<bpmn:extension definition="x" mustUnderstand="true"/>'),
        ("defs", "extension.must_understand"),
    ),
    "a key of a conversation": (
        with_root('<bpmn:collaboration id="c"><bpmn:correlationKey id="k"/></bpmn:collaboration>'),
        ("k", "message.correlation"),
    ),
    "an expression in another language": (
        with_task(
            "<bpmn:standardLoopCharacteristics>"
            f'<bpmn:loopCondition {FORMAL} language="http://www.w3.org/1999/XPath">a</bpmn:loopCondition>'
            "</bpmn:standardLoopCharacteristics>"
        ),
        ("u", "expression.feel"),
    ),
    "a word of zeebe nobody knows": (with_extension("<zeebe:magic/>"), ("u", "extension.unknown")),
    "a word of ours nobody knows": (with_extension("<tidu:magic/>"), ("u", "extension.unknown")),
    "an attribute of zeebe nobody knows": (
        with_extension('<zeebe:formDefinition form="x"/>'),
        ("u", "extension.unknown"),
    ),
    "an attribute of zeebe at an element": (with_attribute('zeebe:magic="x"'), ("u", "extension.unknown")),
    "a script at a person's task": (
        with_extension('<zeebe:script expression="=1"/>'),
        ("u", "extension.place"),
    ),
    "a version of its own": (
        process().start().call("c", "q", versionTag="v1").end(),
        ("c", "zeebe.version_tag"),
    ),
    "a process named by an expression": (
        process().start().call("c", "q", processIdExpression="=x").end(),
        ("c", "zeebe.called_expression"),
    ),
} | {
    f"zeebe's {word}": (with_extension(f"<zeebe:{word}/>"), ("u", rule))
    for word, rule in {
        "executionListeners": "zeebe.execution_listeners",
        "taskListeners": "zeebe.task_listeners",
        "taskSchedule": "zeebe.task_schedule",
        "linkedResources": "zeebe.linked_resources",
        "adHoc": "zeebe.ad_hoc",
        "conditionalFilter": "zeebe.conditional_filter",
    }.items()
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused_at_its_element(what):
    drawing, expected = REFUSED[what]

    problems = [p for p in check_definition(drawing.sources()) if p.severity == "error"]

    assert expected in {(p.element, p.rule) for p in problems}
    assert all(p.message and p.message_zh for p in problems)


def test_a_wrong_value_is_told_with_what_was_expected():
    (problem,) = check_definition(with_attribute('isForCompensation="yes"').sources())

    assert problem.message == "isForCompensation of u must be true or false or 1 or 0, found 'yes'"


def without_findings(drawing: Drawing, *, space: str = "") -> bool:
    xml = drawing.xml.replace(b" id=", f" {space} id=".encode(), 1)
    return check_definition(Sources(process_id="p", bpmn={"p": xml})) == ()


CARRIED = {
    "a colour": (with_attribute('color:background-color="red"'), COLOR),
    "a template of the modeller": (with_attribute('zeebe:modelerTemplate="t"'), ""),
    "a company's own words": (with_extension('<my:note xmlns:my="urn:my"/>'), ""),
    "what is anything in a documentation": (with_task(""), ""),
    "an unknown task of a choreography": (
        with_root(
            '<bpmn:choreography id="c"><bpmn:choreographyTask id="ct" initiatingParticipantRef="a"/>'
            "</bpmn:choreography>"
        ),
        "",
    ),
    "an import that is not needed": (
        with_root('<bpmn:import namespace="n" location="file:///etc/passwd" importType="t"/>'),
        "",
    ),
}


@pytest.mark.parametrize("what", CARRIED)
def test_is_carried(what):
    drawing, space = CARRIED[what]

    assert without_findings(drawing, space=space)


def test_a_process_that_is_not_run_may_hold_what_is_refused():
    other = '<bpmn:process id="q"><bpmn:adHocSubProcess id="a"/></bpmn:process>'
    drawing = with_root(other)

    assert {p.rule for p in check_definition(drawing.sources())} == {"process.other"}


def test_words_of_other_engines_are_named_and_never_run():
    xml = with_attribute('camunda:delegateExpression="${boom}" camunda:diagramRelationId="x"').xml
    xml = xml.replace(b" id=", f" {CAMUNDA} id=".encode(), 1)
    xml = xml.replace(b"<zeebe:userTask/>", b"<camunda:executionListener class='Boom'/><zeebe:userTask/>", 1)

    (said,) = check_definition(Sources(process_id="p", bpmn={"p": xml}))

    assert (said.element, said.rule, said.severity) == ("u", "foreign.camunda", "warning")
    assert said.message == "camunda:delegateExpression, camunda:executionListener at u has no effect here"


def test_program_text_beside_a_script_is_named_and_never_run():
    drawing = process().start().script("s", "=1", "x", inside="<bpmn:script>x = 2</bpmn:script>").end()

    (said,) = check_definition(drawing.sources())

    assert (said.element, said.rule, said.severity) == ("s", "script.not_run", "warning")


def test_a_file_that_says_its_expressions_are_something_else_is_warned_of():
    xml = process().start().user("u").at("u", "=ok").end().xml
    xml = xml.replace(b" id=", b' expressionLanguage="http://www.w3.org/1999/XPath" id=', 1)

    (said,) = check_definition(Sources(process_id="p", bpmn={"p": xml}))

    assert (said.rule, said.severity) == ("expression.feel", "warning")


def test_one_and_zero_are_true_and_false():
    drawing = with_attribute('cancelActivity="0"', "boundaryEvent")
    drawing.parts = [part.replace("errorEventDefinition", "signalEventDefinition") for part in drawing.parts]
    drawing.parts = [part.replace('errorRef="er"', 'signalRef="si"') for part in drawing.parts]
    drawing.define('<bpmn:signal id="si" name="s"/>')

    shapes = {shape.id: shape for shape in read_definition(drawing.sources()).drawing.shapes}

    assert not shapes["b"].interrupting


def test_a_reference_with_the_prefix_of_the_file_names_the_same_thing():
    drawing = process().start().user("u").end().define(ERROR)
    drawing.boundary("b", "u", ERROR_EVENT.replace('"er"', '"own:er"')).end("be")
    xml = drawing.xml.replace(b" id=", b' xmlns:own="t" id=', 1)

    definition = read_definition(Sources(process_id="p", bpmn={"p": xml}))

    (caught,) = [shape.trigger for shape in definition.drawing.shapes if shape.id == "b"]
    assert caught.code == "E1"
