"""What happened: cases found, their time line in words, a case as it stood at entry n, and its proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from engine import events as ev
from engine import journal, replay
from engine.definition.model import Definition
from engine.errors import EngineError, NotFound
from engine.events import Entry
from engine.journal import Line
from engine.proof import positions
from engine.replay import Finding
from engine.tables import journal as stored
from engine.values import to_json, to_plain
from workflows.actors.policy import Actor
from workflows.library.annotations import Annotation, told_rules
from workflows.library.catalog import Catalog
from workflows.proof.evidence import Store, evidence_of
from workflows.reading import moments, sentences
from workflows.reading.draws import Draw, draws_in
from workflows.reading.moments import Standing
from workflows.reading.refusals import Refusal, refusals_of
from workflows.store.contents import fetch
from workflows.store.tables import cases, operations, reading, tasks
from workflows.transaction.facts import names_of, visible

LARGEST_PAGE = 200


@dataclass(frozen=True, kw_only=True)
class CaseQuery:
    """Which cases; times are aware. `after` is the (updated_at, case_id) of the page before's last line."""

    q: str = ""
    process: str = ""
    definition: str = ""
    authority: str = ""
    batch: str = ""
    unit: str = ""
    status: str = ""
    outcome: str = ""
    incident: bool = False
    since: datetime | None = None
    until: datetime | None = None
    first: int = 0
    limit: int = 50


@dataclass(frozen=True, kw_only=True)
class CaseLine:
    """One case in a list: its row, and the steps it waits at as (element, name, name_en)."""

    row: Mapping[str, Any]
    steps: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, kw_only=True)
class CasePage:
    items: tuple[CaseLine, ...]
    total: int


@dataclass(frozen=True, kw_only=True)
class Event:
    """One entry told: place, moment, who, which lane, in words, and its data as stored."""

    seq: int
    at: datetime
    actor: str
    actor_name: str
    on_behalf_of: str | None
    type: str
    lane: str
    element: str
    sentence_zh: str
    sentence: str
    data: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, kw_only=True)
class State:
    """A case as it stood when entry `seq` was written. Values are friendly JSON.

    `changed` maps a variable to (before, after) of this entry. `problem` says why there are no
    variables, when the journal and the drawing disagree.
    """

    case_id: str
    seq: int
    at: datetime
    event: Event
    definition_id: str
    variables: Mapping[str, Any]
    changed: Mapping[str, tuple[Any, Any]]
    standing: Standing
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What verifying a case found: `code` V-OK, or that of the first finding."""

    case_id: str
    entries: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def code(self) -> str:
        return self.findings[0].code if self.findings else "V-OK"


class History:
    """The reading side of the past. What it tells comes from the journal; lists come from read models."""

    def __init__(self, database: sa.Engine, library: Catalog, *, files: Store | None = None) -> None:
        """With `files`, the store of evidence, verifying also looks at what was handed in."""
        self._database = database
        self._library = library
        self._files = files

    def find(self, query: CaseQuery, actor: Actor) -> CasePage:
        """The cases an actor may see that the query finds, newest change first."""
        conditions = [visible(actor), *_conditions(query)]
        limit = max(1, min(query.limit, LARGEST_PAGE))
        found = sa.select(cases).where(*conditions)
        found = found.order_by(cases.c.updated_at.desc(), cases.c.case_id.desc())
        with self._reading() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(cases).where(*conditions))
            rows = connection.execute(found.offset(query.first).limit(limit)).mappings().all()
            steps = _steps(connection, [row["case_id"] for row in rows])
        lines = tuple(CaseLine(row=dict(row), steps=steps.get(row["case_id"], ())) for row in rows)
        return CasePage(items=lines, total=total or 0)

    def timeline(self, case_id: str, *, after: int = 0, upto: int | None = None) -> tuple[Event, ...]:
        """The entries with after < seq ≤ upto, as sentences. Raises NotFound."""
        with self._reading() as connection:
            lines = _lines(connection, case_id)
            told = self._told(connection, lines)
            return tuple(event for event in told if after < event.seq <= (upto or len(lines)))

    def state(self, case_id: str, seq: int) -> State:
        """The case as it stood at entry `seq`. Raises NotFound for no such entry."""
        with self._reading() as connection:
            lines = _lines(connection, case_id)
            if not 1 <= seq <= len(lines):
                raise NotFound(f"case {case_id} has {len(lines)} entries, entry {seq} was asked for")
            entries = [line.entry() for line in lines[:seq]]
            event = _event(lines[seq - 1], entries[-1], self._words(connection, lines, entries))
            before, after, problem = self._variables(connection, case_id, seq)
        begun = entries[0].event
        assert isinstance(begun, ev.CaseStarted)
        return State(
            case_id=case_id,
            seq=seq,
            at=entries[-1].at,
            event=event,
            definition_id=begun.pins[begun.process],
            variables={name: to_plain(value) for name, value in after.items()},
            changed=_changed(before, after),
            standing=moments.standing_of(entries),
            problem=problem,
        )

    def refusals(self, case_id: str) -> tuple[Refusal, ...]:
        """Why a case that is over was refused, if rules refused it. Raises NotFound."""
        with self._reading() as connection:
            entries = [line.entry() for line in _lines(connection, case_id)]
            begun = entries[0].event
            assert isinstance(begun, ev.CaseStarted)
            return refusals_of(moments.standing_of(entries), self._rules(begun.pins))

    def draws(self, case_id: str) -> tuple[Draw, ...]:
        """What was drawn by lot in a case, and whether it holds. Raises NotFound."""
        with self._reading() as connection:
            return tuple(draws_in(_lines(connection, case_id)))

    def verify(self, case_id: str) -> Proof:
        """Chain, causes run again, artefacts, attachments: what is wrong with a case. Raises NotFound."""
        with self._reading() as connection:
            seen = connection.scalar(sa.select(cases.c.seq).where(cases.c.case_id == case_id)) or 0
            entries = journal.head(connection, case_id).seq
            if not entries and case_id not in self._known(connection):
                raise NotFound(f"there is no case {case_id}", code="CASE_NOT_FOUND")
            chain = (
                *_cut_off(connection, case_id, seen),
                *replay.verify(connection, case_id, self._library),
                *_altered(connection, case_id),
            )
            findings = (
                *sorted(chain, key=lambda finding: finding.seq),
                *self._artefacts(connection, case_id),
                *self._attachments(connection, case_id),
            )
        return Proof(case_id=case_id, entries=entries, findings=findings)

    def verify_all(self) -> Iterator[Proof]:
        """Every case, one after the other; also those of which only the read model is left."""
        for case_id in self.case_ids():
            yield self.verify(case_id)

    def case_ids(self) -> list[str]:
        """Every case there is any trace of, by id."""
        with self._reading() as connection:
            return self._known(connection)

    def entries(self, case_id: str) -> tuple[Entry, ...]:
        """The journal of a case as it is. Raises NotFound."""
        with self._reading() as connection:
            return tuple(line.entry() for line in _lines(connection, case_id))

    def operations(self, case_id: str) -> tuple[Mapping[str, Any], ...]:
        """The operation records of a case, oldest first."""
        query = sa.select(operations).where(operations.c.case_id == case_id)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(operations.c.number)).mappings().all()
        return tuple(dict(row) for row in rows)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with reading(self._database) as connection, self._library.over(connection):
            yield connection

    def _known(self, connection: sa.Connection) -> list[str]:
        shown = connection.scalars(sa.select(cases.c.case_id))
        written = connection.scalars(sa.select(stored.c.case_id).distinct())
        return sorted({*shown, *written})

    def _definition(self, lines: list[Line]) -> Definition:
        begun = lines[0].entry().event
        assert isinstance(begun, ev.CaseStarted)
        return self._library.definition(begun.pins, begun.process)

    def _rules(self, pins: Mapping[str, str]) -> dict[str, Annotation]:
        """Rule id → its words, of every table of the versions a case is pinned to."""
        tables = [table for pin in pins.values() for table in self._library.package(pin).decisions.values()]
        return {rule: told for table in tables for rule, told in told_rules(table).items()}

    def _told(self, connection: sa.Connection, lines: list[Line]) -> Iterator[Event]:
        entries = [line.entry() for line in lines]
        words = self._words(connection, lines, entries)
        for line, entry in zip(lines, entries, strict=True):
            yield _event(line, entry, words)

    def _words(self, connection: sa.Connection, lines: list[Line], entries: list[Entry]) -> sentences.Words:
        return sentences.Words(
            definition=self._definition(lines),
            elements=moments.elements_of(entries),
            people=names_of(connection, _people(entries)),
        )

    def _variables(
        self, connection: sa.Connection, case_id: str, seq: int
    ) -> tuple[dict[str, Any], dict[str, Any], str]:
        try:
            before: dict[str, Any] = {}
            if seq > 1:
                before = dict(replay.at(connection, case_id, seq - 1, self._library).variables)
            return before, dict(replay.at(connection, case_id, seq, self._library).variables), ""
        except (EngineError, LookupError, ValueError) as error:
            return {}, {}, f"{type(error).__name__}: {error}"

    def _artefacts(self, connection: sa.Connection, case_id: str) -> Iterator[Finding]:
        first = next(iter(journal.read(connection, case_id, upto=1)), None)
        if first is None:
            return
        try:
            begun = first.entry().event.data()
            pins = [str(pin) for pin in begun["pins"].values()]
            shared = {name: {name: told["digest"]} for name, told in begun["shared"].items()}
        except replay.MISSHAPEN:
            return  # the chain or the replay already says that this entry is broken
        for name in (*pins, *shared):
            try:
                fetch(connection, shared.get(name) or self._library.version(connection, name).files)
            except NotFound as error:
                yield Finding(case_id=case_id, code="V-ARTEFACT", seq=1, detail=str(error))

    def _attachments(self, connection: sa.Connection, case_id: str) -> Iterator[Finding]:
        if self._files is None:
            return
        for paper in evidence_of(connection, case_id):
            state = self._files.verify(paper.digest)
            if state != "sound":
                detail = f"the file {paper.name} ({paper.digest[:16]}…) is {state}"
                yield Finding(case_id=case_id, code="V-ATTACHMENT", seq=0, detail=detail)


def _cut_off(connection: sa.Connection, case_id: str, seen: int) -> Iterator[Finding]:
    """The read model was written with the entries: it knows of a tail that the chain cannot miss.

    `seen` was read first, so that an entry written meanwhile is no finding.
    """
    end = journal.head(connection, case_id).seq
    if end < seen:
        detail = f"the journal ends at entry {end}, but the list of cases has seen entry {seen}"
        yield Finding(case_id=case_id, code="V-CHAIN-BREAK", seq=end + 1, detail=detail)


def _altered(connection: sa.Connection, case_id: str) -> Iterator[Finding]:
    """The first entry that is not the one whose place among all entries was kept for checkpoints."""
    for seq, detail in islice(positions.altered(connection, case_id), 1):
        yield Finding(case_id=case_id, code="V-CHECKPOINT-BREAK", seq=seq, detail=detail)


def _conditions(query: CaseQuery) -> list[sa.ColumnElement[bool]]:
    equal = {
        cases.c.process_id: query.process,
        cases.c.definition_id: query.definition,
        cases.c.authority: query.authority,
        cases.c.batch_id: query.batch,
        cases.c.unit_id: query.unit,
        cases.c.status: query.status,
        cases.c.outcome: query.outcome,
    }
    found: list[sa.ColumnElement[bool]] = [column == value for column, value in equal.items() if value]
    found += [cases.c.search.contains(word, autoescape=True) for word in query.q.lower().split()]
    if query.incident:
        found.append(cases.c.open_incidents > 0)
    if query.since is not None:
        found.append(cases.c.started_at >= query.since)
    if query.until is not None:
        found.append(cases.c.started_at < query.until)
    return found


def _steps(connection: sa.Connection, ids: list[str]) -> dict[str, tuple[tuple[str, str, str], ...]]:
    query = sa.select(tasks.c.case_id, tasks.c.element, tasks.c.name, tasks.c.name_en).where(
        tasks.c.case_id.in_(ids), tasks.c.state.in_(("ready", "claimed"))
    )
    found: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for row in connection.execute(query.order_by(tasks.c.created_at, tasks.c.task_id)):
        found[row.case_id] = (*found.get(row.case_id, ()), (row.element, row.name, row.name_en))
    return found


def _lines(connection: sa.Connection, case_id: str) -> list[Line]:
    lines = list(journal.read(connection, case_id))
    if not lines:
        raise NotFound(f"there is no case {case_id}", code="CASE_NOT_FOUND")
    return lines


def _event(line: Line, entry: Entry, words: sentences.Words) -> Event:
    return Event(
        seq=entry.seq,
        at=entry.at,
        actor=entry.who.actor,
        actor_name=words.person(entry.who.actor),
        on_behalf_of=entry.who.on_behalf_of,
        type=type(entry.event).__name__,
        lane=sentences.lane(entry.event),
        element=sentences.element_of(entry.event, words.elements),
        sentence_zh=sentences.chinese(entry, words),
        sentence=sentences.english(entry, words),
        data=entry.event.data(),
        digest=line.digest,
    )


def _people(entries: list[Entry]) -> Iterator[str | None]:
    for entry in entries:
        yield entry.who.actor
        yield entry.who.on_behalf_of
        yield getattr(entry.event, "assignee", None)
        yield getattr(entry.event, "delegate", None)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (to_plain(before.get(name)), to_plain(after.get(name)))
        for name in sorted({*before, *after})
        if to_json(before.get(name)) != to_json(after.get(name))
    }
