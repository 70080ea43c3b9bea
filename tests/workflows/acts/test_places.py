"""An authority recommends no more units than its quota: each takes a place, and gives it back unused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import Rejected, WrongState
from tests.story import PACKAGES, Story
from tests.workflows.crowd import at_once
from workflows.commands import Commands
from workflows.library.catalog import Catalog, sources
from workflows.library.packages import read_files, read_folder
from workflows.library.trial.verdict import judge
from workflows.store.tables import places
from workflows.transaction.projections import rebuild

UP, NOT_UP = {"outcome": "recommended_up"}, {"outcome": "not_recommended"}
LEADER, OFFICER, PROVINCE = "lz.leader", "lz.officer", "prov.officer"
ORDERS = 25


class Quota:
    """An authority that may recommend so many, and its cases."""

    def __init__(self, story: Story, quota: int | None) -> None:
        self.story = story
        self.quota = quota

    def case(self) -> str:
        return self.story.start("small_recommendation", values={"quota": self.quota}).case_id

    def at(self, case: str) -> Story:
        self.story.case_id = case
        return self.story

    def claimed(self) -> str:
        """A case whose leader is about to decide; answers the task."""
        self.case()
        return self.story.claim("recommend", LEADER).task("recommend")

    def recommend(self, case: str) -> None:
        self.at(case).do("recommend", LEADER, UP)

    def decide(self, case: str, outcome: str) -> None:
        self.at(case).do("decide", PROVINCE, outcome=outcome)

    def resubmit(self, case: str) -> None:
        self.at(case).do("again", OFFICER)

    def held(self) -> dict[str, int]:
        with self.story.database.connect() as connection:
            return {row.case_id: row.number for row in connection.execute(places.select())}


def test_who_comes_when_every_place_is_taken_is_told_by_whom_and_nothing_changes(story):
    lz = Quota(story, 2)
    first, second, third = lz.case(), lz.case(), lz.case()
    lz.recommend(first)
    lz.recommend(second)
    lz.at(third).claim("recommend", LEADER)
    before = story.entries()

    with pytest.raises(WrongState) as refused:
        story.complete("recommend", LEADER, UP)

    assert refused.value.code == "QUOTA_USED_UP"
    assert refused.value.facts["cases"] == [first, second]
    assert (refused.value.facts["quota"], refused.value.facts["recommended"]) == (2, 2)
    assert "推荐名额为 2 个，已推荐 2 个" in refused.value.facts["message_zh"]
    assert first in str(refused.value)
    assert second in refused.value.facts["message_zh"]
    assert story.entries() == before
    assert lz.held() == {first: 1, second: 2}
    assert story.complete("recommend", LEADER, NOT_UP).rows_of_case()["status"] == "completed"


def test_without_a_quota_nobody_is_counted(story):
    lz = Quota(story, None)
    for _ in range(3):
        lz.recommend(lz.case())

    assert lz.held() == {}


def test_a_quota_of_none_at_all_is_a_quota(story):
    lz = Quota(story, 0)

    with pytest.raises(WrongState, match="is 0, and 0 are recommended"):
        lz.recommend(lz.case())


@pytest.mark.parametrize("outcome", ["returned", "deferred", "refused"])
def test_who_is_returned_deferred_or_refused_gives_the_place_to_another(story, outcome):
    lz = Quota(story, 1)
    first, second = lz.case(), lz.case()
    lz.recommend(first)

    lz.decide(first, outcome)
    lz.recommend(second)

    assert lz.held() == {second: 1}


def test_a_case_that_is_ended_by_hand_gives_the_place_back(story):
    lz = Quota(story, 1)
    first = lz.case()
    lz.recommend(first)

    story.commands.terminate_case(first, "申报单位书面撤回", actor=story.person(LEADER))

    assert lz.held() == {}


def test_a_title_keeps_its_place_when_the_case_is_over(story):
    lz = Quota(story, 1)
    first = lz.case()
    lz.recommend(first)
    lz.decide(first, "designated")
    lz.at(first).do("titled", PROVINCE)

    assert story.rows_of_case()["status"] == "completed"
    assert lz.held() == {first: 1}
    with pytest.raises(WrongState, match=first):
        lz.recommend(lz.case())


def test_a_returned_unit_needs_a_place_again_when_it_is_submitted_again(story):
    lz = Quota(story, 1)
    first, second = lz.case(), lz.case()
    lz.recommend(first)
    lz.decide(first, "returned")
    lz.recommend(second)
    lz.at(first).claim("again", OFFICER)

    with pytest.raises(WrongState, match=second):
        lz.at(first).complete("again", OFFICER)
    lz.decide(second, "refused")
    lz.at(first).complete("again", OFFICER)

    assert lz.held() == {first: 1}


# --- at the same moment -------------------------------------------------------------------------------


@pytest.mark.parametrize("free", [1, 3])
def test_of_many_who_want_the_last_places_at_once_so_many_win_and_the_others_are_told(story, free):
    """Each process has its own commits; the unique number is the judge between them."""
    lz = Quota(story, free)
    tasks = [lz.claimed() for _ in range(8)]
    doors = [Commands(story.database, Catalog(story.database), clock=story.clock) for _ in range(4)]
    leader = story.person(LEADER)

    answers = at_once(
        [
            lambda door=doors[n % 4], task=task: door.complete_task(task, UP, actor=leader)
            for n, task in enumerate(tasks)
        ]
    )

    lost = [answer for answer in answers if isinstance(answer, Rejected)]
    assert len(lost) == 8 - free
    assert {answer.code for answer in lost} == {"QUOTA_USED_UP"}
    won = {answer.case_id: n for n, answer in enumerate(answers) if answer not in lost}
    held = lz.held()
    assert held.keys() == won.keys()
    assert sorted(held.values()) == list(range(1, free + 1))
    assert all(set(answer.facts["cases"]) == held.keys() for answer in lost)
    kinds = Counter(kind for task in tasks for kind in lz.at(task.rpartition(".")[0]).entries())
    assert kinds["TaskCompleted"] == free


# --- any order ----------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["recommend", "returned", "deferred", "refused", "designated", "end"]),
    ),
    max_size=14,
)


class Model:
    """What a sheet of paper would say: where each case is, and who holds a place."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self.at = dict.fromkeys(range(5), "recommend")
        self.holding: set[int] = set()

    def expects(self, case: int, step: str) -> str:
        """`done`, `refused` for want of a place, or `skip` where the case is somewhere else."""
        where = self.at[case]
        if step == "recommend" and where in ("recommend", "again"):
            if len(self.holding) == self.quota:
                return "refused"
            self.holding.add(case)
            self.at[case] = "decide"
        elif step == "end" and where != "over":
            self.at[case] = "over"
            if where != "titled":
                self.holding.discard(case)
        elif step in ("returned", "deferred", "refused", "designated") and where == "decide":
            after = {"returned": "again", "deferred": "decide", "refused": "over", "designated": "titled"}
            self.at[case] = after[step]
            if step != "designated":
                self.holding.discard(case)
        else:
            return "skip"
        return "done"


def act(lz: Quota, case: str, step: str, where: str) -> None:
    if step == "end":
        lz.story.commands.terminate_case(case, "按书面请求终止", actor=lz.story.person(LEADER))
    elif step != "recommend":
        lz.decide(case, step)
    elif where == "again":
        lz.resubmit(case)
    else:
        lz.recommend(case)


@settings(
    max_examples=ORDERS,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(quota=st.integers(0, 3), steps=STEPS)
def test_in_any_order_places_are_held_as_on_a_sheet_of_paper(story, quota, steps):
    with story.database.begin() as connection:
        connection.execute(places.delete())
    lz, model = Quota(story, quota), Model(quota)
    names = [lz.case() for _ in range(5)]

    for number, step in steps:
        where, case = model.at[number], names[number]
        expected = model.expects(number, step)
        if expected == "done":
            act(lz, case, step, where)
        elif expected == "refused":
            with pytest.raises(WrongState) as refused:
                act(lz, case, step, where)
            assert set(refused.value.facts["cases"]) == {names[n] for n in model.holding}
            lz.at(case).release(where, OFFICER if where == "again" else LEADER)
        held = lz.held()
        assert held.keys() == {names[n] for n in model.holding}
        assert len(set(held.values())) == len(held) <= quota
        assert all(1 <= number <= quota for number in held.values())


def test_a_rebuild_gives_every_case_the_place_it_had(story):
    lz = Quota(story, 3)
    first, second, third, fourth = (lz.case() for _ in range(4))
    for case in (first, second, third):
        lz.recommend(case)
    lz.decide(first, "deferred")
    lz.recommend(fourth)  # takes the place of the first
    lz.decide(third, "designated")
    before = rows(story)

    with story.database.begin() as connection:
        rebuild(connection, Catalog(story.database))

    assert lz.held() == {fourth: 1, second: 2, third: 3}
    assert rows(story) == before
    assert lz.at(fourth).history.verify(fourth).ok


def rows(story: Story) -> list[Any]:
    with story.database.connect() as connection:
        return sorted(map(tuple, connection.execute(places.select())))


# --- what can be drawn --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "wrong", "rule"),
    [
        ('name="takes_place" value="recommended_up"', 'name="takes_place" value="sent"', "place.taken"),
        ('name="takes_place" value="always"', 'name="takes_place" value="recommended_up"', "place.taken"),
        ('name="place" value="kept"', 'name="place" value="doubled"', "place.changed"),
    ],
)
def test_a_drawing_that_takes_places_by_what_is_not_there_is_refused(was, wrong, rule):
    package = read_folder(PACKAGES / "small_recommendation")
    text = package.files["process.bpmn"].decode()
    assert was in text

    def found(drawing: str) -> set[str]:
        drawn = read_files({**package.files, "process.bpmn": drawing.encode()})
        told = judge(sources(drawn.process_id, [drawn]), {})
        return {problem.rule for problem in told if problem.severity == "error"}

    assert found(text) == set()
    assert found(text.replace(was, wrong)) == {rule}
