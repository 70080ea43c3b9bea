"""The form of a rule set: drawn from the catalogue of parameters and read back by their units alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from werkzeug.datastructures import MultiDict

from web.words import pick, say
from workflows.register.rules import NUMBERS, WHOLE, Parameter, RuleSet, catalogue, catalogue_words

SPARE = 2
"""Empty rows below a list of departments."""
DEPARTMENT = ("id", "name", "nameEn", "days", "remind_before")
WIDGETS = {"switch": "switch", "month_day": "month_day", "departments": "departments", "quota": "quota"}

Posted = MultiDict[str, str]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One parameter as a form shows it; `shown` is its value as the widget wants it."""

    key: str
    label: str
    unit: str
    widget: str
    parameter: Parameter
    shown: Any
    known: Mapping[str, Any]
    choices: tuple[tuple[str, str], ...] = ()
    step: str = "any"
    same_label: str = ""
    problem: str = ""
    own: Mapping[str, Any] = field(default_factory=dict)
    other: str = ""


@cache
def groups() -> Mapping[str, tuple[str, ...]]:
    """Group → keys of its parameters, in the order of the catalogue."""
    known = catalogue_words()["groups"]
    found: dict[str, list[str]] = {}
    for key in catalogue():
        fits = [name for name in known if key == name or key.startswith((f"{name}.", f"{name}_"))]
        name = max(fits, key=len) if fits else key.partition(".")[0]
        found.setdefault(name, []).append(key)
    return {name: tuple(keys) for name, keys in found.items()}


def word(kind: str, name: str) -> str:
    """What a group, a unit or a choice is called; its own name where the catalogue has none."""
    told = catalogue_words()[kind].get(name)
    return pick(told["label"], told["labelEn"]) if told else name


def fields_of(
    rules: RuleSet, group: str, problems: Mapping[str, str], typed: Mapping[str, Mapping[str, Any]]
) -> list[Field]:
    """The fields of one group, with what somebody typed and why it was refused."""
    keys = [key for key in groups()[group] if key in rules.parameters]
    return [_field(rules, key, problems.get(key, ""), typed.get(key, {})) for key in keys]


def label(rules: RuleSet, key: str) -> str:
    """What a parameter or a group of them is called."""
    found = rules.parameters.get(key)
    return pick(found.label_zh, found.label_en) if found else word("groups", key)


def entries_of(posted: Posted, rules: RuleSet, group: str) -> dict[str, dict[str, Any]]:
    """What a form says of the parameters of a group. What is no value at all stays the text it is: the check
    refuses it by name."""
    return {key: _entry(posted, rules, key) for key in groups()[group] if f"at:{key}" in posted}


def told_value(rules: RuleSet, key: str) -> str:
    """A value as one line for people."""
    known, value = catalogue().get(key, {"unit": "text"}), rules.value(key)
    return told(known, value)


def told(known: Mapping[str, Any], value: Any) -> str:
    """A value of a parameter as one line for people."""
    match known["unit"], value:
        case _, None:
            return "—"
        case "switch", _:
            return say("是") if value else say("否")
        case "departments", list():
            return "、".join(f"{pick(row['name'], row['nameEn'])} {row['days']}" for row in value)
        case "quota", dict():
            own = "、".join(f"{code} {n}" for code, n in value["by_authority"].items())
            return f"{'—' if value['default'] is None else value['default']}（{own}）"
        case _, list():
            return "、".join(word("words", str(item)) for item in value)
        case "share", _:
            return f"{Decimal(str(value)) * 100:f}".rstrip("0").rstrip(".") + "%" if value else "0%"
        case "choice", _:
            return word("words", str(value))
    return str(value)


def _field(rules: RuleSet, key: str, problem: str, typed: Mapping[str, Any]) -> Field:
    known = catalogue()[key]
    said = {name: typed[name] for name in ("inferred", "source", "note") if name in typed}
    parameter = replace(rules.parameters[key], **said)
    if "value" in typed:
        parameter = replace(parameter, same_as="")
    value = typed.get("value", rules.value(key))
    other = rules.parameters.get(rules.parameters[key].same_as)
    return Field(
        key=key,
        label=pick(parameter.label_zh, parameter.label_en),
        unit=word("units", known["unit"]),
        widget=_widget(known),
        parameter=parameter,
        shown=_shown(known, value),
        known=known,
        choices=tuple((name, word("words", name)) for name in known.get("choices", ())),
        step="1" if known["unit"] in WHOLE | {"quota"} else "any",
        same_label=pick(other.label_zh, other.label_en) if other else "",
        problem=problem,
        own=value["by_authority"] if isinstance(value, dict) and "by_authority" in value else {},
        other=rules.parameters[key].same_as,
    )


def _widget(known: Mapping[str, Any]) -> str:
    unit = known["unit"]
    if unit in NUMBERS:
        return "number"
    if unit == "list":
        return "choices" if "choices" in known else "lines"
    if "choices" in known:
        return "choice"
    return WIDGETS.get(unit, "text" if unit == "text" else "json")


def _shown(known: Mapping[str, Any], value: Any) -> Any:
    match _widget(known):
        case "lines":
            return "\n".join(map(str, value or ()))
        case "departments":
            return [*(value or ()), *({} for _ in range(SPARE))]
        case "quota":
            return value["default"] if isinstance(value, dict) else value
        case "json":
            return json.dumps(value, ensure_ascii=False)
    return value


def _entry(posted: Posted, rules: RuleSet, key: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "inferred": posted.get(f"inferred:{key}") == "on",
        "source": posted.get(f"source:{key}", "").strip(),
    }
    note = posted.get(f"note:{key}", "").strip()
    if note or rules.parameters[key].note:
        said["note"] = note
    other = rules.parameters[key].same_as
    if other and posted.get(f"same:{key}") == "on":
        return {**said, "same_as": other}
    return {**said, "value": _value(posted, catalogue()[key], key)}


def _value(posted: Posted, known: Mapping[str, Any], key: str) -> Any:
    name = f"value:{key}"
    text = posted.get(name, "").strip()
    match _widget(known):
        case "number":
            return _number(text)
        case "switch":
            return {"yes": True, "no": False}.get(text)
        case "choices":
            return posted.getlist(name) or _nothing(known)
        case "lines":
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            return ([_number(line) for line in lines] if "min" in known else lines) or _nothing(known)
        case "departments":
            return list(_departments(posted, key))
        case "quota":
            return _quota(posted, text, key)
        case "json":
            return _json(text)
    return text


def _nothing(known: Mapping[str, Any]) -> list[Any] | None:
    """What an empty list means: no value where none is needed."""
    return None if known.get("optional") else []


def _quota(posted: Posted, text: str, key: str) -> Any:
    prefix = f"own:{key}:"
    own = {
        name.removeprefix(prefix): _number(n)
        for name, said in posted.items()
        if name.startswith(prefix) and (n := said.strip())
    }
    return {"default": _number(text), "by_authority": own} if own else _number(text)


def _departments(posted: Posted, key: str) -> Iterator[dict[str, Any]]:
    row = 0
    while f"row:{key}:{row}:id" in posted:
        said = {name: posted.get(f"row:{key}:{row}:{name}", "").strip() for name in DEPARTMENT}
        if any(said.values()):
            numbers = {name: _number(said[name]) for name in ("days", "remind_before")}
            yield {**said, **numbers}
        row += 1


def _number(text: str) -> Any:
    """A JSON number; the text itself where it is none; nothing where there is nothing."""
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if not value.is_finite() or abs(value) > 10**12:
        return text
    return int(value) if value == value.to_integral_value() else float(value)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
