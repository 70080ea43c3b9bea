"""A throw-away PgBouncer before a throw-away PostgreSQL: every transaction gets another session."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.postgres import PATIENCE, Server, as_other_user, folder_of_other_user, free_port

PLACES = "/usr/sbin:/usr/local/sbin"


def program() -> str | None:
    """Where it is, if it is installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:{PLACES}")


@contextmanager
def before(server: Server, *, sessions: int = 2) -> Iterator[str]:
    """The address of a pooler with so few sessions that clients share them; format it with a database."""
    with folder_of_other_user() as folder:
        port = free_port()
        settings = folder / "pgbouncer.ini"
        settings.write_text(_settings(server, folder, port, sessions))
        found = program()
        assert found is not None
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(
                [*as_other_user(), found, str(settings)], stdout=log, stderr=log, cwd="/"
            )
        try:
            _wait(folder, port)
            yield f"postgresql+psycopg://tidu@:{port}/{{database}}?host={folder}&pooler=transaction"
        finally:
            running.terminate()
            running.wait(PATIENCE)


def _settings(server: Server, folder: Path, port: int, sessions: int) -> str:
    lines = {
        "unix_socket_dir": folder,
        "listen_port": port,
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": sessions,
        "server_check_delay": 0,
        "server_login_retry": 1,
    }
    told = "\n".join(f"{name} = {value}" for name, value in lines.items())
    return f"[databases]\n* = host={server.place} port={server.port} user=tidu\n[pgbouncer]\n{told}\n"


def _wait(folder: Path, port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(
                f"host={folder} port={port} user=tidu dbname=postgres", prepare_threshold=None
            ).close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.02)
