"""All planted faults; those come last that only a blow from outside can show."""

from __future__ import annotations

from tests.planted.conflicts import OF_CONFLICTS
from tests.planted.doors import DOORS
from tests.planted.everywhere import EVERYWHERE
from tests.planted.fault import Change, Fault
from tests.planted.notices import OF_NOTICES
from tests.planted.ours import OUR_OWN
from tests.planted.ruled import RULED

POWER_CUTS = (
    "tests/reliability/test_power_cuts.py::test_a_power_cut_loses_nothing_that_was_acknowledged[WAL]",
)
"""Tests that cut the power under SQLite."""

KILLS_OF_THE_DATABASE = (
    "tests/reliability/test_database_away.py::test_killing_all_of_postgresql_loses_nothing",
)
"""Tests that kill every process of PostgreSQL."""

POWER_CUTS_OF_POSTGRESQL = (
    "tests/reliability/test_power_cuts_of_postgresql.py"
    "::test_a_power_cut_under_postgresql_loses_nothing_that_was_acknowledged[fdatasync]",
)
"""Tests that cut the power under PostgreSQL."""

NOBODY_ASKS = ("if found not in expected:", "if found is None:")

UNASKED = (
    Fault(
        name="sqlite-does-not-sync-and-nobody-asks",
        story="SQLite answers before the disk has it, and no start-up looks how it is set.",
        changes=(*EVERYWHERE[0].changes, Change("engine/tables.py", *NOBODY_ASKS)),
        noticed_by=POWER_CUTS,
    ),
    Fault(
        name="postgresql-does-not-sync-and-nobody-asks",
        story="PostgreSQL answers before the disk has it, and no start-up looks how it is set.",
        changes=(*EVERYWHERE[1].changes, Change("engine/tables.py", *NOBODY_ASKS)),
        noticed_by=KILLS_OF_THE_DATABASE + POWER_CUTS_OF_POSTGRESQL,
    ),
)
PLANTED = (*EVERYWHERE, *OUR_OWN, *OF_CONFLICTS, *OF_NOTICES, *RULED, *DOORS, *UNASKED)
FAULTS = tuple(fault for fault in PLANTED if fault.noticed_by)
