"""How far this house has acknowledged, kept beside the database: one that has fallen behind is noticed."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from engine import journal
from engine.errors import WrongState
from engine.tables import journal as entries
from engine.temporal import moment
from workflows.store.tables import case_numbers

LOG = logging.getLogger("tidu.tidemarks")
SUFFIX = ".marks"
EARLIER = ".earlier"
LARGEST = 1_000_000
"""Bytes: then a file is laid behind as the earlier one. Both together name the last ten thousand commits."""

TAIL = 8_192
EVERY = timedelta(seconds=1)
"""So often at most a file is forced to the disk. A process that is killed loses nothing of it anyway."""

DAY = 86_400
PROVEN = "has what was acknowledged"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An entry that was acknowledged, with what came before it in its case. `at` is UTC text."""

    at: str
    case_id: str
    seq: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Entries of a case that were acknowledged and are not there: those behind `after`, up to `upto`.

    `digest` is that of the last of them, acknowledged at `at`.
    """

    case_id: str
    after: int
    upto: int
    digest: str
    at: str

    @property
    def number(self) -> int:
        return self.upto - self.after


class Tidemarks:
    """Written after every commit and before its answer; compared on every new connection to the database.

    A database that lost acknowledged commits (a standby promoted without the newest, a restore of
    yesterday) has lost the last ones. So it is enough that the last mark of each process is there.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """`folder` is shared by all processes of the house; `name` is that of their host."""
        self._folder = folder
        self._name = name
        self._forced: datetime | None = None
        self._is_full = False

    # --- while all is well ------------------------------------------------------------------------------

    def note(self, marks: Iterable[Mark], now: datetime) -> None:
        """These were committed and are about to be acknowledged. One thread at a time."""
        lines = b"".join(orjson.dumps(asdict(mark)) + b"\n" for mark in marks)
        if not lines:
            return
        try:
            self._append(lines, now)
        except OSError:  # the commit is done and durable: what is lost is the means to notice its loss
            LOG.exception("the marks cannot be kept in %s", self._folder)

    def _append(self, lines: bytes, now: datetime) -> None:
        own = self._folder / f"{self._name}-{os.getpid()}{SUFFIX}"  # also after a fork: the last line counts
        if self._is_full and own.exists():
            os.replace(own, own.with_suffix(EARLIER))
        file = os.open(own, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, lines)
            if self._forced is None or now - self._forced >= EVERY:
                os.fsync(file)
                self._forced = now
            self._is_full = os.lseek(file, 0, os.SEEK_CUR) > LARGEST
        finally:
            os.close(file)

    def mark(self, connection: sa.Connection, case_id: str, seq: int, now: datetime) -> list[Mark]:
        """The mark of an entry that stands in the journal; none if it does not."""
        digest = _digest_at(connection, case_id, seq)
        return [] if digest is None else [Mark(at=moment(now), case_id=case_id, seq=seq, digest=digest)]

    def require(self, connection: sa.Connection) -> None:
        """Raise WrongState DATABASE_BEHIND unless the database has all that was acknowledged.

        A connection that has shown it once is believed: whatever sets a database back ends its connections.
        """
        if PROVEN in connection.info:
            return
        if missing := self.behind(connection):
            LOG.error("the database is behind: it lacks entry %s of %s", missing.seq, missing.case_id)
            raise WrongState(
                f"the database lacks entry {missing.seq} of {missing.case_id}, which was acknowledged at"
                f" {missing.at}: nothing is written until an operator has looked (`tidu gap show`)",
                code="DATABASE_BEHIND",
            )
        connection.info[PROVEN] = True
        self._sweep()

    def behind(self, connection: sa.Connection) -> Mark | None:
        """An acknowledged entry that the database does not have."""
        last = [mark for file in self._files() for mark in _last(file)]
        return next((mark for mark in last if not _stands(connection, mark)), None)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}")) if self._folder.is_dir() else []

    def _sweep(self) -> None:
        """Files of processes that ended long before the newest mark say nothing that it does not say."""
        ages = {file: file.stat().st_mtime for file in self._files() if file.exists()}
        newest = max(ages.values(), default=0)
        for file, age in ages.items():
            if age < newest - DAY:
                file.unlink(missing_ok=True)
                file.with_suffix(EARLIER).unlink(missing_ok=True)

    # --- when it is not ---------------------------------------------------------------------------------

    def lost(self, connection: sa.Connection) -> tuple[Lost, ...]:
        """What is missing, case by case, as far back as the marks go."""
        by_case: dict[str, list[Mark]] = {}
        for mark in self._all():
            by_case.setdefault(mark.case_id, []).append(mark)
        found = (_lost(connection, by_case[case_id]) for case_id in sorted(by_case))
        return tuple(lost for lost in found if lost is not None)

    def step_over(self, connection: sa.Connection) -> None:
        """Numbers of cases that were given to somebody are not given again."""
        for stem, number in self._numbers().items():
            here = case_numbers.c.prefix == stem
            last = connection.scalar(sa.select(case_numbers.c.last).where(here))
            if last is None:
                connection.execute(case_numbers.insert().values(prefix=stem, last=number))
            elif last < number:
                connection.execute(sa.update(case_numbers).where(here).values(last=number))

    def lay_aside(self, now: datetime) -> None:
        """From now on the marks so far count no more; they are kept in a folder beside the new ones."""
        aside = self._folder / f"aside-{moment(now).replace(':', '')}"
        aside.mkdir()
        for file in [*self._files(), *self._folder.glob(f"*{EARLIER}")]:
            os.replace(file, aside / file.name)

    def _all(self) -> Iterator[Mark]:
        for file in [*self._folder.glob(f"*{EARLIER}"), *self._files()]:
            yield from _marks(file.read_bytes())

    def _numbers(self) -> dict[str, int]:
        """The highest number of each series among the marks."""
        highest: dict[str, int] = {}
        for mark in self._all():
            stem, _, number = mark.case_id.rpartition("-")
            if number.isdecimal():
                highest[stem] = max(highest.get(stem, 0), int(number))
        return highest


def open_tidemarks(folder: Path, name: str) -> Tidemarks:
    """The marks in `folder`, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    return Tidemarks(folder, name)


def marks_of(lines: Sequence[journal.Line], now: datetime) -> list[Mark]:
    """The mark of the last of these lines, which are one command's."""
    return [
        Mark(at=moment(now), case_id=line.case_id, seq=line.seq, digest=line.digest) for line in lines[-1:]
    ]


def _lost(connection: sa.Connection, marks: Sequence[Mark]) -> Lost | None:
    last = max(marks, key=lambda mark: mark.seq)
    if _stands(connection, last):
        return None
    end = journal.head(connection, last.case_id).seq
    after = end if end < last.seq else max((m.seq for m in marks if _stands(connection, m)), default=0)
    return Lost(case_id=last.case_id, after=after, upto=last.seq, digest=last.digest, at=last.at)


def _stands(connection: sa.Connection, mark: Mark) -> bool:
    return _digest_at(connection, mark.case_id, mark.seq) == mark.digest


def _digest_at(connection: sa.Connection, case_id: str, seq: int) -> str | None:
    here = (entries.c.case_id == case_id) & (entries.c.seq == seq)
    return connection.scalar(sa.select(entries.c.digest).where(here))


def _last(file: Path) -> list[Mark]:
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, os.fstat(opened.fileno()).st_size - TAIL))
            return _marks(opened.read())[-1:]
    except FileNotFoundError:  # laid behind or swept by another process just now
        return []


def _marks(text: bytes) -> list[Mark]:
    """Whole lines only: one that a power cut tore was never acknowledged."""
    found = []
    for line in text.split(b"\n")[:-1]:
        try:
            found.append(Mark(**orjson.loads(line)))
        except (ValueError, TypeError):
            continue
    return found


def told(lost: Lost) -> dict[str, Any]:
    """A loss as a record keeps it."""
    return {**asdict(lost), "entries": lost.number}
