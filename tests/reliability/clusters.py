"""The files of a PostgreSQL: laid out, worked on under watch, and started again as a power cut left them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tests import postgres
from tests.conftest import furnished, new_database
from tests.reliability import traced
from tests.reliability.at_work import verifies
from tests.reliability.disk import Disk, lay_out
from tests.reliability.dumps import dump
from tests.reliability.installation import Installation
from workflows.library.catalog import Catalog
from workflows.store.tables import open_database
from workflows.transaction.projections import rebuild

HOUSE = "house"
LONG_AGO = 0.0
ROOM = 1 << 30
"""Bytes that must be free in memory, of which a cluster takes the twentieth part."""

SMALL = ("--wal-segsize=1", "--data-checksums")
BUSY = ("max_wal_size=2MB", "min_wal_size=2MB")
"""Checkpoints come often, and files of the log are used again, as in a day of work."""

CHECKED = """
SELECT bt_index_check(index.oid, heapallindexed => true)
FROM pg_class AS index JOIN pg_am ON pg_am.oid = index.relam
WHERE index.relkind = 'i' AND pg_am.amname = 'btree'
"""


class Watched(traced.Watch):
    """A server that is watched while a house is at work on it."""

    def __init__(self, server: postgres.Server, files: Mapping[str, bytes]) -> None:
        super().__init__(server.data, files)
        self.server = server

    def url(self, name: str) -> str:
        """The address of the house, whatever its file would be called."""
        return self.server.address.format(database=HOUSE)


@dataclass(frozen=True)
class Cluster:
    """The files of a server that was stopped in peace, with a furnished house in it."""

    files: Mapping[str, bytes]
    folders: tuple[str, ...]

    @classmethod
    def made(cls, evidence: Path) -> Cluster:
        """A new one, whose house knows the small review. `evidence`: a folder for that house."""
        with postgres.folder_of_other_user() as folder:
            server = postgres.Server(folder=folder)
            server.create(*SMALL)
            for _ in server.run():
                url = new_database(server.address, HOUSE)
                furnished(url)
                Installation(evidence, url).deploy("small_review")
                _install_checks(url)
                server.stop()
            folders = [path for path in server.data.rglob("*") if path.is_dir()]
            return cls(_files(server.data), tuple(str(path.relative_to(server.data)) for path in folders))

    def worked_on(self, log: Path, act: Callable[[Watched], None], *settings: str) -> Disk:
        """What a server does to the files from its start to its end while people act."""
        return self._watched(log, self.files, act, (*BUSY, *settings))

    def recovering(self, log: Path, files: Mapping[str, bytes], answered: Iterable[str]) -> Disk:
        """What a server does to these files, of which so much had been acknowledged, when it is started."""

        def act(watched: Watched) -> None:
            watched.answers += [(LONG_AGO, what) for what in answered]

        return self._watched(log, files, act, BUSY, place=_in_memory())

    def _watched(
        self,
        log: Path,
        files: Mapping[str, bytes],
        act: Callable[[Watched], None],
        settings: Iterable[str],
        place: Path | None = None,
    ) -> Disk:
        with self._laid_out(files, *settings, place=place) as server:
            watched = Watched(server, files)
            server.inside = traced.words(log)
            for _ in server.run():
                act(watched)
                server.stop()
                traced.wait_for_end(log, server.process.pid)
            disk = watched.disk(log)
            assert disk.after_kill(len(disk.deeds)) == _files(server.data), "strace does not tell all"
            return disk

    @contextmanager
    def recovered(self, files: Mapping[str, bytes]) -> Iterator[sa.Engine]:
        """What the house finds when a server was started on these files, which are then thrown away."""
        with self._laid_out(files, "fsync=off", place=_in_memory()) as server:
            for _ in server.run():
                database = open_database(server.address.format(database=HOUSE))
                yield database
                database.dispose()

    @contextmanager
    def _laid_out(
        self, files: Mapping[str, bytes], *settings: str, place: Path | None = None
    ) -> Iterator[postgres.Server]:
        with postgres.folder_of_other_user(place) as folder:
            server = postgres.Server(folder=folder, settings=settings)
            lay_out(files, server.data, self.folders).chmod(0o700)
            postgres.give_to_other_user(server.data)
            yield server


def _files(data: Path) -> dict[str, bytes]:
    """Name → content, of all that lasts."""
    paths = {str(path.relative_to(data)): path for path in data.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if name not in traced.OF_THE_MOMENT}


def _in_memory() -> Path | None:
    """A place for what need not outlive a test: fifteen hundred files are laid out there in no time."""
    place = Path("/dev/shm")
    return place if place.is_dir() and shutil.disk_usage(place).free > ROOM else None


def is_sound(database: sa.Engine) -> bool:
    """Every case verifies, and what people see is what the journal says: nothing is there by half. Raises
    what PostgreSQL says of a page or an index that is not whole."""
    with database.connect().execution_options(reading=True) as connection:
        if _has_checks(connection, "pg_extension", "extname"):
            connection.exec_driver_sql(CHECKED)
    seen = dump(database)
    with database.begin() as connection:
        rebuild(connection, Catalog(database))
    return verifies(database) and dump(database) == seen


def _install_checks(url: str) -> None:
    """PostgreSQL's own checks of indexes, where they are installed beside it."""
    database = open_database(url)
    with database.begin() as connection:
        if _has_checks(connection, "pg_available_extensions", "name"):
            connection.exec_driver_sql("CREATE EXTENSION amcheck")
    database.dispose()


def _has_checks(connection: sa.Connection, table: str, name: str) -> bool:
    asked = f"SELECT count(*) FROM {table} WHERE {name} = 'amcheck'"
    return bool(connection.exec_driver_sql(asked).scalar_one())
