"""The state of a case as JSON-native data, and back. The drawing is not in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.definition.model import Definition
from engine.definition.nodes.base import ARRIVED
from engine.execution.asking import Asker, WorkingDays
from engine.execution.branches import Frames, Part
from engine.execution.catching import catch_of
from engine.execution.levels import InnerLevel, Level
from engine.execution.running import CaseWorkflow
from engine.execution.shelf import Row, Shelf
from engine.execution.token import LEVEL, Token
from engine.values import Value, from_json, to_json

FORMAT = 2
SIMPLE = ("flow", "host", "index", "awaits", "message", "round", "entered", "stage", "gathered")
DEFAULTS = {"flow": None, "host": None, "index": None, "awaits": "", "message": "", "round": 1}
DEFAULTS |= {"entered": True, "stage": ARRIVED, "gathered": False}


def has_failed(token: Token) -> bool:
    """Whether the token stands where something went wrong."""
    return bool(token.state == TaskState.ERROR)


def set_going(token: Token) -> None:
    """Try again what went wrong: the coming if that had failed, else the work and the leaving."""
    if token.entered:
        token._set_state(TaskState.FUTURE)
        token._ready()
        if token.task_spec.manual:
            token.run()
    else:
        token._set_state(TaskState.FUTURE)
        token.task_spec._update(token)


def listens_at(token: Token) -> str:
    """The id of the element whose trigger the token waits for."""
    return catch_of(token.task_spec).id if token.host == LEVEL else token.element


# --- writing ------------------------------------------------------------------------------------------


def write(workflow: CaseWorkflow) -> dict[str, Any]:
    """The state at rest. `values` holds each value once: branches share most. `queue` holds those who were
    ready to move when the case had to give up; without that it is empty."""
    shelf = Shelf()
    return {
        "format": FORMAT,
        "now": workflow.asker.now.astimezone(UTC).isoformat(),
        "numbers": [workflow.last_number, workflow.last_fork],
        "status": [workflow.completed, workflow.cancelled],
        "rounds": dict(workflow.rounds),
        "levels": [_write_level(level, owner, shelf) for owner, level in _levels(workflow)],
        "values": shelf.contents,
        **({"queue": queue} if (queue := _ready(workflow)) else {}),
    }


def _ready(workflow: CaseWorkflow) -> list[int]:
    return [t.id for t in workflow.queue if t.state == TaskState.READY and t.id in workflow.numbers]


def _levels(workflow: CaseWorkflow) -> list[tuple[int, Level]]:
    return [(LEVEL, workflow), *sorted(workflow.subprocesses.items())]


def _write_level(level: Level, owner: int, shelf: Shelf) -> dict[str, Any]:
    tokens = [token for number, token in sorted(level.tasks.items()) if number != LEVEL]
    return {
        "owner": owner,
        "spec": level.spec.name,
        "data": shelf.keep(level.data),
        "start": shelf.keep(level.start_data),
        "ended": {name: _write_part(part, shelf) for name, part in sorted(level.ended.items())},
        "spent": {name: sorted(flows) for name, flows in level.spent.items()},
        "done": [list(entry) for entry in level.done],
        "tokens": [_write_token(token, level, shelf) for token in tokens],
    }


def _write_part(part: Part, shelf: Shelf) -> dict[str, Any]:
    return {"data": shelf.keep(part.data), "frames": _write_frames(part.frames)}


def _write_frames(frames: Frames) -> list[Any]:
    return [[fork, sorted(names)] for fork, names in frames]


def _write_token(token: Token, level: Level, shelf: Shelf) -> dict[str, Any]:
    row: dict[str, Any] = {"n": token.id, "at": token.task_spec.name, "state": int(token.state)}
    row |= {name: getattr(token, name) for name in SIMPLE if getattr(token, name) != DEFAULTS[name]}
    if token.data is not level.start_data:
        row["data"] = shelf.keep(token.data)
    if token.local:
        row["local"] = shelf.keep(token.local)
    if token.frames:
        row["frames"] = _write_frames(token.frames)
    if token.correlation is not None:
        row["correlation"] = to_json(token.correlation)
    if token.brought is not None:
        row["brought"] = shelf.keep(token.brought)
    if token.due_at is not None:
        row["due"] = token.due_at.astimezone(UTC).isoformat()
    if token.cycle is not None:
        row["cycle"] = {**token.cycle, "anchor": token.cycle["anchor"].astimezone(UTC).isoformat()}
    if token.plan:
        row["plan"] = [list(entry) for entry in token.plan]
    if token.many:
        row["many"] = {**token.many, **{k: to_json(token.many[k]) for k in ("items", "results", "writes")}}
    return row


# --- reading ------------------------------------------------------------------------------------------


def read(definition: Definition, state: dict[str, Any], calendar: WorkingDays) -> CaseWorkflow:
    """A workflow in exactly that state."""
    specs = definition.specs
    asker = Asker(calendar, datetime.fromisoformat(state["now"]))
    workflow = CaseWorkflow(specs[definition.process_id], specs, asker, {})
    values = [from_json(value) for value in state["values"]]
    for row in state["levels"]:
        _read_level(row, workflow, values)
    workflow.last_number, workflow.last_fork = state["numbers"]
    workflow.completed, workflow.cancelled = state["status"]
    workflow.rounds = dict(state["rounds"])
    workflow.queue.extend(workflow.numbers[number] for number in state.get("queue", []))
    return workflow


def _read_level(row: dict[str, Any], workflow: CaseWorkflow, values: list[Value]) -> None:
    level: Level = workflow
    start = _read_data(row["start"], values)
    if row["owner"] != LEVEL:
        parent = workflow.numbers[row["owner"]]
        embedded = parent.shape.kind != "callActivity"
        spec = workflow.subprocess_specs[row["spec"]]
        depth = parent.workflow.depth_here + 1
        inner = InnerLevel(spec, parent, start, depth=depth, is_embedded=embedded)
        workflow.subprocesses[parent.id] = inner
        level = inner
    level.start_data = start
    level.data = _read_data(row["data"], values)
    level.ended = {name: _read_part(part, values) for name, part in row["ended"].items()}
    level.spent = {name: set(flows) for name, flows in row["spent"].items()}
    level.done = [list(entry) for entry in row["done"]]
    for token in row["tokens"]:
        _read_token(token, level, workflow, values)


def _read_data(row: Row, values: list[Value]) -> dict[str, Value]:
    return {name: values[place] for name, place in row.items()}


def _read_part(row: dict[str, Any], values: list[Value]) -> Part:
    return Part(_read_data(row["data"], values), _read_frames(row["frames"]))


def _read_frames(rows: list[Any]) -> Frames:
    return tuple((fork, frozenset(names)) for fork, names in rows)


def _read_token(row: dict[str, Any], level: Level, workflow: CaseWorkflow, values: list[Value]) -> None:
    spec = level.spec.task_specs[row["at"]]
    token = Token(level, spec, level.task_tree, row["state"], row["n"])
    workflow.numbers[token.id] = token
    for name in SIMPLE:
        setattr(token, name, row.get(name, DEFAULTS[name]))
    token.data = _read_data(row["data"], values) if "data" in row else level.start_data
    token.local = _read_data(row.get("local", {}), values)
    token.frames = _read_frames(row.get("frames", []))
    token.correlation = from_json(row.get("correlation"))
    token.brought = _read_data(row["brought"], values) if "brought" in row else None
    token.due_at = datetime.fromisoformat(row["due"]) if "due" in row else None
    if "cycle" in row:
        token.cycle = {**row["cycle"], "anchor": datetime.fromisoformat(row["cycle"]["anchor"])}
    if "many" in row:
        parts = {k: from_json(row["many"][k]) for k in ("items", "results", "writes")}
        writes = [[int(index), changes] for index, changes in parts["writes"]]
        token.many = {**row["many"], **parts, "writes": writes}
    token.plan = [list(entry) for entry in row.get("plan", [])]
    if token.awaits == "join":
        workflow.joining[token.id] = token
    if token.awaits == "conditional":
        workflow.watching[token.id] = token
