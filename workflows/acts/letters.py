"""A letter: a message or a signal on its way from one case to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.case.case import Case
from engine.definition.beginnings import begun_by
from engine.definition.model import Definition
from engine.definition.shapes import MESSAGE_JOB
from engine.values import Value, from_json
from workflows.transaction.facts import case_row
from workflows.transaction.results import LASTING, Idempotency

ABOUT = "about"
"""By this name somebody of no unit says which unit a case is about: in a letter, or in a start form."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is delivered: `kind` is message or signal. `job_id` is the job that asked for it.

    `origin` is the job of the letter that set this one off, its own if none did.
    A case that it begins is about the same `unit`, in the same `batch` and for the same `applicant` as
    the case that sent it; a sender that is about no unit names the id of one in `about`.
    """

    kind: str
    name: str
    values: Mapping[str, Value]
    correlation: Value
    job_id: str
    origin: str
    sender: str
    unit: str | None
    batch: str | None
    applicant: str

    @property
    def is_echo(self) -> bool:
        """Whether another letter set it off, with no person and no wait between."""
        return self.origin != self.job_id

    def fits(self, case: Case) -> str:
        """How the case waits for it: `key` if by the very key, `open` if by none, else nothing."""
        if self.kind == "signal":
            return "open" if self.name in case.signals_awaited() else ""
        keys = [one.correlation for one in case.awaited() if one.message == self.name]
        if self.correlation is not None and self.correlation in keys:
            return "key"
        return "open" if None in keys else ""

    def begins_at(self, definition: Definition) -> str | None:
        """The element of a process that it begins a case at."""
        return next(iter(begun_by(definition.drawing, self.kind, self.name)), None)

    def once(self, receiver: str = "") -> Idempotency:
        """Delivered once for all, however often it is tried: a message to one, a signal to each receiver."""
        key = LASTING + (f"{self.job_id}/{receiver}" if self.kind == "signal" else self.job_id)
        return Idempotency(key=key, request_digest=self.job_id)


def letter_of(connection: sa.Connection, job: sa.Row[tuple[Any, ...]], origin: str) -> Letter:
    """The letter that a delivery job asks for."""
    kind = "message" if job.type == MESSAGE_JOB else "signal"
    told = {name: from_json(value) for name, value in job.inputs.items()}
    sender = case_row(connection, job.case_id)
    return Letter(
        kind=kind,
        name=str(told[kind]),
        values=told["values"],
        correlation=told.get("correlation"),
        job_id=job.job_id,
        origin=origin,
        sender=job.case_id,
        unit=sender["unit_id"] or _about(told["values"]),
        batch=sender["batch_id"] or None,
        applicant=sender["started_by"],
    )


def _about(values: Mapping[str, Value]) -> str | None:
    named = values.get(ABOUT)
    return named if isinstance(named, str) and named else None
