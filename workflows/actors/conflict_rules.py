"""Conflict rules: who may not do what because of what they are or did, as rows of a file of `bpmn/rules`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from engine.errors import BadDefinition, Problem

FILE = Path(__file__).parents[2] / "bpmn" / "rules" / "conflicts.json"
PROPERTY = "conflicts"
"""The property by which a user task names the rules that are asked about whoever does it."""
KINDS = frozenset({"representative", "involvement", "origin", "four_eyes", "rule_editor"})
MOMENTS = frozenset({"draw", "assign", "claim", "complete"})
CHAINED = "four_eyes"
"""The kind whose marks name a side of a chain (`review_approval.handling`): nobody acts on two sides."""


@dataclass(frozen=True, kw_only=True)
class ConflictRule:
    """One rule. `kind` says what is looked at, `at` when, `override` whose group may allow it all the same.

    A group that ends with @ is that of the case's authority; without any group the rule is final. `ties` and
    `acted` are for the kind `involvement`: ties to the unit, and elements (of any case of the unit) whose
    doers are involved; both count for `years`, or for ever. `about` says in words what it asks.
    """

    id: str
    kind: str
    name: str
    name_en: str
    about: str
    about_en: str
    at: tuple[str, ...]
    override: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    acted: tuple[str, ...] = ()
    years: int | None = None
    source: str
    inferred: bool

    def overriders(self, authority: str) -> tuple[str, ...]:
        """The groups whose members may allow an override in a case of this authority."""
        return tuple(group + authority if group.endswith("@") else group for group in self.override)


@dataclass(frozen=True)
class Mark:
    """That a rule is asked at a task; `side` is the task's side of a chain."""

    rule: str
    side: str = ""


@cache
def conflict_rules() -> Mapping[str, ConflictRule]:
    """Every rule by its id, in the order of the file. Raises BadDefinition for a file that is none."""
    return read_conflict_rules(FILE.read_bytes())


def read_conflict_rules(data: bytes) -> Mapping[str, ConflictRule]:
    """Rules from JSON, checked. Raises BadDefinition naming every rule that is wrong."""
    try:
        found = [_rule(row) for row in json.loads(data)["rules"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = f"not a list of conflict rules: {type(error).__name__} {error}"
        raise BadDefinition((_problem("", "conflict.file", text, "不是有效的回避规则文件"),)) from None
    problems = tuple(problem for rule in found for problem in _wrong(rule))
    if len({rule.id for rule in found}) != len(found):
        problems = (
            *problems,
            _problem("", "conflict.file", "two rules have the same id", "两条回避规则编号相同"),
        )
    if problems:
        raise BadDefinition(problems)
    return {rule.id: rule for rule in found}


def marks_of(properties: Mapping[str, str]) -> tuple[Mark, ...]:
    """The rules that an element names, in its order; nothing at most elements."""
    text = properties.get(PROPERTY)
    if not text:
        return ()
    return tuple(Mark(*name.split(".", 1)) for name in text.replace(",", " ").split())


def check_marks(element: str, kind: str, properties: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the rules that an element of this kind names: it could not be deployed."""
    marks = marks_of(properties)
    if marks and kind != "userTask":
        text = f"{element} is done by nobody: only user tasks name conflict rules"
        yield _problem(
            element, "conflict.place", text, f"{element} 不由人员办理，只有用户任务可以指定回避规则"
        )
    for mark in marks:
        rule = conflict_rules().get(mark.rule)
        if rule is None:
            text = f"{element} names the conflict rule {mark.rule}, which is not there"
            yield _problem(element, "conflict.unknown", text, f"{element} 指定的回避规则 {mark.rule} 不存在")
        elif (rule.kind == CHAINED) != bool(mark.side):
            text = f"{element} names {mark.rule}: a side belongs to rules of kind {CHAINED}, and to no other"
            yield _problem(
                element, "conflict.side", text, f"{element} 的 {mark.rule}：只有互斥链规则须写明所属一方"
            )


def _rule(row: Mapping[str, Any]) -> ConflictRule:
    known = {field.name for field in fields(ConflictRule)}
    if strange := sorted(row.keys() - known):
        raise ValueError(f"{row.get('id')} says {strange[0]}, which means nothing")
    lists = {name: tuple(row.get(name) or ()) for name in ("at", "override", "ties", "acted")}
    return ConflictRule(**{**row, **lists})


def _wrong(rule: ConflictRule) -> Iterator[Problem]:
    if rule.kind not in KINDS:
        text = f"expected a kind of {sorted(KINDS)}, found {rule.kind!r}"
        yield _problem(rule.id, "conflict.kind", text, f"回避规则类型 {rule.kind} 未知")
    if not rule.at or set(rule.at) - MOMENTS:
        text = f"expected moments of {sorted(MOMENTS)}, found {list(rule.at)}"
        yield _problem(rule.id, "conflict.moment", text, "回避规则的适用时点无效")
    if not all((rule.id, rule.name, rule.name_en, rule.about, rule.about_en, rule.source)):
        text = "it needs a name and a sentence in both languages, and a source"
        yield _problem(rule.id, "conflict.words", text, "回避规则缺少名称、说明或依据")


def _problem(element: str, rule: str, message: str, message_zh: str) -> Problem:
    return Problem(element=element, rule=rule, severity="error", message=message, message_zh=message_zh)
