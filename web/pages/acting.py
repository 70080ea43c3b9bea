"""One act from a page: do it, say what came of it, and go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import flash, redirect
from werkzeug.wrappers import Response

from web import words
from web.pages.lines import group_names
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
    flash(f"{refusal.title}：{refusal.detail}{override_hint(refusal.facts)}", "danger")
    return refusal


def override_hint(facts: Mapping[str, Any]) -> str:
    """Who may allow an override from what was refused, if anybody may."""
    groups = facts.get("override_by")
    return words.say("。可由{groups}说明理由、准许一次例外。", groups=group_names(groups)) if groups else ""
