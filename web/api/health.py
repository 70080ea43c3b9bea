"""Is it alive, is it ready, what does it measure: for operators and their machines."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from engine.errors import WrongState
from web.answers import moment
from web.context import now, rooms
from web.measures import registry
from workflows.store.leases import all_aside
from workflows.store.schema import require_current
from workflows.work import condition
from workflows.work.dispatches import counts

pages = Blueprint("health", __name__)
work = Gauge("tidu_work", "Work without a person that needs a look.", ["what"], registry=registry)


@pages.get("/healthz")
def alive() -> Response:
    return jsonify(status="ok")


@pages.get("/readyz")
def ready() -> tuple[Response, int] | Response:
    """200 while requests are worth sending: `ok`, or `read-only` if the last change met a full or failing
    disk. `database` names the release, for not all of SQLite's are safe."""
    try:
        with rooms().reading() as connection:
            require_current(connection)
            late = condition.late_work(connection, now=now())
            behind = rooms().tidemarks.behind(connection)
            kind = condition.release(connection)
    except WrongState:
        return jsonify(status="unavailable", missing="schema of this release"), 503
    except sa.exc.SQLAlchemyError:
        return jsonify(status="unavailable", missing="database"), 503
    if behind is not None:
        return jsonify(status="unavailable", missing="acknowledged entries"), 503
    writing = rooms().writing
    if writing.refused:  # still 200: who reads is served, and would not be if no requests came any more
        return jsonify(status="read-only", code=writing.refused, since=moment(writing.since), database=kind)
    if late:  # requests are answered all the same: whoever balances load must not turn away from us
        told = {"timers": late.timers, "jobs": late.jobs}
        return jsonify(status="degraded", late=told, database=kind)
    return jsonify(status="ok", database=kind)


@pages.get("/metrics")
def metrics() -> Response:
    _measure_work()
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _measure_work() -> None:
    """What an operator wants to be called for: what is late, what was set aside, what cannot leave."""
    with rooms().reading() as connection:
        late, unsent = condition.late_work(connection, now=now()), counts(connection)
        aside = len(all_aside(connection, limit=1_000))
    found = {"late_timers": late.timers, "late_jobs": late.jobs, "set_aside": aside}
    found |= {f"dispatches_{state}": number for state, number in unsent.items()}
    for what, number in found.items():
        work.labels(what).set(number)
