"""Commands that come while a commit runs share the next one, and none of them notices the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, NotAllowed, WrongState
from engine.tables import journal
from tests.story import Story
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.tables import drafts, open_database, operations
from workflows.transaction.results import Changed, Held, Idempotency

AGREED = {"outcome": "accepted", "opinion": "材料齐全"}


class Crowd:
    """Commands that are asked for while another commit is held up, so that they meet in the next."""

    def __init__(self, story: Any) -> None:
        self.story = story
        self.commits = 0
        self.answers: dict[str, Any] = {}

    def meet(self, **acts: Callable[[], object]) -> dict[str, Any]:
        """What became of each act: its answer, or what it raised. All but the first share one commit."""
        with self._held() as (arrived, go_on):
            first, *others = [Thread(target=self._do, args=item) for item in acts.items()]
            first.start()
            assert arrived.wait(30)
            for thread in others:
                thread.start()
            self._until_they_wait(len(others))
            go_on.set()
            for thread in (first, *others):
                thread.join(60)
        return self.answers

    def _do(self, name: str, act: Callable[[], object]) -> None:
        try:
            self.answers[name] = act()
        except Exception as error:
            self.answers[name] = error

    @contextmanager
    def _held(self) -> Iterator[tuple[Event, Event]]:
        arrived, go_on = Event(), Event()

        def hold(_: Any) -> None:
            self.commits += 1
            if self.commits == 1:
                arrived.set()
                assert go_on.wait(30)

        sa.event.listen(self.story.database, "commit", hold)
        try:
            yield arrived, go_on
        finally:
            sa.event.remove(self.story.database, "commit", hold)

    def _until_they_wait(self, number: int) -> None:
        pause = Event()
        while len(self.story.commands._commits._waiting) < number:
            pause.wait(0.001)


@pytest.fixture
def crowd(story) -> Crowd:
    return Crowd(story)


def checks(story, number: int) -> list[str]:
    """So many cases whose first task `lz.officer` holds; their task ids."""
    return [story.start().claim("check", "lz.officer").task("check") for _ in range(number)]


def completing(story, task: str, values: dict[str, Any] = AGREED, key: str | None = None):
    officer = story.person("lz.officer")
    request = Idempotency(key=key, request_digest="d")
    return lambda: story.commands.complete_task(task, values, actor=officer, idempotency=request)


def test_commands_on_different_cases_share_a_commit(story, crowd):
    first, *others = checks(story, 6)

    answers = crowd.meet(first=completing(story, first), **{t: completing(story, t) for t in others})

    assert crowd.commits == 2
    assert {answers[task].task_id for task in others} == set(others)
    assert all(story.history.verify(task.rpartition(".")[0]).findings == () for task in others)


def test_each_leaves_its_own_operation_record(story, crowd):
    first, *others = checks(story, 4)

    crowd.meet(first=completing(story, first), **{t: completing(story, t) for t in others})

    with story.database.connect() as connection:
        done = connection.scalars(sa.select(operations.c.entity).where(operations.c.action == "complete"))
        assert Counter(done) == Counter([first, *others])


def test_of_two_who_want_the_last_place_in_one_commit_one_gets_it(story, crowd):
    (first,), leader = checks(story, 1), story.person("lz.leader")

    def recommending() -> Callable[[], object]:
        story.start("small_recommendation", values={"quota": 1}).claim("recommend", "lz.leader")
        task = story.task("recommend")
        return lambda: story.commands.complete_task(task, {"outcome": "recommended_up"}, actor=leader)

    answers = crowd.meet(first=completing(story, first), one=recommending(), other=recommending())

    (lost,) = (answer for answer in answers.values() if isinstance(answer, Exception))
    (won,) = (answer for name, answer in answers.items() if name != "first" and answer is not lost)
    assert isinstance(lost, WrongState)
    assert (lost.code, lost.facts["cases"]) == ("QUOTA_USED_UP", [won.case_id])


def test_one_that_is_refused_leaves_the_others_alone(story, crowd):
    first, good, bad, strange = checks(story, 4)
    stranger = story.person("ts.officer")

    answers = crowd.meet(
        first=completing(story, first),
        good=completing(story, good),
        bad=completing(story, bad, {"outcome": "nonsense"}),
        strange=lambda: story.commands.complete_task(strange, AGREED, actor=stranger),
    )

    assert answers["good"].state == "COMPLETED"
    assert isinstance(answers["bad"], InvalidInput)
    assert answers["strange"].code in ("NOT_FOUND", "NOT_ASSIGNEE")
    assert crowd.commits == 2
    assert story.history.verify(bad.rpartition(".")[0]).findings == ()


def test_what_a_refused_command_had_written_already_is_undone(story, crowd):
    """A draft is written at once, in a savepoint of its own; what fails afterwards takes it along."""
    first, task = checks(story, 2)
    officer = story.person("lz.officer")

    def spoil(change):
        change.writing.execute(
            drafts.insert().values(
                case_id="x", task_id="x", person="x", values={}, revision=1, saved_at=change.now
            )
        )
        raise NotAllowed("no")

    commands = story.commands
    act = commands_act("draft", task, officer)
    answers = crowd.meet(
        first=completing(story, first),
        good=completing(story, task),
        spoilt=lambda: commands._commits.run(act, spoil, story.clock()),
    )

    assert isinstance(answers["spoilt"], NotAllowed)
    assert answers["good"].state == "COMPLETED"
    with story.database.connect() as connection:
        assert connection.execute(sa.select(drafts)).all() == []


def test_one_that_fails_while_the_page_is_written_takes_nobody_along(story, crowd):
    """What the database works out is written behind all entries, and may fail there."""
    first, task = checks(story, 2)

    def spoil(change):
        result = Held(case_id="", seq=0, status="", task_id="x", assignee=None, claimed_at=None)
        change.rows.then(lambda connection: int("not a number"))
        return result

    act = commands_act("draft", task, story.person("lz.officer"))
    answers = crowd.meet(
        first=completing(story, first),
        good=completing(story, task),
        spoilt=lambda: story.commands._commits.run(act, spoil, story.clock()),
    )

    assert isinstance(answers["spoilt"], ValueError)
    assert answers["good"].state == "COMPLETED"
    assert story.history.verify(task.rpartition(".")[0]).findings == ()


def test_one_that_waits_too_long_takes_nobody_along(story, crowd):
    if story.database.dialect.name != "postgresql":
        return  # one writer at a time: there is no commit that could be shared meanwhile
    first, good, held = checks(story, 3)
    with story.database.begin() as elsewhere:
        row = {"case_id": held.rpartition(".")[0], "body": "{}", "digest": ""}
        seq = sa.select(sa.func.max(journal.c.seq) + 1).where(journal.c.case_id == row["case_id"])
        elsewhere.execute(journal.insert().values(**row, seq=seq.scalar_subquery()))

        answers = crowd.meet(
            first=completing(story, first), good=completing(story, good), held=completing(story, held)
        )
        elsewhere.rollback()

    assert answers["good"].state == "COMPLETED"
    assert answers["held"].code == "CASE_BUSY"
    assert completing(story, held)().state == "COMPLETED"


def commands_act(action: str, entity: str, actor: Any):
    from workflows.transaction.commits import Act

    return Act(action=action, entity=entity, actor=actor)


def test_two_commands_on_one_case_see_each_other(story, crowd):
    first, task = checks(story, 2)

    answers = crowd.meet(
        first=completing(story, first), one=completing(story, task), two=completing(story, task)
    )

    results = sorted(type(answers[name]).__name__ for name in ("one", "two"))
    assert results == ["Completed", "WrongState"]
    assert crowd.commits >= 2


def test_a_request_that_is_sent_twice_has_one_effect(story, crowd):
    """The key says that both are one request; that they name different tasks must not get one past it."""
    first, one, two = checks(story, 3)

    answers = crowd.meet(
        first=completing(story, first),
        one=completing(story, one, key="once"),
        two=completing(story, two, key="once"),
    )

    assert answers["one"].task_id == answers["two"].task_id
    assert {answers["one"].replayed, answers["two"].replayed} == {True, False}


def test_who_loses_a_race_against_another_process_does_not_take_the_others_along(story, crowd):
    first, good, contested = checks(story, 3)
    elsewhere = Commands(story.database, Catalog(story.database), clock=story.clock)
    elsewhere.complete_task(contested, AGREED, actor=story.person("lz.officer"))

    answers = crowd.meet(
        first=completing(story, first), good=completing(story, good), lost=completing(story, contested)
    )

    assert answers["good"].state == "COMPLETED"
    assert isinstance(answers["lost"], WrongState)
    assert answers["lost"].code == "TASK_COMPLETED"


def test_what_is_decided_by_facts_is_done_to_the_case_they_are_about(story):
    """Between looking and doing another process moves the case; on SQLite none can."""
    (task,) = checks(story, 1)
    elsewhere = Commands(story.database, Catalog(story.database), clock=story.clock)
    officer = story.person("lz.officer")
    moments = []

    def look_and_do(change):
        facts = change.task(task)
        if not moments and story.database.dialect.name == "postgresql":
            elsewhere.release_task(task, actor=officer)
            story.commands.live.clear()  # nobody here remembers how the case was
        moments.append((facts.case.seq, facts.assignee))
        case = change.take(facts.case.case_id)
        assert (case.head.seq, case.open_task(task).assignee) == moments[-1]
        return Changed(case_id=case.case_id, seq=case.seq, status=case.status)

    story.commands._commits.run(commands_act("look", task, officer), look_and_do, story.clock())

    expected = [None] if story.database.dialect.name == "postgresql" else []
    assert [assignee for _, assignee in moments] == ["lz.officer", *expected]


@pytest.mark.postgres
def test_who_hangs_with_a_lock_stops_its_case_and_no_other(database_url, clock):
    """Another process wrote the next entry of a case, and neither commits nor dies."""
    database = open_database(f"{database_url('pg')}&options=-c%20lock_timeout%3D200ms")
    story = Story(database, clock)
    first, good, held = checks(story, 3)
    case_id = held.rpartition(".")[0]
    with database.connect() as hanging:
        place = sa.select(sa.func.max(journal.c.seq) + 1).where(journal.c.case_id == case_id)
        entry = {"case_id": case_id, "seq": hanging.scalar(place), "body": "{}", "digest": "x"}
        hanging.execute(journal.insert().values(entry))

        crowd = Crowd(story)
        answers = crowd.meet(
            first=completing(story, first), good=completing(story, good), held=completing(story, held)
        )
        hanging.rollback()

    assert answers["good"].state == "COMPLETED"
    assert (type(answers["held"]), answers["held"].code) == (WrongState, "CASE_BUSY")
    assert completing(story, held)().state == "COMPLETED"
    database.dispose()


def test_nobody_is_answered_before_the_common_commit(story, crowd):
    first, *others = checks(story, 3)
    answered_early: list[str] = []

    def look(_: Any) -> None:
        answered_early.extend(name for name in crowd.answers if crowd.commits == 1 and name != "first")

    sa.event.listen(story.database, "commit", look)
    crowd.meet(first=completing(story, first), **{t: completing(story, t) for t in others})
    sa.event.remove(story.database, "commit", look)

    assert answered_early == []


def test_nobody_is_told_of_success_if_the_common_commit_fails(story, crowd):
    first, *others = checks(story, 3)

    def fail(_: Any) -> None:
        if crowd.commits == 1:  # counted behind us: this is the one they share
            raise OSError("the disk is gone")

    sa.event.listen(story.database, "commit", fail)
    answers = crowd.meet(first=completing(story, first), **{t: completing(story, t) for t in others})
    sa.event.remove(story.database, "commit", fail)

    assert answers["first"].state == "COMPLETED"
    assert [type(answers[task]) for task in others] == [OSError, OSError]
    with story.database.connect() as connection:
        done = connection.scalars(sa.select(operations.c.entity).where(operations.c.action == "complete"))
        assert list(done) == [first]


def test_a_case_whose_commit_failed_is_read_anew(story):
    """What was chained in memory and never written must not be taken for the case."""
    (task,) = checks(story, 1)

    def fail(_: Any) -> None:
        raise OSError("the disk is gone")

    sa.event.listen(story.database, "commit", fail)
    with pytest.raises(OSError, match="the disk"):
        completing(story, task)()
    sa.event.remove(story.database, "commit", fail)

    assert story.commands.live._cases == {}
    assert completing(story, task)().state == "COMPLETED"
    assert story.history.verify(task.rpartition(".")[0]).findings == ()
