"""How to use it, and how it can be used by everybody."""

from __future__ import annotations

from flask import Blueprint, render_template

pages = Blueprint("help", __name__)


@pages.get("/help")
def show() -> str:
    return render_template("help.html")
