"""Coverage of clauses: who carries out what, who says nothing, and what an amended text makes stale."""

from __future__ import annotations

from datetime import date

import pytest

from engine.errors import InvalidInput, NotAllowed, NotFound
from tests.processes import drawn
from tests.story import PACKAGES
from workflows.actors.policy import Actor
from workflows.library.packages import read_files, read_folder
from workflows.library.references import references
from workflows.register.rules import load_rules
from workflows.workshop.rules.comparison import compare
from workflows.workshop.rules.coverage import amended, coverage, coverage_of_folder, held_again
from workflows.workshop.rules.report import report

OWNER = Actor(id="owner", name="主人", roles=frozenset({"process_owner"}))
OFFICER = Actor(id="officer", name="经办人")
TODAY = date(2026, 3, 2)
SAID = {"document": "miit-2024", "article": "第十六条", "status": "read", "zh": "改为每年3月31日前填报。"}


@pytest.fixture(scope="module")
def whole():
    """The report on everything that is drawn."""
    return coverage_of_folder(drawn.ROOT, on=TODAY)


@pytest.fixture
def house(story):
    """A house where the small yearly form is in force."""
    return story.deploy("yearly_form")


def amend(house, clause="F38", actor=OWNER, **other):
    said = {**SAID, "en": "By 31 March.", "reason": "部令已经修订", **other}
    with house.database.begin() as connection:
        return amended(connection, clause, actor=actor, now=house.clock(), **said)


def reported(house):
    with house.database.connect() as connection:
        return coverage(connection, house.catalog, now=house.clock())


def hold(house, actor=OWNER, reason="对照新文本，仍然符合"):
    with house.database.begin() as connection:
        held_again(connection, house.catalog, "yearly_form", reason=reason, actor=actor, now=house.clock())


def stale(house):
    return [(place.place, clause) for place, clause in reported(house).stale]


def test_nothing_that_is_drawn_names_a_clause_that_is_not_there_or_holds_no_longer(whole):
    assert (whole.unknown, whole.over, whole.stale) == ((), (), ())


def test_every_element_and_every_rule_that_is_drawn_says_where_it_comes_from(whole):
    assert whole.counted > 150
    assert [(one.process, one.place) for one in whole.silent] == []


def test_both_directions_are_told(whole):
    lines = {line.clause.id: line for line in whole.lines}

    assert {place.kind for place in lines["F36"].places} >= {"rule", "userTask"}
    assert {parameter.key for parameter in lines["F43"].parameters} == {"evaluator.cap", "evaluator.scope"}
    assert lines["F1"].is_carried_out is False
    assert lines["F38"].is_carried_out is True  # by a parameter


def test_a_parameter_that_no_drawing_asks_for_is_told(whole):
    used = {line.parameter.key: line.places for line in whole.parameters}

    assert used["days.gf_m6"]
    assert used["publicity.municipal"]  # through days.gf_m10, which is the same
    assert used["dates.apply"]
    assert used["templates.letter"] == ()


def test_the_report_is_one_document(whole):
    told = report(whole)

    assert told["rules"] == "gansu-2026:1"
    assert "F1" in told["not_carried_out"]
    assert told["parameters"]["used"] + len(told["parameters"]["unused"]) == len(whole.parameters)


def test_a_comparison_names_the_elements_and_the_steps_of_the_track():
    found = [one for package in drawn.packages().values() for one in references(package)]
    rules = load_rules()

    lines = {
        d.key: d for d in compare(rules, rules.changed({"days.gf_m6": 4, "publicity.provincial": 7}), found)
    }

    assert {"days.gf_m6", "publicity.provincial", "days.gf_p8"} <= lines.keys()
    assert lines["days.gf_m6"].steps == ("GF-M6",)
    assert {place.place for place in lines["days.gf_m6"].places} == {"gf_track", "m_county_opinion"}
    assert compare(rules, rules, found) == ()


def test_an_amended_clause_makes_the_elements_that_name_it_stale(house):
    assert stale(house) == []

    amend(house)

    assert stale(house) == [("yearly_form", "F38"), ("yf_fill", "F38")]


def test_until_somebody_holds_them_against_the_new_text(house):
    amend(house)
    hold(house)

    assert stale(house) == []
    amend(house, zh="再改一次")
    assert len(stale(house)) == 2


def test_or_a_new_version_is_published(house):
    amend(house)
    files = read_folder(PACKAGES / "yearly_form").files
    text = files["process.bpmn"].replace("填报".encode(), "年度填报".encode())
    with house.database.begin() as connection:
        package = read_files({**files, "process.bpmn": text})
        house.catalog.deploy(connection, package, by="owner", at=house.clock())

    assert stale(house) == []


def test_who_only_says_better_how_a_clause_is_known_makes_nothing_stale(house):
    known = next(line.clause for line in reported(house).lines if line.clause.id == "F38")
    amend(house, zh=known.zh, en=known.en, status="paraphrased")

    assert stale(house) == []


def test_every_act_leaves_one_record(house):
    amend(house)
    hold(house)

    house.case_id = None
    assert house.operations() == ["clause-amend", "clauses-held"]


def test_only_a_process_owner_amends_and_holds_and_says_why(house):
    for act in (lambda: amend(house, actor=OFFICER), lambda: hold(house, actor=OFFICER)):
        with pytest.raises(NotAllowed):
            act()
    for act in (lambda: amend(house, reason=""), lambda: hold(house, reason="好")):
        with pytest.raises(InvalidInput):
            act()
    with house.database.begin() as connection, pytest.raises(NotFound):
        held_again(
            connection, house.catalog, "nothing", reason="仍然符合新文本", actor=OWNER, now=house.clock()
        )
    assert stale(house) == []


def test_a_folder_without_a_package_is_told_so(tmp_path):
    with pytest.raises(NotFound):
        coverage_of_folder(tmp_path, on=TODAY)
