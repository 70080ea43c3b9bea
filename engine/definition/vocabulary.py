"""The zeebe and tidu attributes of one element, read into facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from engine.definition.formulas import Formula, drawn, feel
from engine.definition.shapes import (
    AdHoc,
    Assign,
    Assignment,
    Call,
    Loop,
    Outcome,
    TaskRules,
    Thrown,
    Trigger,
    Work,
)

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
TIDU = "{https://tidu.dev/bpmn/1.0}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
TRIGGERS = {
    "timerEventDefinition": "timer",
    "messageEventDefinition": "message",
    "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation",
    "terminateEventDefinition": "terminate",
    "linkEventDefinition": "link",
    "signalEventDefinition": "signal",
    "conditionalEventDefinition": "conditional",
    "compensateEventDefinition": "compensation",
    "cancelEventDefinition": "cancel",
}
GLOBAL_TASKS = {
    "globalTask": "task",
    "globalManualTask": "manualTask",
    "globalUserTask": "userTask",
    "globalScriptTask": "scriptTask",
    "globalBusinessRuleTask": "businessRuleTask",
}
_ISO_8601 = re.compile(r"[-+]?P(T?\d[\dA-Z.,]*|T)?$|R-?\d*/|\d{4}-\d")
"""What begins like a moment, a duration or a cycle is meant as one, even if it turns out to be none."""
TIMERS = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}


def local_name(node: etree._Element) -> str:
    """The tag without its namespace."""
    return str(node.tag).rpartition("}")[2]


def children(node: etree._Element, name: str) -> Iterator[etree._Element]:
    """The direct BPMN children called `name`."""
    return node.iterchildren(f"{BPMN}{name}")


def is_true(node: etree._Element, name: str, otherwise: str = "false") -> bool:
    """Whether a yes-or-no attribute says yes; XML writes that as `true` or `1`."""
    return node.get(name, otherwise).strip() in ("true", "1")


def text_of(node: etree._Element, name: str) -> str:
    """The text of the first BPMN child called `name`, or nothing."""
    for child in children(node, name):
        return "".join(str(part) for part in child.itertext()).strip()
    return ""


def extension(node: etree._Element, tag: str) -> etree._Element | None:
    """The first extension element with this full tag."""
    for holder in children(node, "extensionElements"):
        for child in holder.iterchildren(tag):
            return child
    return None


def properties_of(node: etree._Element) -> dict[str, str]:
    """The zeebe properties written at this element."""
    holder = extension(node, f"{ZEEBE}properties")
    if holder is None:
        return {}
    found = holder.iterchildren(f"{ZEEBE}property")
    return {item.get("name") or "": item.get("value") or "" for item in found}


def read_task(node: etree._Element) -> TaskRules:
    """Form, result variable, four eyes, buttons and deadline of a user task."""
    form = extension(node, f"{ZEEBE}formDefinition")
    rules = extension(node, f"{TIDU}task")
    deadline = extension(node, f"{TIDU}deadline")
    own: Mapping[str, str] = {} if rules is None else {str(k): str(v) for k, v in rules.attrib.items()}
    return TaskRules(
        form=(form.get("formId") if form is not None else None) or node.get("id") or "",
        result=own.get("result") or None,
        not_same_as=split_names(own.get("notSameAs", "")),
        bulkable=own.get("bulkable") == "true",
        outcomes=_outcomes(node),
        deadline=None if deadline is None else deadline.get("workingDays"),
    )


def _outcomes(node: etree._Element) -> tuple[Outcome, ...]:
    holder = extension(node, f"{TIDU}outcomes")
    if holder is None:
        return ()
    return tuple(
        Outcome(
            value=item.get("value") or "",
            label=item.get("label") or "",
            label_en=item.get("labelEn") or "",
            style=item.get("style") or "secondary",
            requires=split_names(item.get("requires") or ""),
            consequence=item.get("consequence") or "",
            consequence_en=item.get("consequenceEn") or "",
        )
        for item in holder.iterchildren(f"{TIDU}outcome")
    )


def split_names(text: str) -> tuple[str, ...]:
    """A list written with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_assignment(node: etree._Element) -> Assignment:
    """Who a task is for; of interest at user tasks only."""
    who = extension(node, f"{ZEEBE}assignmentDefinition")
    priority = extension(node, f"{ZEEBE}priorityDefinition")
    deadline = extension(node, f"{TIDU}deadline")
    return Assignment(
        assignee=_attribute(who, "assignee"),
        groups=_attribute(who, "candidateGroups"),
        users=_attribute(who, "candidateUsers"),
        priority=_attribute(priority, "priority"),
        deadline=_attribute(deadline, "workingDays"),
    )


def _attribute(node: etree._Element | None, name: str) -> Formula | None:
    return None if node is None else drawn(node.get(name))


def read_work(node: etree._Element) -> Work:
    """What a machine does at this element."""
    script = extension(node, f"{ZEEBE}script")
    decision = extension(node, f"{ZEEBE}calledDecision")
    job = extension(node, f"{ZEEBE}taskDefinition")
    headers = _headers(node)
    for source in (script, decision):
        if source is not None:
            headers.setdefault("result", source.get("resultVariable") or "")
    expression = None if script is None else script.get("expression")
    return Work(
        script=feel(expression) if expression else None,
        decision=None if decision is None else decision.get("decisionId"),
        job=_attribute(job, "type"),
        retries=_attribute(job, "retries"),
        result=headers.get("result") or None,
        headers=headers,
    )


def _headers(node: etree._Element) -> dict[str, str]:
    holder = extension(node, f"{ZEEBE}taskHeaders")
    if holder is None:
        return {}
    return {h.get("key") or "": h.get("value") or "" for h in holder.iterchildren(f"{ZEEBE}header")}


def read_call(node: etree._Element) -> Call:
    """The called process; zeebe's element first, BPMN's attribute second."""
    called = extension(node, f"{ZEEBE}calledElement")
    if called is None:
        return Call(process=node.get("calledElement") or "")
    return Call(
        process=called.get("processId") or node.get("calledElement") or "",
        all_in=called.get("propagateAllParentVariables", "true") == "true",
        all_out=called.get("propagateAllChildVariables", "true") == "true",
    )


def read_mappings(node: etree._Element, direction: str) -> tuple[Assign, ...]:
    """The ioMapping entries of one direction, in order."""
    holder = extension(node, f"{ZEEBE}ioMapping")
    if holder is None:
        return ()
    return tuple(
        Assign(source=drawn(item.get("source")) or Formula(text=""), target=item.get("target") or "")
        for item in holder.iterchildren(f"{ZEEBE}{direction}")
    )


def read_loops(node: etree._Element, definitions: Mapping[str, etree._Element]) -> tuple[Loop, ...]:
    """Multi-instance and standard loops; more than one is a mistake that the checks name."""
    found = children(node, "multiInstanceLoopCharacteristics")
    several = [_instances(item, definitions) for item in found]
    standard = [_standard(item) for item in children(node, "standardLoopCharacteristics")]
    return tuple(several + standard)


def read_ad_hoc(node: etree._Element) -> AdHoc:
    """How the activities of an ad-hoc sub-process are done."""
    done = text_of(node, "completionCondition")
    return AdHoc(
        ordering=node.get("ordering", "Parallel"),
        done=feel(done) if done else None,
        cancels=is_true(node, "cancelRemainingInstances", "true"),
    )


def _instances(node: etree._Element, definitions: Mapping[str, etree._Element]) -> Loop:
    items = extension(node, f"{ZEEBE}loopCharacteristics")
    cardinality = text_of(node, "loopCardinality")
    done = text_of(node, "completionCondition")
    return Loop(
        sequential=is_true(node, "isSequential"),
        behavior=node.get("behavior", "All"),
        items=_attribute(items, "inputCollection"),
        item=None if items is None else items.get("inputElement"),
        results=None if items is None else items.get("outputCollection"),
        result=_attribute(items, "outputElement"),
        cardinality=feel(cardinality) if cardinality else None,
        done=feel(done) if done else None,
        thrown=tuple(_thrown(node, definitions)),
    )


def _thrown(node: etree._Element, definitions: Mapping[str, etree._Element]) -> Iterator[Thrown]:
    """What the behaviour of a multi-instance activity throws."""
    behavior = node.get("behavior", "All")
    reference = node.get({"None": "noneBehaviorEventRef"}.get(behavior, "oneBehaviorEventRef"))
    if behavior in ("None", "One") and reference is not None:
        yield Thrown(trigger=_referred(reference, definitions))
    for complex_ in children(node, "complexBehaviorDefinition") if behavior == "Complex" else ():
        when = text_of(complex_, "condition")
        for event in children(complex_, "event"):
            for trigger in read_triggers(event, definitions) or (Trigger(),):
                yield Thrown(trigger=trigger, when=feel(when))


def _standard(node: etree._Element) -> Loop:
    again = text_of(node, "loopCondition")
    maximum = node.get("loopMaximum") or ""
    return Loop(
        standard=True,
        sequential=True,
        again=feel(again) if again else None,
        test_before=is_true(node, "testBefore"),
        maximum=_maximum(maximum) if maximum else None,
    )


def _maximum(text: str) -> int:
    """The most rounds of a loop; -1 for what is no number of rounds."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def read_triggers(node: etree._Element, definitions: Mapping[str, etree._Element]) -> tuple[Trigger, ...]:
    """What an event or a message task waits for or throws."""
    if local_name(node) in ("receiveTask", "sendTask"):
        ref = node.get("messageRef")
        return (_message(definitions.get(ref), ""),) if ref else ()
    found = [_trigger(child, definitions) for child in node if local_name(child) in TRIGGERS]
    found += [_referred(one.text or "", definitions) for one in children(node, "eventDefinitionRef")]
    return tuple(found)


def _referred(reference: str, definitions: Mapping[str, etree._Element]) -> Trigger:
    """The event definition at the top of the file that a name points at; its prefix is not looked at."""
    name = reference.strip()
    named = definitions.get(name, definitions.get(name.rpartition(":")[2]))
    if named is None or local_name(named) not in TRIGGERS:
        return Trigger(kind="unknown")
    return _trigger(named, definitions)


def _trigger(node: etree._Element, definitions: Mapping[str, etree._Element]) -> Trigger:
    kind = TRIGGERS.get(local_name(node), local_name(node))
    if kind == "timer":
        return _timer(node)
    if kind == "message":
        return _message(definitions.get(node.get("messageRef") or ""), node.get("name") or "")
    if kind == "link":
        return Trigger(kind=kind, name=node.get("name") or "")
    if kind == "conditional":
        return Trigger(kind=kind, when=_formal_condition(node))
    target = definitions.get(node.get(f"{kind}Ref") or "")
    if target is None:
        return Trigger(kind=kind, name=node.get("activityRef") or "", code=None)
    code = target.get("errorCode") or target.get("escalationCode")
    return Trigger(kind=kind, name=target.get("name") or target.get("id") or "", code=code)


def _formal_condition(node: etree._Element) -> Formula | None:
    """A conditional event's condition: BPMN wants it formal, a plain text is documentation."""
    for condition in children(node, "condition"):
        kind = (condition.get(XSI_TYPE) or "").rpartition(":")[2]
        text = (condition.text or "").strip()
        if kind == "tFormalExpression" and text:
            return feel(text)
    return None


def _message(message: etree._Element | None, fallback: str) -> Trigger:
    if message is None:
        return Trigger(kind="message", name=fallback)
    subscription = extension(message, f"{ZEEBE}subscription")
    name = message.get("name") or message.get("id") or ""
    return Trigger(kind="message", name=name, correlation=_attribute(subscription, "correlationKey"))


def _timer(node: etree._Element) -> Trigger:
    found = [(form, text) for tag, form in TIMERS.items() if (text := text_of(node, tag))]
    if len(found) != 1:
        return Trigger(kind="timer", timer="several" if found else "")
    ((form, text),) = found
    return Trigger(kind="timer", timer=form, when=_moment(text))


def _moment(text: str) -> Formula:
    """A bare ISO 8601 text stands for itself, everything else is an expression."""
    bare = text.strip()
    if _ISO_8601.match(bare):
        return Formula(text=bare)
    return feel(bare)
