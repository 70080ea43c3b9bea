"""How many requests are at work at once and how many wait; whoever comes then is told to come again.

Each kind of request has a lane of its own, so that inboxes open while completions queue, and a crowd at the
login stops neither. Nothing of a request that is sent away was done: it costs no look at the database.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import BoundedSemaphore

import sqlalchemy as sa
from flask import Flask, Request, Response, current_app, g, request

from engine.errors import Rejected
from web import measures
from web.problems import answer_refusal
from web.settings import Settings

EXTENSION = "tidu.lanes"
FREE = frozenset({"static", "health", "api-docs"})
"""Blueprints whose requests wait for nobody: who looks whether the house is well must get in."""

READING = frozenset({"GET", "HEAD", "OPTIONS"})
UPLOADS = 4
LARGE = 1024 * 1024
"""A body of so many bytes, or of unknown length, is an upload: its sender may be slow."""

SIGN_INS = 2
"""Each takes 64 MB and a tenth of a second of a processor: more at once would only be slower."""

RETRY_AFTER = 5
SPARE = 4
"""Threads for those who wait for nobody."""


@dataclass(frozen=True)
class Lane:
    """So many at work at once, so many waiting for their turn, for so many seconds at the longest."""

    name: str
    at_work: int
    waiting: int
    patience: float
    _places: BoundedSemaphore = field(init=False, repr=False)
    _turns: BoundedSemaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", BoundedSemaphore(self.at_work + self.waiting))
        object.__setattr__(self, "_turns", BoundedSemaphore(self.at_work))

    def enter(self) -> None:
        """Wait for a turn. Raises Rejected OVERLOADED when too many wait already, or it takes too long."""
        if not self._places.acquire(blocking=False):
            self._send_away(f"{self.waiting} others wait already")
        began = time.perf_counter()
        if not self._wait():
            self._places.release()
            self._send_away(f"no turn came in {self.patience:g} s")
        measures.turn_seconds.labels(self.name).observe(time.perf_counter() - began)
        measures.at_work.labels(self.name).inc()

    def leave(self) -> None:
        """The turn is over: the next one's begins."""
        measures.at_work.labels(self.name).dec()
        self._turns.release()
        self._places.release()

    def _wait(self) -> bool:
        if self._turns.acquire(blocking=False):
            return True
        with measures.waiting.labels(self.name).track_inprogress():
            return self._turns.acquire(timeout=self.patience)

    def _send_away(self, why: str) -> None:
        measures.shed_total.labels(self.name).inc()
        raise overloaded(f"too many requests of the lane {self.name} at once: {why}")


def overloaded(message: str) -> Rejected:
    """The refusal of a request of which nothing was done."""
    return Rejected(message, code="OVERLOADED", retry_after=RETRY_AFTER)


def lanes_of(settings: Settings) -> dict[str, Lane]:
    """The lanes of one server process, by name."""
    sizes = {"reads": settings.reads, "writes": settings.writes, "uploads": UPLOADS, "sign_ins": SIGN_INS}
    patience = settings.patience_seconds
    return {name: Lane(name, size, settings.waiting, patience) for name, size in sizes.items()}


def threads_for(settings: Settings) -> int:
    """So many threads a server process needs for everybody at work, everybody waiting, and a few more."""
    return SPARE + sum(lane.at_work + lane.waiting for lane in lanes_of(settings).values())


def install(app: Flask, settings: Settings) -> None:
    """Open the lanes, and answer for what runs short all the same."""
    app.extensions[EXTENSION] = lanes_of(settings)
    app.teardown_request(leave)
    app.register_error_handler(MemoryError, _short_of)
    app.register_error_handler(sa.exc.TimeoutError, _short_of)


def enter() -> None:
    """Wait for this request's turn. Raises Rejected OVERLOADED."""
    if name := lane_of(request):
        lane: Lane = current_app.extensions[EXTENSION][name]
        lane.enter()
        g.lane = lane


def leave(_error: BaseException | None) -> None:
    """Whatever came of the request, its turn is over."""
    if lane := g.pop("lane", None):
        lane.leave()


def lane_of(asked: Request) -> str:
    """The lane of a request; empty for those who wait for nobody."""
    if asked.endpoint is None or asked.endpoint.partition(".")[0] in FREE:
        return ""
    if asked.method in READING:
        return "reads"
    if asked.endpoint == "login.sign_in":
        return "sign_ins"
    return "uploads" if _is_large(asked) else "writes"


def _is_large(asked: Request) -> bool:
    """Whether the body is an upload; one whose length nobody told may become one."""
    if asked.content_length is None:
        return "Transfer-Encoding" in asked.headers
    return asked.content_length > LARGE


def _short_of(error: Exception) -> Response:
    """Memory, or a connection to the database, was not to be had in time; its transaction is undone."""
    return answer_refusal(overloaded(f"{type(error).__name__}: {error}"))
