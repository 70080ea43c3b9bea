"""What the elements, rules and forms of a package refer to: clauses of documents, parameters of rule sets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from lxml import etree

from engine.errors import BadDefinition, Problem
from engine.xml import parse_xml
from workflows.library.packages import BPMN, DRAWING, ZEEBE, Package
from workflows.register.clauses import NAME, Clause, pins

CLAUSE = re.compile(rf"(?<![\w-]){NAME}(?![\w-])")
WORD = re.compile(r"[^\s,，、;；]+")
STEP = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,14}")
PART = re.compile(r"[(（][0-9]+[)）]$")
HEAD = re.compile(r"^[\x20-\x7e、，（）]*")
TRACK = re.compile(r"(?<![\w.])track\.([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)")
PIECE = re.compile(r'"[^"]*"|[{}]|(?<![\w.])([A-Za-z_]\w*)\s*:|(?<![\w.])rules\.([a-z0-9_.]*[a-z0-9_])')
PARAMETER = re.compile(r"(?<![\w.])rules\.([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)")
INFERRED = "inferred"
ACTS = ("Task", "task", "callActivity", "subProcess", "boundaryEvent", "CatchEvent", "ThrowEvent")
"""Kinds of elements that carry something out, and so should say what; gateways, starts and ends route."""
DRAWN = (*ACTS, "Event", "Gateway", "sequenceFlow")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One place of a package, and what it names. `kind` is the element's, or `rule`, `decision`, `form`.

    `is_inferred` says that it claims no source. A ladder hands parameters on as its track: `carries` holds
    pairs of a place in the track (`terms.municipal.county`) and a parameter, `takes` the places asked for.
    """

    process: str
    place: str
    kind: str
    name: str
    name_en: str
    step: str
    clauses: tuple[str, ...]
    is_inferred: bool
    parameters: tuple[str, ...]
    carries: tuple[tuple[str, str], ...] = ()
    takes: tuple[str, ...] = ()

    @property
    def must_name(self) -> bool:
        """Whether it should name a clause, or say that it is inferred."""
        return self.kind == "rule" or self.kind.endswith(ACTS)

    @property
    def names_nothing(self) -> bool:
        """Whether it should say where it comes from and does not."""
        return self.must_name and not self.clauses and not self.is_inferred


def references(package: Package) -> tuple[Reference, ...]:
    """Every element, decision rule and form of a package, in the order of its files."""
    found = [*_drawn(package), *_decided(package), *_asked(package)]
    return tuple(found)


def unknown_clauses(package: Package, known: Mapping[str, Clause]) -> tuple[Problem, ...]:
    """A warning for every clause that an element or a rule names and no rule document has."""
    try:
        found = references(package)
    except BadDefinition:
        return ()  # what cannot be read is told by those who read it
    return tuple(
        Problem(
            element=one.place,
            rule="clause.unknown",
            severity="warning",
            message=f"no rule document has a clause {name}",
            message_zh=f"规则文件中没有条款 {name}",
        )
        for one in found
        for name in one.clauses
        if name not in known
    )


def pin_clauses(
    connection: sa.Connection,
    package: Package,
    version: int,
    *,
    known: Mapping[str, Clause],
    by: str,
    at: datetime,
) -> None:
    """Write down how every clause that the package names reads now: who changes it later makes it stale."""
    named = {name for one in references(package) for name in one.clauses if name in known}
    its = {"key": package.process_id, "version": version}
    connection.execute(sa.delete(pins).filter_by(**its))
    rows = [
        {**its, "clause": name, "digest": known[name].digest, "checked_by": by, "checked_at": at}
        for name in sorted(named)
    ]
    if rows:
        connection.execute(sa.insert(pins), rows)


def names_in(text: str) -> tuple[str, ...]:
    """The clauses that a property names: every word that is no step and not `inferred`, parts cut off."""
    words = (PART.sub("", word) for word in WORD.findall(text))
    return tuple(dict.fromkeys(w for w in words if w != INFERRED and not STEP.fullmatch(w)))


def _drawn(package: Package) -> Iterator[Reference]:
    root = parse_xml(package.files[DRAWING], what=DRAWING)
    process = next((p for p in root.iter(f"{BPMN}process") if p.get("id") == package.process_id), None)
    for element in () if process is None else process.iter(f"{BPMN}*"):
        kind = etree.QName(element).localname
        if element is process or (element.get("id") and kind.endswith(DRAWN)):
            yield _element(package.process_id, element, "process" if element is process else kind)


def _element(process: str, element: etree._Element, kind: str) -> Reference:
    told = {
        p.get("name", ""): p.get("value", "")
        for extension in element.iterchildren(f"{BPMN}extensionElements")
        for p in extension.iter(f"{ZEEBE}property")
    }
    clause = told.get("clause", "")
    own = _own_text(element)
    return Reference(
        process=process,
        place=element.get("id", ""),
        kind=kind,
        name=element.get("name", ""),
        name_en=told.get("name:en", ""),
        step=told.get("step", ""),
        clauses=names_in(clause),
        is_inferred=INFERRED in WORD.findall(clause),
        parameters=_parameters(own),
        carries=_carried(element),
        takes=tuple(dict.fromkeys(TRACK.findall(own))),
    )


def _own_text(element: etree._Element) -> str:
    """What stands in an element and not in one that is drawn inside it."""
    parts = [*element.attrib.values(), element.text or ""]
    for child in element.iterchildren():
        is_drawn = child.get("id") and etree.QName(child).localname.endswith((*DRAWN, "laneSet"))
        if not is_drawn and isinstance(child.tag, str):
            parts.append(_own_text(child))
    return "\n".join(str(part) for part in parts)


def _decided(package: Package) -> Iterator[Reference]:
    for name, data in sorted(package.decisions.items()):
        for decision in parse_xml(data, what=f"{name}.dmn").iterfind(".//{*}decision"):
            rules = list(decision.iterfind(".//{*}rule"))
            texts = "\n".join(map(_text, decision.iterfind(".//{*}inputExpression")))
            texts += "\n".join(map(_text, decision.iterfind("{*}literalExpression")))
            yield _place(package, decision.get("id", ""), "decision", decision.get("name", ""), "", texts)
            for row, rule in enumerate(rules, start=1):
                words = " ".join(_text(one) for one in rule.iterfind("{*}description")).strip()
                title = f"{decision.get('name', '')} {row}"
                yield _place(package, rule.get("id", ""), "rule", title, words, _text(rule))


def _place(package: Package, place: str, kind: str, name: str, words: str, text: str) -> Reference:
    head = HEAD.match(words)
    named = CLAUSE.findall(head[0]) if head else ()
    step = STEP.search(head[0]) if head else None
    return Reference(
        process=package.process_id,
        place=place,
        kind=kind,
        name=name,
        name_en="",
        step=step[0] if step else "",
        clauses=tuple(dict.fromkeys(named)),
        is_inferred=INFERRED in words,
        parameters=_parameters(text),
        takes=tuple(dict.fromkeys(TRACK.findall(text))),
    )


def _asked(package: Package) -> Iterator[Reference]:
    for path, data in sorted(package.forms.items()):
        if found := _parameters(data.decode("utf-8", errors="replace")):
            form = path.rpartition("/")[2].removesuffix(".form")
            yield Reference(
                process=package.process_id,
                place=form,
                kind="form",
                name=form,
                name_en="",
                step="",
                clauses=(),
                is_inferred=False,
                parameters=found,
            )


def _carried(element: etree._Element) -> tuple[tuple[str, str], ...]:
    """What a script that makes the track puts where: it is read as text, for whoever looks things up."""
    scripts = element.iterfind(f"{BPMN}extensionElements/{ZEEBE}script[@resultVariable='track']")
    return tuple(pair for script in scripts for pair in _pairs(script.get("expression", "")))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    around: list[str] = []
    key = ""
    for piece in PIECE.finditer(text):
        if piece[0] == "{":
            around, key = [*around, key], ""
        elif piece[0] == "}":
            key, around = "", around[:-1]
        elif piece[1]:
            key = piece[1]
        elif piece[2]:
            yield ".".join(part for part in (*around, key) if part), piece[2]


def _text(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext())


def _parameters(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(PARAMETER.findall(text)))
