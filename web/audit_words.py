"""What the auditor's pages say: cases, steps, data, decisions and verdicts in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from web import outline
from web.context import now, rooms
from web.pages import telling
from web.pages.lines import OUTCOMES, group_name, outcome_name
from web.words import as_time, at, pick, say, shown
from workflows.library.annotations import Annotation, told_rules
from workflows.reading.history import Event, Proof, State
from workflows.transaction.facts import names_of

LANES = {
    "process": "流程",
    "people": "人员",
    "decisions": "决策",
    "services": "服务",
    "interventions": "干预",
}
STATUS = {
    "active": ("办理中", "is-active"),
    "suspended": ("已暂停", "is-held"),
    "completed": ("已办结", "is-ok"),
    "terminated": ("已终止", "is-late"),
}
CODES = {
    "V-OK": "记录完整，重放一致。",
    "V-CHAIN-BREAK": "记录链在第 {seq} 步断开：自该步起的记录不可信。",
    "V-REPLAY-DIVERGE": "第 {seq} 步的记录与按同一流程图重放的结果不一致。",
    "V-ARTEFACT": "案件所依据的流程文件与发布时的不同或已缺失。",
    "V-CHECKPOINT-BREAK": "第 {seq} 步的记录与签署检查点时的不同或已缺失。",
}


def lane(name: str) -> str:
    return say(LANES[name])


def case_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """One case of the read model in words."""
    word, look = STATUS.get(row["status"], (row["status"], ""))
    return {
        "case_id": row["case_id"],
        "process": pick(row["process_name"], row["process_name_en"]) or row["process_id"],
        "unit": pick(row["unit_name"], row["unit_name_en"]),
        "authority": row["authority_name"],
        "batch": row["batch_name"],
        "status": say(word),
        "status_class": look,
        "outcome": outcome_name(row["outcome"]),
        "started_at": row["started_at"],
        "updated_at": row["updated_at"],
        "seq": row["seq"],
        "incidents": row["open_incidents"],
    }


def choices(asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """The drop-down lists above the search, each with what was chosen."""
    with rooms().reading() as connection:
        processes = rooms().catalog.all_current(connection, now())
    given = (
        ("process", "流程", [(v.key, pick(v.name, v.name_en)) for v in processes]),
        ("status", "状态", [(key, say(word)) for key, (word, _) in STATUS.items()]),
        ("outcome", "结果", [(code, outcome_name(code)) for code in OUTCOMES]),
        ("flag", "标记", [("incident", say("有未处理异常"))]),
    )
    return [
        {"name": name, "label": say(label), "options": options, "chosen": asked[name]}
        for name, label, options in given
    ]


def sentence(event: Event, definition: Any, rules: Mapping[str, Annotation]) -> str:
    """What the entry says: moments, groups, outcomes and matched rules as people read them."""
    told = telling.sentence(event, definition)
    for rule in event.data.get("matched", ()):
        told = told.replace(rule, _rule(rule, rules.get(rule))["text"])
    return told


def announcement(event: Event, definition: Any, rules: Mapping[str, Annotation]) -> str:
    """One step as one sentence, as a screen reader says it."""
    told = sentence(event, definition, rules)
    return say("第 {n} 步，{when}，{told}", n=event.seq, when=at(event.at), told=told)


def entry_facts(event: Event, definition: Any) -> dict[str, Any]:
    """Everything about one entry."""
    drawn = definition.elements.get(event.element)
    return {
        "seq": event.seq,
        "at": event.at,
        "actor": say("系统") if event.actor == "system" else event.actor_name or event.actor,
        "on_behalf_of": event.on_behalf_of,
        "type": event.type,
        "lane": event.lane,
        "element": event.element,
        "element_name": outline.name_of(definition, event.element) if drawn else "",
        "clause": drawn.clause if drawn else None,
        "reason": event.data.get("reason") or event.data.get("question") or event.data.get("opinion"),
        "is_override": event.type in {"CaseSuspended", "CaseResumed", "CaseTerminated", "IncidentResolved"},
        "digest": event.digest,
        "facts": json.dumps(event.data, ensure_ascii=False, indent=2, default=str),
    }


def labels(pins: Mapping[str, str]) -> dict[str, str]:
    """Field key → label, of every form of the processes a case is pinned to."""
    found: dict[str, str] = {}
    for pin in pins.values():
        for path, data in rooms().catalog.package(pin).files.items():
            if path.endswith(".form"):
                _collect(json.loads(data).get("components", ()), found)
    return found


def _collect(components: Iterable[Mapping[str, Any]], found: dict[str, str]) -> None:
    for component in components:
        key, label = component.get("key") or component.get("path"), component.get("label")
        if key and label:
            label_en = (component.get("properties") or {}).get("labelEn")
            found.setdefault(str(key), pick(label, label_en))
        _collect(component.get("components", ()), found)


def data_lines(state: State, names: Mapping[str, str], *, only_changed: bool = False) -> list[dict[str, Any]]:
    """Case data known then, one line per leaf that people can read; changed ones say what they were."""
    lines = []
    for name in sorted({*state.variables, *state.changed}):
        before, after = state.changed.get(name, (None, None))
        if name in state.changed:
            lines += _differences(name, before, after)
        elif not only_changed:
            lines += [_line(path, value) for path, value in _leaves(name, state.variables[name])]
    for line in lines:
        line["label"] = names.get(re.split(r"[.\[]", line["name"])[-1], line["name"])
    return [line for line in lines if line["is_changed"]] if only_changed else lines


def _differences(name: str, before: Any, after: Any) -> list[dict[str, Any]]:
    old, new = dict(_leaves(name, before)), dict(_leaves(name, after))
    paths = [*new, *(path for path in old if path not in new)]
    return [
        _line(path, new.get(path), is_changed=old.get(path) != new.get(path), old=old.get(path))
        for path in paths
        if path in new or old[path] is not None
    ]


def _line(path: str, value: Any, *, is_changed: bool = False, old: Any = None) -> dict[str, Any]:
    return {
        "name": path,
        "value": shown(value),
        "is_changed": is_changed,
        "had_old": old is not None,
        "old": shown(old),
    }


def _leaves(path: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, item in enumerate(value, start=1):
            yield from _leaves(f"{path}[{number}]", item)
    else:
        yield path, value


def task_lines(standing: Any, definition: Any) -> list[dict[str, Any]]:
    """The tasks that waited then, who held them, who could have."""
    held = list(standing.tasks.values())
    with rooms().reading() as connection:
        people = names_of(connection, [p for task in held for p in (task.assignee, task.owner, *task.users)])
    return [
        {
            "name": outline.name_of(definition, task.element),
            "state": say("已认领") if task.assignee else say("待认领"),
            "state_class": "is-active" if task.assignee else "is-soon",
            "holder": people.get(task.assignee, task.assignee) if task.assignee else "",
            "candidates": "、".join(
                [*map(group_name, task.groups), *(people.get(user, user) for user in task.users)]
            ),
            "due_at": task.due_at,
            "provisional": False,
            "round": task.round,
        }
        for task in held
    ]


def decision_cards(standing: Any, definition: Any, rules: Mapping[str, Annotation]) -> list[dict[str, Any]]:
    """The decisions made until then, newest first, with every matched rule in words."""
    return [
        {
            "seq": made.seq,
            "decision": made.decision,
            "name": outline.name_of(definition, made.element),
            "value": shown(made.value),
            "matched": [_rule(rule, rules.get(rule)) for rule in made.matched],
            "inputs": [
                (path, shown(leaf)) for name in made.inputs for path, leaf in _leaves(name, made.inputs[name])
            ],
        }
        for made in reversed(standing.decisions)
    ]


def rules_of(pins: Mapping[str, str]) -> dict[str, Annotation]:
    """Rule id → its words, of every table of the processes a case is pinned to."""
    found: dict[str, Annotation] = {}
    for pin in pins.values():
        for table in rooms().catalog.package(pin).decisions.values():
            found |= told_rules(table)
    return found


def _rule(rule: str, told: Annotation | None) -> dict[str, Any]:
    if told is None:
        return {"id": rule, "text": rule, "clause": "", "is_inferred": False}
    text = f"{say('第 {n} 行', n=told.row)} {told.text}".strip()
    return {"id": rule, "text": text, "clause": told.clause, "is_inferred": told.is_inferred}


def operation_lines(rows: Sequence[Mapping[str, Any]], until: datetime) -> list[dict[str, Any]]:
    """The operation records written until then."""
    past = [row for row in rows if (moment := as_time(row["at"])) is not None and moment <= until]
    with rooms().reading() as connection:
        people = names_of(connection, [row["actor"] for row in past])
    return [{**row, "actor": people.get(row["actor"], row["actor"])} for row in past]


def verdict(proof: Proof) -> dict[str, Any]:
    """What verification found, in words and codes."""
    first = proof.findings[0] if proof.findings else None
    bad = {finding.code for finding in proof.findings}
    checks = (
        ("V-CHAIN-BREAK", "记录链：{n} 条记录序号连续，每条的哈希都由前一条算出"),
        ("V-REPLAY-DIVERGE", "重放：按立案时的流程图和日历重新执行 {n} 条记录，结果逐条相同"),
        ("V-ARTEFACT", "流程文件：图、决策表、表单的哈希与发布时相同"),
        ("V-CHECKPOINT-BREAK", "检查点：已列入检查点的记录与当时的相同"),
    )
    return {
        "is_ok": proof.ok,
        "words": say(CODES.get(proof.code, "验证未通过。"), seq=first.seq if first else 0),
        "codes": [_code(finding) for finding in proof.findings] or ["V-OK"],
        "findings": [
            {"code": _code(finding), "seq": finding.seq, "text": finding.detail} for finding in proof.findings
        ],
        "checks": [_check(code, text, bad, proof.entries) for code, text in checks],
    }


def _check(code: str, text: str, bad: set[str], entries: int) -> dict[str, Any]:
    if code == "V-REPLAY-DIVERGE" and "V-CHAIN-BREAK" in bad:
        return {"is_ok": False, "text": say("重放：记录链已断，未再重放")}
    return {"is_ok": code not in bad, "text": say(text, n=entries)}


def _code(finding: Any) -> str:
    return f"{finding.code}@{finding.seq}" if finding.seq else finding.code


def proved() -> list[str]:
    return [
        say("本系统所存的每一步都没有被改动、删除、插入或调换：任何一处改动都会使其后的哈希不符。"),
        say("所记录的结果确实是当时那一版流程图、决策表和工作日历得出的，不是事后填写的。"),
        say("案件自始至终使用的流程文件与发布时的内容相同。"),
    ]


def not_proved() -> list[str]:
    return [
        say("所填内容与事实是否相符：系统只能证明当时填了什么、谁填的。"),
        say("整条记录链没有被连同数据库一起整体替换：这需要与系统之外保存的检查点比对。"),
        say("以某人账号所做的操作确由本人所为：这取决于账号和口令的保管。"),
    ]
