"""How much an expression may cost, and the error that says it was too much."""

from __future__ import annotations

from engine.errors import EngineError

STEPS = 500_000
DEPTH = 400
LIST_SIZE = 100_000
TEXT_SIZE = 1_000_000
WARNINGS = 100


class ExpressionError(EngineError):
    """An expression that cannot be read or must not go on; `name` is stable, `position` counts from 0.

    Names: syntax, syntax.size, syntax.depth, budget.steps, budget.depth, budget.list, budget.text,
    now, temporal.range, regex.unsupported, hit-policy.* …
    """

    def __init__(self, name: str, message: str, *, position: int | None = None) -> None:
        super().__init__(f"{message} [{name}]")
        self.name = name
        self.message = message
        self.position = position


class Budget:
    """The steps, sizes and depth one evaluation may use, and the `warnings` that explain its nulls.

    A step is one node of the expression evaluated inside a loop or a function; a condition without
    loops costs none, because the size of its text already bounds it.
    """

    __slots__ = ("depth", "list_size", "steps", "text_size", "warnings")

    def __init__(
        self,
        *,
        steps: int = STEPS,
        depth: int = DEPTH,
        list_size: int = LIST_SIZE,
        text_size: int = TEXT_SIZE,
    ) -> None:
        self.steps = steps
        self.depth = depth
        self.list_size = list_size
        self.text_size = text_size
        self.warnings: list[str] = []

    def spend(self, amount: int) -> None:
        """Use up `amount` steps. Raises ExpressionError budget.steps."""
        self.steps -= amount
        if self.steps < 0:
            raise ExpressionError("budget.steps", "the expression takes too many steps")

    def check_list(self, size: int) -> None:
        """Pay for a list of `size` items. Raises ExpressionError budget.list."""
        if size > self.list_size:
            raise ExpressionError("budget.list", f"a list of more than {self.list_size} items")
        self.spend(size)

    def check_text(self, size: int) -> None:
        """Pay for a text of `size` characters. Raises ExpressionError budget.text."""
        if size > self.text_size:
            raise ExpressionError("budget.text", f"a text of more than {self.text_size} characters")
        self.spend(size // 50)

    def enter(self, depth: int) -> None:
        """Go `depth` levels deeper, until `leave`. Raises ExpressionError budget.depth."""
        self.depth -= depth
        if self.depth < 0:
            raise ExpressionError("budget.depth", "functions call each other too deeply")

    def leave(self, depth: int) -> None:
        """Come back from `enter`."""
        self.depth += depth

    def warn(self, message: str) -> None:
        """Remember why a value became null; the first hundred are kept."""
        if len(self.warnings) < WARNINGS:
            self.warnings.append(message)
