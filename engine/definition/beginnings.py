"""Where a case can begin other than at a start event without a trigger: by a message or a signal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.definition.shapes import Drawing, Level, Shape, Trigger


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """An element that begins a case when one of its triggers happens; `gateway` is the event-based
    gateway it stands behind, and `together` are all events that must happen then, its own among them."""

    element: str
    triggers: tuple[Trigger, ...]
    gateway: str | None = None
    together: tuple[str, ...] = ()


def beginnings(drawing: Drawing) -> Iterator[Beginning]:
    """Every element of the process that begins a case by a trigger."""
    level = drawing.levels[0]
    for shape in level.shapes:
        if (shape.kind == "startEvent" and shape.triggers) or (
            shape.kind == "receiveTask" and shape.instantiates
        ):
            yield Beginning(element=shape.id, triggers=shape.triggers)
        elif shape.instantiates:
            yield from _behind(shape, level)


def _behind(gateway: Shape, level: Level) -> Iterator[Beginning]:
    shapes = {shape.id: shape for shape in level.shapes}
    targets = tuple(
        flow.target for flow in level.flows if flow.source == gateway.id and flow.target in shapes
    )
    together = targets if gateway.attributes.get("eventGatewayType") == "Parallel" else ()
    for target in targets:
        triggers = shapes[target].triggers
        yield Beginning(element=target, triggers=triggers, gateway=gateway.id, together=together)


def begins_plainly(drawing: Drawing) -> bool:
    """Whether a person or a call can begin it: a start event has no trigger, or nothing has one."""
    starts = [shape for shape in drawing.levels[0].shapes if shape.kind == "startEvent" or shape.instantiates]
    return not starts or any(shape.kind == "startEvent" and not shape.triggers for shape in starts)


def begun_by(drawing: Drawing, kind: str, name: str) -> tuple[str, ...]:
    """The elements that this message or signal begins a case at."""
    return tuple(
        one.element
        for one in beginnings(drawing)
        if any(trigger.kind == kind and trigger.name == name for trigger in one.triggers)
    )


def catches(drawing: Drawing, kind: str, name: str) -> bool:
    """Whether some element that a token can stand at catches this message or signal."""
    return any(
        trigger.kind == kind and trigger.name == name
        for shape in drawing.shapes
        if shape.kind not in ("endEvent", "intermediateThrowEvent", "sendTask")
        for trigger in shape.triggers
    )
