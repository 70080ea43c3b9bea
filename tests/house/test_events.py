"""Every event has its row in the docs and is handled by the case and by the projections."""

from __future__ import annotations

import dataclasses
import re

import pytest

from engine.events import Cause, Consequence, Event
from tests.house import tree

KINDS = {kind.__name__: kind for base in (Cause, Consequence) for kind in base.__subclasses__()}
EVENTS = sorted(KINDS)
DOCUMENT = tree.ROOT / "docs/events.md"


def _rows() -> dict[str, str]:
    """First cell (an event's name in back-ticks) → the whole row."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return {m.group(1): m.group(0) for m in re.finditer(r"^\| `(\w+)` \|.*$", text, re.MULTILINE)}


def _source(*names: str) -> str:
    rooms = [path for path in tree.modules() if tree.dotted(path).startswith(names)]
    assert rooms, f"no room is called {names}"
    return "\n".join(path.read_text(encoding="utf-8") for path in rooms)


def test_every_event_is_documented_and_no_row_is_left_over():
    assert sorted(_rows()) == EVENTS


@pytest.mark.parametrize("event", EVENTS)
def test_a_row_names_every_field(event):
    names = [field.name for field in dataclasses.fields(KINDS[event])]
    missing = [name for name in names if f"`{name}`" not in _rows()[event]]

    assert missing == []


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_a_cause_or_a_consequence(event):
    assert issubclass(KINDS[event], Cause) != issubclass(KINDS[event], Consequence)
    assert Event.kinds[event] is KINDS[event]


@pytest.mark.parametrize("event", EVENTS)
def test_the_case_handles_it(event):
    assert re.search(rf"\b{event}\b", _source("engine.case"))


@pytest.mark.parametrize("event", EVENTS)
def test_the_projections_handle_it(event):
    assert re.search(rf"\b{event}\b", _source("workflows.transaction.projections"))
