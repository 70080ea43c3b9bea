"""Events: every kind survives the journal, and a moment is written in one way."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.events import Cause, Entry, Event, Who, entry_of, event_of, moment

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
