"""What is wrong with a form file: names, components, expressions, patterns, choices, missing languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.errors import Problem
from engine.expressions.budget import ExpressionError
from engine.expressions.feel import parse
from workflows.library.forms.fields import CHOICES, COMPUTED, DATA, KINDS, MANY, NESTS, Field
from workflows.library.forms.form import Form
from workflows.library.forms.values import pattern_of

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
RESERVED = frozenset({"this", "parent", "i", "outcome", "csrf_token"})
SUBTYPES = frozenset({"", "date", "time", "datetime"})
UNKNOWN_ZH = "不支持的组件"


def check_form(form: Form) -> tuple[Problem, ...]:
    """Every problem of a form, errors and warnings; never raises. Elements are component ids."""
    found = [*_levels(form.fields), *(p for rules in form.walk() for p in _field(rules))]
    return tuple(dict.fromkeys(found))


def _levels(fields: tuple[Field, ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for rules in _one_level(fields):
        if rules.key in seen:
            yield _error(rules, "form.key", f"the key {rules.key!r} stands twice", f"字段名 {rules.key} 重复")
        seen.add(rules.key)
        if rules.kind in NESTS and rules.key:
            yield from _levels(rules.children)


def _one_level(fields: tuple[Field, ...]) -> Iterator[Field]:
    for rules in fields:
        if rules.kind == "group" and not rules.key:
            yield from _one_level(rules.children)
        elif rules.key:
            yield rules


def _field(rules: Field) -> Iterator[Problem]:
    if rules.kind not in KINDS:
        yield _error(rules, "form.component", f"a {rules.kind} is not supported", UNKNOWN_ZH)
        return
    yield from _names(rules)
    yield from _expressions(rules)
    yield from _rules(rules)
    yield from _languages(rules)


def _names(rules: Field) -> Iterator[Problem]:
    needs = rules.kind in DATA or rules.kind in (COMPUTED, "dynamiclist")
    if needs and not rules.key:
        yield _error(rules, "form.key", "it needs a key", "缺少字段名")
    if rules.key and (not NAME.fullmatch(rules.key) or rules.key in RESERVED):
        text = f"{rules.key[:60]!r} cannot be a key: letters, digits, _; not {', '.join(sorted(RESERVED))}"
        yield _error(rules, "form.key", text, "字段名只能用字母、数字和下划线，且不得用保留字")


def _expressions(rules: Field) -> Iterator[Problem]:
    bounds = [b[1:] for b in (rules.minimum, rules.maximum) if isinstance(b, str) and b.startswith("=")]
    shown = (rules.expression, rules.expression_en, rules.options_from, rules.source)
    texts = (rules.hide, rules.required_if, rules.rows_of, *shown, *bounds)
    for text in filter(None, texts):
        try:
            parse(text)
        except ExpressionError as error:
            yield _error(rules, "form.feel", f"{text[:80]!r}: {error}", f"表达式有误：{text[:80]}")
    if rules.kind == COMPUTED and not rules.expression:
        yield _error(rules, "form.feel", "it computes nothing", "缺少表达式")


def _rules(rules: Field) -> Iterator[Problem]:
    if rules.pattern:
        try:
            pattern_of(rules.pattern)
        except ValueError as error:
            yield _error(rules, "form.pattern", str(error), "校验规则无法执行")
    if rules.kind in CHOICES | MANY and not (rules.options or rules.options_key or rules.options_from):
        yield _error(rules, "form.options", "there is nothing to choose", "没有可选项")
    values = [option.value for option in rules.options]
    if len(set(values)) < len(values):
        yield _error(rules, "form.options", "a choice stands twice", "选项重复")
    if rules.kind == "datetime" and rules.subtype not in SUBTYPES:
        yield _error(rules, "form.subtype", f"there is no {rules.subtype}", "日期类型有误")


def _languages(rules: Field) -> Iterator[Problem]:
    if rules.kind in DATA | {COMPUTED} and not rules.label_zh:
        yield _warning(rules, "form.label", "it has no label", "缺少标题")
    if rules.label_zh and not rules.label_en:
        yield _warning(rules, "form.english", "its label has no English", "标题缺少英文")
    if rules.description_zh and not rules.description_en:
        yield _warning(rules, "form.english", "its help text has no English", "说明缺少英文")
    if rules.text_zh and not rules.text_en:
        yield _warning(rules, "form.english", "its text has no English", "文字缺少英文")
    if any(not option.label_en for option in (*rules.options, *rules.columns_shown)):
        yield _warning(rules, "form.english", "an option has no English", "选项缺少英文")


def _error(rules: Field, rule: str, message: str, message_zh: str) -> Problem:
    return Problem(element=rules.id, rule=rule, severity="error", message=message, message_zh=message_zh)


def _warning(rules: Field, rule: str, message: str, message_zh: str) -> Problem:
    return Problem(element=rules.id, rule=rule, severity="warning", message=message, message_zh=message_zh)
