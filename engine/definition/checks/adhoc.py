"""Rules of ad-hoc sub-processes: what may stand inside, and how it may be ordered."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definition.checks.finding import error
from engine.definition.shapes import ACTIVITIES, EVENTS, Drawing, Level, Shape
from engine.errors import Problem


def check_ad_hoc(drawing: Drawing) -> Iterator[Problem]:
    """All rules about the ad-hoc sub-processes of a drawing."""
    levels = {level.id: level for level in drawing.levels}
    for shape in drawing.shapes:
        if shape.ad_hoc is not None:
            yield from _outside(shape)
            yield from _inside(levels[shape.id])


def _outside(shape: Shape) -> Iterator[Problem]:
    if shape.ad_hoc is not None and shape.ad_hoc.ordering not in ("Parallel", "Sequential"):
        yield error(
            shape.id,
            "adhoc.ordering",
            f"the ordering of {shape.id} must be Parallel or Sequential, found {shape.ad_hoc.ordering}",
            f"即席子流程 {shape.id} 的顺序只能是 Parallel 或 Sequential",
        )
    if shape.by_event:
        yield error(
            shape.id,
            "adhoc.by_event",
            f"ad-hoc sub-process {shape.id} cannot be triggered by an event",
            f"即席子流程 {shape.id} 不能由事件触发",
        )


def _inside(level: Level) -> Iterator[Problem]:
    if not any(shape.kind in ACTIVITIES for shape in level.firsts):
        yield error(
            level.id,
            "adhoc.empty",
            f"ad-hoc sub-process {level.id} needs at least one activity that no flow leads to",
            f"即席子流程 {level.id} 至少需要一个没有流入顺序流的活动",
        )
    for shape in level.shapes:
        if shape.kind in ("startEvent", "endEvent") or shape.by_event:
            yield error(
                shape.id,
                "adhoc.events",
                f"{shape.id} must not stand in ad-hoc sub-process {level.id}, which only holds activities, "
                "gateways and intermediate events",
                f"即席子流程 {level.id} 中不能有 {shape.id}，只能有活动、网关和中间事件",
            )
    yield from _loose(level)


def _loose(level: Level) -> Iterator[Problem]:
    sources = {flow.source for flow in level.flows}
    for shape in level.firsts:
        if shape.kind not in ACTIVITIES and shape.kind != "startEvent":
            yield error(
                shape.id,
                "adhoc.beginning",
                f"a flow must lead to {shape.id}: only activities are enabled in {level.id}",
                f"{shape.id} 必须有流入的顺序流：即席子流程中只有活动可直接开始",
            )
    for shape in level.shapes:
        passes = shape.kind in EVENTS - {"startEvent", "endEvent"}
        if passes and shape.trigger.kind not in ("link", "compensation") and shape.id not in sources:
            yield error(
                shape.id,
                "adhoc.outgoing",
                f"event {shape.id} in ad-hoc sub-process {level.id} must lead somewhere",
                f"即席子流程 {level.id} 中的事件 {shape.id} 必须有流出的顺序流",
            )
