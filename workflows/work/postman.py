"""Carries what lies in the outbox out of the house: at least once, in turn, and never for ever in vain."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from workflows.store.leases import Lease, give_back, is_still_held, pause, take
from workflows.store.tables import leases
from workflows.transaction.outbox import delivery_log, outbox

LOG = logging.getLogger("tidu.postman")
LEASE = timedelta(minutes=5)
LONGEST_SENDING = timedelta(minutes=1)
"""A sender gives up before; so a lease that lasts longer than this is long enough for one more."""

MOST_ATTEMPTS = 15
"""With the pauses between them about a day; then a person must look."""

AT_ONCE = 50
OF_ONE_OUTLET = 10
LANES = 8
ROUNDS = 200
LONGEST_ANSWER = 500


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """One thing that leaves the house. `key` is the same at every attempt: the receiver can tell by it."""

    case_id: str
    number: str
    channel: str
    outlet: str
    address: str
    content: Mapping[str, Any]
    attempts: int

    @property
    def key(self) -> str:
        return f"{self.case_id}.{self.number}"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the other side said: `status` in its protocol's word, `answer` in its own.

    `is_hopeless`: it said so for good, and only of this dispatch.
    """

    is_sent: bool
    status: str
    answer: str = ""
    is_hopeless: bool = False


Send = Callable[[Dispatch], Receipt]
"""Sends one dispatch within a minute; whatever it raises is a failed attempt."""


@dataclass(frozen=True, kw_only=True)
class Posted:
    """What one tick did; `failed` counts attempts."""

    sent: int = 0
    failed: int = 0


class Postman:
    """Any number may carry: what is due is leased. An outlet that fails keeps none of the others waiting."""

    def __init__(
        self,
        database: sa.Engine,
        send: Mapping[str, Send],
        *,
        clock: Callable[[], datetime],
        name: str = "postman",
    ) -> None:
        """`send` has a sender for each channel; what goes by another one stays where it is."""
        self._database = database
        self._send = dict(send)
        self._clock = clock
        self._name = name

    def tick(self) -> Posted:
        """Send everything due. An outlet at which an attempt failed is left alone until the next tick."""
        resting: set[str] = set()
        sent = failed = 0
        with ThreadPoolExecutor(LANES) as lanes:
            for _ in range(ROUNDS):
                by_outlet = self._due(resting)
                if not by_outlet:
                    break
                for outlet, done in zip(by_outlet, lanes.map(self._in_turn, by_outlet.values()), strict=True):
                    sent += done.sent
                    failed += done.failed
                    resting |= {outlet} if done.failed else set()
        return Posted(sent=sent, failed=failed)

    def _due(self, resting: set[str]) -> dict[str, list[tuple[Lease, Dispatch]]]:
        now = self._clock()
        with self._database.begin() as connection:
            asked = {"now": now, "channels": sorted(self._send), "resting": sorted(resting)}
            due = [(row.case_id, row.number) for row in connection.execute(_DUE, asked)]
            got = take(connection, due, holder=self._name, now=now, span=LEASE)
            waiting = _still_waiting(connection, got)
        pairs = [(lease, waiting[name]) for lease in got if (name := (lease.case_id, lease.item)) in waiting]
        pairs.sort(key=lambda pair: pair[1].outlet)
        return {outlet: list(those) for outlet, those in groupby(pairs, key=lambda pair: pair[1].outlet)}

    def _in_turn(self, leased: list[tuple[Lease, Dispatch]]) -> Posted:
        """One after the other through one outlet, until one fails there or the leases grow short."""
        begun, sent, failed = self._clock(), 0, 0
        for place, (lease, dispatch) in enumerate(leased):
            at = self._clock()
            if at + LONGEST_SENDING > begun + LEASE:
                self._leave(leased[place:], at)
                break
            receipt = self._attempt(dispatch)
            self._note(lease, dispatch, receipt, at)
            sent, failed = sent + receipt.is_sent, failed + (not receipt.is_sent)
            if not receipt.is_sent and not receipt.is_hopeless:
                self._leave(leased[place + 1 :], at)
                break
        return Posted(sent=sent, failed=failed)

    def _attempt(self, dispatch: Dispatch) -> Receipt:
        try:
            return self._send[dispatch.channel](dispatch)
        except Exception as error:
            LOG.exception("%s could not be sent", dispatch.key)
            return Receipt(is_sent=False, status=type(error).__name__, answer=str(error))

    def _leave(self, leased: Iterable[tuple[Lease, Dispatch]], now: datetime) -> None:
        with self._database.begin() as connection:
            give_back(connection, (lease for lease, _ in leased), now=now)

    def _note(self, lease: Lease, dispatch: Dispatch, receipt: Receipt, at: datetime) -> None:
        """The attempt is logged in any case; what follows from it is the business of who holds the lease."""
        now = self._clock()
        mine = (outbox.c.case_id == dispatch.case_id) & (outbox.c.number == dispatch.number)
        with self._database.begin() as connection:
            connection.execute(delivery_log.insert(), _line(lease, receipt, at, now))
            if is_still_held(connection, lease):
                still_waits = mine & (outbox.c.state == "waiting")
                after = _after(dispatch, receipt, now)
                connection.execute(sa.update(outbox).where(still_waits).values(**after))
                give_back(connection, [lease], now=now)


def _after(dispatch: Dispatch, receipt: Receipt, now: datetime) -> dict[str, Any]:
    """The columns of a dispatch after an attempt."""
    attempts = dispatch.attempts + 1
    if receipt.is_sent:
        return {"state": "sent", "attempts": attempts, "ended_at": now, "trouble": ""}
    trouble = _short(f"{receipt.status}: {receipt.answer}")
    if receipt.is_hopeless or attempts >= MOST_ATTEMPTS:
        LOG.error("%s is not tried any more: %s", dispatch.key, trouble)
        return {"state": "failed", "attempts": attempts, "trouble": trouble}
    next_at = now + pause(dispatch.key, dispatch.attempts)
    return {"attempts": attempts, "next_at": next_at, "trouble": trouble}


def _line(lease: Lease, receipt: Receipt, at: datetime, now: datetime) -> dict[str, Any]:
    return {
        "case_id": lease.case_id,
        "number": lease.item,
        "fence": lease.fence,
        "at": at,
        "outcome": "sent" if receipt.is_sent else "failed",
        "status": receipt.status,
        "answer": _short(receipt.answer),
        "milliseconds": max(0, round((now - at).total_seconds() * 1000)),
    }


def _short(text: str) -> str:
    """What a stranger said, as a database takes it."""
    return text.replace("\x00", "")[:LONGEST_ANSWER]


def _still_waiting(connection: sa.Connection, leased: Iterable[Lease]) -> dict[tuple[str, str], Dispatch]:
    """What was leased, read again: somebody may have sent it between our look and our lease."""
    names = [(lease.case_id, lease.item) for lease in leased]
    mine = sa.tuple_(outbox.c.case_id, outbox.c.number).in_(names)
    found = connection.execute(sa.select(outbox).where(mine, outbox.c.state == "waiting"))
    return {(row.case_id, row.number): _dispatch(row) for row in found}


def _dispatch(row: sa.Row[Any]) -> Dispatch:
    return Dispatch(
        case_id=row.case_id,
        number=row.number,
        channel=row.channel,
        outlet=row.outlet,
        address=row.address,
        content=row.content,
        attempts=row.attempts,
    )


def _build() -> sa.Select[Any]:
    """The next dispatches of each outlet; a webhook is told of a case in the order of its entries."""
    earlier = outbox.alias("earlier")
    before = sa.select(earlier.c.number).where(
        outbox.c.channel == "webhook",
        earlier.c.case_id == outbox.c.case_id,
        earlier.c.outlet == outbox.c.outlet,
        earlier.c.seq < outbox.c.seq,
        earlier.c.state.in_(("waiting", "failed")),
    )
    now: sa.BindParameter[datetime] = sa.bindparam("now", type_=outbox.c.next_at.type)
    taken = sa.select(leases.c.item).where(
        leases.c.case_id == outbox.c.case_id, leases.c.item == outbox.c.number, leases.c.until > now
    )
    place = sa.func.row_number().over(
        partition_by=outbox.c.outlet, order_by=(outbox.c.next_at, outbox.c.case_id, outbox.c.seq)
    )
    due = (
        sa.select(outbox.c.case_id, outbox.c.number, outbox.c.next_at, place.label("place"))
        .where(
            outbox.c.state == "waiting",
            outbox.c.next_at <= now,
            outbox.c.channel.in_(sa.bindparam("channels", expanding=True)),
            outbox.c.outlet.not_in(sa.bindparam("resting", expanding=True)),
            ~before.exists(),
            ~taken.exists(),
        )
        .subquery()
    )
    return sa.select(due).where(due.c.place <= OF_ONE_OUTLET).order_by(due.c.next_at).limit(AT_ONCE)


_DUE = _build()
