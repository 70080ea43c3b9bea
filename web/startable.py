"""What somebody may begin: the processes in force whose drawing names them."""

from __future__ import annotations

from web.context import now, rooms
from workflows.actors import duties
from workflows.actors.policy import Actor
from workflows.library.catalog import Version
from workflows.library.packages import Package

Startable = tuple[Version, Package]


def startable(actor: Actor, *, kind: str | None = None) -> list[Startable]:
    """The processes this person may begin now, by id; `kind` is that of the person's unit."""
    with rooms().reading() as connection:
        found = [
            (version, rooms().catalog.package(version.id, connection))
            for version in rooms().catalog.all_current(connection, now())
        ]
    return [(version, package) for version, package in found if _may(actor, version.key, package, kind)]


def _may(actor: Actor, process: str, package: Package, kind: str | None) -> bool:
    return duties.may_start(
        actor,
        process,
        started_by=package.started_by,
        unit=actor.unit,
        kind=kind,
        for_kinds=package.for_kinds,
    ).allowed
