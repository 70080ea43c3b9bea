"""Is it alive, is it ready, what does it measure: for operators and their machines."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from web.answers import moment
from web.context import rooms
from web.guard import registry
from workflows import condition

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def alive() -> Response:
    return jsonify(status="ok")


@pages.get("/readyz")
def ready() -> tuple[Response, int] | Response:
    """200 while requests are worth sending: `ok`, or `read-only` if the last change met a full or failing
    disk. `database` names the release, for not all of SQLite's are safe."""
    try:
        with rooms().database.connect().execution_options(reading=True) as connection:
            connection.execute(sa.text("SELECT count(*) FROM cases WHERE case_id = ''"))
            kind = condition.release(connection)
    except sa.exc.SQLAlchemyError:
        return jsonify(status="unavailable", missing="database"), 503
    writing = rooms().writing
    if writing.refused:  # still 200: who reads is served, and would not be if no requests came any more
        return jsonify(status="read-only", code=writing.refused, since=moment(writing.since), database=kind)
    return jsonify(status="ok", database=kind)


@pages.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
