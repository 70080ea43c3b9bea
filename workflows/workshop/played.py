"""How an example went, and where it went another way than it promised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine import events as ev


@dataclass(frozen=True, kw_only=True)
class Played:
    """How an example went. `passes` are element ids in order of completion, `rules` ids of matched rules;
    values are friendly JSON. `refused` are the codes of the refusals that the example expected."""

    status: str
    case_id: str
    passes: tuple[str, ...]
    flows: tuple[str, ...]
    rules: tuple[str, ...]
    variables: dict[str, Any]
    tasks: tuple[dict[str, Any], ...]
    incidents: tuple[dict[str, Any], ...]
    timers: tuple[dict[str, Any], ...]
    outcome: str | None
    refused: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """JSON-native, as `tidu play --json` prints it."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
        }


def differences(example: Mapping[str, Any], played: Played) -> tuple[str, ...]:
    """What the example's `ends` promised and the play did not keep, as sentences; () is: all kept."""
    ends = example.get("ends", {})
    found = []
    for name in ("status", "outcome"):
        if name in ends and getattr(played, name) != ends[name]:
            found.append(f"{name}: expected {ends[name]!r}, found {getattr(played, name)!r}")
    for name, value in ends.get("variables", {}).items():
        if played.variables.get(name) != value:
            found.append(f"variable {name}: expected {value!r}, found {played.variables.get(name)!r}")
    missing = [element for element in ends.get("passes", []) if element not in played.passes]
    if missing:
        found.append(f"expected to pass {missing}, passed {list(played.passes)}")
    waiting = [task["element"] for task in played.tasks]
    if "waits" in ends and sorted(ends["waits"]) != sorted(waiting):
        found.append(f"expected to wait at {ends['waits']}, waits at {waiting}")
    return tuple(found)


def matched_rules(entries: Iterable[ev.Entry]) -> Iterator[str]:
    """The ids of the decision rules that matched, those of required decisions included."""
    for entry in entries:
        if isinstance(entry.event, ev.DecisionMade):
            yield from entry.event.matched
            yield from _required(entry.event.required)


def _required(required: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for made in required:
        yield from made["matched"]
        yield from _required(made["required"])


def task_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """An open task as a play tells it."""
    due = row["due_at"].isoformat() if row["due_at"] else None
    names = ("task_id", "element", "name", "state", "assignee", "groups", "users", "round")
    return {**{name: row[name] for name in names}, "due_at": due}
