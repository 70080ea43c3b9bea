"""From journal to case: load it, see it as it stood at entry n, verify it, remember it for the next time."""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

import orjson
import sqlalchemy as sa

from engine import journal
from engine.case.case import Case
from engine.case.shared import Shared
from engine.definition.model import Definition
from engine.errors import EngineError, NotFound, ReplayMismatch
from engine.events import CaseStarted
from engine.execution.execution import WorkingDays
from engine.journal import START, Head, Line
from engine.tables import journal as entries
from engine.tables import snapshots
from engine.values import Value

LOG = logging.getLogger("tidu.replay")

SNAPSHOT_EVERY = 50
"""Entries behind the newest snapshot, at most, while a case runs."""

LASTING_EVERY = 500
"""Entries between snapshots that stay, so that a long history need not be run again from its first entry."""

SNAPSHOT_FORMAT = 5
"""Raised whenever a stored state would be read differently; older snapshots are then ignored."""

LAST = 2**31 - 2
"""No journal has more entries than a column can count."""

MISSHAPEN = (EngineError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What an entry that was never written by this house can raise when it is read and run."""

SEAL = hashlib.sha256().digest_size


class Library(Protocol):
    """Where definitions, calendars and shared values are looked up; all are immutable under their name."""

    def definition(self, pins: Mapping[str, str], process: str) -> Definition: ...

    def calendar(self, calendar_id: str) -> WorkingDays: ...

    def shared(self, digest: str) -> Shared: ...


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that verification found: `code` is V-CHAIN-BREAK, V-REPLAY-DIVERGE or V-ARTEFACT."""

    case_id: str
    code: str
    seq: int
    detail: str


def load(connection: sa.Connection, case_id: str, library: Library) -> Case:
    """The case as it stands: the newest usable snapshot and every entry after it. Raises NotFound."""
    return _upto(connection, case_id, library, None)


def at(connection: sa.Connection, case_id: str, seq: int, library: Library) -> Case:
    """The case as it stood when entry `seq` had just been written. Raises NotFound for no such entry."""
    case = _upto(connection, case_id, library, seq)
    if case.seq != seq:
        raise NotFound(f"case {case_id} has {case.seq} entries, entry {seq} was asked for")
    return case


def caught_up(connection: sa.Connection, case: Case) -> Case | None:
    """A case that another process has moved, with what happened since; None if the journal does not go on
    from where it stood."""
    before = list(journal.read(connection, case.case_id, after=case.head.seq - 1))
    if not before or before[0].head != case.head:
        return None
    try:
        for line in before[1:]:
            _follow(case, line)
        case.end_of_replay()
    except MISSHAPEN:
        return None
    return case


def is_snapshot_due(case: Case, *, since: int) -> bool:
    """Whether the rows of a case should change now that its journal has grown behind entry `since`.

    Those that do not last go then, and `snapshots_of` tells what comes.
    """
    grown = case.head.seq // SNAPSHOT_EVERY > since // SNAPSHOT_EVERY
    return grown or (case.is_over and case.head.seq >= SNAPSHOT_EVERY)


def snapshots_of(case: Case, *, since: int) -> list[dict[str, Any]]:
    """The row that keeps a case as it stands, to save time. Of one that is over only the lasting stay."""
    lasting = case.head.seq // LASTING_EVERY > since // LASTING_EVERY
    if case.is_over and not lasting:
        return []
    row = {
        "case_id": case.case_id,
        "seq": case.head.seq,
        "format": SNAPSHOT_FORMAT,
        "digest": case.head.digest,
        "lasting": lasting,
        "state": _sealed(zlib.compress(orjson.dumps(case.state()), level=1)),
    }
    return [row]


def forget_all(connection: sa.Connection) -> None:
    """Delete every snapshot. Nothing but time is lost."""
    connection.execute(sa.delete(snapshots))


def verify(connection: sa.Connection, case_id: str, library: Library) -> tuple[Finding, ...]:
    """What is wrong with a case's journal: the chain first, then the causes run again. () is: nothing.

    A broken chain is reported at its first broken entry and not replayed further: what stands behind
    it proves nothing.
    """
    lines = list(journal.read(connection, case_id))
    if not lines:
        return (Finding(case_id=case_id, code="V-CHAIN-BREAK", seq=0, detail="there is no entry"),)
    broken = _broken_link(case_id, lines)
    if broken is not None:
        return (broken,)
    return _rerun(case_id, lines, library)


def _broken_link(case_id: str, lines: list[Line]) -> Finding | None:
    previous = Head(seq=0, digest=START)
    for line in lines:
        wrong = _wrong_with(case_id, line, previous)
        if wrong:
            return Finding(case_id=case_id, code="V-CHAIN-BREAK", seq=previous.seq + 1, detail=wrong)
        previous = line.head
    return None


def _wrong_with(case_id: str, line: Line, previous: Head) -> str:
    if line.seq != previous.seq + 1:
        return f"expected entry {previous.seq + 1}, found entry {line.seq}"
    if journal.digest(previous.digest, line.body) != line.digest:
        return f"the stored digest {line.digest[:16]}… is not the digest of the stored text"
    try:
        body = orjson.loads(line.body)
    except orjson.JSONDecodeError:
        return "the stored text is not JSON"
    if not isinstance(body, dict):
        return "the stored text is no entry"
    if (body.get("case"), body.get("seq")) != (case_id, line.seq):
        return f"the text says it is entry {body.get('seq')} of {body.get('case')}"
    if not _is_canonical(body, line.body):
        return "the stored text is not the canonical one: it names something twice, or is spelled otherwise"
    return ""


def _is_canonical(body: Any, text: str) -> bool:
    try:
        return journal.canonical(body) == text
    except ValueError:  # a number that no journal takes
        return False


def _rerun(case_id: str, lines: list[Line], library: Library) -> tuple[Finding, ...]:
    place = 1
    try:
        case = _begin(lines[0], library)
        for line in lines:
            place = line.seq
            case.relive(line.entry())
        case.end_of_replay()
    except ReplayMismatch as error:
        code = "V-ARTEFACT" if error.seq == 0 else "V-REPLAY-DIVERGE"
        return (Finding(case_id=case_id, code=code, seq=max(error.seq, 1), detail=str(error)),)
    except MISSHAPEN as error:
        detail = f"{type(error).__name__}: {error}"
        code = (
            "V-ARTEFACT" if isinstance(error, NotFound) and error.code == "ARTEFACT" else "V-REPLAY-DIVERGE"
        )
        return (Finding(case_id=case_id, code=code, seq=place, detail=detail),)
    return ()


def _upto(connection: sa.Connection, case_id: str, library: Library, seq: int | None) -> Case:
    case = _from_snapshot(connection, case_id, library, seq)
    lines = journal.read(connection, case_id, after=case.seq if case else 0, upto=seq)
    for line in lines:
        if case is None:
            case = _begin(line, library)
        _follow(case, line)
    if case is None:
        raise NotFound(f"there is no case {case_id}", code="CASE_NOT_FOUND")
    if seq is None:
        case.end_of_replay()
    return case


def _follow(case: Case, line: Line) -> None:
    """The next stored entry happens again. Raises ReplayMismatch."""
    case.relive(line.entry())
    case.head = line.head


def _begin(first: Line, library: Library) -> Case:
    entry = first.entry()
    if not isinstance(entry.event, CaseStarted):
        raise ReplayMismatch(
            entry.case_id, 1, recorded=type(entry.event).__name__, recomputed=CaseStarted.__name__
        )
    definition = library.definition(entry.event.pins, entry.event.process)
    if definition.digest != entry.event.definition_digest:
        raise ReplayMismatch(
            entry.case_id, 0, recorded=entry.event.definition_digest, recomputed=definition.digest
        )
    shared = _shared(entry.event.shared, library)
    return Case(entry, definition, library.calendar(entry.event.calendar), shared=shared)


def _shared(named: Mapping[str, Any], library: Library) -> dict[str, Value]:
    return {name: library.shared(told["digest"]).value for name, told in named.items()}


def _from_snapshot(
    connection: sa.Connection, case_id: str, library: Library, upto: int | None
) -> Case | None:
    """The newest snapshot not beyond `upto` that can be used. Of one that cannot, the log tells why."""
    before = (LAST if upto is None else upto) + 1
    while row := connection.execute(_NEWEST, {"its_case": case_id, "before": before}).first():
        wrong = _wrong_with_snapshot(row)
        if not wrong:
            return _restored(row, library)
        level = logging.INFO if row.format != SNAPSHOT_FORMAT else logging.WARNING  # another release wrote it
        LOG.log(level, "the snapshot of case %s at entry %d is not used: %s", case_id, row.seq, wrong)
        before = row.seq
    return None


def _wrong_with_snapshot(row: Any) -> str:
    if row.format != SNAPSHOT_FORMAT:
        return f"its format is {row.format}, not {SNAPSHOT_FORMAT}"
    if row.digest != row.written:
        return "the journal says something else there"
    return "" if row.state == _sealed(row.state[SEAL:]) else "it is damaged"


def _restored(row: Any, library: Library) -> Case:
    state = orjson.loads(zlib.decompress(row.state[SEAL:]))
    begun = state["started"]["data"]
    return Case.of(
        state,
        library.definition(begun["pins"], begun["process"]),
        library.calendar(begun["calendar"]),
        head=Head(seq=row.seq, digest=row.digest),
        shared=_shared(begun.get("shared", {}), library),
    )


# Built once, as in the journal: a case is loaded by every command that finds it nowhere.
_SAME_PLACE = (entries.c.case_id == snapshots.c.case_id) & (entries.c.seq == snapshots.c.seq)
_NEWEST = (
    sa.select(
        snapshots.c.seq,
        snapshots.c.format,
        snapshots.c.digest,
        snapshots.c.state,
        entries.c.digest.label("written"),
    )
    .select_from(snapshots.outerjoin(entries, _SAME_PLACE))
    .where(snapshots.c.case_id == sa.bindparam("its_case"), snapshots.c.seq < sa.bindparam("before"))
    .order_by(snapshots.c.seq.desc())
    .limit(1)
)


def _sealed(state: bytes) -> bytes:
    """The state behind its own digest, so that a damaged one is worked out from the journal again."""
    return hashlib.sha256(state).digest() + state


class LiveCases:
    """The cases this process worked on last, kept as they stand. Safe for several threads.

    A case is *taken*: while one thread works on it no other can get the same object. It comes back
    only after its commit; one that failed half-way is simply not put back.
    """

    def __init__(self, library: Library, *, capacity: int = 500) -> None:
        self._library = library
        self._capacity = capacity
        self._cases: OrderedDict[str, Case] = OrderedDict()
        self._lock = Lock()

    def take(self, connection: sa.Connection, case_id: str, seq: int | None = None) -> Case:
        """The case as the journal has it now; `seq` is its last entry if that is known. Raises NotFound."""
        with self._lock:
            case = self._cases.pop(case_id, None)
        if case is not None and not _is_new(connection, case, seq):
            case = caught_up(connection, case)
        return case if case is not None else load(connection, case_id, self._library)

    def has(self, case_id: str) -> bool:
        """Whether the case is at hand, as it stands now or as it stood when it was last worked on."""
        return case_id in self._cases

    def put_back(self, case: Case) -> None:
        """Keep a case whose fresh entries are in the journal."""
        with self._lock:
            self._cases[case.case_id] = case
            self._cases.move_to_end(case.case_id)
            if len(self._cases) > self._capacity:
                self._cases.popitem(last=False)

    def clear(self) -> None:
        """Forget every live case."""
        with self._lock:
            self._cases.clear()


def _is_new(connection: sa.Connection, case: Case, seq: int | None) -> bool:
    if seq is not None:
        return case.head.seq == seq
    return journal.head(connection, case.case_id) == case.head
