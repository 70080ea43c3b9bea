"""The comparison of two drawings sees every difference that matters and none that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interchange.compare import differences

INSPECTION = (Path(__file__).parent / "drawings" / "inspection.bpmn").read_text("utf-8")


def compared(old: str, new: str) -> list[str]:
    assert INSPECTION.count(old) == 1, f"{old!r} stands {INSPECTION.count(old)} times in the drawing"
    return differences(INSPECTION.encode(), INSPECTION.replace(old, new).encode())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id="prepare" name="Prepare"', 'id="prepare" name="prepare"', "prepare: lost @name='Prepare'"),
        ('"choice" targetRef="closed"', '"choice" targetRef="done"', "f12: lost @targetRef"),
        (">P14D<", ">P15D<", "timer_late: lost <timeDuration @type='tFormalExpression' text 'P14D'>"),
        ('note:author="drawn by hand"', 'author="drawn by hand"', "office: lost <extensionElements"),
        (">twice<", ">once<", "office: lost <extensionElements"),
        ("<semantic:flowNodeRef>late</semantic:flowNodeRef>", "", "lane_desk: lost <flowNodeRef"),
        ('x="660" y="560" width="100"', 'x="660" y="560" width="101"', "BPMNShape of rate in diagram"),
        ('x="190.5" y="170.25"', 'x="190.5" y="170"', "BPMNShape of begin in diagram 1: lost <BPMNLabel"),
        ('bpmnElement="stop" isExpanded="true"', 'bpmnElement="stop"', "BPMNShape of stop in diagram 1"),
        ('messageVisibleKind="initiating"', "", "BPMNEdge of flow_invite in diagram 1: lost"),
        ('bioc:fill="#c8e6c9"', "", "BPMNShape of lane_field in diagram 1: lost"),
    ],
)
def test_it_tells_what_one_file_says_and_the_other_does_not(old: str, new: str, told: str) -> None:
    found = compared(old, new)

    assert any(line.startswith(told) for line in found), found


def test_an_element_of_another_type_is_told() -> None:
    changed = INSPECTION.replace("semantic:manualTask", "semantic:userTask")

    told = differences(INSPECTION.encode(), changed.encode())

    assert told == ["publish: lost type manualTask", "publish: got type userTask"]


def test_an_element_that_moves_into_another_is_told_with_its_parents() -> None:
    note = '<semantic:textAnnotation id="note_visit"><semantic:text>Two inspectors at least.</semantic:text></semantic:textAnnotation>'  # noqa: E501
    into = '<semantic:process id="enterprise" name="Enterprise" isExecutable="false">'
    moved = INSPECTION.replace(note, "").replace(into, into + note)

    told = differences(INSPECTION.encode(), moved.encode())

    assert told == ["note_visit: lost parent office", "note_visit: got parent enterprise"]


def test_the_points_of_a_line_count_in_their_order() -> None:
    there = '<di:waypoint x="450" y="100"/><di:waypoint x="638" y="100"/>'
    back = '<di:waypoint x="638" y="100"/><di:waypoint x="450" y="100"/>'

    assert len(compared(there, back)) == 2


def test_what_is_gone_and_what_is_new_is_told_by_name() -> None:
    told = compared('id="note_public_di" bpmnElement="note_public"', 'id="x" bpmnElement="pool_publicity"')

    assert told == [
        "BPMNShape of note_public in diagram 1: is gone",
        "BPMNShape of pool_publicity in diagram 1: is new",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('completionQuantity="1"', ""),
        ('calledElement="tns:rating"', 'calledElement="rating"'),
        ('exporterVersion="3.1"', 'exporterVersion="4"'),
        ('x="660" y="560" width="100"', 'x="660.0" y="560" width="100"'),
        ("<semantic:incoming>f5</semantic:incoming><semantic:incoming>f6</semantic:incoming>",
         "<semantic:incoming>f6</semantic:incoming><semantic:incoming>f5</semantic:incoming>"),
        ('id="rate_di"', 'id="another_di"'),
        ('waitForCompletion="true"', ""),
    ],
)  # fmt: skip
def test_it_does_not_tell_what_says_the_same(old: str, new: str) -> None:
    assert compared(old, new) == []


def test_prefixes_and_the_order_of_elements_do_not_count() -> None:
    first = '<semantic:sequenceFlow id="e1" sourceRef="invited" targetRef="prepare"/>'
    task = '<semantic:startEvent id="invited">'
    other = INSPECTION.replace(first, "").replace(task, first + task)
    other = other.replace("semantic:", "bpmn:").replace("xmlns:semantic", "xmlns:bpmn")

    assert differences(INSPECTION.encode(), other.encode()) == []
