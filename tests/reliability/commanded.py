"""Commands in any order by anybody, with restarts, rebuilds, restores, repetitions and time between."""

from __future__ import annotations

import shutil
from collections import Counter
from copy import deepcopy
from datetime import timedelta
from itertools import product

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from engine import replay
from engine.errors import Rejected
from engine.tables import metadata
from tests.conftest import START
from tests.reliability.dumps import dump
from tests.reliability.model import DEADLINE, ELEMENTS, PEOPLE, VARIANTS, Hands, Modelled, package
from tests.story import Clock, Story
from workflows.actors.policy import SYSTEM
from workflows.acts.letters import Letter
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.library.trial.verdict import judge
from workflows.reading.history import History
from workflows.store.tables import cases, definitions, incidents, jobs, tasks
from workflows.transaction import projections
from workflows.transaction.results import Idempotency
from workflows.work.worker import Worker

REASON = "按规定办理此事"
ELEMENT = st.sampled_from(ELEMENTS)
WHO = st.sampled_from(PEOPLE)
STEERED = ("suspend", "resume", "terminate")
AIMS = st.sampled_from((True, True, False))
OPEN = ("ready", "claimed")
LEFT_TO_US = frozenset({"look"})


class House:
    """One database for all examples, which is emptied of cases between them."""

    def __init__(self, database):
        self.database = database
        self.judged = {}
        self.catalog = self.library()
        self.commands = Counter()
        self.examples = 0
        with database.connect() as connection:
            found = {table for table in metadata.sorted_tables if self._holds(connection, table)}
        self.emptied = [table for table in reversed(metadata.sorted_tables) if table not in found]

    def library(self):
        """Versions as a new process knows them. A drawing is judged once: that is not what is tried."""

        def judge_once(sources, forms):
            key = sources.bpmn["modelled"]
            if key not in self.judged:
                self.judged[key] = judge(sources, forms)
            return self.judged[key]

        return Catalog(self.database, check=judge_once)

    def empty(self):
        """No case is left. Versions stay, and what was deployed late in another example is in force now."""
        with self.database.begin() as connection:
            connection.execute(sa.update(definitions).values(effective_from=START))
            for table in self.emptied:
                if table is not definitions and table.name != "blobs":
                    connection.execute(sa.delete(table))

    def _holds(self, connection, table):
        return connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None


def turn(span, at):
    """All of it, beginning where somebody points."""
    return *span[span.index(at) :], *span[: span.index(at)]


class Commanded(RuleBasedStateMachine):
    """The rules, and behind each of them what the model makes of it."""

    cases = Bundle("cases")
    house = None

    def __init__(self):
        super().__init__()
        self.house.empty()
        self.house.examples += 1
        self.story = Story(self.house.database, Clock(START))
        self.variant, self.hour, self.models, self.asked, self.copied = None, 0, {}, 0, None
        self._open_doors(self.house.catalog)
        self.people = {who: self.story.person(who) for who in PEOPLE}

    def _open_doors(self, catalog):
        self.story.catalog = catalog
        self.story.commands = Commands(self.house.database, catalog, clock=self.story.clock)
        self.story.worker = Worker(self.house.database, self.story.commands, clock=self.story.clock)

    # --- what happens -----------------------------------------------------------------------------------

    @initialize(target=cases, variant=st.sampled_from(VARIANTS))
    def begin(self, variant):
        self._deploy(variant)
        return self._start()

    @rule(variant=st.sampled_from(VARIANTS))
    def deploy(self, variant):
        self._deploy(variant)

    def _deploy(self, variant):
        with self.house.database.begin() as connection:
            self.story.catalog.deploy(connection, package(variant), by="owner", at=self.story.clock())
        self.variant = variant

    @rule(target=cases)
    @precondition(lambda self: len(self.models) < 3)
    def start(self):
        return self._start()

    def _start(self):
        begun = self.story.commands.start_case("modelled", {}, actor=SYSTEM, unit="u01")
        self.models[begun.case_id] = Modelled(variant=self.variant, due=self.hour + DEADLINE)
        return begun.case_id

    @rule(case=cases, element=ELEMENT, who=WHO, aims=AIMS)
    def claim(self, case, element, who, aims):
        case, element, who = self._aimed(aims, "may_claim", case, element, who)
        if self._asks("claim_task", case, element, who, allowed=self._model(case).may_claim(element, who)):
            self._model(case).open[element].holder = who

    @precondition(lambda self: self._any(lambda model: any(hands.holder for hands in model.open.values())))
    @rule(case=cases, element=ELEMENT, who=WHO, aims=AIMS)
    def release(self, case, element, who, aims):
        case, element, who = self._aimed(aims, "holds", case, element, who)
        if self._asks("release_task", case, element, who, allowed=self._model(case).holds(element, who)):
            self._model(case).open[element] = Hands()

    @precondition(lambda self: self._any(lambda model: any(hands.holder for hands in model.open.values())))
    @rule(case=cases, element=ELEMENT, who=WHO, to=WHO, aims=AIMS)
    def delegate(self, case, element, who, to, aims):
        case, element, who, to = self._aimed(aims, "may_delegate", case, element, who, to)
        allowed = self._model(case).may_delegate(element, who, to)
        if self._asks("delegate_task", case, element, who, to, allowed=allowed, question=REASON):
            self._model(case).open[element] = Hands(to, who)

    @precondition(lambda self: self._any(lambda model: any(hands.owner for hands in model.open.values())))
    @rule(case=cases, element=ELEMENT, who=WHO, aims=AIMS)
    def resolve(self, case, element, who, aims):
        case, element, who = self._aimed(aims, "may_resolve", case, element, who)
        allowed = self._model(case).may_resolve(element, who)
        if self._asks("resolve_task", case, element, who, REASON, allowed=allowed):
            self._model(case).open[element] = Hands(self._model(case).open[element].owner)

    @rule(case=cases, element=ELEMENT, who=WHO, to=WHO, aims=AIMS)
    def transfer(self, case, element, who, to, aims):
        case, element, who, to = self._aimed(aims, "may_transfer", case, element, who, to)
        allowed = self._model(case).may_transfer(element, who, to)
        if self._asks("transfer_task", case, element, who, to, allowed=allowed, reason=REASON):
            self._model(case).open[element] = Hands(to)

    @rule(case=cases, element=ELEMENT, who=WHO, aims=AIMS, twice=st.booleans())
    def complete(self, case, element, who, aims, twice):
        """Perhaps the answer got lost, and the same request comes again."""
        case, element, who = self._aimed(aims, "may_complete", case, element, who)
        allowed, request = self._model(case).may_complete(element, who), self._request()
        if self._asks("complete_task", case, element, who, {}, allowed=allowed, idempotency=request):
            self._model(case).complete(element)
            if twice:
                assert self._ask("complete_task", case, element, who, {}, idempotency=request).replayed

    @rule(case=cases)
    def go_on(self, case):
        """Cases come to their ends only if they move more often than they are meddled with."""
        model = self._model(case)
        if model.may_finish():
            self.finish(case, aims=False)
        for element, hands in list(model.open.items())[:1]:
            able = [who for who in PEOPLE if model.may_claim(element, who)]
            if able and hands.owner is None:
                self.claim(case, element, able[0], aims=False)
                self.complete(case, element, able[0], aims=False, twice=False)

    @precondition(lambda self: self._any(lambda model: model.job))
    @rule(case=cases, aims=AIMS)
    def finish(self, case, aims):
        (case,) = self._aimed(aims, "may_finish", case)
        allowed = self._model(case).may_finish()
        if self._tries("finish_job", self._job(case), {}, allowed=allowed):
            self._model(case).finish()

    @precondition(lambda self: self._any(lambda model: model.job))
    @rule(case=cases, aims=AIMS, hopeless=st.booleans())
    def fail(self, case, aims, hopeless):
        (case,) = self._aimed(aims, "may_finish", case)
        later = None if hopeless else self.story.clock() + timedelta(minutes=1)
        allowed = self._model(case).may_finish()
        if self._tries("fail_job", self._job(case), "away", allowed=allowed, retry_at=later) and hopeless:
            self._model(case).job = "incident"

    @precondition(lambda self: self._any(lambda model: model.job == "incident"))
    @rule(case=cases, aims=AIMS)
    def mend(self, case, aims):
        (case,) = self._aimed(aims, "may_mend", case)
        allowed, mended = self._model(case).may_mend(), self._incident(case)
        if self._tries("resolve_incident", mended, allowed=allowed, reason=REASON, actor=SYSTEM):
            self._model(case).job = "waiting"

    @rule(case=cases, message=st.sampled_from(("answer", "question")))
    def say(self, case, message):
        allowed = self._model(case).may_hear(message)
        if self._tries("receive_message", case, message, {}, allowed=allowed, actor=SYSTEM):
            self._model(case).end("completed")

    @rule(case=cases, twice=st.booleans())
    def throw_signal(self, case, twice):
        self.asked += 1
        job = f"elsewhere-{self.hour}.{self.asked}"
        common = {"values": {}, "correlation": None, "unit": "u01", "batch": None, "applicant": "app01"}
        told = Letter(kind="signal", name="stop all", job_id=job, origin=job, sender="elsewhere", **common)
        if self._tries("hear_letter", case, told, allowed=self._model(case).status == "active"):
            self._model(case).hear_signal()
            assert not twice or self.story.commands.hear_letter(case, told).replayed

    @rule(case=cases, act=st.sampled_from(STEERED), who=WHO, aims=AIMS)
    def steer(self, case, act, who, aims):
        case, act, who = self._aimed(aims, "may_steer", case, act, who)
        allowed = self._model(case).may_steer(act, who)
        if self._tries(f"{act}_case", case, REASON, allowed=allowed, actor=self.people[who]):
            self._model(case).steer(act)

    @precondition(lambda self: self._any(lambda model: model.status == "suspended"))
    @rule(case=cases, who=WHO, aims=AIMS)
    def resume(self, case, who, aims):
        self.steer(case, "resume", who, aims)

    @rule(hours=st.sampled_from((0, 1, 4, 11)))
    def pass_time(self, hours):
        self.hour += hours
        self.story.clock.move(timedelta(hours=hours))
        self.story.worker.tick(leave=LEFT_TO_US)
        for model in self.models.values():
            model.lapse(self.hour)

    # --- what should make no difference -----------------------------------------------------------------

    @rule(how=st.sampled_from(("begin anew", "rebuild", "forget snapshots", "copy", "restore")))
    def disturb(self, how):
        """What must make no difference, or only that of going back in time."""
        match how:
            case "begin anew":  # the process ends and another begins: what it had at hand is gone
                self._open_doors(self.house.library())
            case "rebuild":
                self._rebuild()
            case "forget snapshots":
                with self.house.database.begin() as connection:
                    replay.forget_all(connection)
                self.story.commands.live.clear()
            case "copy" if self._file is not None:
                self._copy()
            case "restore" if self.copied is not None:
                self._restore()

    def _rebuild(self):
        before = dump(self.house.database)
        with self.house.database.begin() as connection:
            projections.rebuild(connection, self.story.catalog)
        assert dump(self.house.database) == before

    def _copy(self):
        self.house.database.dispose()
        shutil.copy(self._file, f"{self._file}.kept")
        self.copied = deepcopy((self.models, self.variant)), self.hour, self.story.clock.now

    def _restore(self):
        self.house.database.dispose()
        shutil.copy(f"{self._file}.kept", self._file)
        kept, self.hour, self.story.clock.now = self.copied
        self.models, self.variant = deepcopy(kept)
        self.house.catalog = self.house.library()
        self._open_doors(self.house.catalog)

    @property
    def _file(self):
        url = self.house.database.url
        return url.database if url.get_backend_name() == "sqlite" else None

    # --- what is ----------------------------------------------------------------------------------------

    @invariant()
    def house_and_model_agree(self):
        with self.house.database.connect().execution_options(reading=True) as look:
            found = look.execute(sa.select(cases.c.case_id, cases.c.status))
            states = {row.case_id: row.status for row in found}
            found = look.execute(
                sa.select(tasks.c.case_id, tasks.c.element, tasks.c.assignee, tasks.c.owner).where(
                    tasks.c.state.in_(OPEN)
                )
            )
            held = {(row.case_id, row.element): Hands(row.assignee, row.owner) for row in found}
            found = look.execute(
                sa.select(jobs.c.case_id, jobs.c.state).where(jobs.c.state.in_(("waiting", "incident")))
            )
            busy = {row.case_id: row.state for row in found}
        assert states == {case: model.status for case, model in self.models.items()}
        assert held == {
            (case, element): hands
            for case, model in self.models.items()
            for element, hands in model.open.items()
        }
        assert busy == {case: model.job for case, model in self.models.items() if model.job}

    def teardown(self):
        history = History(self.house.database, self.story.catalog)
        assert all(proof.ok for proof in history.verify_all())

    # --- below ------------------------------------------------------------------------------------------

    def _model(self, case):
        """The model of a case; of one that a restore has undone, one in which nothing is allowed."""
        return self.models.get(case) or Modelled(variant="short", due=0, status="unheard of")

    def _any(self, holds):
        return any(holds(model) for model in self.models.values())

    def _aimed(self, aims, allows, case, *drawn):
        """What was drawn, or if somebody `aims`, the next that the model allows: what is drawn blindly is
        mostly refused, and little would ever happen."""
        if not aims:
            return case, *drawn
        firsts = STEERED if drawn and drawn[0] in STEERED else ELEMENTS
        spans = (sorted({*self.models, case}), firsts, *[PEOPLE] * (len(drawn) - 1))[: len(drawn) + 1]
        turned = [turn(span, at) for span, at in zip(spans, (case, *drawn), strict=True)]
        able = (one for one in product(*turned) if getattr(self._model(one[0]), allows)(*one[1:]))
        return next(able, (case, *drawn))

    def _request(self):
        self.asked += 1
        return Idempotency(key=f"k{self.asked}", request_digest="d")

    def _asks(self, command, case, element, who, *more, allowed, **named):
        """Whether somebody did something with a task; it must be as the model says."""
        return self._accepted(
            command, lambda: self._ask(command, case, element, who, *more, **named), allowed
        )

    def _ask(self, command, case, element, who, *more, **named):
        task = self._newest(tasks, case, "task_id", tasks.c.element == element)
        return getattr(self.story.commands, command)(task, *more, actor=self.people[who], **named)

    def _tries(self, command, *given, allowed, **named):
        return self._accepted(
            command, lambda: getattr(self.story.commands, command)(*given, **named), allowed
        )

    def _accepted(self, command, act, allowed):
        self.house.commands[command, allowed] += 1
        try:
            act()
        except Rejected:
            assert not allowed
            return False
        assert allowed
        return True

    def _job(self, case):
        return self._newest(jobs, case, "job_id")

    def _incident(self, case):
        return self._newest(incidents, case, "incident_id", incidents.c.resolved_at.is_(None))

    def _newest(self, table, case, key, *conditions):
        """The newest row's id, or one that there never was."""
        self.story.case_id = case
        found = [row[key] for row in self.story.rows(table, *conditions)]
        return max(found, key=lambda its_id: int(its_id.rpartition(".")[2]), default=f"{case}.999")
