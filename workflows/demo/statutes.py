"""Rule sets of the years, drafted by a process owner and approved by a second person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from workflows.demo.crew import Crew
from workflows.demo.years import DRAFTER, SECOND, Statute
from workflows.register.rule_sets import KeptRules
from workflows.workshop.rules.sets import RuleSets

BASE = ("gansu-2026", 1)


class Statutes:
    """The desk of those who write a year's rules."""

    def __init__(self, database: sa.Engine, crew: Crew, *, clock: Callable[[], datetime]) -> None:
        self._sets = RuleSets(database, clock=clock)
        self._crew = crew

    def draft(self, statute: Statute) -> None:
        """Copy what ships, say what is different this year, and ask for approval."""
        if self._of(statute) is not None:
            return
        owner = self._crew.person(DRAFTER)
        draft = self._sets.begin(self._sets.get(*BASE), rules=statute.rules, year=statute.year, actor=owner)
        facts = {"effective": {"from": statute.since.isoformat(), "to": None}}
        saved = self._sets.save(
            draft, revision=draft.revision, entries=statute.changes, facts=facts, actor=owner
        )
        self._sets.submit(saved, revision=saved.revision, note=statute.reason, actor=owner)

    def approve(self, statute: Statute) -> None:
        """A second person answers for it."""
        draft = self._of(statute)
        if draft is not None and draft.state == "submitted":
            self._sets.approve(
                draft,
                revision=draft.revision,
                reason="参数与依据逐项核对无误，同意自生效日起施行。",
                actor=self._crew.person(SECOND),
            )

    def _of(self, statute: Statute) -> KeptRules | None:
        """The newest version that somebody wrote here; what ships is nobody's draft."""
        known = [one for one in self._sets.all() if one.id == statute.rules and one.author == DRAFTER]
        return max(known, key=lambda one: one.version, default=None)
