"""Sign in, sign out, choose a language."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session
from werkzeug.exceptions import UnprocessableEntity
from werkzeug.wrappers import Response

from engine.errors import Rejected
from web import auth, words
from web.context import who
from web.problems import refusal_of
from web.safe import safe_next

pages = Blueprint("login", __name__)


@pages.get("/login")
def show() -> str | Response:
    if who() is not None:
        return redirect(safe_next(request.args.get("next")), 303)
    return _form(account="", refused="")


@pages.post("/login")
def sign_in() -> Response | tuple[str, int]:
    account = request.form.get("account", "").strip()
    try:
        auth.sign_in(account, request.form.get("password", ""))
    except Rejected as refused:
        refusal = refusal_of(refused)
        return _form(account=account, refused=f"{refusal.title}：{refusal.detail}"), refusal.status
    return redirect(safe_next(request.form.get("next")), 303)


@pages.post("/logout")
def sign_out() -> Response:
    auth.sign_out()
    return redirect("/login", 303)


@pages.post("/language")
def choose_language() -> Response:
    if (chosen := request.form.get("language")) not in words.LANGUAGES:
        raise UnprocessableEntity
    session["language"] = chosen
    return redirect(safe_next(request.form.get("next")), 303)


def _form(*, account: str, refused: str) -> str:
    following = safe_next(request.values.get("next"))
    return render_template("login.html", account=account, refused=refused, next=following)
