"""The state of a case as JSON-native data, and back. The drawing is not in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.definition.model import Definition
from engine.definition.nodes.base import ARRIVED
from engine.execution.adhoc import AdHocLevel
from engine.execution.asking import Asker, WorkingDays
from engine.execution.branches import Frames, Part
from engine.execution.catching import catch_of
from engine.execution.compensating import Done
from engine.execution.levels import Level
from engine.execution.running import CaseWorkflow, inner_level
from engine.execution.shelf import Row, Shelf
from engine.execution.token import LEVEL, Token
from engine.values import Value, from_json, to_json

FORMAT = 3
SIMPLE = ("flow", "host", "index", "which", "awaits", "message", "round", "entered", "stage", "gathered")
DEFAULTS: dict[str, Any] = {"flow": None, "host": None, "index": None, "which": None, "awaits": ""}
DEFAULTS |= {"message": "", "round": 1, "entered": True, "stage": ARRIVED, "gathered": False}


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
    return token.element if token.host is None else catch_of(token.task_spec).id


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
        "sending": [[number, element] for number, element in sorted(workflow.sending.items())],
        "reach": workflow.signals_reach,
        "closed": [workflow.closed, list(workflow.ends)],
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
    closing = {"closing": True} if isinstance(level, AdHocLevel) and level.closing else {}
    return closing | {
        "owner": owner,
        "spec": level.spec.name,
        "data": shelf.keep(level.data),
        "start": shelf.keep(level.start_data),
        "ended": {name: _write_part(part, shelf) for name, part in sorted(level.ended.items())},
        "spent": {name: sorted(flows) for name, flows in level.spent.items()},
        "done": [_write_done(entry, shelf) for entry in level.done],
        "tokens": [_write_token(token, level, shelf) for token in tokens],
    }


def _write_done(entry: Done, shelf: Shelf) -> list[Any]:
    inner = [_write_done(one, shelf) for one in entry.inner]
    return [entry.level, entry.activity, entry.handler, entry.within, shelf.keep(entry.local), inner]


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
        row["plan"] = [_write_done(entry, shelf) for entry in token.plan]
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
    workflow.signals_reach = state.get("reach", "case")
    workflow.sending = dict(state.get("sending", ()))
    workflow.closed, workflow.ends = state.get("closed", (workflow.completed, []))
    workflow.rounds = dict(state["rounds"])
    workflow.queue.extend(workflow.numbers[number] for number in state.get("queue", []))
    return workflow


def _read_level(row: dict[str, Any], workflow: CaseWorkflow, values: list[Value]) -> None:
    level: Level = workflow
    start = _read_data(row["start"], values)
    if row["owner"] != LEVEL:
        parent = workflow.numbers[row["owner"]]
        spec = workflow.subprocess_specs[row["spec"]]
        inner = inner_level(spec, parent, start, depth=parent.workflow.depth_here + 1)
        if isinstance(inner, AdHocLevel):
            inner.closing = row.get("closing", False)
        workflow.subprocesses[parent.id] = inner
        level = inner
    level.start_data = start
    level.data = _read_data(row["data"], values)
    level.ended = {name: _read_part(part, values) for name, part in row["ended"].items()}
    level.spent = {name: set(flows) for name, flows in row["spent"].items()}
    level.done = [_read_done(entry, values) for entry in row["done"]]
    for token in row["tokens"]:
        _read_token(token, level, workflow, values)


def _read_data(row: Row, values: list[Value]) -> dict[str, Value]:
    return {name: values[place] for name, place in row.items()}


def _read_done(row: list[Any], values: list[Value]) -> Done:
    level, activity, handler, within, local, inner = row
    return Done(
        level=level,
        activity=activity,
        handler=handler,
        within=within,
        local=_read_data(local, values),
        inner=tuple(_read_done(one, values) for one in inner),
    )


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
    token.plan = [_read_done(entry, values) for entry in row.get("plan", [])]
    if token.awaits == "join":
        workflow.joining[token.id] = token
    if token.awaits == "conditional":
        workflow.watching[token.id] = token
    if token.awaits == "turn":
        workflow.turns[token.id] = token
