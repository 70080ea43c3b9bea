"""The network delays, loses, breaks and cuts: nothing is lost or doubled, and nobody is stuck for ever."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

from tests.reliability.conftest import fresh_url
from tests.reliability.installation import Installation
from tests.reliability.load import Load
from tests.reliability.test_kills import eventually, everything_is_sound, nothing_is_lost_or_doubled
from tests.reliability.test_races import application, records
from tests.reliability.wire import (
    Manner,
    Wire,
    broken,
    cut,
    in_drops,
    late,
    plainly,
    silent,
    to_port,
    to_postgres,
)

CLIENTS = 6
IMPATIENT = 1.0
"""Seconds."""

DAWDLERS = 300
AT_WORK = re.compile(r'^tidu_lane_(?:at_work|waiting)\{lane="writes"\} (\S+)$', re.MULTILINE)

TO_CLIENTS: dict[str, Callable[[], Manner]] = {
    "delay": lambda: late(0.05),
    "loss and half-open connections": lambda: silent(0.05),
    "resets": lambda: broken(0.2),
    "requests in drops": lambda: in_drops(100, 0.02),
    "requests cut in the middle": lambda: cut(0.3, asking=True),
    "answers cut in the middle": lambda: cut(0.3, asking=False),
}
TO_THE_DATABASE: dict[str, Callable[[], Manner]] = {
    "delay": lambda: late(0.005),
    "loss and half-open connections": lambda: silent(0.02, found_out=0.5),
    "resets": lambda: broken(0.02),
    "statements in drops": lambda: in_drops(200, 0.001),
    "statements cut in the middle": lambda: cut(0.02, asking=True),
    "answers cut in the middle": lambda: cut(0.02, asking=False),
}


@dataclass
class Wired:
    """A house whose clients, and whose database if it is a server, are at the other end of a wire."""

    house: Installation
    front: Wire
    back: Wire | None
    loads: list[Load] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator[Load]:
        """Clients who give up soon and ask again. In the end everybody has an answer."""
        load = Load(self.house, clients=CLIENTS, seed=len(self.loads), patience=IMPATIENT)
        self.loads.append(load)
        load.begin()
        try:
            yield load
        finally:
            self.mend()
            load.end()
        assert load.surprises == []

    def suffer(self, wire: Wire, manner: Manner, blows: int) -> Load:
        """So many blows while clients are at work."""
        with self.at_work() as load:
            before, wire.manner = wire.struck, manner
            for blow in range(before, before + blows):
                eventually(lambda blow=blow: wire.struck > blow, "nothing happens any more")
        return load

    def mend(self) -> None:
        """The wires are what they should be; what stood half-open is found out."""
        for wire in filter(None, (self.front, self.back)):
            wire.manner = plainly
            wire.hang_up(rudely=True)

    def settle(self) -> None:
        """Nobody is at work or waits any more."""
        eventually(lambda: set(AT_WORK.findall(self.metrics())) == {"0.0"}, self.house.told())

    def metrics(self) -> str:
        return self.house.text("/metrics")


@pytest.fixture(scope="module")
def wired(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    """One server process, so that it tells of all that is at work; it stands for all tests of this room."""
    folder = tmp_path_factory.mktemp("wired")
    house = Installation(folder, fresh_url(request, request.param, folder, "wired"))
    house.deploy("small_review")
    with ExitStack() as stack:
        back, through = to_postgres(house.url) if house.is_postgres else (None, house.url)
        if back is not None:
            stack.enter_context(back)
        front = stack.enter_context(to_port(house.port))
        stack.callback(house.serve(workers=1, TIDU_DATABASE_URL=through).kill)
        house.door = front.port
        yield Wired(house, front, back)


def test_a_request_whose_answer_is_lost_is_asked_again_and_has_one_effect(wired, campaign):
    lost_answers = campaign.times(200, 5_000)

    load = wired.suffer(wired.front, cut(0.5, asking=False, after=0), lost_answers)

    counts = nothing_is_lost_or_doubled(wired.house, *wired.loads)
    assert load.repeated > lost_answers // 4, "half of what was lost had been done"
    campaign.tell(
        "R12",
        answers_cut_off=lost_answers,
        answered_as_the_first_time=load.repeated,
        **counts,
        cases_verified=everything_is_sound(wired.house),
    )


@pytest.mark.parametrize("fault", TO_CLIENTS)
def test_faults_between_clients_and_server(wired, campaign, fault):
    blows = campaign.times(20, 1_000)

    load = wired.suffer(wired.front, TO_CLIENTS[fault](), blows)

    wired.settle()
    counts = nothing_is_lost_or_doubled(wired.house, *wired.loads)
    campaign.tell("R27", blows=blows, answered_as_the_first_time=load.repeated, **counts)


@pytest.mark.postgres
@pytest.mark.parametrize("fault", TO_THE_DATABASE)
def test_faults_between_server_and_database(wired, campaign, fault):
    blows = campaign.times(20, 500)

    load = wired.suffer(wired.back, TO_THE_DATABASE[fault](), blows)

    wired.settle()
    counts = nothing_is_lost_or_doubled(wired.house, *wired.loads)
    campaign.tell("R27", blows=blows, answered_as_the_first_time=load.repeated, **counts)


def test_a_request_that_ends_early_is_not_taken_for_a_shorter_one(wired):
    task = application(wired.house)
    book = Load(wired.house, clients=0, seed=len(wired.loads), started=[task.rpartition(".")[0]])
    wired.loads.append(book)
    assert wired.house.api("POST", f"/task/{task}/claim", by="lz.officer").status == 204
    head = (
        f"POST /api/v1/task/{task}/unclaim HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {wired.house.token('lz.officer')}\r\nContent-Length: 40\r\n\r\n"
    )

    with socket.create_connection(("127.0.0.1", wired.house.port), timeout=60) as client:
        client.sendall(head.encode())
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(4096)

    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert records(wired.house, task, "release") == []


def test_connections_that_dawdle_hold_up_nobody(wired, campaign):
    rounds = campaign.times(1, 10)
    for _ in range(rounds):
        crowd = [
            socket.create_connection(("127.0.0.1", wired.house.port), timeout=60) for _ in range(DAWDLERS)
        ]
        for place, dawdler in enumerate(crowd):
            dawdler.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nX-Slow: "[: None if place % 3 else 1])
        drips = threading.Thread(target=drip, args=(crowd,), daemon=True)
        drips.start()

        with wired.at_work() as load:
            eventually(lambda load=load: len(load.completed) > 3 * CLIENTS, wired.house.told())

        for dawdler in crowd:
            assert hung_up(dawdler), "the server waits for ever"
        drips.join(60)
    wired.settle()
    counts = nothing_is_lost_or_doubled(wired.house, *wired.loads)
    campaign.tell("R27", dawdling_connections=rounds * DAWDLERS, **counts)


def drip(crowd: list[socket.socket]) -> None:
    """One more letter of a header for each, again and again, until the server has had enough of all."""
    left = set(crowd)
    while left:
        for dawdler in list(left):
            try:
                dawdler.send(b"x")
            except OSError:
                left.discard(dawdler)
        threading.Event().wait(0.2)


def hung_up(dawdler: socket.socket) -> bool:
    try:
        while dawdler.recv(4096):
            pass
        dawdler.close()
    except TimeoutError:
        return False
    except OSError:
        dawdler.close()
    return True
