"""Small processes that wait for a moment, and many cases of them, begun together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tests.engine.drawing import Drawing, extension, process, timer
from tests.reliability.installation import LONG_AGO
from workflows.actors.policy import SYSTEM
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.library.packages import DRAWING, read_files

CROWD = 16
NOTICE = '<zeebe:taskDefinition type="notice.send" retries="3"/>'
TOLD = (
    '<zeebe:ioMapping><zeebe:input source="=&quot;app01&quot;" target="to"/>'
    '<zeebe:input source="=&quot;late&quot;" target="template"/></zeebe:ioMapping>'
)


def alarm(text: str = "=due", form: str = "Date", own: str = "alarm") -> Drawing:
    """Waits for the moment in its data, then for a person."""
    return process(own).start().catch("wait", timer(text, form)).user("after").end()


def reminder(text: str, form: str, own: str = "reminder") -> Drawing:
    """A task, and beside it what happens at each moment: a path of its own that ends at once."""
    drawing = process(own).start().user("work").end()
    drawing.boundary("remind", "work", timer(text, form), interrupting=False)
    return drawing.end("reminded")


def telling(own: str = "telling") -> Drawing:
    """Sends a notice and waits for a person."""
    return process(own).start().add("serviceTask", "tell", extension(NOTICE + TOLD)).user("after").end()


def deploy(database: sa.Engine, *drawings: Drawing) -> None:
    """The drawings as versions."""
    library = Catalog(database)
    with database.begin() as connection:
        for drawing in drawings:
            library.deploy(connection, read_files({DRAWING: drawing.xml}), by="owner", at=LONG_AGO)


def begin(
    commands: Commands, own: str, number: int, values: Callable[[int], dict[str, Any]] = lambda _: {}
) -> list[str]:
    """So many cases of a process, begun by a crowd so that they share commits; their ids."""

    def start(place: int) -> str:
        return commands.start_case(own, values(place), actor=SYSTEM, unit="u01").case_id

    with ThreadPoolExecutor(CROWD) as crowd:
        return list(crowd.map(start, range(number)))


def at_moments(moments: Iterable[datetime]) -> Callable[[int], dict[str, Any]]:
    """The data of `alarm` cases that wait for these moments."""
    listed = list(moments)
    return lambda place: {"due": listed[place]}
