"""The table of support is complete, and the validator does what each of its rows says."""

from __future__ import annotations

from importlib.resources import files

import pytest
from lxml import etree

from engine.definition.checks.support import check_support
from engine.definition.grammar import bpmn_grammar
from engine.definition.support import CARRIED, EXECUTED, REFUSED, finding_of, support_rows
from engine.definition.vocabulary import BPMN, XSI_TYPE

XSD = "{http://www.w3.org/2001/XMLSchema}"
GRAMMAR = bpmn_grammar()
ROWS = {(row.element, row.part): row for row in support_rows()}
STANDARD = [row for row in support_rows() if row.element in GRAMMAR and ":" not in row.part]


def declared() -> set[tuple[str, str]]:
    """Every element, attribute and local child of the OMG's files, read without our own reader."""
    folder = files("SpiffWorkflow.bpmn.parser") / "schema"
    found = set()
    for name in ("Semantic.xsd", "BPMN20.xsd"):
        root = etree.fromstring((folder / name).read_bytes())
        elements = {e.get("type"): e.get("name") for e in root.iterchildren(XSD + "element")}
        found |= {(element, "") for element in elements.values()}
        for kind in root.iterchildren(XSD + "complexType"):
            owner = elements[kind.get("name")]
            found |= {(owner, f"@{a.get('name')}") for a in kind.iter(XSD + "attribute")}
            found |= {(owner, e.get("name")) for e in kind.iter(XSD + "element") if e.get("name")}
    return found


def test_every_element_and_attribute_of_the_standard_has_its_row_and_no_row_is_left_over():
    rows = {(row.element, row.part.partition("=")[0]) for row in STANDARD}

    assert len(declared()) > 350
    assert rows == declared()


def test_no_row_stands_twice_and_each_has_a_verdict():
    assert len(ROWS) == len(support_rows())
    assert {row.verdict for row in support_rows()} == {EXECUTED, CARRIED, REFUSED}
    assert [row for row in support_rows() if row.verdict == REFUSED and not row.rules] == []


def test_what_a_row_says_of_a_value_is_a_value_of_the_schema():
    for row in STANDARD:
        name, equals, value = row.part.removeprefix("@").partition("=")
        values = GRAMMAR[row.element].attributes[name].values if equals else ()
        assert not values or value in values, row


def way_to(element: str, avoid: frozenset[str]) -> list[str]:
    """The elements from the top of the file down to one of this kind, by the shortest way."""
    todo, seen = [["definitions"]], {"definitions"}
    for way in todo:
        if element in GRAMMAR[way[-1]].line and not GRAMMAR[way[-1]].abstract:
            return way
        for child in GRAMMAR[way[-1]].children.values():
            passable = child.name in GRAMMAR and not child.local and child.name not in avoid
            if passable and child.name not in seen and not GRAMMAR[child.name].abstract:
                seen.add(child.name)
                todo.append([*way, child.name])
    return []


def safe_way(element: str) -> list[str]:
    """The way there, through nothing that is refused or asleep if that can be had."""
    refused = {row.element for row in STANDARD if row.verdict == REFUSED and not row.part} - {element}
    asleep = {"choreography", "globalChoreographyTask"}
    ways = (way_to(element, frozenset(avoid)) for avoid in (refused | asleep, refused, set()))
    return next((way for way in ways if way), [])


def drawn(way: list[str], element: str, part: str) -> etree._Element:
    """A file with just these elements, the last of them with this attribute or child."""
    root = node = etree.Element(BPMN + "definitions", {"targetNamespace": "t"})
    for name in way[1:]:
        node = etree.SubElement(node, BPMN + name, {"id": "p"} if "id" in GRAMMAR[name].attributes else {})
    name, _, value = part.removeprefix("@").partition("=")
    if part.startswith("@"):
        node.set(name, value or good_value(element, name))
    elif part:
        kind = GRAMMAR[element].children[name].kind
        child = etree.SubElement(node, BPMN + name)
        if kind is not None and GRAMMAR[kind].abstract:
            child.set(XSI_TYPE, "bpmn:tLane")
    return root


def good_value(element: str, name: str) -> str:
    """A value of an attribute that no row refuses."""
    attribute = GRAMMAR[element].attributes[name]
    good = [value for value in attribute.values if (element, f"@{name}={value}") not in ROWS]
    return {"integer": "1", "int": "1"}.get(attribute.kind, (*good, "p")[0])


@pytest.mark.parametrize("row", STANDARD, ids=lambda row: f"{row.element} {row.part}".strip())
def test_the_validator_does_what_the_row_says(row):
    way = safe_way(row.element)
    passed = [ROWS[name, ""] for name in way[: -1 if row.element == way[-1] else None]]
    expected: set[tuple[str, str]] = set()
    for step in (*passed, ROWS[row.element, ""], row):
        if "error" not in {severity for _, severity in expected}:
            expected |= {finding[:2] for finding in [finding_of(step)] if finding is not None}

    said = check_support(drawn(way, row.element, row.part), {"p"})

    assert {(problem.rule, problem.severity) for problem in said} == expected


def test_every_element_of_the_standard_was_drawn_by_these_tests():
    assert [element for element in GRAMMAR if not safe_way(element)] == []
