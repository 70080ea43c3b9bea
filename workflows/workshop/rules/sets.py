"""Rule sets that are being changed: copied, edited, approved by a second person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from engine.errors import BadDefinition, InvalidInput, Problem, WrongState
from workflows.actors import duties
from workflows.actors.policy import Actor, Verdict
from workflows.register.batches import batches
from workflows.register.calendar import local_day
from workflows.register.rule_sets import (
    KeptRules,
    every_rule_set,
    find_rule_set,
    keep_shared,
    renumbered,
    row_of,
    rule_sets,
)
from workflows.register.rules import RuleSet, read_rules
from workflows.store.tables import reading, take_turns
from workflows.transaction.change import demand, record_operation
from workflows.workshop.drafts.gates import MIN_OPINION, needs_reason

ENTRY = ("value", "same_as", "inferred", "source", "note")
"""What of a parameter an editor may say."""
UNDECIDED: dict[str, Any] = {
    "state": "editing",
    "submitted_by": None,
    "submitted_at": None,
    "approved_by": None,
    "approved_at": None,
    "note": "",
}
"""What every change makes of review and approval."""


class RuleSets:
    """Every change of a rule set. One transaction and one operation record per change."""

    def __init__(self, database: sa.Engine, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    # --- reading --------------------------------------------------------------------------------------

    def all(self) -> tuple[KeptRules, ...]:
        """Every version of every rule set."""
        with reading(self._database) as connection:
            return every_rule_set(connection)

    def get(self, rules: str, version: int) -> KeptRules:
        """One version. Raises NotFound."""
        with reading(self._database) as connection:
            return find_rule_set(connection, rules, version)

    def named(self, name: str) -> KeptRules:
        """One version by its name, `gansu-2026:1`. Raises NotFound."""
        rules, _, number = name.rpartition(":")
        return self.get(rules, int(number) if number.isdigit() and len(number) < 6 else 0)

    def batches_with(self, kept: KeptRules) -> tuple[str, ...]:
        """The batches that were opened with exactly these rules."""
        query = sa.select(batches.c.id).where(batches.c.rules_digest == kept.digest).order_by(batches.c.id)
        with reading(self._database) as connection:
            return tuple(connection.scalars(query))

    # --- editing --------------------------------------------------------------------------------------

    def begin(self, base: KeptRules, *, rules: str, year: int, actor: Actor) -> KeptRules:
        """A draft with everything that `base` holds, as the next version of the rule set `rules`.

        Raises NotAllowed, InvalidInput for what is no id or year, WrongState RULES_DRAFT_EXISTS.
        """
        demand(duties.may_edit(actor))
        _named_well(rules, year)
        with self._database.begin() as connection:
            take_turns(connection)
            known = [one for one in every_rule_set(connection) if one.id == rules]
            if open_one := next((one for one in known if one.state != "approved"), None):
                raise WrongState(
                    f"{open_one.name} is {open_one.state}", code="RULES_DRAFT_EXISTS", rules=open_one.name
                )
            version = max((one.version for one in known), default=0) + 1
            span = _same_span(base.rules, year)
            named = _of_the_year(base.rules, year)
            content = renumbered(base.rules, version=version, id=rules, year=year, effective=span, **named)
            now = self._clock()
            who = {"author": actor.id, "authors": [actor.id], "changed_by": actor.id, "changed_at": now}
            row = {"id": rules, "version": version, "revision": 1, "base": base.name, **who, **UNDECIDED}
            connection.execute(sa.insert(rule_sets).values(**row, **row_of(read_rules(content))))
            draft = find_rule_set(connection, rules, version)
            self._record(connection, actor, "rules-begin", draft)
            return draft

    def save(
        self,
        draft: KeptRules,
        *,
        revision: int,
        entries: Mapping[str, Mapping[str, Any]],
        facts: Mapping[str, Any],
        actor: Actor,
    ) -> KeptRules:
        """These entries (key → value or same_as, inferred, source, note) and facts (label, labelEn,
        effective, basis) as the next revision; an approval of the one before is void.

        Raises BadDefinition naming every parameter that cannot be so, WrongState DRAFT_STALE if somebody
        saved in between, RULES_SETTLED for an approved version, NotAllowed.
        """
        demand(duties.may_edit(actor))
        with self._database.begin() as connection:
            before = self._open(connection, draft, revision)
            after = read_rules(_changed(before.rules, entries, facts))
            if after.digest == before.digest:
                return before
            authors = sorted({*before.authors, actor.id})
            who = {"changed_by": actor.id, "changed_at": self._clock(), "authors": authors}
            made: dict[str, Any] = {**row_of(after), **who, **UNDECIDED, "revision": revision + 1}
            return self._put(connection, before, actor, "rules-save", **made)

    def discard(self, draft: KeptRules, *, revision: int, reason: str, actor: Actor) -> None:
        """The draft is gone; nothing that was approved can be. Raises NotAllowed, DRAFT_STALE."""
        needs_reason(reason)
        demand(duties.may_edit(actor))
        with self._database.begin() as connection:
            before = self._open(connection, draft, revision)
            connection.execute(sa.delete(rule_sets).where(*_its_row(before)))
            self._record(connection, actor, "rules-discard", before, reason=reason)

    # --- review ---------------------------------------------------------------------------------------

    def submit(self, draft: KeptRules, *, revision: int, note: str, actor: Actor) -> KeptRules:
        """Ask for approval. Raises NotAllowed, InvalidInput while nobody said from when it shall hold."""
        needs_reason(note)
        demand(duties.may_edit(actor))
        with self._database.begin() as connection:
            before = self._open(connection, draft, revision)
            _in_state(before, "editing")
            if before.rules.effective[0] is None:
                raise InvalidInput("say from which day on it shall hold", code="EFFECTIVE_MISSING")
            said = {"submitted_by": actor.id, "submitted_at": self._clock(), "note": note}
            return self._put(
                connection, before, actor, "rules-submit", reason=note, state="submitted", **said
            )

    def approve(self, draft: KeptRules, *, revision: int, reason: str, actor: Actor) -> KeptRules:
        """A second person answers for exactly this revision; it never changes again.

        Raises NotAllowed SOD for whoever has a hand in it, InvalidInput EFFECTIVE_IN_PAST where it would
        have governed cases before anybody approved it, DRAFT_STALE.
        """
        needs_reason(reason, least=MIN_OPINION)
        with self._database.begin() as connection:
            before = self._open(connection, draft, revision)
            demand(may_approve(actor, before))
            _in_state(before, "submitted")
            now = self._clock()
            _not_backdated(before, local_day(now))
            keep_shared(connection, before.rules)
            said = {"state": "approved", "approved_by": actor.id, "approved_at": now}
            return self._put(connection, before, actor, "rules-approve", reason=reason, **said)

    def send_back(self, draft: KeptRules, *, revision: int, reason: str, actor: Actor) -> KeptRules:
        """The draft is its authors' again. Raises NotAllowed, DRAFT_STALE."""
        needs_reason(reason)
        with self._database.begin() as connection:
            before = self._open(connection, draft, revision)
            demand(may_approve(actor, before))
            _in_state(before, "submitted")
            return self._put(connection, before, actor, "rules-return", reason=reason, **UNDECIDED)

    # --- below ----------------------------------------------------------------------------------------

    def _open(self, connection: sa.Connection, draft: KeptRules, revision: int) -> KeptRules:
        """The draft as it is now, if it is one and is as it was read; others wait until this is done."""
        take_turns(connection)
        now = find_rule_set(connection, draft.id, draft.version)
        if now.state == "approved":
            raise WrongState(f"{now.name} is approved", code="RULES_SETTLED", rules=now.name)
        if now.revision != revision:
            raise WrongState(
                f"revision {revision} of {now.name} was read, it is {now.revision} now",
                code="DRAFT_STALE",
                current={
                    "revision": now.revision,
                    "by": now.changed_by,
                    "savedAt": now.changed_at.isoformat(),
                },
            )
        return now

    def _put(
        self,
        connection: sa.Connection,
        before: KeptRules,
        actor: Actor,
        action: str,
        *,
        reason: str = "",
        **changes: Any,
    ) -> KeptRules:
        connection.execute(sa.update(rule_sets).where(*_its_row(before)).values(**changes))
        after = find_rule_set(connection, before.id, before.version)
        self._record(connection, actor, action, after, reason=reason, old=before)
        return after

    def _record(
        self,
        connection: sa.Connection,
        actor: Actor,
        action: str,
        kept: KeptRules,
        *,
        reason: str = "",
        old: KeptRules | None = None,
    ) -> None:
        what = {"action": action, "entity": kept.name, "at": self._clock(), "reason": reason}
        record_operation(connection, actor, **what, old=old and _mark(old), new=_mark(kept))


def may_approve(actor: Actor, draft: KeptRules) -> Verdict:
    """An approver whose hand is not in the draft."""
    facts = duties.DraftFacts(
        key=draft.name, authors=frozenset(draft.authors), submitted_by=draft.submitted_by
    )
    return duties.may_approve(actor, facts)


def _changed(
    rules: RuleSet, entries: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any]
) -> Mapping[str, Any]:
    content = json.loads(json.dumps(rules.content))
    content.update({name: value for name, value in facts.items() if name in FACTS})
    for key, entry in entries.items():
        if key not in content["parameters"]:
            raise BadDefinition((_unknown(key),))
        row = content["parameters"][key]
        if "value" in entry or "same_as" in entry:
            row.pop("same_as", None)
            row.pop("value", None)
        row.update({name: entry[name] for name in ENTRY if name in entry})
    return dict(content)


RULES_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
FACTS = ("label", "labelEn", "effective", "basis")
"""What of a rule set itself an editor may say."""


def _unknown(key: str) -> Problem:
    return Problem(
        element=key,
        rule="rules",
        severity="error",
        message="there is no such parameter",
        message_zh="未知参数",
    )


def _named_well(rules: str, year: int) -> None:
    if len(rules) > 60 or not RULES_ID.fullmatch(rules) or not 2000 <= year <= 2100:
        raise InvalidInput("expected an id such as gansu-2027 and a year", code="VALIDATION")


def _same_span(rules: RuleSet, year: int) -> dict[str, str | None]:
    """From the first day of another year on; in the same year what the base says, until its editor changes
    it. It holds until a later one begins, lest nothing govern because nobody thought of the next."""
    since, until = rules.effective
    if since is None or year != rules.year:
        return {"from": f"{year}-01-01", "to": None}
    return {"from": since.isoformat(), "to": until.isoformat() if until else None}


def _of_the_year(rules: RuleSet, year: int) -> dict[str, str]:
    """The labels of the base, its year in them replaced."""
    labels = {"label": rules.label_zh, "labelEn": rules.label_en}
    return {name: text.replace(str(rules.year), str(year)) for name, text in labels.items()}


def _not_backdated(kept: KeptRules, today: date) -> None:
    since = kept.rules.effective[0]
    if since is not None and since < today:
        raise InvalidInput(
            f"it would hold from {since}, before it is approved", code="EFFECTIVE_IN_PAST", today=str(today)
        )


def _in_state(kept: KeptRules, state: str) -> None:
    if kept.state != state:
        raise WrongState(
            f"{kept.name} is {kept.state}, expected {state}", code="DRAFT_STATE", state=kept.state
        )


def _its_row(kept: KeptRules) -> tuple[sa.ColumnElement[bool], ...]:
    return rule_sets.c.id == kept.id, rule_sets.c.version == kept.version


def _mark(kept: KeptRules) -> dict[str, Any]:
    return {"revision": kept.revision, "state": kept.state, "digest": kept.digest}
