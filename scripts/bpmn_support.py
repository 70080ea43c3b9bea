"""`make docs`: write docs/bpmn-support.md from the tables and the rules that the validator uses."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.definition.checks.events import PLACES  # noqa: E402
from engine.definition.grammar import Kind, bpmn_grammar  # noqa: E402
from engine.definition.support import (  # noqa: E402
    CARRIED,
    EXECUTED,
    REFUSED,
    Cell,
    Row,
    event_table,
    finding_of,
    support_rows,
)

DOCUMENT = ROOT / "docs/bpmn-support.md"
RULE = re.compile(r"([a-z_]+|…)\.([A-Za-z_-]+|…)")
SAYERS = re.compile(r"_?(error|warning|wrong|problem|refusal|bad)|Problem")
SEVERITIES = ("error", "warning")
VERDICTS = (EXECUTED, CARRIED, REFUSED)
INTRO = """\
# What of BPMN is executed

A drawing is executed as BPMN 2.0 says, or it is refused when it is deployed; it never does something else. \
This page says which, for every element and every attribute of the standard. It is written by `make docs` \
from the tables that the validator itself reads, `engine/definition/support.tsv` and `events.tsv`, and from \
the rules in the code; a test fails when it is stale.

* **executed**: it does what the standard says. Rules beside it look closer: they refuse what cannot work.
* **carried**: it is kept with the file and shown where it is text, and changes nothing, because by the \
standard it is documentation, a diagram or an agreement between tools, or because the note says what is \
used instead. Where it means something to others and nothing here, a warning says so: its rule ends in \
`.not_run`. Diagrams (BPMNDI, DI, DC) are carried as they are.
* **refused**: the drawing cannot be deployed. The rule's id stands beside it.

`tidu check FOLDER` lists the findings of a package or a single file; `--json` gives them to a program. The \
editor shows the same findings beside the elements, and the API returns them when a draft is checked. Each \
finding has an element, a rule id, a severity and a sentence in English and Chinese. An error prevents \
deployment, a warning wants somebody to look.

Nothing is believed on trust: an element or attribute that BPMN does not know is refused (`element.unknown`, \
`attribute.unknown`), so is an element where the standard does not allow it (`element.place`), one that is \
there twice and may be there once (`element.twice`), and a value that the standard does not know \
(`attribute.value`). The order of elements in a file is not looked at. What stands in a process that is \
not run, or in a choreography, is carried.
"""
EVENTS = """\
## Events by place

✓ is executed, a rule id refuses, – does not exist in the standard and is refused as well. A *multiple* \
event has several triggers, one of which is enough; a *parallel multiple* event needs all of them.
"""
ELEMENTS = """\
## Elements and attributes

Attributes begin with @. An element also has what it is derived from, named after the arrow; it is listed \
there. Abstract elements are never drawn themselves.
"""
RULES = """\
## All rules

Everything the validator can say about a package; … stands for what it found.

| rule | severity | it says | 提示 |
|---|---|---|---|
"""


def document() -> str:
    """The whole page."""
    parts = [INTRO, _contents(), EVENTS, _events(), "", ELEMENTS, *_chapters(), RULES + "\n".join(_rules())]
    return "\n".join(parts) + "\n"


def _contents() -> str:
    """How much is executed, and where to read on."""
    rows = [row for row in support_rows() if row.element in bpmn_grammar() and "=" not in row.part]
    counts = []
    for what, chosen in (
        ("elements", [row for row in rows if not row.part]),
        ("attributes", [row for row in rows if row.part.startswith("@")]),
    ):
        verdicts = Counter(row.verdict for row in chosen)
        counts.append(f"{len(chosen)} {what}: " + ", ".join(f"{verdicts[v]} {v}" for v in VERDICTS))
    chapters = dict.fromkeys(row.chapter for row in support_rows())
    places = ["Events by place", *chapters, "All rules"]
    links = " · ".join(f"[{place}](#{place.lower().replace(' ', '-')})" for place in places)
    return f"The standard has {'; '.join(counts)}.\n\n{links}\n"


# --- events and elements ------------------------------------------------------------------------------


def _events() -> str:
    heads = [title for title, _ in PLACES.values()]
    lines = [_line("trigger", *heads), _line(*["---"] * (len(heads) + 1))]
    for trigger, cells in event_table().items():
        lines.append(_line(f"**{trigger}**", *(_cell(cells[place]) for place in PLACES)))
    return "\n".join(lines)


def _cell(cell: Cell) -> str:
    if cell.rule is None:
        return "✓"
    return f"`{cell.rule}`" if cell.known else "–"


def _chapters() -> Iterator[str]:
    for chapter, rows in groupby(support_rows(), key=lambda row: row.chapter):
        yield f"### {chapter}\n"
        yield _line("element", "part", "verdict", "rules", "note")
        yield _line("---", "---", "---", "---", "---")
        for row in rows:
            yield _row(row)
        yield ""


def _row(row: Row) -> str:
    kind = bpmn_grammar().get(row.element)
    name = "" if row.part else f"**{row.element}**{_ancestors(kind)}"
    part = f"`{row.part}`" if row.part else ""
    verdict = row.verdict if row.verdict == EXECUTED else f"*{row.verdict}*"
    if row.verdict == REFUSED:
        verdict = f"**{row.verdict}**"
    return _line(name, part, verdict, " ".join(f"`{rule}`" for rule in row.rules), row.note)


def _ancestors(kind: Kind | None) -> str:
    """What an element is derived from, without what all have in common."""
    line = () if kind is None else kind.line[1:]
    named = [name for name in line if name not in ("baseElement", "rootElement", "flowElement")]
    return f" → {named[0]}" if named else ""


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


# --- rules --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One place where the validator says something; its id may hold an … that other tables fill."""

    name: str
    severity: str
    message: str
    message_zh: str


def rules() -> dict[str, tuple[Rule, ...]]:
    """Everything that is said, by rule id: found in the code, and in the tables."""
    found: dict[str, list[Rule]] = {}
    said = [rule for path in _modules() for rule in _said(ast.parse(path.read_text(encoding="utf-8")))]
    tabled = list(_tabled())
    known = {name for row in support_rows() for name in row.rules} | {rule.name for rule in tabled}
    for rule in said:
        for name in _filled(rule.name, known):
            found.setdefault(name, []).append(rule)
    for rule in tabled:
        found.setdefault(rule.name, []).append(rule)
    return {name: tuple(dict.fromkeys(found[name])) for name in sorted(found)}


def _filled(name: str, known: set[str]) -> list[str]:
    if "…" not in name:
        return [name]
    pattern = re.compile(re.escape(name).replace("…", r"[\w-]+"))
    return sorted(other for other in known if pattern.fullmatch(other)) or [name]


def _tabled() -> Iterator[Rule]:
    """What the tables refuse."""
    for row in support_rows():
        finding = finding_of(row)
        if finding is not None:
            yield Rule(*finding)
        elif row.element.endswith(":"):
            message, message_zh = f"{row.element}… has no effect here", f"{row.element}… 在此不起作用"
            yield Rule(row.rules[0], "warning", message, message_zh)
    for trigger, cells in event_table().items():
        for cell in cells.values():
            if cell.rule is not None:
                message = f"… cannot have the trigger {trigger}"
                yield Rule(cell.rule, "error", message, f"…不支持 {trigger} 类型的触发器")


def _rules() -> Iterator[str]:
    for name, said in rules().items():
        severity = "/".join(sorted({part for rule in said for part in rule.severity.split("/")}))
        english = "<br>".join(dict.fromkeys(rule.message for rule in said))
        chinese = "<br>".join(dict.fromkeys(rule.message_zh for rule in said))
        yield _line(f"`{name}`", severity, english, chinese)


def _modules() -> list[Path]:
    return sorted(path for floor in ("engine", "workflows") for path in (ROOT / floor).rglob("*.py"))


def _said(tree: ast.Module) -> Iterator[Rule]:
    """Every finding that a module can make, read from the calls that make it."""
    chinese = _dictionary(tree, "ZH")
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = _texts_of(function)
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and SAYERS.fullmatch(_called(call)):
                yield from _calls(call, names, chinese)


def _calls(call: ast.Call, names: Mapping[str, list[str]], chinese: Mapping[str, str]) -> Iterator[Rule]:
    given = [_texts(node, names) for node in (*call.args, *(keyword.value for keyword in call.keywords))]
    place = next((n for n, texts in enumerate(given) if texts and all(map(RULE.fullmatch, texts))), None)
    if place is None:
        return
    rest = [texts or ["…"] for texts in given[place + 1 :]]
    severities = {text for texts in rest for text in texts if text in SEVERITIES}
    severity = "/".join(sorted(severities)) or _called(call).strip("_")
    severity = severity if severities or severity in SEVERITIES else "error"
    words = [texts[0] for texts in rest if texts[0] not in SEVERITIES]
    for name in given[place]:
        message, message_zh = (*words, "…", "…")[:2]
        yield Rule(name, severity, message, chinese.get(name, message_zh))


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _texts_of(function: ast.FunctionDef) -> dict[str, list[str]]:
    """The texts that the variables of a function may hold."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).extend(_texts(node.value, {}))
    return found


def _texts(node: ast.AST, names: Mapping[str, list[str]]) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=values):
            return ["".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in values)]
        case ast.IfExp(body=body, orelse=orelse):
            return _texts(body, names) + _texts(orelse, names)
        case ast.Name(id=name):
            return names.get(name, [])
    return []


def _dictionary(tree: ast.Module, name: str) -> dict[str, str]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Dict()) if found == name:
                return dict(ast.literal_eval(node.value))
    return {}


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
