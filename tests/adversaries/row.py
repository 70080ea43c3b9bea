"""One row of the table of adversaries: what is sent, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.engine.drawing import Drawing

Files = Mapping[str, bytes]
KEY = "attack"
"""The process id of every drawing that is sent."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What is sent: a package, or an archive of one; then a case with these values, and these steps.

    A step is ("complete", element, values), ("message", name, values), ("pass", duration) or
    ("finish", element, result).
    """

    files: Files = field(default_factory=dict)
    archive: bytes | None = None
    called: tuple[Files, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """`expect` lists what may come of it: `refused:rule`, `rejected:CODE`, `incident:CODE`, `completed:`,
    `active:`; what stands behind the colon must stand in what is told. `seconds` are of work, `mb` what
    it may hold beyond what the house held before."""

    id: str
    attack: Callable[[], Attack]
    expect: tuple[str, ...]
    seconds: float = 2
    mb: int = 200

    def allows(self, outcome: str) -> bool:
        """Whether this may come of it."""
        return any(_fits(expected, outcome) for expected in self.expect)


def _fits(expected: str, outcome: str) -> bool:
    kind, _, told = outcome.partition(":")
    wanted, _, part = expected.partition(":")
    return kind == wanted and part in told


def drawn(drawing: Drawing, *called: Drawing, dmn: Files | None = None, **more: Any) -> Attack:
    """A drawing as a package, with packages it calls."""
    return Attack(
        files={"process.bpmn": drawing.xml, **(dmn or {})},
        called=tuple({"process.bpmn": one.xml} for one in called),
        **more,
    )


def sent(text: bytes | str, **more: Any) -> Attack:
    """A text as process.bpmn."""
    return Attack(files={"process.bpmn": text.encode() if isinstance(text, str) else text}, **more)
