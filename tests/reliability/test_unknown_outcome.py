"""The connection to the database breaks around a commit: nobody knows whether it happened, until the same
request asks again."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.reliability.installation import Installation
from tests.reliability.test_kills import everything_is_sound
from web.app import wall_clock
from workflows.actors.people import find_person
from workflows.transaction.results import Idempotency

pytestmark = pytest.mark.postgres

BEFORE, AFTER = "before the commit arrived", "after it was done"


class Cable:
    """What lies between a house and its PostgreSQL: a socket that can break around the next commit."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder
        self.server = server
        self.breaks = ""
        self._ear = socket.socket(socket.AF_UNIX)
        self._ear.bind(str(folder / ".s.PGSQL.5432"))
        self._ear.listen(50)
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def url(self) -> str:
        """The house's address of the database, through the cable."""
        address = sa.make_url(self.server)
        return address.set(port=5432).update_query_dict({"host": str(self.folder)}).render_as_string(False)

    def cut(self) -> None:
        self._ear.close()

    def _listen(self) -> None:
        address = sa.make_url(self.server)
        with suppress(OSError):  # the ear was closed
            while True:
                near, _ = self._ear.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(f"{address.query['host']}/.s.PGSQL.{address.port}")
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        """One connection; the server's answers go back on a thread of their own."""
        threading.Thread(target=_pump, args=(far, near), daemon=True).start()
        with suppress(OSError):
            while told := near.recv(65_536):
                breaks, self.breaks = (self.breaks, "") if b"COMMIT" in told else ("", self.breaks)
                if breaks == AFTER:
                    near.shutdown(socket.SHUT_WR)  # what the server answers gets nowhere
                if breaks != BEFORE:
                    far.sendall(told)
                if breaks:
                    break
            near.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            far.shutdown(socket.SHUT_WR)  # the server does what has arrived, and then hangs up


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while told := source.recv(65_536):
            with suppress(OSError):
                target.sendall(told)
    for end in (source, target):
        end.close()


@pytest.fixture
def house(database_url, tmp_path) -> Installation:
    made = Installation(tmp_path, database_url("pg"))
    made.deploy("small_review")
    return made


@pytest.fixture
def cable(house, tmp_path) -> Iterator[Cable]:
    folder = tmp_path / "cable"
    folder.mkdir()
    laid = Cable(folder, house.url)
    yield laid
    laid.cut()


def test_a_request_whose_commit_got_lost_is_done_once(house, cable, campaign):
    blows = campaign.times(40, 1_000)
    dice = random.Random(12)
    house.url, real = cable.url, house.url
    outcomes: Counter[str] = Counter()
    with house.rooms(wall_clock) as (commands, _):
        with house.opened() as database, database.connect() as connection:
            applicant = find_person(connection, "app01")
        for number in range(blows):
            request = Idempotency(key=f"once-{number}", request_digest="d")

            def start(request=request):
                return commands.start_case("small_review", {"days": 3}, actor=applicant, idempotency=request)

            cable.breaks = where = dice.choice((BEFORE, AFTER))
            with pytest.raises(sa.exc.OperationalError):
                start()
            again = start()
            assert again.replayed == (where == AFTER)
            outcomes[where] += 1
    house.url = real

    cases = everything_is_sound(house)
    assert cases == blows
    campaign.tell(
        "R22",
        commits_lost_on_the_way=outcomes[BEFORE],
        answers_lost_on_the_way=outcomes[AFTER],
        done_twice_or_never=blows - cases,
    )
