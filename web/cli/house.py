"""The house as a command finds it: settings read, rooms put together, database at the newest schema."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from engine.errors import InvalidInput, WrongState
from web.app import put_together, trial_within
from web.cli import logs
from web.context import Rooms
from web.settings import CHECKOUT, read_limits, read_settings
from workflows.actors.staff import load_bodies
from workflows.library.catalog import Catalog
from workflows.library.trial.trial import Trial
from workflows.register.batches import load_batches
from workflows.store import schema
from workflows.store.tables import migrate, take_turns
from workflows.work.condition import is_current, require_durable

LIBRARY = CHECKOUT / "bpmn"
RULE_ISSUED = datetime(2024, 6, 20, tzinfo=UTC)
"""The processes that come with the product carry out the rule of that day (甘工信发〔2024〕142号)."""


def open_house() -> Rooms:
    """The rooms over a database that is ready for work. Raises WrongState if `tidu init` of this
    release never ran on it, and if that of a newer one did."""
    house = any_house()
    with house.reading() as connection:
        schema.require_no_newer(schema.found(connection))
    if not is_current(house.database):
        raise WrongState(
            "the database is not set up for this release: run `tidu init`", code="NOT_INITIALISED"
        )
    require_durable(house.database)
    return house


def any_house() -> Rooms:
    """The rooms, whatever state the database is in."""
    settings = read_settings()
    logs.configure(settings.log)
    return put_together(settings)


def place_of(rooms: Rooms) -> str:
    """What the names of keys begin with: the host by which this installation is known."""
    return urlsplit(rooms.settings.base_url).hostname or "tidu"


def handed_in(path: Path) -> str:
    """The text of a file that somebody hands in. Raises InvalidInput NOTE_UNREADABLE for what is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", code="NOTE_UNREADABLE") from error


def trial() -> Trial:
    """Where files of strangers are looked at, within this installation's limits."""
    return trial_within(read_limits())


def bring_up_to_date(house: Rooms) -> list[str]:
    """Upgrade the schema and deploy packages that are new; answers the ids of their versions."""
    migrate(house.database)
    now = house.clock()
    with house.database.begin() as connection:
        take_turns(connection)
        load_bodies(connection)
        load_batches(connection, now=now)
        ours = Catalog(house.database)  # what comes with the release needs no trial
        new = ours.load_library(connection, LIBRARY, at=now, effective_from=RULE_ISSUED)
    return [version.id for version in new]
