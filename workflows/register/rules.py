"""Rule sets: the parameters of a batch, checked against their catalogue, as a plain context for FEEL."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from engine.case.shared import Shared
from engine.errors import BadDefinition, NotFound, Problem
from engine.values import Value, from_json
from workflows.register.tracks import tracks

FOLDER = Path(__file__).parents[2] / "bpmn" / "rules"
CATALOGUE = "parameters"
WEIGHTS = "weights."
"""How the groups begin whose values make a hundred."""
WHOLE = frozenset({"working_days", "days", "months", "years", "count"})
NUMBERS = WHOLE | {"points", "share", "cubic_metres"}
AUTHORITY = re.compile(r"[0-9]{6}")
SETTLED = frozenset({"value", "same_as", "inferred", "source", "note"})
"""What a rule set says of a parameter itself; unit and labels come with the parameter."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter: its value as JSON in its `unit`, or that of another parameter (`same_as`).

    `inferred` says that no source settles it; `source` names the clause or the step it belongs to.
    """

    key: str
    value: Any
    same_as: str
    unit: str
    inferred: bool
    source: str
    label_zh: str
    label_en: str
    note: str = ""

    def label(self, language: str = "zh") -> str:
        """What it is called in `zh` or `en`."""
        return self.label_en if language == "en" else self.label_zh


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """The parameters of one year, in the order of the file; `content` is the file itself."""

    id: str
    version: int
    year: int
    label_zh: str
    label_en: str
    parameters: Mapping[str, Parameter]
    content: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """sha-256 over the content, whatever its layout in the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def text(self) -> str:
        """The content in the one way of writing it that its digest is of."""
        return json.dumps(self.content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def value(self, key: str) -> Any:
        """The JSON value of a parameter, by way of the one it is the same as. Raises NotFound."""
        found = self.parameters.get(key)
        if found is None:
            raise NotFound(f"the rule set has no parameter {key!r}", parameter=key)
        return self.value(found.same_as) if found.same_as else found.value

    @property
    def effective(self) -> tuple[date | None, date | None]:
        """The first and the last day on which it is in force by itself; None: only where a batch names it."""
        span = self.content.get("effective") or {}
        since, until = span.get("from"), span.get("to")
        return (
            date.fromisoformat(since) if since else None,
            date.fromisoformat(until) if until else None,
        )

    @cached_property
    def context(self) -> Mapping[str, Value]:
        """The parameters as nested FEEL contexts (`days.gf_m5`), numbers exact, `dates` of the year.

        A quota is the number that holds for every authority without one of its own; those stand beside it
        by code (`quota_by_authority.gf`).
        """
        nested: dict[str, Value] = {
            "id": self.id,
            "version": Decimal(self.version),
            "year": Decimal(self.year),
        }
        for key, parameter in self.parameters.items():
            if parameter.unit == "quota":
                default, own = quota_of(self.value(key))
                _put(nested, key, default)
                _put(nested, key.replace(".", "_by_authority.", 1), own)
            else:
                _put(nested, key, self._feel(parameter))
        return nested

    @cached_property
    def shared(self) -> Shared:
        """What a case is told of them, as it stands in the library and is named in the case's journal."""
        effective = self.content.get("effective") or {}
        names = {"id": self.id, "version": self.version, "effective_from": effective.get("from")}
        return Shared.of(self.context, **names)

    def changed(self, values: Mapping[str, Any], *, version: int | None = None) -> RuleSet:
        """The rule set with other values for some keys, as the next version. Raises BadDefinition.

        A parameter that was the same as another gets a value of its own.
        """
        content = json.loads(json.dumps(self.content))
        content["version"] = self.version + 1 if version is None else version
        for key, value in values.items():
            row = content["parameters"].setdefault(key, {})
            row.pop("same_as", None)
            row["value"] = value
        return read_rules(content)

    def _feel(self, parameter: Parameter) -> Value:
        value = self.value(parameter.key)
        if parameter.unit == "month_day":
            return date.fromisoformat(f"{self.year}-{value}")
        return from_json(value)


def quota_of(value: Any) -> tuple[Value, Mapping[str, Value]]:
    """A quota (`12`, null, or `{"default": 12, "by_authority": {"620100": 20}}`) as its two parts."""
    whole = value if isinstance(value, Mapping) else {"default": value, "by_authority": {}}
    return from_json(whole["default"]), {code: from_json(n) for code, n in whole["by_authority"].items()}


def _put(nested: dict[str, Value], key: str, value: Value) -> None:
    *groups, name = key.split(".")
    here: Any = nested
    for group in groups:
        here = here.setdefault(group, {})
    here[name] = value


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by their full keys: `{"days": {"gf_m5": 3}}` is `{"days.gf_m5": 3}`. The value of a
    parameter may be nested itself."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        is_group = isinstance(value, Mapping) and prefix + key not in catalogue()
        found.update(flat(value, f"{prefix}{key}.") if is_group else {prefix + key: value})
    return found


def load_rules(name: str | Path = "gansu-2026") -> RuleSet:
    """A rule set that ships with the product, or from a file. Raises NotFound, BadDefinition."""
    path = name if isinstance(name, Path) else FOLDER / f"{name}.json"
    if not isinstance(name, Path) and name not in rule_set_ids():
        raise NotFound(f"there is no rule set {name!r}", rules=name)
    return read_rules(path.read_bytes())


def rule_set_ids() -> tuple[str, ...]:
    """The ids of the rule sets that ship with the product."""
    found = {path.stem: json.loads(path.read_bytes()) for path in FOLDER.glob("*.json")}
    return tuple(sorted(name for name, content in found.items() if {"year", "parameters"} <= content.keys()))


def read_rules(data: bytes | Mapping[str, Any]) -> RuleSet:
    """A rule set from its JSON, checked. Raises BadDefinition naming every problem by parameter.

    With a `base` it says only what differs from that rule set; what it becomes is whole.
    """
    try:
        made = _rule_set(_whole(json.loads(data) if isinstance(data, bytes) else data))
    except (ValueError, KeyError, TypeError, AttributeError, NotFound) as error:
        text = f"not a rule set: {type(error).__name__} {error}"
        raise BadDefinition((_problem("", text, "不是有效的规则参数文件"),)) from None
    _refuse(check_rules(made))
    return made


def stored_rules(content: Mapping[str, Any]) -> RuleSet:
    """A rule set as it was stored: the catalogue of its day has checked it, and later ones do not count."""
    return _rule_set(content)


def _whole(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of what differs from a base, put together with it."""
    if "base" not in content:
        return content
    base = load_rules(content["base"])
    rows = {key: dict(row) for key, row in base.content["parameters"].items()}
    for key, row in content["parameters"].items():
        kept = {name: value for name, value in rows.get(key, {}).items() if name not in SETTLED}
        rows[key] = {**kept, **row}
    ours = {name: value for name, value in content.items() if name != "base"}
    return {**ours, "derived_from": f"{base.id}:{base.version}", "parameters": rows}


def _rule_set(content: Mapping[str, Any]) -> RuleSet:
    return RuleSet(
        id=str(content["id"]),
        version=int(content["version"]),
        year=int(content["year"]),
        label_zh=str(content["label"]),
        label_en=str(content["labelEn"]),
        parameters={key: _parameter(key, row) for key, row in content["parameters"].items()},
        content=content,
    )


def _parameter(key: str, row: Mapping[str, Any]) -> Parameter:
    return Parameter(
        key=key,
        value=row.get("value"),
        same_as=str(row.get("same_as") or ""),
        unit=str(row.get("unit") or ""),
        inferred=row.get("inferred") is not False,
        source=str(row.get("source") or ""),
        label_zh=str(row.get("label") or ""),
        label_en=str(row.get("labelEn") or ""),
        note=str(row.get("note") or ""),
    )


@cache
def _catalogue() -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((FOLDER / f"{CATALOGUE}.json").read_bytes())
    return content


def catalogue() -> Mapping[str, Mapping[str, Any]]:
    """What a rule set must hold: key → unit, range, choices."""
    known: Mapping[str, Mapping[str, Any]] = _catalogue()["parameters"]
    return {key: _with_choices(row) for key, row in known.items()}


def _with_choices(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tracks are listed once, in a file of their own."""
    return {**row, "choices": [*tracks()]} if row.get("choices") == "tracks" else row


def catalogue_words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """What `groups` of parameters, `units` and other `words` are called: name → label, labelEn."""
    named = {track.id: {"label": track.zh, "labelEn": track.en} for track in tracks().values()}
    told = {kind: _catalogue()[kind] for kind in ("groups", "units", "words")}
    return {**told, "words": {**told["words"], **named}}


def check_rules(rules: RuleSet) -> tuple[Problem, ...]:
    """What is wrong with a rule set: unknown, missing or mislabelled keys, units, values out of range."""
    known = catalogue()
    found = list(_span_problems(rules))
    found += [
        _problem(key, "the parameter is missing", "缺少参数") for key in known if key not in rules.parameters
    ]
    for key, parameter in rules.parameters.items():
        if key in known:
            found.extend(_parameter_problems(rules, parameter, known[key]))
        else:
            found.append(_problem(key, "there is no such parameter", "未知参数"))
    return (*found, *(() if found else _weight_problems(rules)))


def _span_problems(rules: RuleSet) -> Iterator[Problem]:
    try:
        since, until = rules.effective
    except (ValueError, TypeError, AttributeError):
        yield _problem("effective", "expected days such as 2026-01-01", "生效日期格式应为 2026-01-01")
        return
    if (until and not since) or (since and until and until < since):
        yield _problem("effective", f"it ends on {until} before it begins", "失效日期早于生效日期")


def _parameter_problems(rules: RuleSet, parameter: Parameter, known: Mapping[str, Any]) -> Iterator[Problem]:
    key = parameter.key
    if not (parameter.label_zh and parameter.label_en and parameter.source):
        yield _problem(key, "it needs a label in both languages and a source", "缺少名称或依据")
    if parameter.unit != known["unit"]:
        text = f"expected the unit {known['unit']}, found {parameter.unit or 'none'}"
        yield _problem(key, text, f"单位应为{known['unit']}")
    elif parameter.same_as:
        other = rules.parameters.get(parameter.same_as)
        if other is None or other.same_as or other.unit != parameter.unit:
            yield _problem(key, f"it cannot be the same as {parameter.same_as}", "引用的参数无效")
    elif wrong := _wrong(parameter.value, known):
        told = f"，应为{known['min']}至{known['max']}" if "min" in known else ""
        yield _problem(key, f"{wrong}, found {str(parameter.value)[:60]!r}", f"取值无效{told}")


def _wrong(value: Any, known: Mapping[str, Any]) -> str:
    """What a value should be, or nothing if it is."""
    if value is None:
        return "" if known.get("optional") else "a value is needed"
    unit = known["unit"]
    if unit in NUMBERS:
        return _wrong_number(value, known)
    if unit == "switch":
        return "" if isinstance(value, bool) else "expected true or false"
    if unit == "month_day":
        return "" if _is_month_day(value) else "expected a day of the year such as 06-30"
    if unit == "list":
        return _wrong_list(value, known)
    if unit == "quota":
        return _wrong_quota(value, known)
    if unit == "departments":
        return "" if _are_departments(value) else "expected departments with id, names, days, remind_before"
    return (
        "" if isinstance(value, str) and value in known.get("choices", (value,)) else "expected a known text"
    )


def _wrong_number(value: Any, known: Mapping[str, Any]) -> str:
    least, most = known["min"], known["max"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        return f"expected a number from {least} to {most}"
    if known["unit"] in WHOLE and value != int(value):
        return "expected a whole number"
    return "expected an odd number" if known.get("odd") and not value % 2 else ""


def _wrong_quota(value: Any, known: Mapping[str, Any]) -> str:
    if not isinstance(value, dict):
        return _wrong_number(value, {**known, "unit": "count"})
    own = value.get("by_authority")
    if value.keys() != {"default", "by_authority"} or not isinstance(own, dict):
        return "expected a number, or a default and numbers by_authority"
    if strange := [code for code in own if not AUTHORITY.fullmatch(code)]:
        return f"expected codes of authorities such as 620100, not {strange[0]}"
    given = [*own.values(), *(() if value["default"] is None else (value["default"],))]
    return next(filter(None, (_wrong_number(n, {**known, "unit": "count"}) for n in given)), "")


def _wrong_list(value: Any, known: Mapping[str, Any]) -> str:
    if not isinstance(value, list) or not value:
        return "expected a list"
    if "min" in known:
        return next(filter(None, (_wrong_number(item, {**known, "unit": "count"}) for item in value)), "")
    choices = known.get("choices", value)
    return "" if all(isinstance(item, str) and item in choices for item in value) else f"choose of {choices}"


def _is_month_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 5 and bool(date.fromisoformat(f"2025-{value}"))
    except ValueError:
        return False


def _are_departments(value: Any) -> bool:
    are_all = isinstance(value, list) and all(_is_department(row) for row in value)
    return are_all and len({row["id"] for row in value}) == len(value)


def _is_department(given: Any) -> bool:
    row: Mapping[str, Any] = given if isinstance(given, dict) else {}
    texts = all(isinstance(row.get(name), str) and row[name] for name in ("id", "name", "nameEn"))
    numbers: list[Any] = [row.get(name) for name in ("remind_before", "days")]
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in numbers)
    return texts and whole and 0 < numbers[0] < numbers[1] <= 250


def _weight_problems(rules: RuleSet) -> Iterator[Problem]:
    groups = dict.fromkeys(key.rpartition(".")[0] for key in rules.parameters if key.startswith(WEIGHTS))
    for group in groups:
        total = sum(
            Decimal(str(rules.value(key))) for key in rules.parameters if key.rpartition(".")[0] == group
        )
        if total != 100:
            yield _problem(group, f"the weights make {total}, not 100", f"权重合计为{total}，应为100")


def _refuse(problems: tuple[Problem, ...]) -> None:
    if problems:
        raise BadDefinition(problems)


def _problem(element: str, message: str, message_zh: str) -> Problem:
    return Problem(element=element, rule="rules", severity="error", message=message, message_zh=message_zh)
