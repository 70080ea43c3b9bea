"""The process library: packages deployed as immutable versions, and where running cases look theirs up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import RLock, local
from typing import Any

import sqlalchemy as sa

from engine.case.shared import Shared
from engine.definition.model import Definition, Element, Sources, deployed_definition
from engine.errors import BadDefinition, NotFound, Problem, WrongState
from workflows.library.packages import (
    DRAWING,
    Package,
    bad,
    in_call_order,
    read_files,
    read_folder,
    write_folder,
)
from workflows.library.references import pin_clauses, unknown_clauses
from workflows.library.trial.verdict import judge
from workflows.register.calendar import Calendar, calendar_ids, load_calendar
from workflows.register.clauses import clauses_in
from workflows.store.contents import fetch, keep
from workflows.store.tables import definitions, reading, take_turns

Checker = Callable[[Sources, Mapping[str, bytes]], tuple[Problem, ...]]
"""What says if sources and forms are good: `verdict.judge` itself, or a trial that asks it elsewhere."""
LIBRARIAN = "system"
"""Who deployed what came with the product."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One deployed version of a process. Immutable but for `state`: live, or retired from new cases."""

    key: str
    version: int
    digest: str
    name: str
    name_en: str
    files: Mapping[str, str]
    state: str
    author: str
    approved_by: str | None
    published_by: str
    published_at: datetime
    effective_from: datetime
    release_id: str | None

    @property
    def id(self) -> str:
        return f"{self.key}:{self.version}"


class Catalog:
    """Deployed packages and their definitions. Safe for several threads; everything cached is immutable."""

    def __init__(self, database: sa.Engine, *, calendar: str | None = None, check: Checker = judge) -> None:
        """`calendar` is the id of the calendar that new cases are started with; without it the newest.

        `check` judges what is to be deployed; for files of strangers it should be a trial's.
        """
        self._database = database
        self._judge = check
        self._calendar = calendar
        self._packages: dict[str, Package] = {}
        self._definitions: dict[tuple[str, ...], Definition] = {}
        self._shared: dict[str, Shared] = {}
        self._lock = RLock()
        self._here = local()

    @contextmanager
    def over(self, connection: sa.Connection) -> Iterator[None]:
        """While the block lasts, this thread looks versions up over `connection`.

        Whoever holds one connection and waits for a second can wait for ever when all are in use.
        """
        before = getattr(self._here, "connection", None)
        self._here.connection = connection
        try:
            yield
        finally:
            self._here.connection = before

    def warm(self, at: datetime) -> int:
        """Read every definition in force, so that no case waits for the parser; answers how many."""
        with reading(self._database) as connection:
            startable = [version.key for version in self.all_current(connection, at)]
            for key in startable:
                self._pinned(connection, self.pins(connection, key, at), key)
        return len(startable)

    # --- the library that running cases use -----------------------------------------------------------

    def definition(self, pins: Mapping[str, str], process: str) -> Definition:
        """The definition a case is pinned to: `pins` names the version of every process it can reach."""
        return self._pinned(None, pins, process)

    def calendar(self, calendar_id: str) -> Calendar:
        """The working-day calendar of this id. Raises NotFound."""
        return load_calendar(calendar_id)

    def shared(self, digest: str) -> Shared:
        """The values that cases name by this digest. Raises NotFound if they are not what they were."""
        if digest not in self._shared:
            with self._looking() as connection:
                (text,) = fetch(connection, {"rules or other shared values": digest}).values()
            self._shared[digest] = Shared.read(text.decode())
        return self._shared[digest]

    def holding(self, shared: Shared) -> Shared:
        """`shared`, if it stands here: no case names what is nowhere. Raises NotFound."""
        self.shared(shared.digest)
        return shared

    @property
    def calendar_id(self) -> str:
        """The calendar of new cases."""
        return self._calendar or calendar_ids()[-1]

    def package(self, definition_id: str, connection: sa.Connection | None = None) -> Package:
        """The files of one version (`green_factory:3`). Raises NotFound."""
        known = self._packages.get(definition_id)
        if known is None:
            known = self._load_package(connection, definition_id)
            self._packages[definition_id] = known
        return known

    def form(self, pins: Mapping[str, str], element: Element) -> bytes | None:
        """The form file of a user task, from the folder of its own process in the pinned version."""
        form_id = element.task.form if element.task and element.task.form else element.id
        return self.package(pins[element.process_id]).form(form_id)

    def start_form(self, definition_id: str) -> bytes | None:
        """The form an applicant fills before a case of this version begins."""
        return self.package(definition_id).form("start")

    # --- what new cases start with --------------------------------------------------------------------

    def pins(self, connection: sa.Connection, process: str, at: datetime) -> dict[str, str]:
        """The versions in force at `at` of `process` and everything it can call. Raises NotFound."""
        pins: dict[str, str] = {}
        waiting = [process]
        while waiting:
            key = waiting.pop()
            if key not in pins:
                pins[key] = self._in_force(connection, key, at)
                waiting += self.package(pins[key], connection).calls
        return dict(sorted(pins.items()))

    def start_definition(
        self, connection: sa.Connection, pins: Mapping[str, str], process: str
    ) -> Definition:
        """`definition`, read over a connection that is already open."""
        return self._pinned(connection, pins, process)

    def current(self, connection: sa.Connection, key: str, at: datetime) -> Version:
        """The newest live version of `key` in force at `at`. Raises NotFound, WrongState VERSION_RETIRED."""
        for version in self.versions(connection, key):
            if version.state == "live" and version.effective_from <= at:
                return version
        if self.versions(connection, key):
            raise WrongState(f"process {key} has no version in force", code="VERSION_RETIRED", process=key)
        raise NotFound(f"there is no process {key}", code="PROCESS_NOT_FOUND", process=key)

    def all_current(self, connection: sa.Connection, at: datetime) -> list[Version]:
        """The version in force of every process that has one, by key."""
        newest: dict[str, Version] = {}
        query = sa.select(definitions).order_by(definitions.c.key, definitions.c.version.desc())
        for row in connection.execute(query):
            version = _version(row)
            if version.state == "live" and version.effective_from <= at:
                newest.setdefault(version.key, version)
        return list(newest.values())

    def versions(self, connection: sa.Connection, key: str) -> list[Version]:
        """Every version of a process, newest first."""
        return [_version(row) for row in connection.execute(_VERSIONS, {"key": key})]

    def version(self, connection: sa.Connection, definition_id: str) -> Version:
        """One version by its id. Raises NotFound."""
        key, _, number = definition_id.rpartition(":")
        for version in self.versions(connection, key):
            if str(version.version) == number:
                return version
        raise NotFound(f"there is no definition {definition_id}", code="PROCESS_NOT_FOUND")

    # --- deploying ------------------------------------------------------------------------------------

    def check(self, connection: sa.Connection, package: Package, at: datetime) -> tuple[Problem, ...]:
        """Everything wrong or doubtful about a package, called processes as they are in force at `at`."""
        try:
            sources = self._sources_of_draft(connection, package, at)
        except BadDefinition as error:
            return error.problems
        except (NotFound, WrongState) as error:
            return bad("call.missing", str(error), f"被调用的流程不存在：{error}").problems
        return (*self._judge(sources, package.forms), *unknown_clauses(package, clauses_in(connection)))

    def deploy(
        self,
        connection: sa.Connection,
        package: Package,
        *,
        by: str,
        at: datetime,
        approved_by: str | None = None,
        effective_from: datetime | None = None,
        release_id: str | None = None,
        author: str | None = None,
    ) -> Version:
        """The package as a new version; the same content as the newest one is that version, unchanged.

        Raises BadDefinition with every error found; nothing is written then. Two who deploy at once
        take turns until their transactions end.
        """
        take_turns(connection)
        known = self.versions(connection, package.process_id)
        if known and known[0].digest == package.digest and known[0].state == "live":
            return known[0]
        errors = tuple(p for p in self.check(connection, package, at) if p.severity == "error")
        if errors:
            raise BadDefinition(errors)
        version = Version(
            key=package.process_id,
            version=known[0].version + 1 if known else 1,
            digest=package.digest,
            name=package.name,
            name_en=package.name_en,
            files=keep(connection, package.files),
            state="live",
            author=author or by,
            approved_by=approved_by,
            published_by=by,
            published_at=at,
            effective_from=effective_from or at,
            release_id=release_id,
        )
        connection.execute(definitions.insert().values(**vars(version)))
        read = clauses_in(connection)
        pin_clauses(connection, package, version.version, known=read, by=by, at=at)
        return version

    def load_library(
        self,
        connection: sa.Connection,
        folder: Path,
        *,
        at: datetime,
        by: str = LIBRARIAN,
        effective_from: datetime | None = None,
    ) -> list[Version]:
        """Deploy every package below `folder` that was never deployed before, the called ones first.

        A package an owner has since changed stays changed: content that was once a version is not
        deployed again. Its first version is in force from `effective_from`, later ones from now on.
        Answers what is new.
        """
        packages = [read_folder(path.parent) for path in sorted(folder.glob(f"*/{DRAWING}"))]
        new = []
        for package in in_call_order(packages):
            known = self.versions(connection, package.process_id)
            if not any(version.digest == package.digest for version in known):
                since = None if known else effective_from
                new.append(self.deploy(connection, package, by=by, at=at, effective_from=since))
        return new

    def retire(self, connection: sa.Connection, definition_id: str) -> Version:
        """No new cases start with this version; running ones go on."""
        version = self.version(connection, definition_id)
        connection.execute(
            sa.update(definitions)
            .where(definitions.c.key == version.key, definitions.c.version == version.version)
            .values(state="retired")
        )
        return self.version(connection, definition_id)

    def export(self, definition_id: str, folder: Path) -> Package:
        """Write the files of a version into `folder`, as they were deployed."""
        package = self.package(definition_id)
        write_folder(package.files, folder)
        return package

    # --- below ----------------------------------------------------------------------------------------

    def _pinned(self, connection: sa.Connection | None, pins: Mapping[str, str], process: str) -> Definition:
        name = (process, *sorted(pins.values()))
        with self._lock:  # parsing is costly: a crowd that starts together waits for one parser
            if name not in self._definitions:
                packages = [self.package(pin, connection) for pin in pins.values()]
                self._definitions[name] = deployed_definition(sources(process, packages))
            return self._definitions[name]

    def _in_force(self, connection: sa.Connection, key: str, at: datetime) -> str:
        """The id of `current`, which is asked only what is wrong if there is none."""
        number = connection.scalar(_IN_FORCE, {"key": key, "at": at})
        return self.current(connection, key, at).id if number is None else f"{key}:{number}"

    def _sources_of_draft(self, connection: sa.Connection, package: Package, at: datetime) -> Sources:
        pins: dict[str, str] = {}
        for called in package.calls:  # one that was never deployed is told at the element that calls it
            if called != package.process_id and self.versions(connection, called):
                pins |= self.pins(connection, called, at)
        others = [self.package(pin, connection) for key, pin in pins.items() if key != package.process_id]
        return sources(package.process_id, [package, *others])

    def _looking(self) -> AbstractContextManager[sa.Connection]:
        """The connection of this thread's block, or one for a moment."""
        here = getattr(self._here, "connection", None)
        return reading(self._database) if here is None else nullcontext(here)

    def _load_package(self, connection: sa.Connection | None, definition_id: str) -> Package:
        with nullcontext(connection) if connection is not None else self._looking() as here:
            version = self.version(here, definition_id)
            return read_files(fetch(here, version.files), version.key)


_VERSIONS = (
    sa.select(definitions)
    .where(definitions.c.key == sa.bindparam("key"))
    .order_by(definitions.c.version.desc())
)
_IN_FORCE = (
    sa.select(definitions.c.version)
    .where(definitions.c.key == sa.bindparam("key"), definitions.c.state == sa.literal_column("'live'"))
    .where(definitions.c.effective_from <= sa.bindparam("at"))
    .order_by(definitions.c.version.desc())
    .limit(1)
)


def sources(process_id: str, packages: Iterable[Package]) -> Sources:
    """What the engine reads. Raises BadDefinition where two packages give one decision two meanings."""
    bpmn: dict[str, bytes] = {}
    dmn: dict[str, bytes] = {}
    for package in packages:
        bpmn[package.process_id] = package.files[DRAWING]
        for decision, text in package.decisions.items():
            if dmn.setdefault(decision, text) != text:
                raise bad(
                    "decision.unique",
                    f"two processes that call each other hold different decisions {decision}",
                    f"相互调用的流程含有同名但不同的决策 {decision}",
                    decision,
                )
    return Sources(process_id=process_id, bpmn=bpmn, dmn=dmn)


def _version(row: Any) -> Version:
    return Version(**row._mapping)
