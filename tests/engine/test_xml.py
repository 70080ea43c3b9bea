"""XML that must be read, and XML that must be refused by name; the rest is in the table of adversaries."""

from __future__ import annotations

import pytest

from engine.errors import BadDefinition
from engine.xml import MAX_BYTES, MAX_DEPTH, MAX_NODES, parse_xml

REFUSED = {
    "another encoding": (
        '<?xml version="1.0" encoding="windows-1252"?><a>é</a>'.encode("windows-1252"),
        "xml.encoding",
    ),
    "half a character": ("<a>\ud800</a>", "xml.encoding"),
    "undefined entity": ("<a>&nbsp;</a>", "xml.syntax"),
    "not closed": (b"<a><b></a>", "xml.syntax"),
    "too large": (b"<a>" + b" " * MAX_BYTES + b"</a>", "xml.size"),
    "too many elements": ("<a>" + "<b/>" * MAX_NODES + "</a>", "xml.nodes"),
    "too deep": ("<a>" * (MAX_DEPTH + 1) + "</a>" * (MAX_DEPTH + 1), "xml.depth"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_dangerous_or_broken_xml_is_refused_by_name(case: str) -> None:
    text, rule = REFUSED[case]

    with pytest.raises(BadDefinition) as refusal:
        parse_xml(text, what="draft.bpmn")

    (problem,) = refusal.value.problems
    assert (problem.rule, problem.severity, problem.element) == (rule, "error", "")
    assert problem.message_zh.startswith("draft.bpmn：")


def test_comments_and_instructions_are_gone_and_text_is_whole() -> None:
    root = parse_xml('<?xml-stylesheet href="x"?><a><!-- c --><?p q?><b>兰<!-- x -->州</b></a>')

    assert [child.tag for child in root] == ["b"]
    assert root[0].text == "兰州"
    assert root.getprevious() is None


def test_a_text_with_a_declaration_and_bytes_with_a_mark_are_read() -> None:
    declared = '<?xml version="1.0" encoding="UTF-8"?><a n="甘肃"/>'

    assert parse_xml(declared).get("n") == "甘肃"
    assert parse_xml(declared.encode("utf-8-sig")).get("n") == "甘肃"
    assert (
        parse_xml('<?xml version="1.0" encoding="UTF-16"?><a n="甘肃"/>'.encode("utf-16")).get("n") == "甘肃"
    )


def test_the_encoding_that_interchange_files_are_often_written_in_is_read() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><a n="é"/>'

    assert parse_xml(text.encode("iso-8859-1")).get("n") == "é"


def test_an_inclusion_is_not_followed() -> None:
    root = parse_xml(
        '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd" parse="text"/></a>'
    )

    assert [child.text for child in root] == [None]


def test_the_deepest_allowed_tree_is_read() -> None:
    assert parse_xml("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH).tag == "a"
