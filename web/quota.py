"""How many cases one person may start in an hour: a program gone wild fills no inbox."""

from __future__ import annotations

from flask import Response, g

from web.context import actor, rooms
from web.guard import limiter

STARTED = {201, 303}


def _an_hour() -> str:
    return f"{rooms().settings.starts_per_hour} per hour"


def _is_a_start(response: Response) -> bool:
    """What was refused, redrawn or told again started nothing."""
    return response.status_code in STARTED and not g.get("is_replayed")


def _nobody() -> str:
    return "public"


starts = limiter.shared_limit(_an_hour, scope="starts", key_func=lambda: actor().id, deduct_when=_is_a_start)
"""Stands over a route that starts a case; past the limit it answers 429 RATE_LIMITED."""

public_starts = limiter.shared_limit(
    _an_hour, scope="public starts", key_func=_nobody, deduct_when=_is_a_start
)
"""The same for all who have no account together."""
