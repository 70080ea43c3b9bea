"""What is waiting for an actor: queues, filters, pages, and one task laid open."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, NotFound
from workflows.reading.lists import TaskQuery
from workflows.store.tables import candidates, tasks

QUEUES_BY_HAND = ("mine", "claimable", "open", "overdue", "returned", "delegated", "on_hold", "team")


def listed(story, person, **query):
    page = story.inbox.tasks(story.person(person), TaskQuery(**query))
    return [f"{row.element} of {row.unit_id}" for row in page.items]


def counts(story, person):
    return {queue.name: queue.count for queue in story.inbox.queues(story.person(person)) if queue.count}


def test_a_task_waits_for_its_group_and_nobody_else(story):
    story.start()

    assert listed(story, "lz.officer", queue="claimable") == ["check of u01"]
    for other in ("lz.leader", "ts.officer", "app01", "dee", "admin", "auditor"):
        assert listed(story, other) == []


def test_a_claimed_task_is_mine_and_my_teams(story):
    story.start().claim("check", "lz.officer")

    assert counts(story, "lz.officer") == {"mine": 1}
    assert counts(story, "lz.officer2") == {"team": 1}
    (row,) = story.inbox.tasks(story.person("lz.officer2"), TaskQuery(queue="team")).items
    assert row.assignee_name == story.person("lz.officer").name


def test_a_released_task_is_everybodys_again(story):
    story.start().claim("check", "lz.officer").release("check", "lz.officer")

    assert counts(story, "lz.officer2") == {"claimable": 1}


def test_what_i_did_stays_in_my_list(story):
    story.start().do("check", "lz.officer", outcome="accepted")

    assert listed(story, "lz.officer", queue="done", sort="ended") == ["check of u01"]


def test_a_correction_comes_back_as_returned(story):
    story.start().do("check", "lz.officer", outcome="returned", opinion="缺年报").do("fix", "app01", days=2)

    assert counts(story, "lz.officer") == {"claimable": 1, "returned": 1, "done": 1}


def test_what_is_due_today_is_overdue_tomorrow(story):
    story.start()
    story.clock.move("P7D")  # Monday, 9 March: the fifth working day
    assert counts(story, "lz.officer") == {"claimable": 1, "today": 1}

    story.clock.move("P1D")

    assert counts(story, "lz.officer") == {"claimable": 1, "overdue": 1}


def test_a_suspended_case_is_on_hold_and_not_offered(story):
    story.start().claim("check", "lz.officer")
    story.commands.suspend_case(story.case_id, "等待司法鉴定结论", actor=story.person("lz.leader"))

    assert counts(story, "lz.officer") == {"on_hold": 1}


def test_a_delegated_task_is_the_delegates_and_stays_in_sight(story):
    story.start().claim("check", "lz.officer")
    story.commands.delegate_task(
        story.task("check"), "lz.officer2", question="材料是否齐全？", actor=story.person("lz.officer")
    )

    assert counts(story, "lz.officer") == {"delegated": 1, "team": 1}
    assert counts(story, "lz.officer2") == {"mine": 1}


@pytest.fixture
def busy(story):
    """Cases of eight units of Lanzhou, an hour apart."""
    for number in range(1, 9):
        story.start(by=f"app{number:02}")
        story.clock.move("PT1H")
    return story


def test_pages_follow_each_other_without_a_gap_or_a_double(busy):
    actor, seen, cursor = busy.person("lz.officer"), [], None
    while True:
        page = busy.inbox.tasks(actor, TaskQuery(limit=3, cursor=cursor))
        seen += [row.task_id for row in page.items]
        cursor = page.next
        if cursor is None:
            break

    assert len(seen) == 8
    assert len(set(seen)) == 8


@pytest.fixture
def crowded(busy):
    """Free, held, lent, returned and suspended tasks; some offered to two groups and to a person as well."""
    for number, task in enumerate(sorted(row["task_id"] for row in rows_of(busy, tasks))):
        who = busy.person("lz.officer" if number % 2 else "lz.officer2")
        if number % 4 < 2:
            busy.commands.claim_task(task, actor=who)
        if number == 4:
            busy.commands.delegate_task(task, "lz.officer", question="是否齐全？", actor=who)
        if number == 7:
            case = task.rpartition(".")[0]
            busy.commands.suspend_case(case, "等待司法鉴定结论", actor=busy.person("lz.leader"))
    with busy.database.begin() as connection:
        for number, row in enumerate(connection.execute(sa.select(candidates)).mappings().all()):
            for kind, name in (("group", "second_group"), ("user", "lz.officer"))[: number % 3]:
                connection.execute(sa.insert(candidates), {**row, "kind": kind, "name": name})
    return busy


def rows_of(story, table):
    with story.database.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def by_hand(story, actor, queue, sort, *, descending):
    """Every task, and the rule of each queue in plain words."""
    mine = {
        row["task_id"]
        for row in rows_of(story, candidates)
        if (row["kind"] == "group" and row["name"] in actor.groups) or row["name"] == actor.id
    }
    now, found = story.clock(), []
    for row in rows_of(story, tasks):
        held = row["assignee"] == actor.id and row["state"] == "claimed"
        free = row["task_id"] in mine and row["state"] == "ready"
        workable = (held or free) and not row["suspended"]
        rules = {
            "mine": held and not row["suspended"],
            "claimable": free and not row["suspended"],
            "open": workable,
            "overdue": workable and row["due_sort"] < now,
            "returned": workable and row["round"] > 1,
            "delegated": row["owner"] == actor.id and row["state"] == "claimed",
            "on_hold": row["suspended"] and (held or row["task_id"] in mine),
            "team": row["state"] == "claimed" and row["assignee"] != actor.id and row["task_id"] in mine,
        }
        if rules[queue]:
            found.append(row)
    column = {"due": "due_sort", "created": "created_at", "priority": "priority", "unit": "unit_name"}[sort]
    found.sort(key=lambda row: (row[column], row["task_id"]), reverse=descending)
    return [row["task_id"] for row in found]


@pytest.mark.parametrize("days", [0, 8])
def test_every_list_is_the_one_made_by_hand(crowded, days):
    crowded.clock.move(f"P{days}D")
    actor = crowded.person("lz.officer")
    actor = replace(actor, groups=actor.groups | {"second_group"})
    longest = 0
    for queue, sort, descending in product(
        QUEUES_BY_HAND, ("due", "created", "priority", "unit"), (True, False)
    ):
        query, seen = TaskQuery(queue=queue, sort=sort, descending=descending, limit=2), []
        right = by_hand(crowded, actor, queue, sort, descending=descending)
        while True:
            page = crowded.inbox.tasks(actor, query)
            seen += [row.task_id for row in page.items]
            if page.next is None:
                break
            query = replace(query, cursor=page.next)

        assert seen == right, (queue, sort, descending)
        assert crowded.inbox.count(actor, TaskQuery(queue=queue)).count == len(right)
        longest = max(longest, len(right))
    assert longest > 3


def test_a_page_holds_its_place_while_tasks_before_it_go(busy):
    actor = busy.person("lz.officer")
    first = busy.inbox.tasks(actor, TaskQuery(limit=3, sort="created"))
    busy.commands.claim_task(first.items[0].task_id, actor=busy.person("lz.officer2"))

    second = busy.inbox.tasks(actor, TaskQuery(limit=3, sort="created", cursor=first.next))

    assert [row.unit_id for row in second.items] == ["u04", "u05", "u06"]


def test_lists_are_sorted_both_ways(busy):
    oldest = listed(busy, "lz.officer", sort="created")
    newest = listed(busy, "lz.officer", sort="created", descending=True)

    assert oldest == newest[::-1]
    assert oldest[0] == "check of u01"


def test_words_find_units_numbers_and_steps(busy):
    (row,) = [
        row for row in busy.inbox.tasks(busy.person("lz.officer"), TaskQuery()).items if row.unit_id == "u03"
    ]

    for words in (row.unit_name[2:6], row.case_id.lower(), f"{row.unit_name[:4]} 初审"):
        assert "check of u03" in listed(busy, "lz.officer", q=words)
    assert listed(busy, "lz.officer", q="100%") == []


def test_filters_narrow_the_list(busy):
    assert listed(busy, "lz.officer", unit="u02") == ["check of u02"]
    assert listed(busy, "lz.officer", process="green_factory") == []
    assert len(listed(busy, "lz.officer", authority="620100", element="check")) == 8
    assert busy.inbox.count(busy.person("lz.officer"), TaskQuery(unit="u02")).count == 1


def test_nonsense_is_refused(story):
    actor = story.person("lz.officer")
    for query in (
        TaskQuery(queue="everything"),
        TaskQuery(sort="password"),
        TaskQuery(due="someday"),
        TaskQuery(cursor="!!"),
        TaskQuery(cursor="e30="),
    ):
        with pytest.raises(InvalidInput):
            story.inbox.tasks(actor, query)


def test_the_next_one_is_the_one_due_first_that_i_may_take(busy):
    offered = busy.inbox.next_claimable(busy.person("lz.officer"))

    assert offered[0].startswith("SR-2026-000001.")
    assert len(offered) == 8


def test_the_next_one_is_never_one_i_am_barred_from(story):
    story.start().do("check", "lz.officer", outcome="accepted")

    assert story.inbox.next_claimable(story.person("lz.officer")) == ()
    assert len(story.inbox.next_claimable(story.person("lz.officer2"))) == 1


def test_an_opened_task_tells_what_each_outcome_leads_to(story):
    story.start().claim("check", "lz.officer")

    view = story.inbox.task(story.task("check"), story.person("lz.officer"))

    assert view.instructions == "核对材料是否齐全。"
    assert view.instructions_en == "Check that everything is there."
    assert {o.value: [step.element for step in o.next.steps] for o in view.outcomes} == {
        "accepted": ["review"],
        "returned": ["fix"],
    }
    assert view.can["complete"].allowed
    assert view.form is not None
    assert view.context["days"] == 3


def test_looking_at_what_would_follow_changes_nothing(story):
    story.start().claim("check", "lz.officer")
    entries, task, actor = story.entries(), story.task("check"), story.person("lz.officer")

    shown = story.inbox.preview(task, {"outcome": "accepted", "opinion": "齐全"}, actor)

    assert [step.element for step in shown.steps] == ["review"]
    assert (story.entries(), story.waiting()) == (entries, ["check"])


def test_a_due_date_is_explained_day_by_day(story):
    story.start()

    due = story.inbox.task(story.task("check"), story.person("lz.officer")).due

    assert [day.number for day in due.counted] == [1, 2, 3, 4, 5]
    assert any("2026-03-09 18:00" in sentence for sentence in due.sentences("zh"))


def test_a_second_round_begins_with_what_was_handed_in_before(story):
    story.start().do("check", "lz.officer", outcome="returned", opinion="缺年报").do("fix", "app01", days=2)
    story.claim("check", "lz.officer2")

    view = story.inbox.task(story.task("check"), story.person("lz.officer2"))

    assert view.previous["opinion"] == "缺年报"
    assert view.task.round == 2


def test_a_draft_is_what_the_form_begins_with(story):
    story.start().claim("check", "lz.officer")
    task, actor = story.task("check"), story.person("lz.officer")
    story.commands.save_draft(task, {"opinion": "写到一半"}, actor=actor, revision=0)

    view = story.inbox.task(task, actor)

    assert (view.values, view.draft.revision) == ({"opinion": "写到一半"}, 1)
    assert view.task.has_draft


def test_why_tells_what_speaks_for_and_against(story):
    story.start().do("check", "lz.officer", outcome="accepted")

    why = story.inbox.why(story.task("review"), story.person("lz.officer"))

    assert {verdict.rule: verdict.allowed for verdict in why["claim"]} == {
        "open": True,
        "running": True,
        "candidate": True,
        "scope": True,
        "four_eyes": False,
        "interest": True,
        "free": True,
    }


def test_a_stranger_opens_nothing(story):
    story.start()

    for look in (story.inbox.task, story.inbox.why):
        with pytest.raises(NotFound):
            look(story.task("check"), story.person("app02"))


def test_a_notice_reaches_whom_it_names_and_nobody_else(story):
    story.start().do("check", "lz.officer", outcome="accepted").pass_time("P4D")

    (message,) = story.inbox.messages(story.person("lz.leader"))

    assert (message.template, message.case_id) == ("late", story.case_id)
    assert story.inbox.messages(story.person("lz.officer")) == ()


def test_a_list_costs_few_statements(busy):
    statements = []
    listen = lambda *args: statements.append(args[2])  # noqa: E731
    import sqlalchemy as sa

    actor = busy.person("lz.officer")
    sa.event.listen(busy.database, "before_cursor_execute", listen)
    busy.inbox.tasks(actor, TaskQuery())

    assert len([s for s in statements if s.startswith("SELECT")]) <= 4
