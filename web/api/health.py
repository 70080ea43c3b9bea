"""Is it alive, is it ready, what does it measure: for operators and their machines."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from web.context import rooms
from web.measures import registry

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def alive() -> Response:
    return jsonify(status="ok")


@pages.get("/readyz")
def ready() -> tuple[Response, int] | Response:
    try:
        with rooms().database.connect() as connection:
            connection.execute(sa.text("SELECT count(*) FROM cases WHERE case_id = ''"))
            behind = rooms().tidemarks.behind(connection)
    except sa.exc.SQLAlchemyError:
        return jsonify(status="unavailable", missing="database"), 503
    if behind is not None:
        return jsonify(status="unavailable", missing="acknowledged entries"), 503
    return jsonify(status="ok")


@pages.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
