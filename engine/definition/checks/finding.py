"""How a rule says what it found, in two languages."""

from __future__ import annotations

from engine.errors import Problem


def error(element: str, rule: str, message: str, message_zh: str) -> Problem:
    """It cannot be deployed like this."""
    return Problem(element=element, rule=rule, severity="error", message=message, message_zh=message_zh)


def warning(element: str, rule: str, message: str, message_zh: str) -> Problem:
    """It can be deployed, but somebody should have looked at it."""
    return Problem(element=element, rule=rule, severity="warning", message=message, message_zh=message_zh)


def info(element: str, rule: str, message: str, message_zh: str) -> Problem:
    """Nothing is wrong, but somebody may want to know."""
    return Problem(element=element, rule=rule, severity="info", message=message, message_zh=message_zh)
