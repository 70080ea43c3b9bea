"""What the schema of BPMN 2.0 allows where: elements, their attributes and their children."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lxml import etree

XSD = "{http://www.w3.org/2001/XMLSchema}"
SCHEMAS = ("Semantic.xsd", "BPMN20.xsd")
BOOLEAN = ("true", "false", "1", "0")


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """An attribute; `owner` declares it, `values` are all that it may say if they are few."""

    name: str
    owner: str
    kind: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Child:
    """A child element; `kind` is what it is made of, nothing if it is plain text."""

    name: str
    owner: str
    kind: str | None
    once: bool
    local: bool  # only known inside its owner


@dataclass(frozen=True, kw_only=True)
class Kind:
    """An element of the schema with everything it has, inherited or its own.

    `line` names it and all it is derived from, nearest first.
    """

    name: str
    line: tuple[str, ...]
    abstract: bool
    free: bool  # anything at all may stand inside
    attributes: Mapping[str, Attribute]
    children: Mapping[str, Child]


@cache
def bpmn_grammar() -> Mapping[str, Kind]:
    """Every element of BPMN by its name, read once from the OMG's files that SpiffWorkflow brings along."""
    folder = files("SpiffWorkflow.bpmn.parser") / "schema"
    return _Schema(etree.fromstring((folder / name).read_bytes()) for name in SCHEMAS).kinds()


class _Schema:
    """The declarations of the schema files. An element and its type are one thing: they come in pairs."""

    def __init__(self, roots: Iterable[etree._Element]) -> None:
        tops = [top for root in roots for top in root if isinstance(top.tag, str)]
        self.elements = {_name(top): top for top in tops if top.tag == XSD + "element"}
        self.types = {_name(top): top for top in tops if top.tag == XSD + "complexType"}
        self.values = {_name(top): _values(top) for top in tops if top.tag == XSD + "simpleType"}
        self.element_of = {top.get("type") or "": name for name, top in self.elements.items()}

    def kinds(self) -> Mapping[str, Kind]:
        return {name: self.kind(name) for name in self.elements}

    def kind(self, name: str) -> Kind:
        types = tuple(self.line(self.elements[name].get("type")))
        attributes = [one for top in types for one in self.attributes(top)]
        children = [one for top in types for one in self.children(top)]
        return Kind(
            name=name,
            line=tuple(self.element_of[_name(top)] for top in types),
            abstract=types[0].get("abstract") == "true",
            free=any(one.get("namespace") == "##any" for top in types for one in top.iter(XSD + "any")),
            attributes={one.name: one for one in reversed(attributes)},
            children={one.name: one for one in reversed(children)},
        )

    def line(self, type_name: str | None) -> Iterator[etree._Element]:
        while type_name is not None:
            top = self.types[type_name]
            yield top
            base = top.find(f".//{XSD}extension")
            type_name = None if base is None else base.get("base")

    def attributes(self, top: etree._Element) -> Iterator[Attribute]:
        owner = self.element_of[_name(top)]
        for one in top.iter(XSD + "attribute"):
            kind = (one.get("type") or "").removeprefix("xsd:")
            values = BOOLEAN if kind == "boolean" else self.values.get(kind, ())
            yield Attribute(name=_name(one), owner=owner, kind=kind, values=values)

    def children(self, top: etree._Element) -> Iterator[Child]:
        owner = self.element_of[_name(top)]
        for one in top.iter(XSD + "element"):
            once, reference = one.get("maxOccurs", "1") == "1", one.get("ref")
            if reference is None:
                kind = self.element_of.get(one.get("type") or "")
                yield Child(name=_name(one), owner=owner, kind=kind, once=once, local=True)
            elif reference in self.elements:
                for name in self.substitutes(reference):
                    yield Child(name=name, owner=owner, kind=name, once=once, local=False)

    def substitutes(self, name: str) -> Iterator[str]:
        """An element and everything that may stand in its place."""
        yield name
        for other, top in self.elements.items():
            if top.get("substitutionGroup") == name:
                yield from self.substitutes(other)


def _name(top: etree._Element) -> str:
    return top.get("name") or ""


def _values(top: etree._Element) -> tuple[str, ...]:
    """The values of an enumeration; none if any URI is a value too."""
    if top.find(XSD + "union") is not None:
        return ()
    return tuple(one.get("value") or "" for one in top.iter(XSD + "enumeration"))
