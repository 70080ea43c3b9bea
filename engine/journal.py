"""The only room that writes the journal: append after entry n, read, and the digest that chains entries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
import rfc8785
import sqlalchemy as sa

from engine import sending, statements
from engine.errors import StaleCase
from engine.events import Entry, Json, entry_of
from engine.sending import Plan
from engine.tables import journal

ALGORITHM = "sha256"
START = ""
"""The digest that stands before a case's first entry."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One stored row: the text that was digested, and the digest."""

    case_id: str
    seq: int
    body: str
    digest: str

    @property
    def head(self) -> Head:
        """Where the journal ends if nothing follows."""
        return Head(seq=self.seq, digest=self.digest)

    def entry(self) -> Entry:
        return entry_of(orjson.loads(self.body))


@dataclass(frozen=True, kw_only=True)
class Head:
    """Where a case's journal ends: its last seq (0 for none) and that entry's digest."""

    seq: int
    digest: str


_COLUMNS = ("case_id", "seq", "body", "digest")
# Built once, not where it runs as elsewhere: building costs more than running.
_HEAD = (
    sa.select(journal.c.seq, journal.c.digest)
    .where(journal.c.case_id == sa.bindparam("case_id"))
    .order_by(journal.c.seq.desc())
    .limit(1)
)


def append(connection: sa.Connection, entries: Sequence[Entry], *, after: Head) -> Head:
    """Write `entries`, the first directly behind `after`, and answer the new head.

    All entries belong to one case. Raises StaleCase if another writer stands there already: the
    unique (case_id, seq) is the judge.
    """
    lines = chain(entries, after=after)
    write(connection, lines)
    return head_of(lines, after=after)


def write(connection: sa.Connection, lines: Sequence[Line], *, beside: Plan = ()) -> None:
    """Write lines that `chain` made, of one case or of several, and what goes `beside` them, together.

    Raises StaleCase as `append` does.
    """
    statement = statements.inserting(journal, _COLUMNS, connection.dialect)
    try:
        sending.send(connection, [(statement, [vars(line) for line in lines]), *beside])
    except sa.exc.IntegrityError as error:
        if not lines or not str(error.statement).startswith(statement.before):
            raise
        first = lines[0]
        raise StaleCase(
            f"case {first.case_id} was expected to end at entry {first.seq - 1}, but it or another case"
            " written with it had another writer",
            case_id=first.case_id,
            expected=first.seq - 1,
        ) from error


def head_of(lines: Sequence[Line], *, after: Head) -> Head:
    """Where the journal ends once these lines are written."""
    return lines[-1].head if lines else after


def chain(entries: Sequence[Entry], *, after: Head) -> list[Line]:
    """The rows these entries become. Raises ValueError if they do not follow `after` without a gap."""
    lines, previous = [], after
    for entry in entries:
        if entry.seq != previous.seq + 1:
            raise ValueError(f"expected entry {previous.seq + 1} of {entry.case_id}, found {entry.seq}")
        body = canonical(entry.body())
        line = Line(case_id=entry.case_id, seq=entry.seq, body=body, digest=digest(previous.digest, body))
        lines.append(line)
        previous = line.head
    return lines


def read(
    connection: sa.Connection, case_id: str, *, after: int = 0, upto: int | None = None
) -> Iterator[Line]:
    """The stored rows of a case with after < seq ≤ upto, in order."""
    query = (
        sa.select(journal).where(journal.c.case_id == case_id, journal.c.seq > after).order_by(journal.c.seq)
    )
    if upto is not None:
        query = query.where(journal.c.seq <= upto)
    for row in connection.execute(query):
        yield Line(case_id=row.case_id, seq=row.seq, body=row.body, digest=row.digest)


def head(connection: sa.Connection, case_id: str) -> Head:
    """The end of a case's journal; seq 0 if there is no such case."""
    row = connection.execute(_HEAD, {"case_id": case_id}).first()
    return Head(seq=row.seq, digest=row.digest) if row else Head(seq=0, digest=START)


def heads_query(kind: str) -> str:
    """SQL for the last seq of several cases, null for one without a journal: takes their ids as a JSON list,
    finds rows of id and seq."""
    last = "SELECT seq FROM journal WHERE case_id = wanted.value ORDER BY seq DESC LIMIT 1"
    return f"SELECT wanted.value, ({last}) FROM {_LISTED[kind]} AS wanted"


_LISTED = {"sqlite": "json_each(?)", "postgresql": "json_array_elements_text($1::json)"}


def case_ids(connection: sa.Connection) -> list[str]:
    """Every case that has a journal, in a stable order."""
    return list(
        connection.scalars(sa.select(journal.c.case_id).where(journal.c.seq == 1).order_by("case_id"))
    )


def canonical(body: Json) -> str:
    """The one text of a body (RFC 8785).

    orjson writes the same text several times faster wherever keys sort alike by bytes and by UTF-16
    units, which they do unless a character lies beyond the basic plane.
    """
    text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
    if len(text.encode("utf-16-le")) == 2 * len(text):
        return text
    return rfc8785.dumps(body).decode()


def digest(previous: str, body: str) -> str:
    """SHA-256 over the previous digest and the canonical text, in hexadecimal."""
    return hashlib.new(ALGORITHM, (previous + body).encode()).hexdigest()
