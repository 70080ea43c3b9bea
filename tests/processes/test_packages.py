"""Every package that ships can be deployed as it stands, read in two languages and seen on one page."""

from __future__ import annotations

from itertools import combinations

import pytest
from lxml import etree

from engine.definition.model import read_definition
from tests.processes import drawn
from workflows.library.forms.form import read_form
from workflows.library.forms.problems import check_form
from workflows.workshop.checking import check_path

PROCESSES = sorted(drawn.packages())
MOST_NODES = 35


@pytest.mark.parametrize("process", PROCESSES)
def test_the_check_finds_nothing(process: str) -> None:
    assert check_path(drawn.ROOT / process) == ()


@pytest.mark.parametrize("process", PROCESSES)
def test_every_form_passes_its_check(process: str) -> None:
    files = drawn.packages()[process].files
    found = {path: check_form(read_form(data)) for path, data in files.items() if path.endswith(".form")}
    assert {path: problems for path, problems in found.items() if problems} == {}


@pytest.mark.parametrize("process", PROCESSES)
def test_every_person_has_a_form_and_every_form_a_place(process: str) -> None:
    package = drawn.packages()[process]
    own = [e for e in read_definition(drawn.sources_of(process)).elements.values() if e.process_id == process]
    asked = {e.task.form for e in own if e.task is not None}
    asked |= {e.properties["form"] for e in own if "form" in e.properties}
    if package.started_by != ("none",):
        asked.add("start")
    kept = {path[6:-5] for path in package.files if path.startswith("forms/")}
    assert kept == asked


@pytest.mark.parametrize("process", PROCESSES)
def test_every_person_is_told_what_to_do_by_when_or_by_whose_calendar(process: str) -> None:
    elements = read_definition(drawn.sources_of(process)).elements.values()
    tasks = [e for e in elements if e.process_id == process and e.task is not None]
    assert [e.id for e in tasks if not e.documentation] == []
    assert [e.id for e in tasks if not e.step] == []
    waiting_for_others = {"gf_apply", "evl_choose", "n_call", "n_ministry_review", "n_list"}
    waiting_for_others |= {"n_green_code"}
    assert {e.id for e in tasks if e.task is not None and not e.task.deadline} <= waiting_for_others


@pytest.mark.parametrize("process", PROCESSES)
def test_everything_named_has_an_english_name(process: str) -> None:
    elements = read_definition(drawn.sources_of(process)).elements.values()
    own = [e for e in elements if e.process_id == process]
    assert [e.id for e in own if e.name and (not e.name_en or e.name_en == e.name)] == []


@pytest.mark.parametrize("process", PROCESSES)
def test_everything_drawn_stands_on_the_page(process: str) -> None:
    shown = {seen.element for seen in drawn.shapes(process)}
    assert [node.get("id") for node in drawn.nodes(process) if node.get("id") not in shown] == []
    edges = {edge.get("bpmnElement") for edge in drawn.diagram(process).iter(f"{drawn.BPMNDI}BPMNEdge")}
    assert [flow for flow in drawn.flows(process) if flow not in edges] == []


@pytest.mark.parametrize("process", PROCESSES)
def test_nothing_stands_on_anything_else(process: str) -> None:
    holders = {node.get("id") for node in drawn.nodes(process) if node.tag.endswith("subProcess")}
    hosts = {node.get("id"): node.get("attachedToRef") for node in drawn.nodes(process)}
    shapes = [seen for seen in drawn.shapes(process) if seen.element in hosts.keys() - holders]
    touching = [
        (a.element, b.element)
        for a, b in combinations(shapes, 2)
        if drawn.overlap(a.box, b.box) and b.element != hosts[a.element] and a.element != hosts[b.element]
    ]
    covered = [
        (label.element, shape.element)
        for label in drawn.labels(process)
        for shape in shapes
        if drawn.overlap(label.box, shape.box)
    ]
    crowded = [
        (a.element, b.element)
        for a, b in combinations(drawn.labels(process), 2)
        if drawn.overlap(a.box, b.box)
    ]
    assert touching == covered == crowded == []


@pytest.mark.parametrize("process", PROCESSES)
def test_a_diagram_can_be_taken_in_at_once(process: str) -> None:
    assert len(list(drawn.nodes(process))) <= MOST_NODES


@pytest.mark.parametrize("process", PROCESSES)
def test_every_rule_row_says_where_it_comes_from(process: str) -> None:
    for text in drawn.packages()[process].decisions.values():
        for rule in etree.fromstring(text).iter(f"{drawn.DMN}rule"):
            told = rule.findtext(f"{drawn.DMN}description") or ""
            assert rule.get("id"), told
            assert told[:1] in ("F", "G", "B") or "inferred" in told, rule.get("id")


def test_no_two_elements_share_an_id() -> None:
    ids = [node.get("id") for process in PROCESSES for node in drawn.nodes(process)]
    assert len(set(ids)) == len(ids)
