"""What listens around a level: its event sub-processes, the events at its border, the levels outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from engine.definition.shapes import Drawing, Level, Shape

FROM_OUTSIDE = frozenset({"timer", "message", "signal", "conditional"})

Thrown = tuple[str, str | None]
"""What leaves a level: the kind of an error, an escalation or a cancel, and its code."""


class Around:
    """All levels of a drawing, and who catches what is thrown in them."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self._interrupts: dict[tuple[str, str | None], bool] = {}

    @cached_property
    def levels(self) -> dict[str, Level]:
        """Every level by its id."""
        return {level.id: level for level in self.drawing.levels}

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Every element by its id."""
        return {shape.id: shape for shape in self.drawing.shapes}

    @cached_property
    def borders(self) -> dict[str, list[Shape]]:
        """The boundary events of each activity."""
        found: dict[str, list[Shape]] = {}
        for shape in self.drawing.shapes:
            if shape.attached_to:
                found.setdefault(shape.attached_to, []).append(shape)
        return found

    @cached_property
    def _listeners(self) -> dict[str, list[tuple[Shape, Shape]]]:
        starts = {s.level: s for s in reversed(self.drawing.shapes) if s.kind == "startEvent"}
        found: dict[str, list[tuple[Shape, Shape]]] = {}
        for shape in self.drawing.shapes:
            start = starts.get(shape.id) if shape.by_event else None
            if start is not None and start.trigger.kind != "compensation":
                found.setdefault(shape.level, []).append((shape, start))
        return found

    def listeners(self, level: Level) -> list[tuple[Shape, Shape]]:
        """The event sub-processes that can begin while the level runs, each with its start event."""
        return self._listeners.get(level.id, [])

    def outwards(self, level: Level) -> Iterator[Level]:
        """The level and those around it."""
        at: Level | None = level
        while at is not None:
            yield at
            at = self.levels.get(at.parent or "")

    def interrupts(self, level: Level, code: str | None) -> bool:
        """Whether an escalation thrown on this level takes its token away: the nearest catcher decides."""
        key = (level.id, code)
        if key not in self._interrupts:
            catcher = self._catcher(level, code)
            self._interrupts[key] = catcher is not None and catcher.interrupting
        return self._interrupts[key]

    def _catcher(self, level: Level, code: str | None) -> Shape | None:
        inside = ""
        for at in self.outwards(level):
            starts = [start for _, start in self.listeners(at)]
            for group in (starts, self.borders.get(at.id, ())):
                found = _fitting(group, code)
                if found is not None and found.level != inside:
                    return found
            inside = at.id
        return None

    def is_rescued(self, level: Level) -> bool:
        """Whether something from outside can take over the level, or one around it."""
        return any(
            event.interrupting and event.kinds() & FROM_OUTSIDE
            for at in self.outwards(level)
            for event in (*(start for _, start in self.listeners(at)), *self.borders.get(at.id, ()))
        )


def catches(event: Shape, thrown: Thrown) -> bool:
    """Whether one of the triggers of an event is what was thrown."""
    return any(t.kind == thrown[0] and t.code in (None, thrown[1]) for t in event.triggers)


def _fitting(events: Iterable[Shape], code: str | None) -> Shape | None:
    """The catcher of this escalation, else the one of all."""
    general = None
    for event in events:
        codes = [trigger.code for trigger in event.triggers if trigger.kind == "escalation"]
        if code is not None and code in codes:
            return event
        if None in codes:
            general = general or event
    return general
