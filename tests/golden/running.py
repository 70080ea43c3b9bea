"""Makes a house full of running cases and writes it down as SQL: `python -m tests.golden.running NAME`.

Run by the code of an older release (copied into its checkout) it gives what a later one must migrate.
"""

from __future__ import annotations

import lzma
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from tests import postgres
from tests.conftest import START, furnished, new_database
from tests.story import Clock, Story
from workflows.store.tables import open_database

FOLDER = Path(__file__).parent
ROUNDS = 30


def lived_in(url: str) -> None:
    """One case at every kind of wait, and one long enough for a snapshot."""
    database = open_database(url)
    story = Story(database, Clock(START))
    story.start().claim("check", "lz.officer")
    story.commands.save_draft(
        story.task("check"), {"opinion": "写到一半"}, actor=story.person("lz.officer"), revision=0
    )
    story.start().do("check", "lz.officer", outcome="returned", opinion="缺年报")
    story.start().do("check", "lz.officer", outcome="accepted")  # its reminder is due in three days
    story.start().do("check", "lz.officer", outcome="accepted").do("review", "lz.leader", outcome="agreed")
    story.do("ecology", "dee", opinion="无异议").do("market", "amr", opinion="无异议")  # a job waits
    story.start().do("check", "lz.officer", outcome="accepted")
    story.commands.suspend_case(story.case_id, "等待司法鉴定结论", actor=story.person("prov.officer"))
    story.start().message("withdraw", "app01", reason="不再申请")
    story.start()
    for _ in range(ROUNDS):
        story.claim("check", "lz.officer").release("check", "lz.officer")
    database.dispose()


def of_sqlite(folder: Path) -> str:
    """The SQL of a house in a file."""
    path = folder / "tidu.db"
    furnished(f"sqlite:///{path}")
    lived_in(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        return "\n".join(connection.iterdump())


def of_postgres() -> str:
    """The SQL of a house on a server: INSERT statements, no owners."""
    with postgres.server() as address:
        url = new_database(address, "old")
        furnished(url)
        lived_in(url)
        where = sa.make_url(url)
        words = ["-h", where.query["host"], "-p", str(where.port), "-U", "tidu", "--inserts", "-O", "-x"]
        dump = (postgres.binaries() / "initdb").resolve().with_name("pg_dump")
        done = subprocess.run([str(dump), *words, "old"], capture_output=True, text=True, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\", "--")))


def main(name: str) -> None:
    """Both kinds of database."""
    with TemporaryDirectory() as folder:
        for kind, sql in (("sqlite", of_sqlite(Path(folder))), ("pg", of_postgres())):
            path = FOLDER / f"{name}.{kind}.sql.xz"
            path.write_bytes(lzma.compress(sql.encode(), preset=9 | lzma.PRESET_EXTREME))
            print(path.name, len(sql), path.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1])
