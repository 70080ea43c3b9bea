"""The description of the API (OpenAPI 3.1) and the page that shows it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint as Pages
from flask import Flask, Request, render_template
from flask_smorest import Api
from flask_smorest import Blueprint as Rest
from marshmallow import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from web.schemas import Problem

PREFIX = "/api/v1"
CONFIG = {
    "API_TITLE": "Tidu",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": PREFIX,
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "Executable green-manufacturing gradient cultivation of Gansu Province. "
            "Programs send a bearer token; browsers a session cookie and `X-CSRFToken`."
        },
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "tidu_session"},
            }
        },
        "security": [{"token": []}, {"session": []}],
    },
}

page = Pages("api_page", __name__)


class StrictParser(FlaskParser):
    """Reads bodies through the one strict reader of JSON, and nothing that is not called JSON."""

    def _raw_load_json(self, req: Request) -> Any:
        if req.content_length and not req.is_json:
            raise UnsupportedMediaType("send application/json")
        found = req.environ.get("tidu.json")
        return missing if found is None else found


class Room(Rest):
    """A flask-smorest blueprint whose arguments are read strictly."""

    ARGUMENTS_PARSER = StrictParser()


class Description(Api):
    """The API's description; errors are answered by `web.problems`, so it installs no handlers."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """Left empty on purpose: one room answers errors."""


def install(app: Flask, rooms: list[Rest]) -> None:
    """Serve the rooms of the API and their description."""
    app.config.update(CONFIG)
    description = Description(app)
    for room in rooms:
        description.register_blueprint(room)
    app.register_blueprint(page)


@page.get("/api")
def show() -> str:
    return render_template("api.html")
