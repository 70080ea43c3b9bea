"""One commit for many commands: those that come while a commit runs share the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock

import sqlalchemy as sa

from engine.errors import StaleCase, WrongState
from engine.replay import LiveCases
from engine.tables import is_held_up, require_certain
from workflows.actors.policy import Actor
from workflows.library.catalog import Catalog
from workflows.store.schema import require_ours
from workflows.store.tables import idempotency, operations
from workflows.store.tidemarks import Mark, Tidemarks, marks_of
from workflows.transaction.change import Change, Page, one_at_a_time, operation
from workflows.transaction.outbox import Outbox
from workflows.transaction.repetition import Known, answered_before, look_up, remember_answer
from workflows.transaction.results import Idempotency, Result

ATTEMPTS = 5
MOST = 64
"""So many commands share a commit at most: the last of them waits for the work of all."""

TANGLED = frozenset({"40001", "40P01"})
"""PostgreSQL's codes for transactions that stood in each other's way."""

RETRY_AFTER = 1
"""Seconds after which whoever was held up may ask again."""

ONCE = Idempotency()
"""A request that carries no key and is not expected to be repeated."""

Work = Callable[[Change], Result]


@dataclass(frozen=True, kw_only=True)
class Act:
    """What is being done to what, for the turn-taking, the record and the repetition."""

    action: str
    entity: str
    actor: Actor
    case_id: str | None = None
    reason: str = ""
    request: Idempotency = ONCE


@dataclass(kw_only=True, eq=False)
class Asked:
    """One command on its way: what is to be done, and what became of it.

    Result and error are provisional until it `is_settled`: only then has its transaction ended.
    """

    act: Act
    work: Work
    now: datetime
    change: Change | None = None
    marks: list[Mark] = field(default_factory=list)
    result: Result | None = None
    error: BaseException | None = None
    is_settled: bool = False
    leads: bool = False
    turn: Event = field(default_factory=Event)

    @property
    def touched(self) -> set[object]:
        """What no two commands of one commit may both touch: a case, and the answer to a request."""
        key = self.act.request.key
        names = [self.act.case_id, key and (self.act.actor.id, key)]
        return {name for name in names if name is not None}

    def answer(self) -> Result:
        """The result. Raises what went wrong."""
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


class Commits:
    """The only place that begins and ends the transactions of commands. Safe for many threads.

    The first command to come leads: it takes along what others have asked meanwhile, one command of each
    case, and answers each only after the common commit. Then one of those who still wait leads. A lone
    command never waits for company.
    """

    def __init__(
        self,
        database: sa.Engine,
        library: Catalog,
        live: LiveCases,
        *,
        tidemarks: Tidemarks | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        """`tidemarks` remember what was acknowledged; without them a database that lost it is believed."""
        self._database = database
        self._tidemarks = tidemarks
        self._library = library
        self._live = live
        self._outbox = outbox
        self._lock = Lock()
        self._waiting: deque[Asked] = deque()
        self._led = False

    def run(self, act: Act, work: Work, now: datetime) -> Result:
        """Do it, durably. Raises Rejected, and then nothing was written; whatever else `work` raises."""
        asked = Asked(act=act, work=work, now=now)
        with self._lock:
            self._waiting.append(asked)
            asked.leads, self._led = not self._led, True
        if not asked.leads:
            asked.turn.wait()
        if asked.leads:
            self._lead(asked)
        return asked.answer()

    # --- leading ----------------------------------------------------------------------------------------

    def _lead(self, own: Asked) -> None:
        try:
            while not own.is_settled:
                self._commit(self._next())
        finally:
            self._hand_over()

    def _next(self) -> list[Asked]:
        """Those who share the next commit, first come first served; a case and a request are in it once."""
        with self._lock:
            chosen: list[Asked] = []
            later: list[Asked] = []
            taken: set[object] = set()
            while self._waiting and len(chosen) < MOST:
                asked = self._waiting.popleft()
                (later if taken & asked.touched else chosen).append(asked)
                taken |= asked.touched
            self._waiting.extendleft(reversed(later))
            return chosen

    def _hand_over(self) -> None:
        with self._lock:
            self._led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].turn.set()

    def _commit(self, group: list[Asked]) -> None:
        """Answer everybody in the group; when they cannot go together, one after the other."""
        try:
            if len(group) > 1:
                self._together(group)
            for asked in group:
                if not asked.is_settled:
                    self._alone(asked)
        except BaseException as error:  # the database is away, or somebody stops the program
            for asked in group:
                if not asked.is_settled:
                    asked.error, asked.is_settled = error, True
        for asked in group:
            if not asked.leads:
                asked.turn.set()

    def _together(self, group: list[Asked]) -> None:
        """One transaction for all. Who loses a race stays unsettled: nothing of it was written."""
        page = None
        try:
            with self._page(group, shared=True) as page:
                for asked in group:
                    self._attempt_beside_others(asked, page)
        except Exception as error:
            its_own = page is not None and page.spoilt and not isinstance(error, sa.exc.DBAPIError)
            if not (its_own or lost_a_race(error) or is_held_up(error)):
                raise
            return
        for asked in group:
            if asked.result is not None or asked.error is not None:
                self._settle(asked)

    def _alone(self, asked: Asked) -> None:
        """A transaction of its own. What loses a race looks again, a few times, and then takes turns."""
        for attempt in range(ATTEMPTS):
            try:
                asked.error = asked.change = asked.result = None
                with self._page([asked], in_turn=attempt > 0) as page:
                    self._attempt(asked, page)
            except Exception as error:
                asked.error = busy(asked.act, error) if is_held_up(error) else error
                if lost_a_race(error):
                    continue
            break
        self._settle(asked)

    @contextmanager
    def _page(self, group: list[Asked], *, shared: bool = False, in_turn: bool = False) -> Iterator[Page]:
        """A transaction for these commands; behind the block it is durable, and marked as acknowledged."""
        with self._database.begin() as connection, self._library.over(connection):
            info = connection.info
            self._require_all(connection)
            for asked in group if in_turn else ():
                if asked.act.case_id is not None:
                    one_at_a_time(connection, asked.act.case_id)
            page = Page(connection, self._known(connection, group), shared=shared)
            yield page
            page.write()
        require_certain(info)
        self._note(group)

    def _known(self, connection: sa.Connection, group: list[Asked]) -> Known:
        """What these commands have to know first, of cases that are at hand and requests with a key."""
        acts = [asked.act for asked in group]
        cases = [act.case_id for act in acts if act.case_id is not None and self._live.has(act.case_id)]
        requests = [(act.actor.id, act.request.key) for act in acts if act.request.key is not None]
        known = look_up(connection, cases, requests)
        require_ours(known.schema)
        return known

    # --- one command ------------------------------------------------------------------------------------

    def _attempt_beside_others(self, asked: Asked, page: Page) -> None:
        """What goes wrong in one command is its own, and leaves nothing behind."""
        try:
            self._attempt(asked, page)
        except Exception as error:
            if page.spoilt or isinstance(error, sa.exc.DBAPIError):
                raise
            asked.error = None if isinstance(error, StaleCase) else error
            if asked.change is not None:
                asked.change.undo()

    def _attempt(self, asked: Asked, page: Page) -> None:
        act = asked.act
        change = asked.change = Change(
            page=page, live=self._live, actor=act.actor, now=asked.now, outbox=self._outbox
        )
        asked.result = answered_before(page.known, change.rows, act.actor, act.request, asked.now)
        if asked.result is not None:
            asked.marks = self._marks_of_repeated(page.connection, asked.result, asked.now)
            _wait_for_standbys(page.connection, act)
            return
        result = asked.work(change)
        change.save()
        _leave_behind(change, act, result)
        change.keep()
        asked.marks = marks_of(change.lines, asked.now)
        asked.result = result

    def _settle(self, asked: Asked) -> None:
        """What became of it is certain now. A case that is as the journal has it is kept at hand; one that
        moved, and whose entries were not committed, is dropped."""
        asked.is_settled = True
        change = asked.change
        if change is not None and change.case is not None and (asked.error is None or change.is_untouched):
            self._live.put_back(change.case)

    # --- what was acknowledged --------------------------------------------------------------------------

    def _require_all(self, connection: sa.Connection) -> None:
        if self._tidemarks is not None:
            self._tidemarks.require(connection)

    def _marks_of_repeated(self, connection: sa.Connection, result: Result, now: datetime) -> list[Mark]:
        """Who asks again may never have got the first answer: it is acknowledged now."""
        if self._tidemarks is None:
            return []
        return self._tidemarks.mark(connection, result.case_id, result.seq, now)

    def _note(self, group: list[Asked]) -> None:
        """The commit is done, and nobody has been told yet."""
        if self._tidemarks is not None:
            done = (asked for asked in group if asked.result is not None and asked.error is None)
            self._tidemarks.note([mark for asked in done for mark in asked.marks], group[0].now)


def lost_a_race(error: Exception) -> bool:
    """Whether another writer was there first, or in the way: the command can be tried again."""
    if isinstance(error, sa.exc.DBAPIError):
        tangled = getattr(error.orig, "sqlstate", None) in TANGLED
        return tangled or isinstance(error, sa.exc.IntegrityError)
    return isinstance(error, StaleCase)


def busy(act: Act, error: Exception) -> WrongState:
    """The refusal of a command that waited as long as it may for another one. Nothing of it was done."""
    refused = WrongState(
        f"another command holds {act.case_id or act.entity}: ask again",
        code="CASE_BUSY",
        retry_after=RETRY_AFTER,
    )
    refused.__cause__ = error
    return refused


def _wait_for_standbys(connection: sa.Connection, act: Act) -> None:
    """A commit that only reads waits for no standby, and what it read may be on none: so it writes."""
    mine = (idempotency.c.actor == act.actor.id) & (idempotency.c.key == act.request.key)
    connection.execute(sa.update(idempotency).where(mine).values(at=idempotency.c.at))


def _leave_behind(change: Change, act: Act, result: Result) -> None:
    record = operation(
        act.actor,
        action=act.action,
        entity=act.entity,
        case_id=result.case_id or None,
        at=change.now,
        reason=act.reason,
        request_id=act.request.request_id,
        old=change.old,
        new=change.new,
    )
    change.rows.append(operations, record)
    remember_answer(change.rows, act.actor, act.request, result, change.now)
