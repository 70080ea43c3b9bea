"""Which schema this release works with; it changes no case in a database that another release has."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa

from engine.errors import WrongState
from engine.tables import metadata

MIGRATIONS = Path(__file__).parents[1] / "migrations"

ASKED = "SELECT version_num FROM alembic_version"
"""Whoever asks it in a transaction keeps a migration waiting until that transaction ends."""

ALONE = "LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"
"""Until the transaction ends nobody gets an answer to that question."""

RETRY_AFTER = 10
"""Seconds after which a program of the newer release may be there to ask."""


@cache
def newest() -> str:
    """The schema of this release: the number of its last migration. Every program looks when it starts:
    later other files may lie there."""
    return max(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v*.py"))


def found(connection: sa.Connection) -> str | None:
    """The schema that the database has; None before the first."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text(ASKED)).scalar()


def lay_out(connection: sa.Connection) -> None:
    """Every table as this release has it, in an empty database that no migration has to lead anywhere:
    the quick way to a house in memory."""
    metadata.create_all(connection)
    version = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32)))
    version.create(connection)
    connection.execute(version.insert().values(version_num=newest()))


def require_ours(schema: str | None) -> None:
    """Raise WrongState OTHER_RELEASE unless this is the schema that this release works with.

    A release knows neither the columns nor the rules that a newer one brought: what it wrote would be
    accepted and wrong.
    """
    if schema != newest():
        raise WrongState(
            f"the database is at schema {schema} and this program works with {newest()}:"
            " it belongs to another release",
            code="OTHER_RELEASE",
            retry_after=RETRY_AFTER,
        )


def require_current(connection: sa.Connection) -> None:
    """The same of the database at hand, which has been migrated once."""
    require_ours(connection.execute(sa.text(ASKED)).scalar())


def require_no_newer(schema: str | None) -> None:
    """Raise WrongState OTHER_RELEASE where a newer release was here: nothing leads back."""
    if schema is not None and schema > newest():
        require_ours(schema)


def take_over(connection: sa.Connection) -> None:
    """Before a migration: commands of the older release that are under way are waited for, and those that
    come later wait until this transaction ends, and find the new schema. SQLite has one writer anyway.

    Raises WrongState OTHER_RELEASE.
    """
    schema = found(connection)
    require_no_newer(schema)
    if schema is not None and schema < newest() and connection.dialect.name == "postgresql":
        connection.execute(sa.text(ALONE))
