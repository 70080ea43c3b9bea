"""Who carries out which clause: from clauses to elements, rules and parameters, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from engine.errors import NotFound
from workflows.actors.duties import may_edit
from workflows.actors.policy import Actor
from workflows.library.catalog import Catalog
from workflows.library.packages import DRAWING, Package, read_folder
from workflows.library.references import Reference, pin_clauses, references
from workflows.register.calendar import local_day
from workflows.register.clauses import (
    Clause,
    RuleDocument,
    amend,
    clauses_in,
    documents,
    documents_in,
)
from workflows.register.clauses import pins as pinned
from workflows.register.rule_sets import rules_on
from workflows.register.rules import Parameter, RuleSet, load_rules
from workflows.store.tables import take_turns
from workflows.transaction.change import demand, record_operation
from workflows.workshop.checking import packages_at
from workflows.workshop.drafts.gates import needs_reason

Pins = Mapping[str, Mapping[str, str]]
"""Process → clause → digest, as the text was when somebody last held the version in force against it."""


@dataclass(frozen=True, kw_only=True)
class ClauseLine:
    """One clause: the elements and rules that name it, those of them that are stale, and its parameters."""

    clause: Clause
    places: tuple[Reference, ...]
    stale: tuple[Reference, ...]
    parameters: tuple[Parameter, ...]

    @property
    def is_carried_out(self) -> bool:
        """Whether anybody names it at all."""
        return bool(self.places or self.parameters)


@dataclass(frozen=True, kw_only=True)
class ParameterLine:
    """One parameter and the places of drawings, tables and forms that ask for it, if only through another."""

    parameter: Parameter
    places: tuple[Reference, ...]


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The report. `silent` are places that should say where they come from and do not; `unknown` names that
    no document has; `over` clauses that hold no longer and are named; each with its place."""

    documents: tuple[RuleDocument, ...]
    rules: RuleSet
    lines: tuple[ClauseLine, ...]
    parameters: tuple[ParameterLine, ...]
    silent: tuple[Reference, ...]
    unknown: tuple[tuple[Reference, str], ...]
    over: tuple[tuple[Reference, str], ...]
    counted: int

    @property
    def stale(self) -> tuple[tuple[Reference, str], ...]:
        """Places that name a clause whose text is not what it was when they were last held against it."""
        return tuple((place, line.clause.id) for line in self.lines for place in line.stale)

    @property
    def is_clean(self) -> bool:
        """Whether nothing stands in it that somebody has to see to."""
        return not (self.silent or self.unknown or self.over or self.stale)


def cover(
    packages: Iterable[Package],
    *,
    told: Mapping[str, RuleDocument],
    rules: RuleSet,
    pins: Pins,
    on: date,
) -> Coverage:
    """The report on some packages, held against documents as they read and a rule set, on a day."""
    found = [one for package in packages for one in references(package)]
    known = {clause.id: clause for document in told.values() for clause in document.clauses}
    by_clause: dict[str, list[Reference]] = {}
    for one in found:
        for name in one.clauses:
            by_clause.setdefault(name, []).append(one)
    return Coverage(
        documents=tuple(told.values()),
        rules=rules,
        lines=tuple(_line(c, tuple(by_clause.get(c.id, ())), rules, pins) for c in known.values()),
        parameters=_parameters(rules, found),
        silent=tuple(one for one in found if one.names_nothing),
        unknown=tuple((one, name) for one in found for name in one.clauses if name not in known),
        over=tuple((one, n) for one in found for n in one.clauses if n in known and known[n].is_over(on)),
        counted=sum(1 for one in found if one.must_name),
    )


def coverage(
    connection: sa.Connection, catalog: Catalog, *, now: datetime, process: str | None = None
) -> Coverage:
    """The report on every version in force, or on that of one process, with the documents and the rule set
    of the day."""
    day = local_day(now)
    current = [one for one in catalog.all_current(connection, now) if process in (None, one.key)]
    pins: dict[str, dict[str, str]] = {}
    versions = {version.key: version.version for version in current}
    for row in connection.execute(sa.select(pinned)):
        if versions.get(row.key) == row.version:
            pins.setdefault(row.key, {})[row.clause] = row.digest
    return cover(
        [catalog.package(version.id, connection) for version in current],
        told=documents_in(connection),
        rules=rules_on(connection, day) or load_rules(),
        pins=pins,
        on=day,
    )


def in_force(connection: sa.Connection, catalog: Catalog, *, now: datetime) -> list[Reference]:
    """What the versions in force ask for."""
    found = [catalog.package(version.id, connection) for version in catalog.all_current(connection, now)]
    return [one for package in found for one in references(package)]


def coverage_of_folder(folder: Path, *, on: date) -> Coverage:
    """The report on the packages in a folder, or on the one that it is. Raises NotFound, BadDefinition."""
    places = packages_at(folder)
    if not (places[0] / DRAWING).is_file():
        raise NotFound(f"there is no package in {folder}", code="FILE_NOT_FOUND")
    return cover(map(read_folder, places), told=documents(), rules=load_rules(), pins={}, on=on)


def held_again(
    connection: sa.Connection, catalog: Catalog, process: str, *, reason: str, actor: Actor, now: datetime
) -> None:
    """Somebody held the version in force against the clauses as they read now, and it still fits.

    Raises NotAllowed, NotFound, InvalidInput without a reason.
    """
    demand(may_edit(actor))
    needs_reason(reason)
    version = catalog.current(connection, process, now)
    package = catalog.package(version.id, connection)
    pin_clauses(connection, package, version.version, known=clauses_in(connection), by=actor.id, at=now)
    record_operation(connection, actor, action="clauses-held", entity=version.id, at=now, reason=reason)


def amended(
    connection: sa.Connection,
    clause: str,
    *,
    document: str,
    article: str,
    status: str,
    zh: str,
    en: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Clause:
    """A process owner writes down how a clause reads from now on; see `clauses.amend`.

    Raises NotAllowed, NotFound, InvalidInput.
    """
    demand(may_edit(actor))
    needs_reason(reason)
    take_turns(connection)
    before = clauses_in(connection).get(clause)
    after = amend(
        connection,
        clause,
        document=document,
        article=article or None,
        status=status,
        zh=zh,
        en=en,
        by=actor.id,
        reason=reason,
        at=now,
    )
    record_operation(
        connection,
        actor,
        action="clause-amend",
        entity=clause,
        at=now,
        reason=reason,
        old={"digest": before.digest} if before else None,
        new={"digest": after.digest},
    )
    return after


def touched(parameters: Iterable[str], rules: RuleSet, found: Iterable[Reference]) -> tuple[Reference, ...]:
    """The places that ask for one of these parameters: themselves, through one that is the same as it, or
    through the track that a ladder makes of them."""
    keys = {*parameters}
    keys |= {key for key, parameter in rules.parameters.items() if parameter.same_as in keys}
    seen = tuple(found)
    handed = {path for one in seen for path, name in one.carries if any(_asks(name, key) for key in keys)}
    return tuple(
        one
        for one in seen
        if any(_asks(name, key) for name in one.parameters for key in keys)
        or any(_asks(name, path) for name in one.takes for path in handed)
    )


def _line(clause: Clause, places: tuple[Reference, ...], rules: RuleSet, pins: Pins) -> ClauseLine:
    def is_stale(place: Reference) -> bool:
        return pins.get(place.process, {}).get(clause.id, clause.digest) != clause.digest

    return ClauseLine(
        clause=clause,
        places=places,
        stale=tuple(filter(is_stale, places)),
        parameters=tuple(p for p in rules.parameters.values() if p.source == clause.id),
    )


def _parameters(rules: RuleSet, found: list[Reference]) -> tuple[ParameterLine, ...]:
    asking = [one for one in found if one.parameters or one.takes]
    return tuple(
        ParameterLine(parameter=parameter, places=touched([key], rules, asking))
        for key, parameter in rules.parameters.items()
    )


def _asks(name: str, key: str) -> bool:
    """`rules.weights.gf` asks for all that stands below it, `rules.dates.apply.month` for `dates.apply`."""
    asked = name.replace("_by_authority", "")
    return asked == key or key.startswith(f"{asked}.") or asked.startswith(f"{key}.")
