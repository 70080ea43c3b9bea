"""Rule sets: drafted from another, approved by a second person, then settled; which one governs a case."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from engine.errors import BadDefinition, InvalidInput, NotAllowed, NotFound, WrongState
from tests.conftest import START
from tests.story import Story
from workflows.actors.policy import Actor
from workflows.register.batches import close_batch, open_batch
from workflows.register.rule_sets import approved_rules, load_rule_sets, rule_sets, rules_on
from workflows.register.rules import load_rules
from workflows.store.tables import operations
from workflows.workshop.rules.sets import RuleSets

OWNER = Actor(id="owner", name="主人", roles=frozenset({"process_owner"}))
SECOND_OWNER = Actor(id="owner2", name="另一主人", roles=frozenset({"process_owner"}))
APPROVER = Actor(id="approver", name="批准人", roles=frozenset({"approver"}))
BOTH = Actor(id="both", name="身兼两职", roles=frozenset({"process_owner", "approver"}))
OFFICER = Actor(id="officer", name="经办人")
NOTE = "按2027年度通知调整"


class Desk:
    """Somebody who drafts the rule set of a year."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.sets = RuleSets(story.database, clock=story.clock)

    def base(self):
        return self.sets.get("gansu-2026", 1)

    def begin(self, rules="gansu-2027", year=2027, actor=OWNER):
        return self.sets.begin(self.base(), rules=rules, year=year, actor=actor)

    def save(self, draft, actor=OWNER, *, revision=None, effective=None, **values):
        entries = {key.replace("__", "."): {"value": value} for key, value in values.items()}
        facts = {"effective": effective} if effective else {}
        number = draft.revision if revision is None else revision
        return self.sets.save(draft, revision=number, entries=entries, facts=facts, actor=actor)

    def approved(self, draft):
        asked = self.sets.submit(draft, revision=draft.revision, note=NOTE, actor=OWNER)
        return self.sets.approve(asked, revision=asked.revision, reason="同意", actor=APPROVER)

    def actions(self):
        with self.story.database.connect() as connection:
            return list(connection.scalars(sa.select(operations.c.action).order_by(operations.c.number)))


@pytest.fixture
def desk(story):
    return Desk(story)


def test_a_new_installation_has_the_shipped_sets_and_one_of_them_in_force(desk):
    found = {one.name: one for one in desk.sets.all()}

    assert list(found) == ["gansu-2026:1", "guangdong-2026:1", "heilongjiang-2026:1", "shandong-2026:1"]
    assert {one.state for one in found.values()} == {"approved"}
    assert [name for name, one in found.items() if one.is_in_force(date(2026, 3, 2))] == ["gansu-2026:1"]


def test_loading_them_again_changes_nothing(story):
    with story.database.begin() as connection:
        assert load_rule_sets(connection, now=START) == ()


def test_a_file_that_changed_is_the_next_version_and_the_old_one_stays(story):
    with story.database.begin() as connection:
        other = load_rules().changed({"days.gf_m5": 9}, version=1)
        changed = {"content": other.content, "digest": other.digest}
        connection.execute(sa.update(rule_sets).where(rule_sets.c.id == "gansu-2026").values(**changed))

        assert load_rule_sets(connection, now=START + timedelta(days=1)) == ("gansu-2026:2",)
        assert load_rule_sets(connection, now=START + timedelta(days=2)) == ()
        assert rules_on(connection, date(2026, 3, 3)).value("days.gf_m5") == 5


def test_a_draft_holds_everything_its_base_holds_for_another_year(desk):
    draft = desk.begin()

    assert (draft.name, draft.state, draft.base, draft.revision) == (
        "gansu-2027:1",
        "editing",
        "gansu-2026:1",
        1,
    )
    assert draft.rules.effective == (date(2027, 1, 1), None)
    assert draft.rules.parameters == desk.base().rules.parameters
    assert draft.rules.label_zh == "甘肃省2027年度绿色制造梯度培育规则参数"
    assert draft.rules.context["dates"]["national"] == date(2027, 7, 31)


def test_a_set_of_the_same_id_is_the_next_version(desk):
    assert desk.begin("gansu-2026", 2026).name == "gansu-2026:2"


def test_a_rule_set_has_one_draft_at_a_time(desk):
    desk.begin()

    with pytest.raises(WrongState) as refused:
        desk.begin(actor=SECOND_OWNER)
    assert refused.value.code == "RULES_DRAFT_EXISTS"


@pytest.mark.parametrize(
    ("rules", "year"), [("Gansu", 2027), ("", 2027), ("a b", 2027), ("../x", 2027), ("x", 27)]
)
def test_a_draft_needs_a_plain_id_and_a_year(desk, rules, year):
    with pytest.raises(InvalidInput):
        desk.begin(rules, year)


@pytest.mark.parametrize("actor", [OFFICER, APPROVER])
def test_only_a_process_owner_drafts(desk, actor):
    with pytest.raises(NotAllowed):
        desk.begin(actor=actor)
    with pytest.raises(NotAllowed):
        desk.save(desk.begin(), actor, days__gf_m5=3)


def test_saving_makes_a_revision_and_remembers_whose_hand_is_in_it(desk):
    draft = desk.save(desk.begin(), SECOND_OWNER, publicity__municipal=7)

    assert (draft.revision, draft.changed_by, draft.authors) == (2, "owner2", ("owner", "owner2"))
    assert draft.rules.value("days.gf_m10") == 7


def test_a_parameter_may_follow_another_again(desk):
    draft = desk.save(desk.begin(), days__gf_m10=8)
    entries = {
        "days.gf_m10": {"same_as": "publicity.municipal", "inferred": False, "source": "F82", "note": "x"}
    }
    after = desk.sets.save(draft, revision=2, entries=entries, facts={}, actor=OWNER)

    found = after.rules.parameters["days.gf_m10"]
    assert (after.rules.value("days.gf_m10"), found.same_as) == (5, "publicity.municipal")
    assert (found.inferred, found.source, found.note) == (False, "F82", "x")


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ({"days.gf_m5": {"value": 0}}, ["days.gf_m5"]),
        ({"days.gf_m5": {"value": 2.5}}, ["days.gf_m5"]),
        ({"days.gf_m55": {"value": 2}}, ["days.gf_m55"]),
        ({"weights.gf.land": {"value": 9}}, ["weights.gf"]),
        ({"quota.gf": {"value": {"default": 1, "by_authority": {"x": 1}}}}, ["quota.gf"]),
        ({"days.gf_m5": {"value": 0}, "experts.count": {"value": 4}}, ["days.gf_m5", "experts.count"]),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name_and_nothing_is_saved(desk, entries, named):
    draft = desk.begin()

    with pytest.raises(BadDefinition) as refused:
        desk.sets.save(draft, revision=1, entries=entries, facts={}, actor=OWNER)

    assert [problem.element for problem in refused.value.problems] == named
    assert desk.sets.get("gansu-2027", 1) == draft


def test_nobody_saves_over_somebody_elses_work(desk):
    draft = desk.begin()
    desk.save(draft, SECOND_OWNER, days__gf_m5=3)

    with pytest.raises(WrongState) as refused:
        desk.save(draft, days__gf_m5=4)
    assert (refused.value.code, refused.value.facts["current"]["by"]) == ("DRAFT_STALE", "owner2")


def test_a_second_person_approves_and_the_author_does_not(desk):
    draft = desk.sets.submit(desk.begin(actor=BOTH), revision=1, note=NOTE, actor=OWNER)

    for author in (OWNER, BOTH):
        with pytest.raises(NotAllowed):
            desk.sets.approve(draft, revision=1, reason="同意", actor=author)
    done = desk.sets.approve(draft, revision=1, reason="同意", actor=APPROVER)

    assert (done.state, done.submitted_by, done.approved_by) == ("approved", "owner", "approver")
    assert desk.actions() == ["rules-begin", "rules-submit", "rules-approve"]


def test_what_is_saved_after_it_was_submitted_has_to_be_submitted_again(desk):
    asked = desk.sets.submit(desk.begin(), revision=1, note=NOTE, actor=OWNER)
    after = desk.save(asked, days__gf_m5=3)

    assert after.state == "editing"
    with pytest.raises(WrongState) as refused:
        desk.sets.approve(after, revision=2, reason="同意", actor=APPROVER)
    assert refused.value.code == "DRAFT_STATE"


def test_the_approver_may_send_it_back(desk):
    asked = desk.sets.submit(desk.begin(), revision=1, note=NOTE, actor=OWNER)

    assert desk.sets.send_back(asked, revision=1, reason="名额依据不足", actor=APPROVER).state == "editing"


def test_an_approved_set_never_changes(desk):
    done = desk.approved(desk.begin())

    for act in (
        lambda: desk.save(done, days__gf_m5=3),
        lambda: desk.sets.submit(done, revision=1, note=NOTE, actor=OWNER),
        lambda: desk.sets.approve(done, revision=1, reason="同意", actor=APPROVER),
        lambda: desk.sets.discard(done, revision=1, reason="本年度不再需要", actor=OWNER),
    ):
        with pytest.raises(WrongState) as refused:
            act()
        assert refused.value.code == "RULES_SETTLED"


def test_a_set_without_a_beginning_cannot_be_submitted(desk):
    draft = desk.sets.begin(desk.sets.get("shandong-2026", 1), rules="x-2027", year=2027, actor=OWNER)
    draft = desk.save(draft, effective={"from": None, "to": None})

    with pytest.raises(InvalidInput) as refused:
        desk.sets.submit(draft, revision=2, note=NOTE, actor=OWNER)
    assert refused.value.code == "EFFECTIVE_MISSING"


def test_nothing_holds_from_before_it_was_approved(desk):
    draft = desk.begin("gansu-2026", 2026)  # from 1 January; it is March

    with pytest.raises(InvalidInput) as refused:
        desk.approved(draft)
    assert refused.value.code == "EFFECTIVE_IN_PAST"


def test_a_discarded_draft_is_gone_and_its_number_free(desk):
    draft = desk.begin()
    desk.sets.discard(draft, revision=1, reason="本年度不调整", actor=OWNER)

    with pytest.raises(NotFound):
        desk.sets.get("gansu-2027", 1)
    assert desk.begin().name == "gansu-2027:1"


def test_every_act_needs_its_reason(desk):
    draft = desk.begin()
    for act in (
        lambda: desk.sets.submit(draft, revision=1, note="", actor=OWNER),
        lambda: desk.sets.discard(draft, revision=1, reason="不要", actor=OWNER),
    ):
        with pytest.raises(InvalidInput) as refused:
            act()
        assert refused.value.code == "REASON_REQUIRED"


# --- which one governs --------------------------------------------------------------------------------


def test_a_batch_is_opened_with_an_approved_set_only(desk, story):
    draft = desk.save(desk.begin(), days__gf_m5=3)
    facts = {
        "name": "第一批",
        "name_en": "First",
        "calendar": "cn-2026-1",
        "by": "owner",
        "now": story.clock(),
    }
    with story.database.begin() as connection:
        with pytest.raises(WrongState) as refused:
            approved_rules(connection, "gansu-2027", 1)
        assert refused.value.code == "RULES_NOT_APPROVED"
        with pytest.raises(NotFound):
            approved_rules(connection, "gansu-2027")

    done = desk.approved(draft)
    with story.database.begin() as connection:
        rules = approved_rules(connection, "gansu-2027").rules
        open_batch(connection, "2027-1", rules=rules, approved_by="approver", **facts)

    story.start(batch="2027-1")
    assert story.case().variables["rules"]["days"]["gf_m5"] == 3
    assert desk.sets.batches_with(done) == ("2027-1",)


def test_a_case_keeps_the_rules_it_was_accepted_under(desk, story):
    story.start()
    desk.approved(
        desk.save(desk.begin("gansu-2026", 2026), effective={"from": "2026-03-02", "to": None}, days__gf_m5=9)
    )

    assert story.case().variables["rules"]["days"]["gf_m5"] == 5


def test_without_a_batch_the_set_of_the_day_governs(desk, story):
    with story.database.begin() as connection:
        close_batch(connection, "2026-1")
    draft = desk.begin("gansu-2026", 2026)
    desk.approved(desk.save(draft, effective={"from": "2026-03-09", "to": "2026-06-30"}, days__gf_m5=9))

    def rules():
        return story.start().case().variables["rules"]["days"]["gf_m5"]

    assert rules() == 5
    story.clock.move("P7D")
    assert rules() == 9
    story.clock.move(timedelta(days=120))  # the first of July and later
    assert rules() == 5


def test_a_set_holds_until_a_later_one_begins(desk, story):
    desk.approved(desk.save(desk.begin(), days__gf_m5=9))

    with story.database.connect() as connection:
        found = [
            rules_on(connection, day) for day in (date(2026, 12, 31), date(2027, 1, 1), date(2029, 1, 1))
        ]
    assert [rules.value("days.gf_m5") for rules in found] == [5, 9, 9]


def test_before_the_first_day_of_any_set_none_governs(story):
    with story.database.begin() as connection:
        close_batch(connection, "2026-1")
        assert rules_on(connection, date(2025, 12, 31)) is None
    story.clock.move(timedelta(days=-100))

    assert story.start().case().variables["rules"] is None
