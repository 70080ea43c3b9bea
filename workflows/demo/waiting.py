"""Cases that lead straight to somebody's desk and stop there, so that every log-in finds work to do."""

from __future__ import annotations

from engine.case.standing import Task

DESKS = (
    "county_officer",
    "municipal_officer",
    "municipal_leader",
    "provincial_officer",
    "department",
    "expert",
    "evaluator",
    "applicant",
)
"""Application 1 stops at the first task of a county officer, application 2 at a municipal officer's …"""

AT_ONCE = 6
"""So many applications after those are dealt with at once, in the first year."""


def desk_of(number: int) -> str:
    """At whose desk application `number` stops; empty for all those that go their way."""
    return DESKS[number - 1] if 1 <= number <= len(DESKS) else ""


def is_model(number: int) -> bool:
    """Whether everybody does at once what the first example does: the first case, those that stop, the cast
    of the first year and what the province leads."""
    return number <= len(DESKS) + AT_ONCE


def stops(number: int, task: Task) -> bool:
    """Whether this task is the one that application `number` was brought here for."""
    kinds = {group.partition("@")[0] for group in task.groups} | ({"expert"} if task.users else set())
    return desk_of(number) in kinds
