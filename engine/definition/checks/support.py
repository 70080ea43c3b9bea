"""Rules of the table of support: nothing unknown, nothing out of place, nothing that is not executed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator

from lxml import etree

from engine.definition.checks.finding import error, warning
from engine.definition.checks.references import owner_of
from engine.definition.grammar import Attribute, Kind, bpmn_grammar
from engine.definition.support import REFUSED, Row, finding_of, support_of
from engine.definition.vocabulary import BPMN, TIDU, XSI_TYPE, ZEEBE, local_name
from engine.errors import Problem

READ = {ZEEBE: "zeebe:", TIDU: "tidu:"}
ENGINES = {
    "{http://camunda.org/schema/1.0/bpmn}": "camunda:",
    "{http://operaton.org/schema/1.0/bpmn}": "operaton:",
    "{http://activiti.org/bpmn}": "activiti:",
    "{http://flowable.org/bpmn}": "flowable:",
    "{http://spiffworkflow.org/bpmn/schema/1.0/core}": "spiffworkflow:",
    "{http://www.jboss.org/drools}": "drools:",
}
HARMLESS = frozenset(  # words of other engines that touch no execution, not even theirs
    {
        "diagramRelationId",
        "historyTimeToLive",
        "modelerTemplate",
        "modelerTemplateIcon",
        "modelerTemplateVersion",
        "properties",
        "versionTag",
    }
)
DIAGRAM = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DRAWN = frozenset({"flowElement", "artifact", "lane"})
INTEGER = re.compile(r"-?\d{1,9}")
NUMBERS = frozenset({"int", "integer"})


def check_support(root: etree._Element, run: Collection[str]) -> Iterator[Problem]:
    """Every element and attribute of a file against the table; `run` are its processes that are executed.

    What stands in other processes and in choreographies is carried, so that only its form is looked at.
    """
    if root.tag == f"{BPMN}definitions":
        yield from _element(root, bpmn_grammar()["definitions"], run)
    else:
        yield error(
            "",
            "file.root",
            f"the file must begin with definitions of BPMN 2.0, found {root.tag}",
            "文件的根元素必须是 BPMN 2.0 的 definitions",
        )


def _element(node: etree._Element, kind: Kind, run: Collection[str] | None) -> Iterator[Problem]:
    """An element and all inside it; `run` is None where nothing is executed."""
    yield from _attributes(node, kind, awake=run is not None)
    yield from _twice(node, kind)
    for child in node.iterchildren(etree.Element):
        if str(child.tag).startswith(BPMN):
            yield from _child(child, kind, run)
        else:
            yield from _other(child, kind, run)
    if run is not None:
        yield from _elsewhere(node)


def _sleeps(node: etree._Element, kind: Kind, run: Collection[str]) -> bool:
    """Whether nothing runs in here: a choreography, or what could be called and is not."""
    return "choreography" in kind.line or ("callableElement" in kind.line and node.get("id") not in run)


def _child(node: etree._Element, around: Kind, run: Collection[str] | None) -> Iterator[Problem]:
    name = local_name(node)
    declared = around.children.get(name)
    kind = None if declared is None or declared.kind is None else _kind(node, declared.kind)
    if around.free:
        return
    if declared is None or (kind is not None and kind.abstract):
        yield _misplaced(node, around)
        return
    if kind is not None and XSI_TYPE in node.attrib and kind.name != _type_of(node):
        yield error(
            place_of(node),
            "element.type",
            f"{name} at {place_of(node)} cannot be of type {node.get(XSI_TYPE)}",
            f"{place_of(node)} 的 {name} 不能是 {node.get(XSI_TYPE)} 类型",
        )
    if run is not None and kind is not None and _sleeps(node, kind, run):
        run = None
    row = support_of(around.line, name) if declared.local else support_of((name,))
    if run is not None:
        yield from _said(node, row)
    if kind is not None and (run is None or row is None or row.verdict != REFUSED):
        yield from _element(node, kind, run)


def _kind(node: etree._Element, declared: str) -> Kind:
    """What an element is made of: what the schema says, or what xsi:type narrows an expression to."""
    grammar = bpmn_grammar()
    narrowed = grammar.get(_type_of(node))
    return (
        narrowed if narrowed is not None and _may_narrow(narrowed, grammar[declared]) else grammar[declared]
    )


def _type_of(node: etree._Element) -> str:
    """The element that xsi:type makes of this one."""
    written = (node.get(XSI_TYPE) or "").rpartition(":")[2].removeprefix("t")
    return written[:1].lower() + written[1:]


def _may_narrow(narrowed: Kind, declared: Kind) -> bool:
    return declared.name in narrowed.line and (declared.name == "expression" or declared.abstract)


def _misplaced(node: etree._Element, around: Kind) -> Problem:
    name, at = local_name(node), place_of(node)
    grammar = bpmn_grammar()
    if name not in grammar and not any(name in kind.children for kind in grammar.values()):
        return error(at, "element.unknown", f"BPMN has no element {name}", f"BPMN 中没有名为 {name} 的元素")
    return error(
        at, "element.place", f"{name} cannot stand in {around.name}", f"{name} 不能放在 {around.name} 之内"
    )


def _twice(node: etree._Element, kind: Kind) -> Iterator[Problem]:
    """What may be said once must not be said twice: we would have to choose."""
    once = {BPMN + name for name, child in kind.children.items() if child.once}
    for tag, times in Counter(str(child.tag) for child in node.iterchildren(etree.Element)).items():
        ours = kind.name == "extensionElements" and _space(tag) in READ
        if times > 1 and (tag in once or ours):
            name = tag.rpartition("}")[2]
            yield error(
                place_of(node),
                "element.twice",
                f"{place_of(node)} has {times} elements {name}, expected one",
                f"{place_of(node)} 有 {times} 个 {name}，只能有一个",
            )


def _attributes(node: etree._Element, kind: Kind, *, awake: bool) -> Iterator[Problem]:
    for name, value in _written(node):
        if name.startswith("{") and _space(name) != BPMN:
            yield from _foreign(node, name) if awake else ()
            continue
        declared = kind.attributes.get(name)
        if declared is None:
            yield error(
                place_of(node),
                "attribute.unknown",
                f"{kind.name} has no attribute {_short(name)}, found at {place_of(node)}",
                f"{place_of(node)}：{kind.name} 没有属性 {_short(name)}",
            )
        elif not _fits(declared, value):
            yield _misfit(node, declared, value)
        elif awake:
            yield from _value(node, kind, declared, value)


def _written(node: etree._Element) -> Iterator[tuple[str, str]]:
    return ((str(name), str(value)) for name, value in node.attrib.items())


def _short(name: str) -> str:
    return name.replace(BPMN, "bpmn:")


def _fits(attribute: Attribute, value: str) -> bool:
    if attribute.kind in NUMBERS:
        return INTEGER.fullmatch(value) is not None
    return not attribute.values or value in attribute.values


def _misfit(node: etree._Element, attribute: Attribute, value: str) -> Problem:
    wanted = " or ".join(attribute.values) or "a whole number"
    return error(
        place_of(node),
        "attribute.value",
        f"{attribute.name} of {place_of(node)} must be {wanted}, found {value[:60]!r}",
        f"{place_of(node)} 的 {attribute.name} 取值无效：{value[:60]!r}",
    )


def _value(node: etree._Element, kind: Kind, attribute: Attribute, value: str) -> Iterator[Problem]:
    for part in (f"@{attribute.name}", f"@{attribute.name}={value}"):
        yield from _said(node, support_of(kind.line, part))


def _foreign(node: etree._Element, name: str) -> Iterator[Problem]:
    """An attribute of a vocabulary that we read, at a BPMN element: few are written there."""
    prefix = READ.get(_space(name))
    if prefix is not None:
        word = prefix + name.rpartition("}")[2]
        yield from _row(node, word, ("*",), f"@{word}")


def _other(node: etree._Element, around: Kind, run: Collection[str] | None) -> Iterator[Problem]:
    """An element that is not BPMN's: a diagram, an extension at its place, or it hides something."""
    if around.name == "extensionElements":
        if run is not None and _space(node.tag) in READ:
            yield from _extension(node)
    elif not around.free and _space(node.tag) != DIAGRAM:
        yield error(
            place_of(node),
            "element.place",
            f"{local_name(node)} at {place_of(node)} must stand in extensionElements",
            f"{place_of(node)} 的 {local_name(node)} 必须放在 extensionElements 之内",
        )


def _extension(node: etree._Element) -> Iterator[Problem]:
    """An element of a vocabulary that we read, with all inside it, at its place."""
    name = READ[_space(node.tag)] + local_name(node)
    wrong = tuple(_ours(node, name))
    yield from wrong
    if not wrong:
        yield from _effect(node, name)


def _effect(node: etree._Element, name: str) -> Iterator[Problem]:
    """What we read at other elements only would be passed over here."""
    holders = [bpmn_grammar().get(local_name(around)) for around in node.iterancestors()]
    holder = holders[1] if len(holders) > 1 else None
    if holder is not None and support_of(holder.line, name) is None:
        yield error(
            place_of(node),
            "extension.place",
            f"{name} has no effect at {holder.name} {place_of(node)}",
            f"{name} 在 {holder.name} {place_of(node)} 上不起作用",
        )


def _ours(node: etree._Element, name: str) -> Iterator[Problem]:
    wrong = tuple(_row(node, name, (name,), ""))
    yield from wrong
    if wrong:
        return
    for attribute in map(str, node.attrib):
        prefix = READ.get(_space(attribute))
        if prefix is not None:
            yield from _foreign(node, attribute)
        elif not _space(attribute):
            yield from _row(node, f"{attribute} of {name}", (name,), f"@{attribute}")
    for child in node.iterchildren(etree.Element):
        if _space(child.tag) in READ:
            yield from _ours(child, READ[_space(child.tag)] + local_name(child))


def _row(node: etree._Element, what: str, line: tuple[str, ...], part: str) -> Iterator[Problem]:
    row = support_of(line, part)
    if row is None:
        yield error(
            place_of(node),
            "extension.unknown",
            f"{what} is not known here, found at {place_of(node)}",
            f"{place_of(node)}：无法识别 {what}",
        )
    yield from _said(node, row)


def _elsewhere(node: etree._Element) -> Iterator[Problem]:
    """What other engines would execute is never run here, and nobody should believe it is."""
    names: dict[str, list[str]] = {}
    holders = node.iterchildren(f"{BPMN}extensionElements")
    inside = [child.tag for holder in holders for child in holder.iterchildren(etree.Element)]
    for name in map(str, (*node.attrib, *inside)):
        prefix, word = ENGINES.get(_space(name)), name.rpartition("}")[2]
        if prefix is not None and word not in HARMLESS:
            names.setdefault(prefix, []).append(prefix + word)
    for prefix, found in names.items():
        row = support_of((prefix,))
        listed = ", ".join(dict.fromkeys(found))
        yield warning(
            place_of(node),
            row.rules[0] if row else prefix,
            f"{listed} at {place_of(node)} has no effect here",
            f"{place_of(node)} 的 {listed} 在此不起作用",
        )


def _said(node: etree._Element, row: Row | None) -> Iterator[Problem]:
    """What the table says against something, at the element where it stands."""
    found = None if row is None else finding_of(row)
    if found is not None:
        at, (rule, severity, message, message_zh) = place_of(node), found
        say = error if severity == "error" else warning
        yield say(at, rule, f"{at}: {message}", f"{at}：{message_zh}")


def place_of(node: etree._Element) -> str:
    """The id of the nearest thing around that is drawn, where an editor can show a finding."""
    grammar = bpmn_grammar()
    around: etree._Element | None = node
    while around is not None:
        kind = grammar.get(local_name(around)) if str(around.tag).startswith(BPMN) else None
        if kind is not None and around.get("id") and not DRAWN.isdisjoint(kind.line):
            return around.get("id") or ""
        around = around.getparent()
    return owner_of(node)


def _space(name: object) -> str:
    """The namespace of a tag or an attribute, in its braces."""
    text = str(name)
    return text[: text.index("}") + 1] if text.startswith("{") else ""
