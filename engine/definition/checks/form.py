"""Rules of form: what the standard forbids although it would not change what is executed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from engine.definition.checks.finding import error, warning
from engine.definition.checks.references import FLOW_NODES, Names, bpmn_elements, owner_of
from engine.definition.vocabulary import BPMN, XSI_TYPE, children, local_name
from engine.errors import Problem

FORMAL = frozenset(
    {
        "activationCondition",
        "completionCondition",
        "condition",
        "conditionExpression",
        "from",
        "loopCardinality",
        "loopCondition",
        "messagePath",
        "timeCycle",
        "timeDate",
        "timeDuration",
        "to",
    }
)
MIME = re.compile(r"[\w.+-]+/[\w.+-]+(;.*)?")
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
FEEL = re.compile(r"\bfeel\b", re.IGNORECASE)
LANGUAGES = ("expressionLanguage", "typeLanguage", "language")


def check_form(names: Names) -> Iterator[Problem]:
    """Every rule of form for the whole file."""
    keeps_lists = _keeps_lists(names)
    for element in bpmn_elements(names.root):
        tag = local_name(element)
        if tag in FORMAL:
            yield from _formal(element, tag)
        yield from _languages(element)
        if tag == "definitions" or "language" in element.attrib:
            yield from _feel(element)
        if tag == "textAnnotation":
            yield from _annotation(element)
        if tag == "participantMultiplicity":
            yield from _multiplicity(element)
        if tag in ("choreography", "globalConversation"):
            yield from _choreography(element)
        if tag == "transaction":
            yield from _transaction(element)
        if tag in FLOW_NODES and (keeps_lists or _has_list(element)):
            yield from _lists(element)


def _formal(element: etree._Element, tag: str) -> Iterator[Problem]:
    kind = (element.get(XSI_TYPE) or "").rpartition(":")[2]
    process = next(element.iterancestors(f"{BPMN}process"), None)
    if kind != "tFormalExpression" and process is not None and process.get("isExecutable") == "true":
        yield error(
            owner_of(element),
            "expression.formal",
            f"{tag} at {owner_of(element)} must have xsi:type tFormalExpression",
            f"{owner_of(element)} 的 {tag} 必须标记为 tFormalExpression",
        )


def _languages(element: etree._Element) -> Iterator[Problem]:
    for attribute in LANGUAGES:
        text = element.get(attribute)
        if text is not None and not URI.fullmatch(text):
            yield error(
                owner_of(element),
                "expression.language",
                f"{attribute} must be a URI, found {text!r}",
                f"{attribute} 必须是 URI，实际为 {text!r}",
            )


def _feel(element: etree._Element) -> Iterator[Problem]:
    """Expressions are read as FEEL: one that says it is something else is not run as such."""
    own, default = element.get("language"), element.get("expressionLanguage")
    if own is not None and not FEEL.search(own):
        yield error(
            owner_of(element),
            "expression.feel",
            f"the expression at {owner_of(element)} must be FEEL, found {own!r}",
            f"{owner_of(element)} 的表达式必须是 FEEL，实际为 {own!r}",
        )
    if default is not None and not FEEL.search(default) and _unmarked(element):
        yield warning(
            owner_of(element),
            "expression.feel",
            f"the expressions of the file are read as FEEL, not as {default!r}",
            f"文件中的表达式按 FEEL 解读，而非 {default!r}",
        )


def _unmarked(root: etree._Element) -> bool:
    """Whether the file has expressions that name no language of their own."""
    return any(local_name(e) in FORMAL and e.get("language") is None for e in bpmn_elements(root))


def _annotation(element: etree._Element) -> Iterator[Problem]:
    text = element.get("textFormat", "text/plain")
    if not MIME.fullmatch(text):
        yield error(
            owner_of(element),
            "annotation.format",
            f"textFormat must be a MIME type, found {text!r}",
            f"注释格式必须是 MIME 类型，实际为 {text!r}",
        )


def _multiplicity(element: etree._Element) -> Iterator[Problem]:
    least, most = _number(element.get("minimum"), 0), _number(element.get("maximum"), 1)
    if least < 0 or most < max(least, 1):
        yield error(
            owner_of(element),
            "participant.multiplicity",
            f"expected 0 <= minimum <= maximum, found {least} and {most}",
            f"参与者数量无效：最小 {least}，最大 {most}",
        )


def _number(text: str | None, fallback: int) -> int:
    return int(text) if text is not None and re.fullmatch(r"-?\d{1,9}", text) else fallback


def _choreography(element: etree._Element) -> Iterator[Problem]:
    if any(True for _ in children(element, "choreographyRef")):
        yield error(
            owner_of(element),
            "choreography.reference",
            f"a {local_name(element)} must not refer to a choreography",
            f"{local_name(element)} 不能引用编排",
        )


def _transaction(element: etree._Element) -> Iterator[Problem]:
    method = element.get("method", "##Compensate")
    if not (method.startswith("##") or URI.fullmatch(method)):
        yield error(
            owner_of(element),
            "transaction.method",
            f"the method of a transaction must be a URI, found {method!r}",
            f"事务的方法必须是 URI，实际为 {method!r}",
        )


def _has_list(element: etree._Element) -> bool:
    return any(True for tag in ("incoming", "outgoing") for _ in children(element, tag))


def _keeps_lists(names: Names) -> bool:
    """Whether the tool that wrote the file lists the flows of each node: half of the nodes do."""
    nodes = [element for element in bpmn_elements(names.root) if local_name(element) in FLOW_NODES]
    return 2 * sum(map(_has_list, nodes)) >= len(nodes) > 0


def _lists(element: etree._Element) -> Iterator[Problem]:
    """The lists of incoming and outgoing flows, if they are kept, must be right."""
    own = element.get("id") or ""
    around = element.getparent()
    flows = [] if around is None else list(children(around, "sequenceFlow"))
    for tag, end in (("incoming", "targetRef"), ("outgoing", "sourceRef")):
        listed = [(child.text or "").strip().rpartition(":")[2] for child in children(element, tag)]
        touching = (flow for flow in flows if (flow.get(end) or "").rpartition(":")[2] == own)
        drawn = [flow.get("id") or "" for flow in touching]
        if sorted(listed) != sorted(drawn):
            for at in (own, *sorted(set(drawn) - set(listed))):
                yield error(
                    at,
                    "flow.lists",
                    f"the {tag} list of {own} must name exactly the flows that touch it: {', '.join(drawn)}",
                    f"{own} 的 {tag} 列表与实际顺序流不一致：{'、'.join(drawn)}",
                )
