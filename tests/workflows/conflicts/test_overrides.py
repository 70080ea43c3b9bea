"""A second person allows one override, for one person and one task; it is used once, whoever races."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput, NotAllowed, NotFound, Rejected, WrongState
from tests.story import Story
from tests.workflows.conflicts.stage import (
    CONFLICTS,
    HANDLED,
    OVERRIDABLE,
    REASON,
    Conflict,
    allowed,
    handled_before,
    named,
    refusal,
    same_representative,
)
from tests.workflows.crowd import at_once
from workflows.actors.people import grant


@pytest.mark.parametrize("conflict", OVERRIDABLE, ids=named)
def test_a_second_person_allows_it_once(begun, conflict):
    conflict.arises(begun)

    allowed(begun, conflict)
    begun.do(conflict.element, conflict.person)

    assert begun.entries().count("ConflictOverridden") == 1
    assert begun.operations().count("override_conflict") == 1
    assert begun.case().standing.overrides == {}
    (entry,) = [e for e in begun.history.timeline(begun.case_id) if e.type == "ConflictOverridden"]
    assert (entry.actor, entry.lane) == ("prov.leader", "interventions")
    assert entry.data["rule"] == conflict.rule
    assert entry.data["ground"]
    assert REASON in entry.sentence_zh
    assert begun.history.verify(begun.case_id).ok


def test_an_override_is_used_up_when_the_task_leaves_the_hands(begun):
    handled_before(begun)
    allowed(begun, HANDLED)
    begun.claim("decide", "lz.officer").release("decide", "lz.officer")

    assert refusal(NotAllowed, lambda: begun.claim("decide", "lz.officer")).code == "SOD"


def test_an_override_is_for_one_person_and_one_task(begun):
    begun.do("check", "lz.officer").do("verify", "lz.officer2")
    allowed(begun, HANDLED)

    refused = refusal(NotAllowed, lambda: begun.claim("decide", "lz.officer2"))

    assert refused.code == "SOD"
    assert begun.claimed("decide", "lz.officer").assignee == "lz.officer"


def test_an_override_survives_a_restart_of_the_house(begun):
    handled_before(begun)
    allowed(begun, HANDLED)
    later = Story(begun.database, begun.clock)
    later.case_id = begun.case_id

    assert later.do("decide", "lz.officer").case().standing.overrides == {}


@pytest.mark.parametrize(
    ("by", "reason", "kind", "code"),
    [
        ("lz.officer", REASON, NotAllowed, "NOT_OVERRIDER"),
        ("lz.leader", REASON, NotAllowed, "NOT_OVERRIDER"),
        ("prov.officer", REASON, NotAllowed, "NOT_OVERRIDER"),
        ("prov.leader", "同意", InvalidInput, "REASON_REQUIRED"),
        ("ts.leader", REASON, NotFound, "NOT_FOUND"),
    ],
)
def test_not_everybody_allows_overrides_and_nobody_without_a_reason(begun, by, reason, kind, code):
    handled_before(begun)

    assert refusal(kind, lambda: allowed(begun, HANDLED, by=by, reason=reason)).code == code
    assert "ConflictOverridden" not in begun.entries()


def test_who_is_barred_as_well_allows_nothing(begun):
    with begun.database.begin() as connection:
        grant(connection, "lz.officer2", group="provincial_leader", by="system", now=begun.clock())
    begun.do("check", "lz.officer").do("verify", "lz.officer2")

    assert refusal(NotAllowed, lambda: allowed(begun, HANDLED, by="lz.officer2")).code == "NOT_OVERRIDER"


def test_a_final_rule_allows_no_override(begun):
    same_representative(begun)

    assert refusal(NotAllowed, lambda: allowed(begun, CONFLICTS[0])).code == "CONFLICT_FINAL"


def test_there_is_no_override_from_what_does_not_bar(begun):
    assert refusal(WrongState, lambda: allowed(begun, HANDLED)).code == "NO_CONFLICT"

    handled_before(begun)
    allowed(begun, HANDLED)

    assert refusal(WrongState, lambda: allowed(begun, HANDLED)).code == "NO_CONFLICT"
    unknown = Conflict(**{**vars(HANDLED), "rule": "nonsense"})
    assert refusal(NotFound, lambda: allowed(begun, unknown)).code == "CONFLICT_UNKNOWN"


def test_of_many_who_allow_at_once_one_does(begun):
    with begun.database.begin() as connection:
        for person in ("prov.officer", "prov.officer2"):
            grant(connection, person, group="provincial_leader", by="system", now=begun.clock())
    handled_before(begun)
    leaders = ("prov.leader", "prov.officer", "prov.officer2")

    answers = at_once([lambda by=by: allowed(begun, HANDLED, by=by) for by in leaders * 2])

    refused = [answer for answer in answers if isinstance(answer, Rejected)]
    assert {answer.code for answer in refused} == {"NO_CONFLICT"}
    assert (len(answers) - len(refused), begun.entries().count("ConflictOverridden")) == (1, 1)


@pytest.mark.parametrize("round_", range(3))
def test_an_override_is_never_used_twice_in_a_race(begun, round_):
    """The holder completes while a leader takes the task away: one of them wins, and no override is left."""
    handled_before(begun)
    allowed(begun, HANDLED)
    task = begun.claim("decide", "lz.officer").task("decide")
    leader = begun.person("lz.leader")

    at_once(
        [
            lambda: begun.complete("decide", "lz.officer"),
            lambda: begun.commands.transfer_task(task, "lz.leader", reason="改由我办理", actor=leader),
        ]
    )

    assert begun.entries().count("TaskCompleted") + begun.entries().count("TaskTransferred") == 2
    assert begun.case().standing.overrides == {}
    assert begun.history.verify(begun.case_id).ok
