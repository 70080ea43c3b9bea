"""`make docs`: write docs/policy-map.md, the walk from each step of the policy to what carries it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.definition.vocabulary import local_name, properties_of, read_task, read_work  # noqa: E402
from engine.xml import parse_xml  # noqa: E402
from workflows.register.rules import RuleSet, load_rules  # noqa: E402

DOCUMENT = ROOT / "docs/policy-map.md"
STEPS = ROOT / "bpmn/rules/steps.json"
DRAWINGS = "bpmn/*/process.bpmn"
TERMS = frozenset({"working_days", "days", "months", "years"})
TIMED = TERMS | {"month_day"}
CONFIDENCE = {"V": "text read", "P": "secondary source", "I": "inferred"}
INTRO = """\
# The policy, step by step

Each step of the policy with the process and the elements that carry it, their forms and decisions, the \
parameters of its terms as the rule set `{rules}` has them, its sources and how well it is known. Written by \
`make docs` from `bpmn/rules/steps.json` and the drawings: an element names its steps in the property \
`step`. A test fails when this page is stale.

Sources are clauses of `bpmn/rules/`. **text read**: an official text was read and is paraphrased; \
**secondary source**: a report or a summary was seen; **inferred**: our default, which a process owner may \
change. Actors: {actors}.
"""
CHAPTERS = {
    "CD": "Cultivation database",
    "GF": "Green factory",
    "SC": "Green supply-chain management enterprise",
    "GP": "Green industrial park",
    "WE": "Industrial water-saving enterprise",
    "WP": "Industrial water-saving park",
    "HP": "Horizontal links",
    "AR": "Annual report",
    "CH": "Significant change",
    "RE": "Re-evaluation",
    "RM": "Removal",
    "CP": "Complaints",
    "EO": "Oversight of evaluators",
}


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """An element that carries steps: where it stands, the form and the decision that belong to it."""

    process: str
    element: str
    name: str
    steps: tuple[str, ...]
    form: str = ""
    decision: str = ""


@dataclass(frozen=True)
class Map:
    """Everything the page is made of."""

    content: Mapping[str, Any]
    carriers: tuple[Carrier, ...]
    rules: RuleSet

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps in the order of the file."""
        return list(self.content["steps"])

    def of(self, step: str) -> list[Carrier]:
        """The elements that carry a step."""
        return [carrier for carrier in self.carriers if step in carrier.steps]

    @property
    def missing(self) -> list[str]:
        """The steps without an element and without a reason."""
        return [row["id"] for row in self.steps if not row.get("reason") and not self.of(row["id"])]

    @property
    def unknown(self) -> list[str]:
        """Steps that elements name and that are not in the list."""
        known = {row["id"] for row in self.steps}
        return sorted({step for carrier in self.carriers for step in carrier.steps} - known)

    def terms(self, row: Mapping[str, Any]) -> list[str]:
        """The parameters of a step: those that name it as their source, and those it names."""
        own = (key for key, one in self.rules.parameters.items() if one.source.upper() == row["id"].upper())
        timed = [key for key in own if self.rules.parameters[key].unit in TIMED]
        return list(dict.fromkeys([*timed, *row.get("parameters", ())]))


def read_map(root: Path = ROOT) -> Map:
    """The steps, the drawings and the rule set as they stand."""
    carriers = [one for path in sorted(root.glob(DRAWINGS)) for one in _carriers(path)]
    content = json.loads((root / STEPS.relative_to(ROOT)).read_text(encoding="utf-8"))
    return Map(content, tuple(carriers), load_rules())


def _carriers(path: Path) -> Iterator[Carrier]:
    for node in parse_xml(path.read_bytes()).iter(etree.Element):
        steps = properties_of(node).get("step", "").split()
        if steps and node.get("id"):
            yield Carrier(
                process=path.parent.name,
                element=str(node.get("id")),
                name=str(node.get("name") or ""),
                steps=tuple(steps),
                form=_form(node, path),
                decision=_decision(node),
            )


def _form(node: etree._Element, path: Path) -> str:
    form = read_task(node).form if local_name(node) == "userTask" else properties_of(node).get("form", "")
    if local_name(node) == "startEvent" and not form:
        form = "start"
    return form if (path.parent / "forms" / f"{form}.form").exists() else ""


def _decision(node: etree._Element) -> str:
    """The table that decides, or the outcomes that a person chooses of."""
    work = read_work(node)
    if work.decision:
        return f"table `{work.decision}`"
    return ", ".join(outcome.value for outcome in read_task(node).outcomes)


# --- the page -----------------------------------------------------------------------------------------


def document(told: Map | None = None) -> str:
    """The whole page."""
    told = told or read_map()
    actors = ", ".join(f"{key} {names[0]} ({names[1]})" for key, names in told.content["actors"].items())
    parts = [INTRO.format(rules=told.rules.id, actors=actors), _summary(told)]
    for prefix, title in CHAPTERS.items():
        rows = [row for row in told.steps if row["id"].split("-")[0] == prefix]
        parts += [f"## {title}\n", *_table(told, rows), ""]
    return "\n".join(parts).rstrip("\n") + "\n"


def _summary(told: Map) -> str:
    count = len(told.steps)
    reasoned = sum(1 for row in told.steps if row.get("reason"))
    lines = [f"{count} steps; {count - len(told.missing)} have an element or, {reasoned} of them, a reason."]
    if told.missing:
        lines.append("Still without an element: " + ", ".join(told.missing) + ".")
    if told.unknown:
        lines.append("Named by an element, but not in the list: " + ", ".join(told.unknown) + ".")
    return "\n\n".join(lines) + "\n"


def _table(told: Map, rows: list[dict[str, Any]]) -> Iterator[str]:
    yield _line("step", "process and element", "form", "decision", "parameters", "source")
    yield _line(*["---"] * 6)
    for row in rows:
        carriers = told.of(row["id"])
        yield _line(
            f"**{row['id']}** {row['zh']}<br>{row['en']}<br>*{' '.join(row['actors'])}*",
            _elements(row, carriers),
            _each(f"`{one.process}/forms/{one.form}.form`" for one in carriers if one.form),
            _each(f"`{one.element}`: {one.decision}" for one in carriers if one.decision),
            _each(_parameter(told.rules, key) for key in told.terms(row)),
            f"{', '.join(row['source'])}<br>{CONFIDENCE[row['confidence']]}",
        )


def _elements(row: Mapping[str, Any], carriers: list[Carrier]) -> str:
    if carriers:
        return _each(f"`{one.process}`: `{one.element}` {one.name}" for one in carriers)
    return f"*no element: {row['reason']}*" if row.get("reason") else "**missing**"


def _parameter(rules: RuleSet, key: str) -> str:
    value, unit = rules.value(key), rules.parameters[key].unit
    named = {"null": "none", "true": "on", "false": "off"}
    text = json.dumps(value, ensure_ascii=False)
    told = value if isinstance(value, str) else named.get(text, text)
    return f"`{key}` = {told}{' ' + unit.replace('_', ' ') if unit in TERMS else ''}"


def _each(texts: Iterator[str]) -> str:
    return "<br>".join(dict.fromkeys(texts))


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
