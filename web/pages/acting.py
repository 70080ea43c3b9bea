"""One act from a page: do it, say what came of it, and go on."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect
from werkzeug.wrappers import Response

from web.problems import REFUSALS, Refusal, refusal_of


def act_and_tell(act: Callable[[], object], *, told: str, otherwise: str, then: str = "/inbox") -> Response:
    """On to `then` with the message `told`, or, refused, to `otherwise` with the reason."""
    try:
        act()
    except REFUSALS as refused:
        tell_refusal(refused)
        return redirect(otherwise, 303)
    flash(told, "success")
    return redirect(then, 303)


def tell_refusal(refused: Exception) -> Refusal:
    """Say on the next page what was refused and why, in the reader's language."""
    refusal = refusal_of(refused)
    flash(f"{refusal.title}：{refusal.detail}", "danger")
    return refusal
