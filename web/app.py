"""Put the house together: the only place that knows the clock, makes ids and wires the rooms."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, g, request

from web import audit, editor, guard, problems, proofs, words
from web.answers import Answers
from web.api import cases as api_cases
from web.api import (
    decisions,
    definitions,
    evidence,
    health,
    history,
    incidents,
    models,
    openapi,
    people,
    rule_sets,
    task_commands,
    tasks,
)
from web.api import outgoing as api_outgoing
from web.api import recommendations as api_recommendations
from web.api import register as api_register
from web.clock import DatabaseClock, time_of
from web.context import Rooms, who
from web.menu import menu
from web.pages import (
    apply,
    cases,
    figures,
    help,
    inbox,
    login,
    mending,
    notices,
    outgoing,
    recommendations,
    register,
    reports,
    rule_documents,
    rules,
    start,
    task,
)
from web.settings import Settings
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.library.trial.trial import Limits, Trial
from workflows.proof.checkpoints.keyring import Keyring
from workflows.proof.checkpoints.taking import Checkpoints
from workflows.proof.evidence import Store
from workflows.reading.history import History
from workflows.reading.inbox import Inbox
from workflows.store.tables import open_database
from workflows.store.tidemarks import open_tidemarks
from workflows.transaction.outbox import Outbox

API_ROOMS = (
    *(tasks, task_commands, definitions, api_cases, history),
    *(decisions, incidents, models, rule_sets, evidence, people, api_outgoing, api_register),
    api_recommendations,
)
PAGES = (
    *(health, login, start, inbox, task, apply, cases, notices, reports, register, figures, mending),
    *(outgoing, help),
    *(editor, rules, rule_documents, recommendations, audit, proofs),
)

log = logging.getLogger("tidu.web")

Clock = Callable[[], datetime]
NewCaseId = Callable[[str, datetime], str]


class House(Flask):
    """Flask, but for this: what is torn down behind an answer cannot take the answer back."""

    def do_teardown_request(self, *fault: Any) -> None:
        try:
            super().do_teardown_request(*fault)
        except Exception:
            log.exception("teardown of %s %s failed", request.endpoint, g.get("trace_id", ""))


def wall_clock() -> datetime:
    """The moment now; every command reads it once."""
    return datetime.now(UTC)


def new_seed() -> bytes:
    """What a key that signs checkpoints is made of."""
    return secrets.token_bytes(32)


def create_app(
    settings: Settings, *, clock: Clock | None = None, new_case_id: NewCaseId | None = None
) -> Flask:
    """The web application. Opens the database but changes nothing in it.

    Without a `clock` it goes by the database server's, on SQLite by this host's. `new_case_id(prefix, now)`
    mints the numbers of cases; without it the database counts them.
    """
    app = House("web", root_path=str(Path(__file__).parent))
    app.json = Answers(app)
    app.config.update(_config(settings))
    app.extensions["tidu"] = put_together(settings, clock=clock, new_case_id=new_case_id)
    logging.getLogger("tidu").setLevel(settings.log)
    guard.install(app, settings)
    openapi.install(app, [room.api for room in API_ROOMS])
    problems.install(app)
    _add_pages(app)
    _teach_templates(app)
    return app


def put_together(
    settings: Settings, *, clock: Clock | None = None, new_case_id: NewCaseId | None = None
) -> Rooms:
    """The rooms below the doors, wired to one database; the command line uses it as the pages do."""
    database = open_database(settings.database_url, pool_timeout=settings.patience_seconds)
    clock = clock or clock_of(database)
    catalog = Catalog(database, check=trial_within(settings.limits).check)
    tidemarks = open_tidemarks(settings.tidemarks_dir, socket.gethostname())
    commands = Commands(
        database,
        catalog,
        clock=clock,
        new_case_id=new_case_id,
        tidemarks=tidemarks,
        outbox=Outbox(mail=bool(settings.smtp_url)),
    )
    return Rooms(
        settings=settings,
        clock=clock,
        database=database,
        catalog=catalog,
        commands=commands,
        inbox=Inbox(database, catalog, clock=clock, live=commands.live),
        history=History(database, catalog),
        files=Store(settings.evidence_dir, largest=settings.max_upload_mb * 1024 * 1024),
        tidemarks=tidemarks,
        checkpoints=Checkpoints(database, Keyring(settings.ring_dir), clock=clock),
    )


def clock_of(database: sa.Engine) -> Clock:
    """The clock that decides what is due: the server's, so that no host with a wrong one fires too early. A
    database on SQLite lives on this host and has its clock."""
    return DatabaseClock(partial(time_of, database)) if database.dialect.name == "postgresql" else wall_clock


@cache
def trial_within(limits: Limits) -> Trial:
    """The warm processes of this server; one set, however many houses are put together in it."""
    return Trial(limits)


def _config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SESSION_COOKIE_NAME": "tidu_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_https,
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=settings.session_hours),
        "MAX_CONTENT_LENGTH": settings.max_upload_mb * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 4 * 1024 * 1024,
        "MAX_FORM_PARTS": 5_000,
        "PREFERRED_URL_SCHEME": "https" if settings.is_https else "http",
    }


def _add_pages(app: Flask) -> None:
    for room in PAGES:
        app.register_blueprint(room.pages)


def _teach_templates(app: Flask) -> None:
    app.jinja_env.globals["_"] = words.say
    app.jinja_env.filters.update(at=words.at, on=words.on, shown=words.shown, number=words.number)
    app.context_processor(_for_every_template)


def _for_every_template() -> dict[str, Any]:
    return {
        "who": who(),
        "menu": menu() if who() else [],
        "language": words.language(),
        "language_tag": words.LANGUAGES[words.language()],
        "here": request.full_path.rstrip("?") if request.method == "GET" else "/",
        "trace_id": g.get("trace_id", ""),
    }
