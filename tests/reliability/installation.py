"""One installation as an operator has it: a data directory, a database, programs of its own, API clients."""

from __future__ import annotations

import http.client
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from workflows.actors import people, tokens
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.library.packages import read_folder
from workflows.reading.history import History
from workflows.store.tables import open_database

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = CHECKOUT / "tests" / "workflows" / "packages"
LONG_AGO = datetime(2024, 6, 20, tzinfo=UTC)
TOKEN_LIFE = timedelta(days=365)
PATIENCE = 120.0
CROWD = [f"crowd{number:02d}" for number in range(50)]
LANZHOU = "municipal_officer@620100"
SECRET = "reliability-reliability-secret"


@dataclass(frozen=True)
class Answer:
    """What a server said. `status` 0: nothing came back, and nobody knows whether it happened."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Program:
    """A program of the house in a process group of its own."""

    def __init__(self, house: Installation, words: list[str], environment: Mapping[str, str]) -> None:
        with (house.folder / "programs.log").open("ab") as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *house.main, *words],
                cwd=house.checkout,
                env=environment,
                stdout=told,
                stderr=told,
                start_new_session=True,
            )

    @property
    def group(self) -> int:
        return self.process.pid

    def children(self) -> list[int]:
        """The processes this one started and that still run."""
        listed = subprocess.run(
            ["ps", "-o", "pid=,stat=", "--ppid", str(self.group)], capture_output=True, text=True
        )
        found = (line.split() for line in listed.stdout.splitlines())
        return [int(pid) for pid, state in found if not state.startswith("Z")]

    def kill_a_child(self, dice: random.Random) -> bool:
        """SIGKILL to one of them; whether there was one to kill."""
        try:
            os.kill(dice.choice(self.children()), signal.SIGKILL)
        except (IndexError, ProcessLookupError):  # none is up, or it has just gone
            return False
        return True

    def send(self, number: signal.Signals) -> None:
        os.killpg(self.group, number)

    def kill(self) -> None:
        """SIGKILL to all of it, at once. No handler, no farewell."""
        if self.process.poll() is None:
            self.send(signal.SIGKILL)
        self.process.wait()


class Installation:
    """A house on one database; `url` names a fresh, furnished one."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.port = self.door = free_port()  # clients knock at the door, which a wire may put elsewhere
        self.main: tuple[str, ...] = ("web.cli.main",)  # the module that runs as `tidu`, and its first words
        self.checkout = CHECKOUT  # where the code of its programs is
        self._tokens: dict[str, str] = {}

    def beside(self) -> Installation:
        """The same house at another door; people have the same tokens."""
        other = Installation(self.folder, self.url)
        other._tokens = self._tokens
        return other

    @property
    def is_postgres(self) -> bool:
        return self.url.startswith("postgresql")

    # --- the programs ---------------------------------------------------------------------------------

    def environment(self, **more: str) -> dict[str, str]:
        told = {name: value for name, value in os.environ.items() if not name.startswith("TIDU_")}
        told.pop("PYTHONDONTWRITEBYTECODE", None)
        return {
            **told,
            "PYTHONPATH": str(self.checkout),
            "PYTHONPYCACHEPREFIX": str(CHECKOUT / ".pytest_cache" / "compiled"),
            "TIDU_DATABASE_URL": self.url,
            "TIDU_DATA_DIR": str(self.folder),
            "TIDU_TICK_SECONDS": "1",
            "TIDU_LOG": "WARNING",
            "TIDU_STARTS_PER_HOUR": "1000000",
            **more,
        }

    def tidu(self, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command of the command line, to its end."""
        return subprocess.run(
            [sys.executable, "-m", *self.main, *map(str, words)],
            cwd=self.checkout,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=600,
        )

    def start(self, *words: str, **environment: str) -> Program:
        return Program(self, list(words), self.environment(**environment))

    def serve(self, *, workers: int = 2, **environment: str) -> Program:
        """The web server, once it answers."""
        program = self.start("serve", "--port", str(self.port), "--workers", str(workers), **environment)
        self.wait_for_server(program)
        return program

    def serve_with_few_files(self, number: int) -> Program:
        """The web server where the system lets each process open so many files and no more."""
        words = ["serve", "--port", str(self.port), "--workers", "1"]
        program = self.start(*words)
        resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (number, number))
        self.wait_for_server(program)
        return program

    def wait_for_server(self, program: Program | None = None) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.ask("GET", "/readyz").status != 200:
            assert program is None or program.process.poll() is None, self.told()
            assert time.monotonic() < deadline, f"no server answered in {PATIENCE} s: {self.told()}"
            time.sleep(0.05)

    @contextmanager
    def served(self, *, workers: int = 2) -> Iterator[Program]:
        program = self.serve(workers=workers)
        try:
            yield program
        finally:
            program.kill()

    def told(self) -> str:
        """The last that the programs wrote."""
        log = self.folder / "programs.log"
        return log.read_text(encoding="utf-8", errors="replace")[-3000:] if log.exists() else ""

    # --- the clients ----------------------------------------------------------------------------------

    def token(self, person: str) -> str:
        """A bearer token that may write."""
        if person not in self._tokens:
            self.give_tokens([person])
        return self._tokens[person]

    def give_tokens(self, everybody: list[str]) -> None:
        """Each of these people has a token now."""
        with self.opened() as database, database.begin() as connection:
            for person in everybody:
                self._tokens[person] = tokens.issue_token(
                    connection,
                    person,
                    token_id=f"t{len(self._tokens):07d}",
                    secret=SECRET,
                    name="reliability",
                    scopes=("read", "write"),
                    now=LONG_AGO,
                    expires_at=LONG_AGO + 9 * TOKEN_LIFE,
                )

    def ask(
        self, method: str, path: str, body: Any = None, *, by: str = "", timeout: float = 60, **headers: str
    ) -> Answer:
        """One request over a connection of its own. A connection that breaks is an answer of status 0."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if by:
            said["Authorization"] = f"Bearer {self.token(by)}"
        if body is not None:
            said["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.door, timeout=timeout)
        try:
            connection.request(
                method, path, json.dumps(body, default=_number) if body is not None else None, said
            )
            answer = connection.getresponse()
            text = answer.read()
            found = json.loads(text) if text else None
            headers = dict(answer.getheaders())
            is_whole = answer.status == 204 or "Content-Length" in headers
            return Answer(answer.status, found, headers) if is_whole else Answer(0, None)
        except (OSError, http.client.HTTPException, ValueError):
            return Answer(0, None)
        finally:
            connection.close()

    def text(self, path: str) -> str:
        """What the server says to anybody, as text; empty if nothing came back."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    def api(self, method: str, path: str, body: Any = None, *, by: str, **more: Any) -> Answer:
        return self.ask(method, f"/api/v1{path}", body, by=by, **more)

    # --- the database, looked at from outside ---------------------------------------------------------

    @contextmanager
    def opened(self) -> Iterator[sa.Engine]:
        database = open_database(self.url)
        try:
            yield database
        finally:
            database.dispose()

    def rows(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        with self.opened() as database, database.connect().execution_options(reading=True) as connection:
            return list(connection.execute(query).all())

    def change(self, statement: sa.Executable) -> int:
        with self.opened() as database, database.begin() as connection:
            return connection.execute(statement).rowcount

    @contextmanager
    def rooms(self, clock: Any) -> Iterator[tuple[Commands, History]]:
        """The rooms below the doors, in this very process, over the same database."""
        with self.opened() as database:
            library = Catalog(database)
            yield Commands(database, library, clock=clock), History(database, library)

    def deploy(self, name: str) -> None:
        """One of the tests' own packages."""
        with self.opened() as database, database.begin() as connection:
            package = read_folder(PACKAGES / name)
            Catalog(database).deploy(connection, package, by="owner", at=LONG_AGO)

    def enrol(self, people_ids: list[str], group: str, like: str) -> None:
        """More people like `like`, in one more group."""
        with self.opened() as database, database.begin() as connection:
            table = people.persons
            model = connection.execute(sa.select(table).where(table.c.id == like)).mappings().one()
            rows = [{**model, "id": person, "name": f"员{person}"} for person in people_ids]
            connection.execute(table.insert(), rows)
            for person in people_ids:
                people.grant(connection, person, group=group, by="admin", now=LONG_AGO)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
