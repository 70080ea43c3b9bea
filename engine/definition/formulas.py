"""A value as the drawing writes it: fixed text, or FEEL after an equals sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.feel import Expression, parse
from engine.values import Value


@dataclass(frozen=True)
class Formula:
    """What stands at one attribute; `error` says why an expression cannot be read."""

    text: str
    expression: Expression | None = None
    error: str = ""

    def value(
        self,
        context: Mapping[str, Value],
        *,
        functions: Mapping[str, Callable[..., Value]],
        now: datetime,
        budget: Budget,
    ) -> Value:
        """The text itself, or what the expression makes of `context`.

        Raises ExpressionError when the budget is used up or a moment cannot be represented.
        """
        if self.expression is None:
            if self.error:
                raise ExpressionError("syntax", self.error)
            return self.text
        return self.expression.evaluate(context, functions=functions, now=now, budget=budget)


def feel(text: str) -> Formula:
    """An expression; the equals sign in front may be left out."""
    body = text.strip()
    body = body[1:] if body.startswith("=") else body
    try:
        return Formula(text=text.strip(), expression=parse(body))
    except ExpressionError as error:
        return Formula(text=text.strip(), error=str(error))


def drawn(text: str | None) -> Formula | None:
    """Zeebe's convention: an expression if it begins with an equals sign, else fixed text."""
    if text is None or not text.strip():
        return None
    return feel(text) if text.strip().startswith("=") else Formula(text=text.strip())
