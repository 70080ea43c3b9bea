"""What every row of a case repeats from its first entry: who applies, where, in which batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine import events as ev
from engine.definition.shapes import Drawing
from engine.events import Entry

Row = dict[str, Any]
CONFINED = "participants"
"""What the property `sight` of a process says if nobody may see its cases by office."""


def is_confined(drawing: Drawing) -> bool:
    """Whether cases of this drawing are for those alone who have a part in them."""
    return drawing.properties.get("sight") == CONFINED


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What every row of a case repeats: who applies, where, in which batch, on which version."""

    case_id: str
    process: str
    pins: Mapping[str, str]
    unit: Mapping[str, Any]
    batch: Mapping[str, Any]
    started_at: datetime
    started_by: str

    @classmethod
    def of(cls, entry: Entry) -> Beginning:
        """From the entry that holds CaseStarted."""
        event = entry.event
        assert isinstance(event, ev.CaseStarted)
        return cls(
            case_id=entry.case_id,
            process=event.process,
            pins=event.pins,
            unit=_context(event.values.get("unit"), event.unit),
            batch=_context(event.values.get("batch"), event.batch),
            started_at=entry.at,
            started_by=entry.who.actor,
        )

    def text(self, part: str, name: str) -> str:
        """A text of the unit or the batch, empty where there is none."""
        value = getattr(self, part).get(name)
        return value if isinstance(value, str) else ""

    @property
    def shared(self) -> Row:
        """The columns that cases and tasks have in common."""
        return {
            "unit_id": self.text("unit", "id"),
            "unit_name": self.text("unit", "name"),
            "authority": self.text("unit", "authority"),
            "authority_name": self.text("unit", "authority_name"),
            "batch_id": self.text("batch", "id"),
            "batch_name": self.text("batch", "name"),
        }

    @property
    def marks(self) -> list[str]:
        """What the unit is known by, its legal representative included: conflicts of interest ask for it."""
        keys = ("id", "name", "name_en", "uscc", "legal_representative")
        return sorted({text for key in keys if (text := self.text("unit", key))})

    @property
    def search(self) -> str:
        """What a free-text search looks at, in lower case."""
        names = [self.text("unit", key) for key in ("name", "name_en", "uscc")]
        return " ".join([self.case_id, *names, self.text("batch", "name")]).lower()


def _context(value: Any, its_id: str | None) -> Mapping[str, Any]:
    """The context as the journal holds it; `@context` wraps one whose only name begins with @."""
    if isinstance(value, Mapping):
        inner = value.get("@context", value)
        return inner if isinstance(inner, Mapping) else {}
    return {"id": its_id} if its_id else {}
