"""What two BPMN files say differently: elements with all they hold, and where everything is drawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files

from lxml import etree

from engine.definition.grammar import SCHEMAS, XSD, bpmn_grammar
from engine.xml import parse_xml

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DRAWN = "{http://www.omg.org/spec/BPMN/20100524/DI}"
SHAPED = (DRAWN, "{http://www.omg.org/spec/DD/20100524/DC}", "{http://www.omg.org/spec/DD/20100524/DI}")
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
TOOL = {"exporter", "exporterVersion", f"{XSI}schemaLocation"}
"""Who wrote the file last: no part of what it says."""

NUMBER = re.compile(r"-?\d+(\.\d+)?")
Facts = dict[str, Counter[str]]


def differences(before: bytes, after: bytes) -> list[str]:
    """One sentence for each thing that one file says and the other does not; empty if both say the same.

    Elements are known by their ids, what has none by where it stands. The order counts only inside
    extension elements of others, in lists of documentation, and along an edge.
    """
    return list(_told(_facts(before), _facts(after)))


def _told(before: Facts, after: Facts) -> Iterator[str]:
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name), after.get(name)
        if new is None:
            yield f"{name}: is gone"
        elif old is None:
            yield f"{name}: is new"
        else:
            yield from (f"{name}: lost {fact}" for fact in sorted((old - new).elements()))
            yield from (f"{name}: got {fact}" for fact in sorted((new - old).elements()))


def _facts(data: bytes) -> Facts:
    """Everything by its name: type, parent, attributes, and what stands inside it without a name."""
    root = parse_xml(data)
    found: Facts = {}
    for element in root.iter("*"):
        name = _name(element)
        if name is not None:
            found[name] = Counter(_facts_of(element))
    return found


def _name(element: etree._Element) -> str | None:
    """How an element is known: its id; what is drawn by what it draws, and where if in several diagrams."""
    drawn = element.get("bpmnElement")
    if element.tag in (f"{DRAWN}BPMNShape", f"{DRAWN}BPMNEdge", f"{DRAWN}BPMNPlane") and drawn:
        diagram = next(element.iterancestors(f"{DRAWN}BPMNDiagram"), element)
        return f"{_local(element)} of {_reference(drawn)} in diagram {_place(diagram)}"
    if element.tag == f"{DRAWN}BPMNDiagram":
        return f"diagram {_place(element)}"
    if not str(element.tag).startswith(BPMN):
        return None
    if element.getparent() is None:
        return "the file"
    return element.get("id")


def _place(diagram: etree._Element) -> int:
    around = diagram.getparent()
    siblings = [] if around is None else list(around.iterchildren(f"{DRAWN}BPMNDiagram"))
    return siblings.index(diagram) + 1 if diagram in siblings else 0


def _facts_of(element: etree._Element) -> Iterator[str]:
    yield f"type {_tag(element)}"
    around = element.getparent()
    if around is not None and not _is_drawn(element):
        yield f"parent {_name(around) or _path(around)}"
    yield from _attributes(element)
    yield from _text(element)
    for child in element.iterchildren("*"):
        if _name(child) is None and _local(child) != "waypoint":
            yield _written(child)
    if line := [_written(point) for point in element.iterchildren("{*}waypoint")]:
        yield f"line {' '.join(line)}"


def _is_drawn(element: etree._Element) -> bool:
    return str(element.tag).startswith(DRAWN)


def _path(element: etree._Element) -> str:
    around = element.getparent()
    owner = "" if around is None else _name(around) or _path(around)
    return f"{owner}/{_local(element)}"


def _written(element: etree._Element) -> str:
    """An element without a name as one text, with all that stands in it."""
    inside = [_written(child) for child in element.iterchildren("*") if _name(child) is None]
    if str(element.tag).startswith(BPMN) and _local(element) != "extensionElements":
        inside.sort()
    parts = [_tag(element), *sorted(_attributes(element)), *_text(element), *inside]
    return f"<{' '.join(parts)}>"


def _attributes(element: etree._Element) -> Iterator[str]:
    for key, value in element.attrib.items():
        name, text = str(key), str(value)
        if not _says_nothing(element, name, text):
            yield f"@{_short(name)}={_value(name, text, element)!r}"
    if element.tag == f"{BPMN}formalExpression":
        yield "@type='tFormalExpression'"


def _says_nothing(element: etree._Element, name: str, text: str) -> bool:
    """Whether an attribute names the tool, the drawn part itself, or what holds anyway."""
    if str(element.tag).startswith(SHAPED):
        return name == "id" or (_local(element) == "waypoint" and name == f"{XSI}type")
    return name in TOOL or (str(element.tag).startswith(BPMN) and text == _default(element, name))


def _default(element: etree._Element, name: str) -> str | None:
    kind = bpmn_grammar().get(_local(element))
    declared = kind.attributes.get(name) if kind else None
    return _defaults().get((declared.owner, name)) if declared else None


@cache
def _defaults() -> Mapping[tuple[str, str], str]:
    """What BPMN's schema takes an attribute for that is not written, by its owner and its name."""
    found = {("compensateEventDefinition", "waitForCompletion"): "true"}  # the text has it, the schema forgot
    for file in SCHEMAS:
        root = etree.fromstring((files("SpiffWorkflow.bpmn.parser") / "schema" / file).read_bytes())
        for top in root.iter(f"{XSD}complexType"):
            owner = (top.get("name") or "").removeprefix("t")
            for one in top.iter(f"{XSD}attribute"):
                if (default := one.get("default")) is not None:
                    found[owner[:1].lower() + owner[1:], one.get("name") or ""] = default
    return found


def _value(name: str, text: str, element: etree._Element) -> str:
    if name == f"{XSI}type":
        return _reference(text)
    if not str(element.tag).startswith((BPMN, *SHAPED)):
        return text
    if _is_name(name, element):
        return _reference(text)
    if NUMBER.fullmatch(text) and str(element.tag).startswith(SHAPED):
        return f"{Decimal(text).normalize():f}"
    return text


def _is_name(attribute: str, element: etree._Element) -> bool:
    """Whether BPMN says that the attribute refers to something: its prefix does not count."""
    kind = bpmn_grammar().get(_local(element))
    declared = kind.attributes.get(attribute) if kind else None
    return (
        declared.kind == "QName"
        if declared
        else attribute in ("bpmnElement", "sourceElement", "targetElement")
    )


def _text(element: etree._Element) -> Iterator[str]:
    """The text in an element, also between what stands inside it."""
    parts = [element.text, *(child.tail for child in element)]
    text = " ".join(part.strip() for part in parts if part and part.strip())
    if text:
        yield f"text {(_reference(text) if _holds_a_name(element) else text)!r}"


def _holds_a_name(element: etree._Element) -> bool:
    around = element.getparent()
    kind = bpmn_grammar().get(_local(around)) if around is not None else None
    child = kind.children.get(_local(element)) if kind else None
    return (
        child is not None
        and child.kind is None
        and len(element) == 0
        and " " not in (element.text or "").strip()
    )


def _reference(text: str) -> str:
    return text.strip().rpartition(":")[2]


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _tag(element: etree._Element) -> str:
    return _short(str(element.tag)).replace("formalExpression", "expression")


def _short(name: str) -> str:
    """A name without the addresses that every BPMN file has."""
    for own in (BPMN, *SHAPED, XSI):
        name = name.removeprefix(own)
    return name
