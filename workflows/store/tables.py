"""The read models and records of people at work; how the whole database is opened and brought up to date."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from engine.tables import connect, metadata, wait_patiently
from workflows.store import schema
from workflows.store.columns import Document, Moment
from workflows.store.columns import case as _case
from workflows.store.columns import count as _count
from workflows.store.columns import flag as _flag
from workflows.store.columns import text as _text

GOING_ON, OVER = ("active", "suspended"), ("completed", "terminated")
"""The statuses of a case."""

NEVER = "9999-12-31T00:00:00.000000Z"
"""What stands in a sort column where there is no due date."""


# --- read models: disposable, rebuilt from the journal ----------------------------------------------

cases = sa.Table(
    "cases",
    metadata,
    _case(),
    _text("process_id"),
    _text("definition_id"),
    _text("process_name"),
    _text("process_name_en"),
    sa.Column("pins", Document, nullable=False),
    *map(_text, ("unit_id", "unit_name", "unit_name_en", "uscc", "authority", "authority_name", "sector")),
    sa.Column("marks", Document, nullable=False),  # ids and names the unit is known by, for conflicts
    _text("batch_id"),
    _text("batch_name"),
    _text("status"),  # active, suspended, completed, terminated
    sa.Column("confined", sa.Boolean, nullable=False, server_default=sa.false()),  # nobody sees it by office
    sa.Column("outcome", sa.Text),
    sa.Column("level", sa.Text),
    sa.Column("started_at", Moment, nullable=False),
    _text("started_by"),
    sa.Column("ended_at", Moment),
    sa.Column("updated_at", Moment, nullable=False),
    _count("seq"),
    _count("open_incidents"),
    _text("search"),
    sa.Index(None, "updated_at", "case_id"),
    sa.Index(None, "authority", "updated_at"),
    sa.Index(None, "unit_id"),
    sa.Index(None, "started_by"),
    sa.Index(None, "definition_id", "status"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    _case(),
    sa.Column("task_id", sa.Text, primary_key=True),
    _text("case_process"),
    _text("process_id"),
    _text("definition_id"),
    _text("element"),
    *map(_text, ("name", "name_en", "step", "clause")),
    _text("state"),  # ready, claimed, completed, cancelled
    _flag("suspended"),
    sa.Column("assignee", sa.Text),
    sa.Column("owner", sa.Text),  # who delegated it and gets it back
    sa.Column("question", sa.Text),
    sa.Column("groups", Document, nullable=False),
    sa.Column("users", Document, nullable=False),
    sa.Column("not_same_as", Document, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("claimed_at", Moment),
    sa.Column("due_at", Moment),
    sa.Column("due_sort", Moment, nullable=False),
    sa.Column("due_days", sa.Integer),
    _flag("provisional"),
    _count("priority", 50),
    _count("round", 1),
    _flag("bulkable"),
    sa.Column("escalated_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("completed_by", sa.Text),
    sa.Column("outcome", sa.Text),
    *map(_text, ("unit_id", "unit_name", "authority", "authority_name", "batch_id", "batch_name", "search")),
    sa.Index(None, "assignee", "state", "due_sort"),
    sa.Index(None, "completed_by", "ended_at"),
    sa.Index(None, "state", "due_sort"),
    sa.Index(None, "task_id"),
)
RARE = {
    "suspended": tasks.c.suspended,
    "owner": tasks.c.owner.is_not(None),
    "round": tasks.c.round > sa.literal_column("1"),
}
"""What few tasks are: those alone are in an index of their own, so that lists of them do not look at all."""

for _name, _is in RARE.items():
    sa.Index(
        f"ix_tasks_rare_{_name}", tasks.c[_name], tasks.c.task_id, postgresql_where=_is, sqlite_where=_is
    )

candidates = sa.Table(
    "candidates",
    metadata,
    _case(),
    sa.Column("task_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # group, user
    sa.Column("name", sa.Text, primary_key=True),
    _flag("claimable"),
    sa.Column("due_sort", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    _count("priority", 50),
    _text("authority"),
    # The authority comes last: it orders nothing, but a list of one authority need not leave the index.
    sa.Index(None, "kind", "name", "claimable", "due_sort", "task_id", "authority"),
    sa.Index(None, "kind", "name", "claimable", "created_at", "task_id", "authority"),
)

timers = sa.Table(
    "timers",
    metadata,
    _case(),
    sa.Column("timer_id", sa.Text, primary_key=True),
    _text("element"),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("days", sa.Integer),
    _flag("provisional"),
    sa.Column("repeats", sa.Integer),
    _text("state"),  # set, fired, cancelled
    sa.Column("fired_at", Moment),
    sa.Index(None, "state", "due_at"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    _case(),
    sa.Column("job_id", sa.Text, primary_key=True),
    _text("element"),
    _text("type"),
    sa.Column("inputs", Document, nullable=False),
    _count("retries"),
    _count("attempts"),
    _text("state"),  # waiting, incident, succeeded, cancelled
    sa.Column("next_at", Moment, nullable=False),
    _text("message"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Index(None, "state", "next_at"),
)

incidents = sa.Table(
    "incidents",
    metadata,
    _case(),
    sa.Column("incident_id", sa.Text, primary_key=True),
    _text("element"),
    _text("code"),
    _text("message"),
    sa.Column("job_id", sa.Text),
    sa.Column("raised_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.Column("resolved_by", sa.Text),
    _text("reason"),
)

decisions = sa.Table(
    "decisions",
    metadata,
    _case(),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    _text("element"),
    _text("decision"),
    sa.Column("matched", Document, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index(None, "decision"),
)

notifications = sa.Table(
    "notifications",
    metadata,
    _case(),
    sa.Column("number", sa.Text, primary_key=True),  # the id of the job that wrote it, and its place in it
    _text("recipient_kind"),  # group, user
    _text("recipient"),
    _text("template"),
    sa.Column("content", Document, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index(None, "recipient_kind", "recipient", "created_at"),
)

places = sa.Table(
    "places",
    metadata,
    _case(),
    *map(_text, ("batch", "authority", "track")),  # whose quota it is of
    _count("number"),
    _flag("kept"),  # a title was won with it: it stays taken when the case is over
    sa.Index("ux_places_number", "batch", "authority", "track", "number", unique=True),
)

READ_MODELS = (cases, tasks, candidates, timers, jobs, incidents, decisions, notifications, places)

# --- leases: who is at work on what is due; lost without harm
leases = sa.Table(
    "leases",
    metadata,
    _case(),
    sa.Column("item", sa.Text, primary_key=True),  # a timer id, a job id or the number of a dispatch
    _text("holder"),
    sa.Column("until", Moment, nullable=False),
    _count("fence"),
    sa.Column("failures", sa.Integer, nullable=False, default=0, server_default="0"),  # in a row
    sa.Column("trouble", sa.Text, nullable=False, default="", server_default=""),  # what the last one said
    sa.Column("set_aside_at", Moment),  # tried no more until a person says so
)
_IS_ASIDE = leases.c.set_aside_at.is_not(None)
sa.Index(
    "ix_leases_rare_set_aside", leases.c.set_aside_at, postgresql_where=_IS_ASIDE, sqlite_where=_IS_ASIDE
)

# --- records that the journal does not hold ----------------------------------------------------------

operations = sa.Table(
    "operations",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", Moment, nullable=False),
    _text("actor"),
    sa.Column("on_behalf_of", sa.Text),
    _text("action"),
    _text("entity"),
    sa.Column("case_id", sa.Text),
    _text("reason"),
    _text("request_id"),
    sa.Column("old", Document),
    sa.Column("new", Document),
    sa.Index(None, "case_id"),
)

drafts = sa.Table(
    "drafts",
    metadata,
    _case(),
    sa.Column("task_id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("values", Document, nullable=False),
    _count("revision"),
    sa.Column("saved_at", Moment, nullable=False),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("request_digest"),
    sa.Column("answer", Document, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index(None, "at"),
)

echoes = sa.Table(
    "echoes",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),  # the job of the letter that set the others off
    _count("deliveries"),
)

case_numbers = sa.Table(
    "case_numbers",
    metadata,
    sa.Column("prefix", sa.Text, primary_key=True),
    _count("last"),
)

# --- the process library -----------------------------------------------------------------------------

blobs = sa.Table(
    "blobs",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

definitions = sa.Table(
    "definitions",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    _text("digest"),
    _text("name"),
    _text("name_en"),
    sa.Column("files", Document, nullable=False),  # path → blob digest
    _text("state"),  # live, retired
    _text("author"),
    sa.Column("approved_by", sa.Text),
    _text("published_by"),
    sa.Column("published_at", Moment, nullable=False),
    sa.Column("effective_from", Moment, nullable=False),
    sa.Column("release_id", sa.Text),
    sa.Index(None, "key", "digest"),
)

definition_drafts = sa.Table(
    "definition_drafts",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    _count("revision"),
    sa.Column("base", sa.Integer),
    sa.Column("files", Document, nullable=False),
    _text("author"),
    _text("changed_by"),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("authors", Document, nullable=False),  # everybody whose hand is in it
    _text("state"),  # editing, submitted, approved
    sa.Column("submitted_by", sa.Text),
    sa.Column("submitted_at", Moment),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", Moment),
    sa.Column("approved_revision", sa.Integer),
    _text("note"),
    sa.Column("accepted", Document),  # warnings accepted in writing: rule and element → why
)

draft_revisions = sa.Table(
    "draft_revisions",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("started_at", Moment, primary_key=True),  # which draft of this key, for there may be many
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("files", Document, nullable=False),
    _text("author"),
    sa.Column("at", Moment, nullable=False),
)

releases = sa.Table(
    "releases",
    metadata,
    sa.Column("release_id", sa.Text, primary_key=True),
    _text("key"),
    _count("version"),
    sa.Column("base", sa.Integer),
    _text("author"),
    sa.Column("submitted_by", sa.Text),
    sa.Column("approved_by", sa.Text),
    _text("published_by"),
    sa.Column("published_at", Moment, nullable=False),
    sa.Column("effective_from", Moment, nullable=False),
    _text("note"),
    sa.Column("accepted", Document),
    sa.Column("changed_files", Document, nullable=False),
    sa.Index(None, "key", "version"),
)


def open_database(url: str, **options: Any) -> sa.Engine:
    """The database at `url`, SQLite or PostgreSQL, opened for durable work. Raises ValueError for others."""
    return connect(url, **options)


def reading(database: sa.Engine) -> sa.Connection:
    """A connection that only reads: on SQLite it does not take the lock of writers."""
    return database.connect().execution_options(reading=True)


def migrate(database: sa.Engine) -> None:
    """Bring the schema to the newest version. Safe to repeat and to run twice at once."""
    from alembic.command import upgrade  # half of a cold start, and only needed here

    with database.begin() as connection:
        take_turns(connection)
        schema.take_over(connection)
        upgrade(alembic_config(connection), "head")


def take_turns(connection: sa.Connection) -> None:
    """Wait, until this transaction ends, for whoever else changes what all cases share: the schema, the
    library, the rounds. On SQLite every writer waits for every other already."""
    wait_patiently(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7201965)"))


def alembic_config(connection: sa.Connection) -> Any:
    """Alembic's configuration over an open connection: the migrations stand beside this folder."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["connection"] = connection
    return config
