"""Drafts of processes: edited by owners, approved by somebody else, published as a new version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.errors import BadDefinition, InvalidInput, NotFound, Problem, WrongState
from workflows.actors import duties
from workflows.actors.policy import Actor
from workflows.library.catalog import Catalog, Version
from workflows.library.packages import lacking, read_files, read_unready
from workflows.store.contents import fetch, keep
from workflows.store.tables import definition_drafts, reading, releases, take_turns
from workflows.transaction.change import demand, record_operation
from workflows.workshop.drafts.draft import (
    UNDECIDED,
    Draft,
    Overview,
    changed_files,
    draft_of,
    read_draft,
    remember,
    running,
    started_at,
)
from workflows.workshop.drafts.gates import (
    MIN_OPINION,
    accept,
    in_state,
    may_approve,
    may_publish,
    needs_reason,
    same_process,
    stale,
)


class Drafts:
    """Every change of a draft. One transaction and one operation record per change."""

    def __init__(self, database: sa.Engine, catalog: Catalog, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock

    # --- reading --------------------------------------------------------------------------------------

    def overviews(self) -> tuple[Overview, ...]:
        """Every process that has a version or a draft, by key."""
        with reading(self._database) as connection:
            found = set(connection.scalars(sa.select(definition_drafts.c.key)))
            found |= {version.key for version in self._catalog.all_current(connection, self._clock())}
            return tuple(self._overview(connection, key) for key in sorted(found))

    def overview(self, key: str) -> Overview:
        """One process. Raises NotFound."""
        with reading(self._database) as connection:
            found = self._overview(connection, key)
        if not found.versions and found.draft is None:
            raise NotFound(f"there is no process {key}", code="PROCESS_NOT_FOUND", process=key)
        return found

    def draft(self, key: str) -> Draft:
        """The draft of a process. Raises NotFound."""
        with reading(self._database) as connection:
            return read_draft(connection, key)

    def contents(self, draft: Draft) -> dict[str, bytes]:
        """The files of a draft as they are read now: path → content."""
        with reading(self._database) as connection:
            return fetch(connection, draft.files)

    def check(self, key: str, files: Mapping[str, bytes]) -> tuple[Problem, ...]:
        """What the engine and the library say about these files; called processes as they are in force."""
        with reading(self._database) as connection:
            return self._check(connection, key, files)

    def notes(self, key: str) -> dict[int, str]:
        """Release note by version."""
        query = sa.select(releases.c.version, releases.c.note).where(releases.c.key == key)
        with reading(self._database) as connection:
            return {row.version: row.note for row in connection.execute(query)}

    # --- editing --------------------------------------------------------------------------------------

    def begin(self, key: str, base: int, *, actor: Actor) -> Draft:
        """A draft from version `base`. Raises NotAllowed, NotFound, WrongState DRAFT_EXISTS."""
        with self._database.begin() as connection:
            files = self._catalog.version(connection, f"{key}:{base}").files
            return self._begin(connection, key, files, base=base, actor=actor, action="draft-begin")

    def bring_in(self, files: Mapping[str, bytes], *, process: str | None = None, actor: Actor) -> Draft:
        """A draft from files that come from outside, kept byte for byte, whether or not they can be deployed.

        Of several processes it is that of `process`, else see `read_unready`. Raises BadDefinition for
        what is no package or lacks `process`, NotAllowed, WrongState DRAFT_EXISTS.
        """
        package = same_process(process, files) if process else read_unready(files)
        with self._database.begin() as connection:
            known = self._catalog.versions(connection, package.process_id)
            base = known[0].version if known else None
            kept = keep(connection, files)
            return self._begin(
                connection, package.process_id, kept, base=base, actor=actor, action="draft-import"
            )

    def save(self, key: str, files: Mapping[str, bytes], *, revision: int, actor: Actor) -> Draft:
        """These files as the next revision; an approval of the one before is void.

        Raises WrongState DRAFT_STALE if somebody saved in between (facts tell who and when),
        BadDefinition if the files are no package of this process, NotAllowed.
        """
        same_process(key, files)
        with self._database.begin() as connection:
            before = self._editable(connection, key, revision, actor)
            kept = keep(connection, files)
            if kept == before.files:
                return before
            now = self._clock()
            authors = sorted({*before.authors, actor.id})
            return self._put(
                connection,
                before,
                actor,
                action="draft-save",
                revision=before.revision + 1,
                files=kept,
                changed_by=actor.id,
                changed_at=now,
                authors=authors,
                **UNDECIDED,
            )

    def discard(self, key: str, *, revision: int, reason: str, actor: Actor) -> None:
        """The draft is gone; its revisions stay on record. Raises NotAllowed, DRAFT_STALE."""
        needs_reason(reason)
        with self._database.begin() as connection:
            before = self._editable(connection, key, revision, actor)
            connection.execute(sa.delete(definition_drafts).where(definition_drafts.c.key == key))
            self._record(connection, actor, "draft-discard", before, reason=reason)

    # --- review ---------------------------------------------------------------------------------------

    def submit(
        self, key: str, *, revision: int, note: str, accepted: Mapping[str, str], actor: Actor
    ) -> Draft:
        """Ask for approval. `accepted` holds a written reason for every warning, by `rule:element`.

        Raises BadDefinition while there are errors, InvalidInput GATE_FAILED for a warning nobody
        accepted, WrongState DRAFT_NOT_EDITING, NotAllowed.
        """
        needs_reason(note)
        with reading(self._database) as connection:
            read = self._editable(connection, key, revision, actor)
        problems = self.check(key, self.contents(read))  # may take long: nobody else waits for it
        with self._database.begin() as connection:
            before = self._editable(connection, key, revision, actor)
            in_state(before, "editing")
            if before.files != read.files:
                raise stale(before, revision)
            accept(problems, accepted)
            return self._put(
                connection,
                before,
                actor,
                action="draft-submit",
                reason=note,
                state="submitted",
                submitted_by=actor.id,
                submitted_at=self._clock(),
                note=note,
                accepted=dict(accepted),
            )

    def approve(self, key: str, *, revision: int, reason: str, actor: Actor) -> Draft:
        """A second person answers for exactly this revision. Raises NotAllowed SOD, DRAFT_STALE."""
        needs_reason(reason, least=MIN_OPINION)
        with self._database.begin() as connection:
            before = self._current(connection, key, revision)
            demand(may_approve(actor, before))
            in_state(before, "submitted")
            return self._put(
                connection,
                before,
                actor,
                action="draft-approve",
                reason=reason,
                state="approved",
                approved_by=actor.id,
                approved_at=self._clock(),
                approved_revision=before.revision,
            )

    def send_back(self, key: str, *, revision: int, reason: str, actor: Actor) -> Draft:
        """The draft is its authors' again, for `reason`. Raises NotAllowed, DRAFT_STALE."""
        needs_reason(reason)
        with self._database.begin() as connection:
            before = self._current(connection, key, revision)
            demand(may_approve(actor, before))
            in_state(before, "submitted", "approved")
            return self._put(connection, before, actor, action="draft-return", reason=reason, **UNDECIDED)

    def publish(
        self, key: str, *, revision: int, actor: Actor, effective_from: datetime | None = None
    ) -> Version:
        """The approved draft as a new version, all of it or nothing; running cases keep theirs.

        Raises WrongState APPROVAL_VOID unless exactly this revision was approved, InvalidInput for a
        moment that has passed, BadDefinition if what it calls has changed and no longer fits.
        """
        with self._database.begin() as connection:
            before = self._current(connection, key, revision)
            demand(may_publish(actor, before))
            if not before.is_approved:
                raise WrongState(
                    f"revision {revision} of {key} is {before.state}", code="APPROVAL_VOID", process=key
                )
            now = self._clock()
            if effective_from is not None and effective_from < now:
                raise InvalidInput("a version cannot begin in the past", code="EFFECTIVE_IN_PAST")
            version = self._deploy(connection, before, actor, now, effective_from or now)
            connection.execute(sa.delete(definition_drafts).where(definition_drafts.c.key == key))
            self._record(connection, actor, "publish", before, new={"version": version.version})
            return version

    def retire(self, definition_id: str, *, reason: str, actor: Actor) -> Version:
        """No new case starts with this version; running ones go on. Raises NotAllowed, NotFound."""
        needs_reason(reason)
        demand(duties.may_edit(actor))
        with self._database.begin() as connection:
            version = self._catalog.retire(connection, definition_id)
            record_operation(
                connection, actor, action="retire", entity=definition_id, at=self._clock(), reason=reason
            )
            return version

    # --- below ----------------------------------------------------------------------------------------

    def _overview(self, connection: sa.Connection, key: str) -> Overview:
        versions = tuple(self._catalog.versions(connection, key))
        now = self._clock()
        in_force = (v for v in versions if v.state == "live" and v.effective_from <= now)
        row = connection.execute(sa.select(definition_drafts).where(definition_drafts.c.key == key)).first()
        return Overview(
            key=key,
            live=next(in_force, None),
            versions=versions,
            running=running(connection, key),
            draft=draft_of(row) if row else None,
        )

    def _check(self, connection: sa.Connection, key: str, files: Mapping[str, bytes]) -> tuple[Problem, ...]:
        try:
            package = same_process(key, files)
        except BadDefinition as error:
            return error.problems
        found = self._catalog.check(connection, package, self._clock())
        return tuple(dict.fromkeys((*lacking(package), *found)))

    def _begin(
        self,
        connection: sa.Connection,
        key: str,
        files: Mapping[str, str],
        *,
        base: int | None,
        actor: Actor,
        action: str,
    ) -> Draft:
        demand(duties.may_edit(actor))
        if connection.scalar(sa.select(definition_drafts.c.key).where(definition_drafts.c.key == key)):
            raise WrongState(f"process {key} has a draft already", code="DRAFT_EXISTS", process=key)
        now = self._clock()
        row = {
            "key": key,
            "revision": 1,
            "base": base,
            "files": dict(files),
            "author": actor.id,
            "changed_by": actor.id,
            "changed_at": now,
            "authors": [actor.id],
            **UNDECIDED,
        }
        connection.execute(definition_drafts.insert().values(**row))
        draft = read_draft(connection, key)
        remember(connection, draft, started_at=now)
        self._record(connection, actor, action, draft)
        return draft

    def _current(self, connection: sa.Connection, key: str, revision: int) -> Draft:
        draft = read_draft(connection, key)
        if draft.revision != revision:
            raise stale(draft, revision)
        return draft

    def _editable(self, connection: sa.Connection, key: str, revision: int, actor: Actor) -> Draft:
        demand(duties.may_edit(actor))
        return self._current(connection, key, revision)

    def _put(
        self,
        connection: sa.Connection,
        before: Draft,
        actor: Actor,
        *,
        action: str,
        reason: str = "",
        **changes: Any,
    ) -> Draft:
        its_row = definition_drafts.c.key == before.key
        connection.execute(sa.update(definition_drafts).where(its_row).values(**changes))
        after = read_draft(connection, before.key)
        if after.revision != before.revision:
            remember(connection, after, started_at=started_at(connection, before.key))
        self._record(connection, actor, action, after, reason=reason, old=before)
        return after

    def _deploy(
        self,
        connection: sa.Connection,
        draft: Draft,
        actor: Actor,
        now: datetime,
        effective_from: datetime,
    ) -> Version:
        take_turns(connection)
        known = self._catalog.versions(connection, draft.key)
        release_id = f"{draft.key}:{known[0].version + 1 if known else 1}"
        version = self._catalog.deploy(
            connection,
            read_files(fetch(connection, draft.files)),
            by=actor.id,
            at=now,
            approved_by=draft.approved_by,
            effective_from=effective_from,
            release_id=release_id,
            author=draft.author,
        )
        if version.release_id != release_id:
            raise WrongState(f"{version.id} holds the same files", code="NOTHING_CHANGED", process=draft.key)
        before = known[0].files if known else {}
        connection.execute(
            releases.insert().values(
                release_id=release_id,
                key=draft.key,
                version=version.version,
                base=draft.base,
                author=draft.author,
                submitted_by=draft.submitted_by,
                approved_by=draft.approved_by,
                published_by=actor.id,
                published_at=now,
                effective_from=effective_from,
                note=draft.note,
                accepted=dict(draft.accepted),
                changed_files=changed_files(before, draft.files),
            )
        )
        return version

    def _record(
        self,
        connection: sa.Connection,
        actor: Actor,
        action: str,
        draft: Draft,
        *,
        reason: str = "",
        old: Draft | None = None,
        new: dict[str, Any] | None = None,
    ) -> None:
        record_operation(
            connection,
            actor,
            action=action,
            entity=draft.key,
            at=self._clock(),
            reason=reason,
            old=_mark(old) if old else None,
            new=new or _mark(draft),
        )


def _mark(draft: Draft) -> dict[str, Any]:
    return {"revision": draft.revision, "state": draft.state}
