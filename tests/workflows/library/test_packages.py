"""What a package says of itself: which other packages it needs, which of several processes it is."""

import re

import pytest

from engine.errors import BadDefinition
from workflows.library.packages import (
    encoding_of,
    lacking,
    read_drawing,
    read_files,
    read_unready,
    read_unready_drawing,
)

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t">'
)


def calls(inside: str, beside: str = "") -> tuple[str, ...]:
    process = f'<bpmn:process id="p" isExecutable="true">{inside}</bpmn:process>'
    return read_files({"process.bpmn": f"{HEAD}{process}{beside}</bpmn:definitions>".encode()}).calls


def call(process: str) -> str:
    called = f'<zeebe:calledElement processId="{process}"/>'
    return f"<bpmn:callActivity><bpmn:extensionElements>{called}</bpmn:extensionElements></bpmn:callActivity>"


def test_it_needs_every_process_it_calls_once():
    assert calls(call("q") + call("r") + call("q")) == ("q", "r")


def test_bpmns_own_attribute_counts_where_ours_is_missing():
    assert calls('<bpmn:callActivity calledElement="q"/>') == ("q",)


def test_global_tasks_of_its_own_file_need_no_package():
    assert calls(call("g") + call("q"), '<bpmn:globalScriptTask id="g"/>') == ("q",)


def drawing(*processes: str, pools: str = "") -> dict[str, bytes]:
    """A file of `id`s, executable if they end in `!`, and of pools in their order."""
    made = "".join(f'<bpmn:process id="{own}"/>' for own in processes)
    made = re.sub(r'!"', '" isExecutable="true"', made)
    drawn = "".join(f'<bpmn:participant id="pool_{own}" processRef="t:{own}"/>' for own in pools.split())
    collaboration = f'<bpmn:collaboration id="c">{drawn}</bpmn:collaboration>'
    return {"process.bpmn": f"{HEAD}{collaboration}{made}</bpmn:definitions>".encode()}


@pytest.mark.parametrize(
    ("files", "named", "chosen"),
    [
        (drawing("a"), None, "a"),
        (drawing("a", "b!"), None, "b"),
        (drawing("a", "b", pools="b a"), None, "b"),
        (drawing("a", "b", "c", pools="b"), None, "b"),
        (drawing("a", "b!", pools="b a"), "a", "a"),
        (drawing("a", "b"), "x", "a"),
    ],
)
def test_a_draft_is_of_the_named_process_else_the_executable_else_the_first_pool(files, named, chosen):
    assert read_unready(files, named).process_id == chosen


def test_a_drawing_without_a_process_is_no_draft():
    with pytest.raises(BadDefinition) as refused:
        read_unready(drawing())

    assert [problem.rule for problem in refused.value.problems] == ["package.process"]


@pytest.mark.parametrize(
    ("files", "rules"),
    [
        (drawing("a!"), []),
        (drawing("a"), ["process.executable"]),
        (drawing("a!", "b!"), ["package.process"]),
    ],
)
def test_what_a_draft_lacks_is_what_refuses_its_deployment(files, rules):
    assert [problem.rule for problem in lacking(read_unready(files))] == rules
    if rules:
        with pytest.raises(BadDefinition):
            read_files(files)


def test_a_single_drawing_is_deployed_only_with_an_executable_process():
    data = drawing("a", "b")["process.bpmn"]

    assert [package.process_id for package in read_unready_drawing(data)] == ["a", "b"]
    with pytest.raises(BadDefinition):
        read_drawing(data)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"<a/>", "UTF-8"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><a b='\u00fc'/>".encode("latin-1"), "ISO-8859-1"),
        ("<?xml version='1.0' encoding='UTF-16'?><a/>".encode("utf-16"), "UTF-16LE"),
        (b"\xfe\xff" + "<a/>".encode("utf-16-be"), "UTF-16BE"),
        (b"no xml", "UTF-8"),
    ],
)
def test_a_file_names_its_encoding(data, encoding):
    assert encoding_of(data) == encoding
