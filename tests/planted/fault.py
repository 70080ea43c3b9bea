"""What a planted fault is: a story, a few texts of the house with what takes their place, and who notices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class DoesNotFit(Exception):
    """The house has changed: the text that a fault takes the place of is not there exactly once."""


@dataclass(frozen=True)
class Change:
    """In `file` the text `old`, which stands there once, gives way to `new`."""

    file: str
    old: str
    new: str

    def applied(self, checkout: Path) -> str:
        """The text of the file with the fault in it. Raises DoesNotFit."""
        text = (checkout / self.file).read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != 1:
            raise DoesNotFit(f"{self.file} holds {found} times, not once: {self.old.strip().splitlines()[0]}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One mistake that somebody could make. Every test of `noticed_by` must turn red by it."""

    name: str
    story: str
    changes: tuple[Change, ...]
    noticed_by: tuple[str, ...]

    def plant(self, checkout: Path) -> None:
        """Make the mistake in this copy of the house. Raises DoesNotFit."""
        for change in self.changes:
            (checkout / change.file).write_text(change.applied(checkout), encoding="utf-8")
