"""Journal entries told to people: moments, groups and outcomes in the words of the drawing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from web import words
from web.answers import moment
from web.pages.lines import group_name, outcome_name
from workflows.reading.history import Event

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
GROUP = re.compile(r"\b[a-z_]+@\w+|\b(?:provincial|municipal|county)_(?:officer|leader)\b")


def sentence(event: Event, definition: Any) -> str:
    """What an entry says, in the reader's language."""
    told = words.pick(event.sentence_zh, event.sentence)
    told = MOMENT.sub(lambda found: words.at(found[0]), told)
    told = GROUP.sub(lambda found: group_name(found[0]), told)
    code = (event.data.get("values") or {}).get("outcome") if event.type == "TaskCompleted" else None
    return told.replace(code, button(code, event.element, definition)) if isinstance(code, str) else told


def button(code: str | None, element: str, definition: Any) -> str:
    """The text of the button that stands for an outcome; of other outcomes the general word."""
    drawn = definition.elements.get(element)
    choices = drawn.task.outcomes if drawn and drawn.task else ()
    label = next((words.pick(one.label, one.label_en) for one in choices if one.value == code), "")
    return label or outcome_name(code)


def steps(events: Iterable[Event], definition: Any) -> list[dict[str, Any]]:
    """The lines of a time line."""
    return [
        {"seq": event.seq, "iso": moment(event.at), "at": event.at, "text": sentence(event, definition)}
        for event in events
    ]
