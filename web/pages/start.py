"""The first page after signing in: where each kind of user has work."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from web.context import who
from web.menu import menu

pages = Blueprint("start", __name__)


@pages.get("/")
def show() -> Response:
    actor = who()
    if actor is None:
        return redirect(url_for("login.show"), 303)
    if actor.level == "unit":
        return redirect(url_for("cases.mine"), 303)
    return redirect(menu()[0].href, 303)
