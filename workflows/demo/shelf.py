"""What the demonstration reads in the library: versions in force, for whom they are, what examples tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from workflows.demo import mixture
from workflows.demo.lore import Lore, read_common, read_lore
from workflows.library.catalog import Catalog
from workflows.library.packages import Package
from workflows.store.tables import reading

AFTER_THE_TITLE = (
    "annual_campaign",
    "annual_report",
    "complaint",
    "complaint_investigation",
    "cultivation",
    "cultivation_plan",
    "evaluator_oversight",
    "re_evaluation",
    "re_evaluation_order",
    "removal",
    "renewals",
    "significant_change",
)
"""Processes that no ladder calls, in which the demonstration acts."""


class Shelf:
    """The processes as they are deployed at the season's moment."""

    def __init__(self, database: sa.Engine, catalog: Catalog, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock

    def lore(self) -> dict[str, Lore]:
        """What is known of each process: of the ladders by their own examples, of all others together."""
        ladders = {
            process: read_lore(self._packages(process), first=example)
            for process, example in mixture.examples().items()
        }
        after = {process: self._packages(process) for process in AFTER_THE_TITLE}
        return {**read_common(after), **ladders}

    def in_force(self, process: str) -> str:
        """The version that a case of the process begins with now."""
        with reading(self._database) as connection:
            return self._catalog.current(connection, process, self._clock()).id

    def for_kinds(self, process: str) -> tuple[str, ...]:
        """The kinds of units that a process is for."""
        with reading(self._database) as connection:
            current = self._catalog.current(connection, process, self._clock()).id
            return self._catalog.package(current, connection).for_kinds

    def _packages(self, process: str) -> list[Package]:
        """The process's own package, then those it calls."""
        with reading(self._database) as connection:
            pins = self._catalog.pins(connection, process, self._clock())
            ordered = sorted(pins, key=lambda key: (key != process, key))
            return [self._catalog.package(pins[key], connection) for key in ordered]
