"""What people have made up their minds about; everything else they decide as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.values import Value
from workflows.demo import province
from workflows.demo.affairs import LAST_YEAR
from workflows.demo.chance import Chance
from workflows.demo.crew import Crew
from workflows.demo.letterhead import Office
from workflows.demo.stock import FIRST_TRACK, Stock
from workflows.demo.years import BATCHES, Batch
from workflows.register.calendar import local_day

Values = dict[str, Any]

UPWARDS = {
    "n_select": "shortlisted",
    "n_municipal_review": "recommended",
    "n_recommend": "recommended_up",
    "n_ministry_review": "proposed",
}
"""What leads to the national list, while there is room on it."""

FIRST_UNIT = "u01"
"""Whose application is the first, fully filled one."""

FILED_WITHIN = timedelta(days=45)
"""So long units have for the form of the ministry."""

SPARED = {"rm_decide": "kept", "ar_opine": "kept", "re_decide": "kept", "ch_decide": "kept"}
"""What becomes of national titles in the last year, when the ministry's list is closed."""

OF_CHANGES = {
    "rename": "rename",
    "address": "none",
    "scope": "material",
    "boundary": "material",
    "restructuring": "merger",
    "stopped": "stopped",
    "leaving": "leaving",
}
"""What a municipality makes of a change that a unit reports."""

INSISTED: Mapping[str, Mapping[str, tuple[str | None, Values]]] = {
    "removal": {
        "rm_confirm": ("confirmed", {"accident_class": "major"}),
        "rm_examine": (None, {"proposal": "remove", "reason": "事实清楚，证据充分，建议移出。"}),
        "rm_decide": ("removed", {}),
    },
    "rename_banned": {"ch_classify": ("rename", {}), "ch_verify": ("verified", {})},
    "rename": {"ch_classify": ("rename", {}), "ch_verify": ("verified", {})},
    "complaint": {"cpl_check": ("accepted", {"identity_verified": True, "evidence_enough": True})},
}
"""What is bound to happen in the affairs of a kind: the button and some fields, by element."""


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A button and fields; `alone` means that nothing else is filled in but what the form asks for."""

    outcome: str | None = None
    values: Values = field(default_factory=dict)
    alone: bool = False


class Will:
    """Whatever is no matter of chance: the stock to be reached, the story of an affair."""

    def __init__(self, crew: Crew, stock: Stock) -> None:
        self._crew = crew
        self._stock = stock
        self.kinds: dict[str, str] = {}
        """The kind of affair of a case, by its id."""
        self.partners: dict[str, str] = {}
        """The unit that another becomes part of, by case."""
        self.first: set[str] = set()
        """Cases that a meeting selects before all others."""

    def office(self, context: Mapping[str, Value], chance: Chance, now: datetime) -> Office:
        """Whose letterhead is written on."""
        unit = context.get("unit")
        named = unit.get("authority") if isinstance(unit, Mapping) else context.get("plan_authority")
        code = str(named or "")
        body = self._crew.office(code)
        return Office(authority=code, body=body, today=local_day(now), chance=chance.about("letterhead"))

    def resolve(
        self, case_id: str, element: str, context: Mapping[str, Value], *, number: int, now: datetime
    ) -> Resolved:
        """What is settled about a task."""
        batch = BATCHES.get(number)
        if element == "bat_meeting" and batch is not None:
            return Resolved(values=self._met(batch, context, now), alone=True)
        if (own := province.answers(batch, element, context, now)) is not None:
            return Resolved(values=own, alone=True)
        if element == "n_call":
            return Resolved(outcome="open", values={"cutoff": f"{local_day(now) + FILED_WITHIN}"})
        if element.startswith("n_"):
            return Resolved(outcome=self._national(element, context, number, now))
        return self._affair(case_id, element, context, now)

    def _met(self, batch: Batch, context: Mapping[str, Any], now: datetime) -> Values:
        on, candidates = local_day(now), context["candidates"]
        missing = self._stock.missing(on, batch.share)
        barred = frozenset(
            row["case"] for row in candidates if self._stock.is_barred(row["unit"], row["track"], on)
        )
        is_last = batch.year >= LAST_YEAR
        rows = province.decided(candidates, missing, first=frozenset(self.first), barred=barred, last=is_last)
        return {**province.met(batch, now), "rows": rows}

    def _national(self, element: str, context: Mapping[str, Any], number: int, now: datetime) -> str | None:
        """Whether there is room on the ministry's list; the first case has its place there."""
        if number == 0:
            return None
        track = str(context["track"]["id"])
        reserved = int(track == FIRST_TRACK and not self._first_is_there(now))
        room = self._stock.has_room(track, local_day(now), reserved=reserved)
        if element == "n_list" and room is not None:
            return "designated" if room else "not_selected"
        return UPWARDS.get(element) if room else None

    def _first_is_there(self, now: datetime) -> bool:
        return "national" in self._stock.levels_of(FIRST_UNIT, FIRST_TRACK, local_day(now))

    def _affair(self, case_id: str, element: str, context: Mapping[str, Any], now: datetime) -> Resolved:
        if element in SPARED and _is_spared(context, now):
            return Resolved(outcome=SPARED[element])
        kind = self.kinds.get(case_id, "")
        if element == "ch_merge":
            partner = self.partners.get(case_id)
            into = {"into": partner, "titles": "carry"} if partner else {}
            return Resolved(outcome="merged" if partner else "not_merged", values=into)
        if element == "ch_classify" and context.get("type") in OF_CHANGES:
            return Resolved(outcome=OF_CHANGES[context["type"]])
        outcome, values = INSISTED.get(kind, {}).get(element, (None, {}))
        if element == "cpl_check":
            values = {
                **values,
                "target": context.get("reported_name"),
                "released_facts": "反映能源数据不实。",
            }
        return Resolved(outcome=outcome, values=dict(values))


def _is_spared(context: Mapping[str, Any], now: datetime) -> bool:
    return context.get("level") == "national" and local_day(now).year >= LAST_YEAR
