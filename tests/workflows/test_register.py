"""The register: rule sets that hold together, pinned batches, titles, bans, evaluators' counts."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import BadDefinition, NotFound, WrongState
from engine.expressions.feel import parse
from engine.tables import metadata
from engine.values import from_json, to_json
from workflows import people
from workflows.calendar import load_calendar
from workflows.register import batches, titles
from workflows.register.rules import catalogue, check_rules, flat, load_rules, read_rules, rule_set_ids
from workflows.tables import cases, open_database

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
BPMN = Path(__file__).parents[2] / "bpmn"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('register') / 'register.sqlite'}")
    with database.begin() as connection:
        metadata.create_all(connection)
        people.load_organisations(connection, now=NOW)
        batches.load_batches(connection, now=NOW)
    yield database
    database.dispose()


@pytest.fixture
def connection(database):
    with database.connect() as connection:
        change = connection.begin()
        yield connection
        change.rollback()


def content():
    return json.loads(json.dumps(load_rules().content))


def found(row):
    with pytest.raises(BadDefinition) as refused:
        read_rules(row)
    return [(problem.element, problem.message) for problem in refused.value.problems]


# --- rule sets ---------------------------------------------------------------------------------------


def test_every_rule_set_that_ships_is_sound():
    assert rule_set_ids() == ("gansu-2026",)
    assert check_rules(load_rules()) == ()


def test_every_parameter_says_where_it_comes_from_and_speaks_two_languages():
    for parameter in load_rules().parameters.values():
        assert parameter.source
        assert parameter.label("en").isascii()
        assert not parameter.label("zh").isascii()


def test_no_article_of_the_provincial_rule_is_named_beyond_the_two_that_were_read():
    text = (BPMN / "rules" / "gansu-2026.json").read_text("utf-8")

    assert not re.search(r"第[三四五六七八九十百0-9]+条|Art(icle|\.) ?([3-9]|[12][0-9])", text)


def test_what_national_sources_settle_is_not_marked_inferred():
    settled = {key for key, p in load_rules().parameters.items() if not p.inferred}

    assert {
        "publicity.national",
        "dates.national",
        "dates.annual_form",
        "evaluator.cap",
        "ban.years",
    } <= settled
    assert not any(
        key.startswith("days.") and key[8:9] in "mp" for key in settled if key[5:7] in titles.TRACKS
    )


def test_the_drawings_name_only_parameters_that_exist():
    rules = load_rules().context()
    named = set()
    for path in (p for kind in ("bpmn", "dmn", "form") for p in BPMN.glob(f"*/**/*.{kind}")):
        named |= set(re.findall(r"\brules\.([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)", path.read_text("utf-8")))

    def exists(name):
        here = rules
        for part in name.split("."):
            if isinstance(here, dict) and part not in here:
                return False
            here = here[part] if isinstance(here, dict) else {}
        return True

    assert named
    assert sorted(name for name in named if not exists(name)) == []


def test_the_rules_are_a_plain_context_for_expressions():
    context = {"rules": load_rules().context(), "score": Decimal(80)}

    def value(text):
        return parse(text).evaluate(context)

    assert value("rules.days.gf_m5") == 5
    assert value("rules.days.gf_p3_remind") == 3
    assert value("rules.publicity.provincial + rules.days.gf_m11") == 20
    assert value("rules.dates.national") == date(2026, 7, 31)
    assert value("score >= rules.thresholds.gf_municipal") is True
    assert value("rules.quota.gf = null") is True
    assert value("rules.departments.id") == ["ecology", "emergency", "market"]
    assert value("rules.departments_by_track.we[4].name") == "甘肃省水利厅"
    assert value("rules.departments_by_track.gp[1].days") == 15
    assert value('list contains(rules.tracks.national, "sc")') is False
    assert value("rules.switches.county_step") is True


def test_the_rules_can_be_stored_with_a_case():
    rules = load_rules().context()

    assert from_json(to_json(rules)) == rules


def test_the_weights_make_a_hundred():
    row = content()
    row["parameters"]["weights.gf.land"]["value"] = 9

    assert found(row) == [("weights.gf", "the weights make 101, not 100")]


def test_a_missing_and_an_unknown_parameter_are_named():
    row = content()
    row["parameters"]["days.gf_m55"] = row["parameters"].pop("days.gf_m5")

    assert found(row) == [
        ("days.gf_m5", "the parameter is missing"),
        ("days.gf_m55", "there is no such parameter"),
    ]


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("days.gf_m5", {"unit": "days"}),
        ("days.gf_m5", {"unit": ""}),
        ("days.gf_m5", {"value": 0}),
        ("days.gf_m5", {"value": 2.5}),
        ("days.gf_m5", {"value": True}),
        ("days.gf_m5", {"value": "5"}),
        ("days.gf_m5", {"value": None}),
        ("days.gf_m5", {"label": ""}),
        ("days.gf_m5", {"source": ""}),
        ("days.gf_m10", {"same_as": "days.gf_m99"}),
        ("days.gf_m10", {"same_as": "days.gf_m11"}),
        ("days.gf_m10", {"same_as": "publicity.national"}),
        ("experts.count", {"value": 4}),
        ("onsite.share", {"value": 1.2}),
        ("quota.gf", {"value": -1}),
        ("switches.county_step", {"value": 1}),
        ("dates.national", {"value": "07-32"}),
        ("dates.national", {"value": "2026-07-31"}),
        ("consultation.silence", {"value": "shout"}),
        ("tracks.national", {"value": ["gf", "zero_carbon"]}),
        ("tracks.national", {"value": []}),
        ("annual.remind_before", {"value": [14, "7"]}),
        ("departments", {"value": [{"id": "ecology"}]}),
        ("standards.gf", {"value": 5}),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(key, change):
    row = content()
    row["parameters"][key].update(change)

    assert [element for element, _ in found(row)] == [key]


def test_a_department_must_be_reminded_before_its_time_is_up_and_stand_once():
    row = content()
    departments = row["parameters"]["departments"]["value"]
    departments[0]["remind_before"] = 10
    assert [element for element, _ in found(row)] == ["departments"]

    departments[0]["remind_before"] = 3
    departments.append(departments[0])
    assert [element for element, _ in found(row)] == ["departments"]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"id": "x"}'])
def test_what_is_no_rule_set_is_refused(data):
    with pytest.raises(BadDefinition):
        read_rules(data)


def test_a_change_is_the_next_version_and_leaves_the_old_one_alone():
    before = load_rules()

    after = before.changed({"publicity.provincial": 7, "quota.gf": 12, "days.gf_m10": 6})

    assert (before.version, after.version) == (1, 2)
    assert (before.value("days.gf_p8"), after.value("days.gf_p8")) == (5, 7)
    assert (before.value("days.gf_m10"), after.value("days.gf_m10")) == (5, 6)
    assert after.digest != before.digest
    assert read_rules(after.content).digest == after.digest


def test_a_change_to_nonsense_is_refused():
    for change in ({"publicity.provincial": 0}, {"publicity.galactic": 5}):
        with pytest.raises(BadDefinition):
            load_rules().changed(change)


def test_the_catalogue_knows_every_unit():
    assert {row["unit"] for row in catalogue().values()} == {
        "working_days", "days", "months", "years", "count", "quota", "points", "share", "cubic_metres",
        "switch", "month_day", "list", "departments", "text", "choice",
    }  # fmt: skip


def test_an_unknown_rule_set_is_not_found():
    for name in ("gansu-1999", "parameters", "../calendars/cn-2026-1"):
        with pytest.raises(NotFound):
            load_rules(name)


# --- batches and what a case is told -----------------------------------------------------------------


def test_a_new_installation_has_an_open_batch_with_its_rules_and_calendar(connection):
    (batch,) = batches.open_batches(connection)

    assert (batch.id, batch.year, batch.calendar) == ("2026-1", 2026, "cn-2026-1")
    assert batch.rules_digest == batch.rules.digest == load_rules().digest
    assert load_calendar(batch.calendar).id == batch.calendar
    assert batches.load_batches(connection, now=NOW) == ("2026-1",)


def test_a_case_is_told_of_its_unit_its_batch_and_its_rules(connection):
    told = batches.case_context(connection, "u01", "2026-1", now=NOW)

    assert told["batch"] == {
        "id": "2026-1",
        "year": 2026,
        "name": "甘肃省2026年度绿色制造梯度培育第一批",
        "name_en": "Gansu green manufacturing 2026, first batch",
        "calendar": "cn-2026-1",
    }
    unit = told["unit"]
    assert (unit["authority"], unit["authority_name"], unit["authority_name_en"]) == (
        "620100",
        "兰州市",
        "Lanzhou",
    )
    assert (unit["key_sector"], unit["founded"], unit["capital"]) == (True, date(2004, 6, 18), 32000)
    assert (unit["titles"], unit["cultivated"], unit["banned_until"]) == ([], [], None)
    assert told["rules"]["days"]["gf_m5"] == 5
    assert from_json(to_json(told)) == told


def test_a_case_without_unit_or_batch_is_told_null(connection):
    assert batches.case_context(connection, None, None, now=NOW) == {
        "unit": None,
        "batch": None,
        "rules": None,
    }


@pytest.mark.parametrize(("unit", "batch"), [("u99", "2026-1"), ("u01", "1999-1")])
def test_an_unknown_unit_or_batch_is_not_found(connection, unit, batch):
    with pytest.raises(NotFound):
        batches.case_context(connection, unit, batch, now=NOW)


@pytest.mark.parametrize("overrides", [{"thresholds.gf_municipal": 60}, {"thresholds": {"gf_municipal": 60}}])
def test_rules_can_be_tried_out_with_other_values(connection, overrides):
    told = batches.case_context(connection, "u01", "2026-1", now=NOW, overrides=overrides)

    assert told["rules"]["thresholds"]["gf_municipal"] == 60
    assert told["rules"]["version"] == 1
    assert flat({"a": {"b": {"c": 1}}, "d": [2]}) == {"a.b.c": 1, "d": [2]}


def test_a_batch_keeps_the_rules_it_was_opened_with(connection):
    changed = load_rules().changed({"publicity.provincial": 7})
    facts = {"name": "第二批", "name_en": "Second batch", "calendar": "cn-2026-1", "by": "owner", "now": NOW}
    batches.open_batch(connection, "2026-2", rules=changed, approved_by="approver", **facts)

    assert batches.find_batch(connection, "2026-2").rules.value("days.gf_p8") == 7
    assert batches.find_batch(connection, "2026-1").rules.value("days.gf_p8") == 5
    with pytest.raises(WrongState):
        batches.open_batch(connection, "2026-2", rules=load_rules(), **facts)


def test_a_closed_batch_takes_no_more_applications(connection):
    batches.close_batch(connection, "2026-1")

    assert batches.open_batches(connection) == ()
    assert batches.find_batch(connection, "2026-1").status == "closed"
    with pytest.raises(NotFound):
        batches.close_batch(connection, "1999-1")


# --- units -------------------------------------------------------------------------------------------


def test_every_unit_and_evaluator_has_a_credit_code_of_its_own_with_the_right_check_digit():
    rows = [
        row
        for name in ("units", "evaluators")
        for row in json.loads((BPMN / "organisations" / f"{name}.json").read_bytes())[name]
    ]

    assert len({row["uscc"] for row in rows}) == 42
    assert [row["uscc"] for row in rows if not batches.is_uscc(row["uscc"])] == []


@pytest.mark.parametrize(
    "code", ["91620103MA807932XE", "91620103MA807932X", "９1620103MA807932XD", "", "I" * 18]
)
def test_a_wrong_credit_code_is_found_out(code):
    assert batches.is_uscc("91350100M000100Y43") is True  # the example of GB 32100-2015
    assert batches.is_uscc(code) is False


def test_every_unit_lies_in_one_of_the_fifteen_authorities(connection):
    rows = json.loads((BPMN / "organisations" / "units.json").read_bytes())["units"]
    known = json.loads((BPMN / "organisations" / "authorities.json").read_bytes())["authorities"]

    assert len(known) == 15
    assert {row["authority"] for row in rows} == {row["code"] for row in known}
    assert [row["authority"] for row in rows[:8]] == ["620100"] * 8


# --- titles, bans, cultivation, evaluators -----------------------------------------------------------


def designate(connection, **changes):
    facts = {
        "case_id": "GF-2026-000001",
        "designation_id": "GF-2026-000001.9",
        "unit": "u01",
        "track": "gf",
        "level": "municipal",
        "title": "市级绿色工厂",
        "decided_on": TODAY,
    }
    titles.record_designation(connection, **(facts | changes))


def test_a_title_stands_in_the_register_from_its_decision(connection):
    designate(connection)
    designate(connection)

    (title,) = titles.titles_of(connection, "u01", on=TODAY)
    assert (title.title, title.valid_until) == ("市级绿色工厂", None)
    assert titles.titles_of(connection, "u01", on=date(2026, 3, 1)) == ()
    assert batches.unit_context(connection, "u01", on=TODAY)["titles"] == ["gf.municipal"]


def test_the_same_unit_track_and_level_stand_once(connection):
    designate(connection)

    assert titles.duplicate(connection, "u01", track="gf", level="municipal", on=TODAY)
    assert titles.duplicate(connection, "u01", track="gf", level="provincial", on=TODAY) is None
    assert titles.duplicate(connection, "u01", track="we", level="municipal", on=TODAY) is None
    assert titles.duplicate(connection, "u02", track="gf", level="municipal", on=TODAY) is None


def test_a_title_for_three_years_ends_with_the_last_day(connection):
    designate(connection, track="we", valid_years=3)

    assert titles.titles_of(connection, "u01", on=date(2029, 3, 2))
    assert titles.titles_of(connection, "u01", on=date(2029, 3, 3)) == ()


def test_the_public_list_shows_valid_titles_with_their_units(connection):
    designate(connection)
    designate(connection, unit="u09", level="provincial", decided_on=date(2026, 3, 1), designation_id="x")

    def listed(**wanted):
        return [(row["unit"], row["level"]) for row in titles.list_titles(connection, on=TODAY, **wanted)]

    assert listed() == [("u01", "municipal"), ("u09", "provincial")]
    assert listed(level="provincial") == [("u09", "provincial")]
    assert listed(authority="620100") == [("u01", "municipal")]
    assert listed(track="gp") == []
    assert listed(limit=1, offset=1) == [("u09", "provincial")]
    assert titles.list_titles(connection, on=TODAY)[0]["unit_name"] == "兰州兰岭水泥有限公司"


def test_a_removal_takes_the_titles_and_bars_the_unit_for_three_years(connection):
    designate(connection)
    designate(connection, level="provincial", designation_id="p")

    gone = titles.remove_titles(connection, case_id="RM-1", unit="u01", ground="F40", on=date(2026, 5, 1))
    until = titles.record_ban(
        connection, case_id="RM-1", unit="u01", ground="F40", since=date(2026, 5, 1), years=3
    )

    assert (gone, until) == (2, date(2029, 5, 1))
    assert titles.titles_of(connection, "u01", on=date(2026, 4, 30))
    assert titles.titles_of(connection, "u01", on=date(2026, 5, 1)) == ()
    assert titles.list_titles(connection, on=date(2026, 5, 1)) == ()
    assert titles.ban_of(connection, "u01", on=date(2026, 4, 30)) is None
    assert titles.ban_of(connection, "u01", on=date(2029, 4, 30)).ground == "F40"
    assert titles.ban_of(connection, "u01", on=date(2029, 5, 1)) is None
    assert batches.unit_context(connection, "u01", on=date(2026, 6, 1))["banned_until"] == until


def test_one_level_may_be_removed_and_repeating_it_tells_the_same(connection):
    designate(connection)
    designate(connection, level="provincial", designation_id="p")
    removal = {"case_id": "RM-1", "unit": "u01", "level": "provincial", "ground": "F41", "on": TODAY}

    assert titles.remove_titles(connection, **removal) == 1
    assert titles.remove_titles(connection, **removal) == 1
    assert [title.level for title in titles.titles_of(connection, "u01", on=TODAY)] == ["municipal"]


def test_the_cultivation_database_holds_a_unit_for_its_time(connection):
    entry = {"case_id": "CD-1", "unit": "u02", "track": "gf", "on": TODAY, "valid_years": 3}
    titles.enter_cultivation(connection, **entry)
    titles.enter_cultivation(connection, **entry)

    assert titles.cultivated(connection, "u02", on=TODAY) == ("gf",)
    assert titles.cultivated(connection, "u02", on=date(2029, 3, 3)) == ()
    left = titles.leave_cultivation(connection, "u02", track="gf", ground="promoted", on=date(2026, 9, 1))
    assert left == 1
    assert titles.cultivated(connection, "u02", on=date(2026, 9, 1)) == ()
    assert batches.unit_context(connection, "u02", on=TODAY)["cultivated"] == ["gf"]


def test_an_evaluators_projects_are_counted_per_year_and_level(connection):
    for number in range(3):
        level = "national" if number else "provincial"
        facts = {"evaluator": "ev1", "year": 2026, "unit": f"u0{number + 1}", "track": "gf", "level": level}
        titles.record_project(connection, case_id=f"c{number}", **facts)
        titles.record_project(connection, case_id=f"c{number}", **facts)

    assert titles.project_count(connection, "ev1", year=2026) == 3
    assert titles.project_count(connection, "ev1", year=2026, level="national") == 2
    assert titles.project_count(connection, "ev1", year=2025) == 0
    assert titles.project_count(connection, "ev2", year=2026) == 0
    with pytest.raises(NotFound):
        titles.project_count(connection, "ev9", year=2026)


def test_evaluators_of_one_legal_representative_count_together(connection):
    titles.record_project(
        connection, case_id="c1", evaluator="ev1", year=2026, unit="u01", track="gf", level="national"
    )
    same = people.evaluators.c
    behind = connection.execute(people.evaluators.select().where(same.id == "ev1")).mappings().one()
    change = people.evaluators.update().where(same.id == "ev2")
    connection.execute(change.values(legal_representative=behind["legal_representative"]))

    assert titles.project_count(connection, "ev2", year=2026) == 1


def test_a_second_application_in_the_same_batch_is_found(connection):
    row = {"case_id": "GF-2026-000007", "process_id": "green_factory", "unit_id": "u01", "batch_id": "2026-1"}
    connection.execute(cases.insert().values(**row, status="active", pins={}, started_at=NOW, updated_at=NOW))
    asked = {"process": "green_factory", "batch": "2026-1"}

    assert titles.running_application(connection, "u01", **asked) == "GF-2026-000007"
    assert titles.running_application(connection, "u02", **asked) is None
    connection.execute(cases.update().values(status="completed"))
    assert titles.running_application(connection, "u01", **asked) is None
