"""How a story of a defect is told: a drawing, played by SpiffWorkflow as it comes and by us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.definition.model import check_definition
from tests.engine.drawing import Drawing
from tests.engine.stock import Stock

STORIES: dict[str, Callable[[], None]] = {}
Story = Callable[[], None]


def story(name: str) -> Callable[[Story], Story]:
    """This function shows the defect of that name in `tests.engine.defects`."""

    def remember(function: Story) -> Story:
        assert name not in STORIES
        STORIES[name] = function
        return function

    return remember


def stock(drawing: Drawing, **values: Any) -> Stock:
    """A case of the drawing by SpiffWorkflow as it comes."""
    return Stock({drawing.process_id: drawing.xml}, drawing.process_id, values)


def rules(drawing: Drawing) -> set[str]:
    """The rules that the drawing breaks for us."""
    return {p.rule for p in check_definition(drawing.sources()) if p.severity == "error"}
