"""Rules of beginnings: what can start a case, and what must stand alone to do so."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definition.beginnings import beginnings
from engine.definition.checks.finding import error
from engine.definition.shapes import Drawing, Level, Shape
from engine.errors import Problem

CARRIED = frozenset({"message", "signal"})
"""What can come to a process that has no case yet."""


def check_beginnings(drawing: Drawing) -> Iterator[Problem]:
    """All rules about start events and what else begins a case."""
    for level in drawing.levels:
        yield from _missing(level)
        for shape in level.shapes:
            if shape.instantiates:
                yield from _instantiates(shape, level)
            elif shape.attributes.get("eventGatewayType") == "Parallel":
                yield error(
                    shape.id,
                    "race.parallel",
                    f"{shape.id} waits for all of its events, which only a gateway that begins a case does",
                    f"只有启动流程的事件网关才能等待全部事件：{shape.id}",
                )
    yield from _ambiguous(drawing)


def _missing(level: Level) -> Iterator[Problem]:
    starts = [s for s in level.shapes if s.kind == "startEvent"]
    plain = [s for s in starts if not s.triggers]
    if len(plain) > 1 or (level.parent is not None and len(starts) > 1):
        yield error(
            level.id,
            "start.single",
            f"{level.id} has {len(starts)} start events, expected one that has no trigger",
            f"{level.id} 有 {len(starts)} 个开始事件，只能有一个无触发器的",
        )


def _instantiates(shape: Shape, level: Level) -> Iterator[Problem]:
    if level.parent is not None:
        yield error(
            shape.id,
            "instantiate.level",
            f"{shape.id} stands in a sub-process and cannot begin a case",
            f"{shape.id} 位于子流程内，不能启动案件",
        )
    if any(flow.target == shape.id for flow in level.flows):
        yield error(
            shape.id,
            "instantiate.incoming",
            f"{shape.id} begins a case, so no flow may lead to it",
            f"{shape.id} 启动案件，不能有顺序流指向它",
        )
    if shape.loops or shape.start_quantity > 1:
        yield error(
            shape.id,
            "instantiate.loop",
            f"{shape.id} begins a case and cannot be repeated",
            f"{shape.id} 启动案件，不能重复执行",
        )
    if shape.kind == "eventBasedGateway":
        yield from _behind(shape, level)


def _behind(gateway: Shape, level: Level) -> Iterator[Problem]:
    targets = {flow.target for flow in level.flows if flow.source == gateway.id}
    for shape in level.shapes:
        if shape.id not in targets:
            continue
        if shape.kinds() - CARRIED or shape.needs_all or shape.loops:
            yield error(
                shape.id,
                "instantiate.trigger",
                f"{shape.id} begins a case after {gateway.id}: only a message or a signal can, one at a time",
                f"{gateway.id} 启动案件，其后的 {shape.id} 只能是单个消息或信号",
            )


def _ambiguous(drawing: Drawing) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for one in beginnings(drawing):
        for trigger in one.triggers:
            if trigger.kind not in CARRIED:
                continue
            other = seen.setdefault((trigger.kind, trigger.name), one.element)
            if other != one.element:
                yield error(
                    one.element,
                    "start.ambiguous",
                    f"{trigger.kind} {trigger.name} begins a case at {other} and at {one.element}",
                    f"{trigger.name} 同时触发 {other} 与 {one.element}",
                )
