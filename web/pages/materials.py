"""What was handed in to a case, form by form, and the data it knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web import files, sight, words
from web.context import actor, now, rooms
from web.form_names import file_ids
from web.pages import form_view
from web.pages.lines import outcome_name
from workflows.actors.policy import Actor
from workflows.acts import submissions
from workflows.reading.desk import TaskView
from workflows.reading.history import Event

MOST = 40
DEEPEST = 6


def handed_in(case_id: str) -> list[dict[str, Any]]:
    """The forms handed in, the latest first; what the applicants said stands open."""
    events = rooms().history.timeline(case_id)
    readable = sight.shown_tasks(events)
    done = [event for event in events if event.type == "TaskCompleted" and event.data["task_id"] in readable]
    shown = [_form(event, actor()) for event in reversed(done[-MOST:])]
    return [one for one in (*shown, _start_form(case_id, events[0])) if one is not None]


def _button(view: TaskView) -> str:
    """The text of the button that was pressed."""
    pressed = (words.pick(o.label, o.label_en) for o in view.outcomes if o.value == view.task.outcome)
    return next(pressed, "") or outcome_name(view.task.outcome)


def _start_form(case_id: str, event: Event) -> dict[str, Any] | None:
    """The form the case began with, as it was filled."""
    begun = rooms().history.state(case_id, event.seq)
    data = rooms().catalog.start_form(begun.definition_id)
    if data is None:
        return None
    form, values = submissions.read(data), dict(begun.variables)
    return {
        "name": words.say("申报"),
        "who": event.actor_name,
        "at": event.at,
        "outcome": "",
        "nodes": form_view.draw(form, values, context=values, frozen=True, now=now()),
        "files": files.described(file_ids(form.fields, values)),
        "is_open": True,
    }


def tree(variables: Mapping[str, Any], depth: int = 0) -> list[dict[str, Any]]:
    """Data as a tree of names and values."""
    return [
        {"name": name, "inner": tree(value, depth + 1)}
        if isinstance(value, Mapping) and value and depth < DEEPEST
        else {"name": name, "value": value}
        for name, value in variables.items()
    ]


def _form(event: Event, reader: Actor) -> dict[str, Any] | None:
    view = rooms().inbox.task(event.data["task_id"], reader)
    if view.form is None:
        return None
    values = dict(view.values)
    nodes = form_view.draw(view.form, values, context=view.facts, frozen=True, now=now())
    return {
        "name": words.pick(view.task.name, view.task.name_en),
        "who": event.actor_name,
        "at": event.at,
        "outcome": _button(view),
        "nodes": nodes,
        "files": files.described(file_ids(view.form.fields, values)),
        "is_open": any(group.startswith("applicant@") for group in view.task.groups),
    }
