"""One spelling for what the schema lets a file write in several ways."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from lxml import etree

from engine.definition.grammar import Kind, bpmn_grammar
from engine.definition.vocabulary import BPMN, local_name

BOOLEANS = {"1": "true", "0": "false"}


def spell(root: etree._Element) -> None:
    """Write `1` and `0` as true and false, and the file's own names without a prefix, all over the file."""
    own = root.get("targetNamespace")
    grammar, texts = bpmn_grammar(), _texts()
    for node in root.iter(f"{BPMN}*"):
        kind = grammar.get(local_name(node))
        if kind is not None:
            _attributes(node, kind, own)
        if node.text and len(node) == 0 and local_name(node) in texts:
            node.text = _own_name(node.text.strip(), node.nsmap, own)


def _attributes(node: etree._Element, kind: Kind, own: str | None) -> None:
    for name, value in node.attrib.items():
        declared = kind.attributes.get(str(name))
        if declared is not None and declared.kind == "boolean":
            node.set(name, BOOLEANS.get(str(value), str(value)))
        elif declared is not None and declared.kind == "QName":
            node.set(name, _own_name(str(value), node.nsmap, own))


def _own_name(text: str, spaces: Mapping[str | None, str], own: str | None) -> str:
    prefix, colon, name = text.partition(":")
    return name if colon and own is not None and spaces.get(prefix) == own else text


@cache
def _texts() -> frozenset[str]:
    """The elements whose text is a name."""
    kinds = bpmn_grammar().values()
    return frozenset(c.name for kind in kinds for c in kind.children.values() if c.kind is None)
