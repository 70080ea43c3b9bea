"""What of BPMN is executed, carried or refused: the table that the validator and the documents read.

`support.tsv` has a row for every element, attribute and local child element of the standard and of the
vocabularies we read. A part is `@attribute`, `@attribute=value` or `child`. A refused row names its rule,
other rows the rules that look closer; one that ends in `.not_run` is a warning that the thing means something
to others and nothing here. `events.tsv` says which trigger may stand where: `executed`, the rule that refuses
it, or that rule after a hyphen if the standard knows no such event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

EXECUTED, CARRIED, REFUSED = "executed", "carried", "refused"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What becomes of one element or of one part of it, and why."""

    chapter: str
    element: str
    part: str
    verdict: str
    rules: tuple[str, ...]
    note: str


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What becomes of a trigger at a place; `rule` refuses it, `known` tells whether the standard has it."""

    rule: str | None
    known: bool


@cache
def support_rows() -> tuple[Row, ...]:
    """Every row of the table, in its order."""
    rows: list[Row] = []
    chapter = ""
    for line in _lines("support.tsv")[1:]:
        if line.startswith("# "):
            chapter = line.removeprefix("# ")
            continue
        element, part, verdict, rules, note = line.split("\t")
        row = Row(
            chapter=chapter,
            element=element,
            part=part,
            verdict=verdict,
            rules=tuple(rules.split()),
            note=note,
        )
        rows.append(row)
    return tuple(rows)


def support_of(line: Iterable[str], part: str = "") -> Row | None:
    """The row of a part of an element; `line` names it and what it is derived from, nearest first."""
    table = _by_name()
    return next((table[element, part] for element in line if (element, part) in table), None)


def finding_of(row: Row) -> tuple[str, str, str, str] | None:
    """What the table says against something: rule, severity, and the sentence in English and Chinese."""
    part = row.part.removeprefix("@")
    what, what_zh = f"{part} of {row.element}", f"{row.element} 的 {part}"
    if not part:
        what = what_zh = row.element
    reason = f": {row.note}" if row.note else ""
    if row.verdict == REFUSED:
        return row.rules[0], "error", f"{what} is not supported{reason}", f"不支持 {what_zh}"
    ignored = next((rule for rule in row.rules if rule.endswith(".not_run")), None)
    if ignored is not None:
        return ignored, "warning", f"{what} is not run{reason}", f"{what_zh} 不会执行"
    return None


@cache
def event_table() -> Mapping[str, Mapping[str, Cell]]:
    """What becomes of each trigger: trigger → place → cell."""
    header, *lines = (line.split("\t") for line in _lines("events.tsv"))
    return {
        line[0]: {place: _cell(text) for place, text in zip(header[1:], line[1:], strict=True)}
        for line in lines
    }


def event_refusal(trigger: str, place: str) -> str | None:
    """The rule that refuses a trigger at a place; None if it is executed."""
    return event_table()[trigger][place].rule


@cache
def _by_name() -> Mapping[tuple[str, str], Row]:
    return {(row.element, row.part): row for row in support_rows()}


def _cell(text: str) -> Cell:
    rule = text.removeprefix("-")
    return Cell(rule=None if rule == EXECUTED else rule, known=rule == text)


def _lines(name: str) -> list[str]:
    return (files("engine.definition") / name).read_text(encoding="utf-8").splitlines()
