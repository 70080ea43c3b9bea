"""Memory, files, connections and patience run short: load is shed, nobody hangs, and the house recovers."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from tests.reliability.conftest import fresh_url
from tests.reliability.installation import LONG_AGO, Installation, Program
from tests.reliability.load import Load
from tests.reliability.test_kills import eventually, nothing_is_lost_or_doubled
from workflows.actors import people

CROWD = 1_000
PASSWORD = "a password for a crowd"
FEW_FILES = 64
IDLERS = 60
TIGHT = 8 * 1024 * 1024
"""Bytes beyond what a process has already: a sign-in alone wants eight times as much."""

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@dataclass
class Strained:
    """A house whose servers have little patience and few places."""

    house: Installation
    program: Program | None = None
    loads: list[Load] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator[Load]:
        """Clients who ask until they are answered; no answer but a shed one surprises them."""
        load = Load(self.house, clients=6, seed=len(self.loads))
        self.loads.append(load)
        load.begin()
        try:
            yield load
        finally:
            load.end()
        assert load.surprises == []

    def goes_on(self, load: Load) -> None:
        """Something gets done."""
        before = len(load.completed)
        eventually(lambda: len(load.completed) > before, self.house.told())

    def sign_in_at_once(self, number: int) -> Counter[str]:
        """So many people send their password at the same moment; the statuses they got (`0`: none)."""
        with ThreadPoolExecutor(1) as pool:  # the browser's tests keep a loop in this thread
            return pool.submit(lambda: asyncio.run(_crowd(self.house.port, number))).result()

    def counts(self) -> dict[str, int]:
        return nothing_is_lost_or_doubled(self.house, *self.loads)


@pytest.fixture(scope="module")
def strained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strained]:
    folder: Path = tmp_path_factory.mktemp("strained")
    house = Installation(folder, fresh_url(request, request.param, folder, "strained"))
    house.deploy("small_review")
    with house.opened() as database, database.begin() as connection:
        people.set_password(connection, "app02", PASSWORD, now=LONG_AGO)
    program = house.serve(TIDU_PATIENCE_SECONDS="2", TIDU_WAITING="8")
    try:
        yield Strained(house, program)
    finally:
        program.kill()


def test_a_thousand_sign_ins_at_once_are_shed_and_inboxes_stay_open(strained, campaign):
    rounds = campaign.times(1, 10)
    told: Counter[str] = Counter()
    read: Counter[int] = Counter()
    for _ in range(rounds):
        with strained.at_work() as load, ThreadPoolExecutor(1) as aside:
            crowd = aside.submit(strained.sign_in_at_once, CROWD)
            while not crowd.done():
                read[strained.house.api("GET", "/task", by="lz.officer").status] += 1
            told += crowd.result()
            strained.goes_on(load)
    afterwards = strained.sign_in_at_once(1)

    assert set(told) == {"303", "503"}, told
    assert told.total() == rounds * CROWD
    assert set(read) == {200}, read
    assert set(afterwards) == {"303"}
    campaign.tell(
        "R28", sign_ins=told.total(), shed=told["503"], inboxes_opened=read[200], **strained.counts()
    )


def test_a_process_without_memory_sheds_and_recovers(strained, campaign):
    rounds = campaign.times(1, 10)
    told: Counter[str] = Counter()
    for _ in range(rounds):
        with strained.at_work() as load:
            strained.goes_on(load)
            processes = eventually(strained.program.children, "the server has no processes")
            for process in processes:
                limit_memory(process, size_of(process) + TIGHT)
            told += strained.sign_in_at_once(30)
            for process in processes:
                limit_memory(process, resource.RLIM_INFINITY)
            strained.goes_on(load)
        eventually(lambda: set(strained.sign_in_at_once(1)) == {"303"}, "nobody can sign in any more")

    assert set(told) <= {"0", "303", "503"}, told
    assert told["503"] > 0
    campaign.tell("R28", sign_ins_without_memory=told.total(), shed=told["503"], **strained.counts())


def size_of(process: int) -> int:
    pages = Path(f"/proc/{process}/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


def limit_memory(process: int, most: int) -> None:
    with suppress(ProcessLookupError):  # it gave up; another has taken its place
        resource.prlimit(process, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


@pytest.mark.postgres
def test_a_pool_without_connections_sheds_and_recovers(strained, campaign):
    rounds = campaign.times(1, 10)
    told: Counter[int] = Counter()
    for _ in range(rounds):
        with strained.at_work() as load, strained.house.opened() as database:
            with database.begin() as connection:
                connection.execute(sa.text("LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE"))
                with ThreadPoolExecutor(60) as crowd:
                    asked = [
                        crowd.submit(strained.house.api, "GET", "/task", by="lz.officer") for _ in range(60)
                    ]
                    eventually(lambda asked=asked: sum(one.done() for one in asked) > 20, "nobody is shed")
                    connection.rollback()
                told.update(one.result().status for one in asked)
            strained.goes_on(load)

    assert set(told) <= {200, 503}, told
    assert told[503] > 0
    campaign.tell("R28", requests_without_connection=told.total(), shed=told[503], **strained.counts())


def test_a_process_that_may_open_few_files_serves_on(installation, campaign):
    rounds = campaign.times(1, 10)
    program = installation.serve_with_few_files(FEW_FILES)
    strained = Strained(installation, program)
    try:
        for _ in range(rounds):
            idlers = [socket.create_connection(("127.0.0.1", installation.port)) for _ in range(IDLERS)]
            with strained.at_work() as load:
                strained.goes_on(load)
            for idler in idlers:
                idler.close()
        assert len(program.children()) == 1
    finally:
        program.kill()
    assert "Too many open files" not in installation.told()
    campaign.tell("R28", idle_connections=rounds * IDLERS, **strained.counts())


async def _crowd(port: int, number: int) -> Counter[str]:
    page, cookie = await _page(port)
    body = urlencode({"account": "app02", "password": PASSWORD, "csrf_token": TOKEN.search(page)[1]}).encode()
    head = (
        "POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nCookie: {cookie}\r\n\r\n"
    )
    asked = await asyncio.gather(*(_status(port, head.encode() + body) for _ in range(number)))
    return Counter(asked)


async def _page(port: int) -> tuple[str, str]:
    """The login page, and the cookie that its form needs."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, page = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return page, re.search(r"Set-Cookie: (tidu_session=[^;]+)", head)[1]


async def _status(port: int, request: bytes) -> str:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
    except OSError:
        return "0"
    return answer[9:12].decode() or "0"
