"""Events: every kind survives the journal, and a moment is written in one way."""

from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.events import Cause, Entry, Event, Who, entry_of, event_of
from engine.temporal import moment

SAMPLES = {"str": "甲", "str | None": None, "int": 3, "int | None": 2, "bool": True, "Json": [1, {"a": None}]}


def sample(kind: type[Event]) -> Event:
    def value(annotation: str):
        if annotation.startswith("dict"):
            return {"a": "b"}
        if annotation.startswith("tuple"):
            return ("x", "y") if "str" in annotation.split("[")[1][:4] else ({"d": 1},)
        return SAMPLES[annotation]

    return kind(**{f.name: value(str(f.type)) for f in fields(kind)})


@pytest.mark.parametrize("name", sorted(set(Event.kinds) - {"Cause", "Consequence"}))
def test_every_event_survives_the_journal(name):
    event = sample(Event.kinds[name])

    assert event_of(name, event.data()) == event


def test_an_entry_is_rebuilt_from_its_body():
    at = datetime(2026, 2, 13, 8, 0, 0, 120, tzinfo=UTC)
    who = Who(actor="lz.officer", on_behalf_of="lz.leader")
    entry = Entry(case_id="GF-1", seq=4, at=at, who=who, event=sample(Event.kinds["TaskCompleted"]))

    assert entry_of(entry.body()) == entry


def test_a_moment_is_written_in_utc_with_microseconds():
    shanghai = timezone(timedelta(hours=8))

    assert moment(datetime(2026, 1, 1, 8, 0, tzinfo=shanghai)) == "2026-01-01T00:00:00.000000Z"


def test_two_events_cannot_share_a_stored_name():
    with pytest.raises(TypeError, match="TaskClaimed"):
        type("TaskClaimed", (Cause,), {})


def test_a_case_that_began_before_letters_keeps_its_signals_inside():
    old = {"process": "p", "pins": {}, "definition_digest": "d", "calendar": "c", "values": {}}

    began = event_of("CaseStarted", old)

    assert (began.signals_reach, began.begins_at, began.carried, began.job_id) == ("case", None, {}, None)


def test_a_field_that_is_as_its_default_says_is_not_stored():
    begun = Event.kinds["TaskCreated"](task_id="C.2", element="check", round=2)

    assert begun.stored() == {"task_id": "C.2", "element": "check", "round": 2}
    assert event_of("TaskCreated", begun.stored()) == begun
    assert event_of("TaskCreated", begun.data()) == begun  # as it was stored before


def test_no_default_ever_changes():
    """What is not stored means what the default says: another default would rewrite the past."""
    assert {name: _defaulted(kind) for name, kind in Event.kinds.items() if _defaulted(kind)} == {
        "CaseStarted": {
            "unit": None,
            "batch": None,
            "begins_at": None,
            "carried": {},
            "job_id": None,
            "signals_reach": "case",
            "origin": None,
            "shared": {},
        },
        "TaskReleased": {"reason": ""},
        "TimerFired": {"missed": 0},
        "MessageReceived": {"correlation": None, "job_id": None, "origin": None},
        "SignalReceived": {"origin": None},
        "JobFailed": {"retry_at": None, "error_code": None},
        "TaskCompleted": {"place": {}},
        "ConflictOverridden": {"ground": {}},
        "IncidentResolved": {"values": {}},
        "ElementPassed": {"flows": ()},
        "ElementSkipped": {"flows": ()},
        "TaskCreated": {
            "groups": (),
            "users": (),
            "assignee": None,
            "due_at": None,
            "due_days": None,
            "provisional": False,
            "priority": 50,
            "round": 1,
            "item": None,
        },
        "TimerSet": {"days": None, "provisional": False, "repeats": None},
        "DecisionMade": {"required": (), "shared": ()},
        "IncidentRaised": {"job_id": None},
        "CaseCompleted": {"outcome": None, "level": None},
    }


def _defaulted(kind: type[Event]) -> dict[str, object]:
    told = {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in fields(kind)}
    return {name: default for name, default in told.items() if default is not MISSING}
