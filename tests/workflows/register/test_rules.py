"""Rule sets hold together: keys, units, ranges, weights; and the drawings name only what is there."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal

import pytest

from engine.errors import BadDefinition, NotFound
from engine.expressions.feel import parse
from engine.values import from_json, to_json
from tests.workflows.register.parts import BPMN
from workflows.register.rules import catalogue, check_rules, load_rules, read_rules, rule_set_ids
from workflows.register.tracks import tracks


def content():
    return json.loads(json.dumps(load_rules().content))


def found(row):
    with pytest.raises(BadDefinition) as refused:
        read_rules(row)
    return [(problem.element, problem.message) for problem in refused.value.problems]


def test_every_rule_set_that_ships_is_sound():
    assert rule_set_ids() == ("gansu-2026", "guangdong-2026", "heilongjiang-2026", "shandong-2026")
    assert [check_rules(load_rules(name)) for name in rule_set_ids()] == [()] * 4


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
    assert not any(key.startswith("days.") and key[8:9] in "mp" for key in settled if key[5:7] in tracks())


def test_the_drawings_name_only_parameters_that_exist():
    rules = load_rules().context
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
    context = {"rules": load_rules().context, "score": Decimal(80)}

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
    rules = load_rules().context

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
        ("quota.gf", {"value": {"default": 5}}),
        ("quota.gf", {"value": {"default": 5, "by_authority": []}}),
        ("quota.gf", {"value": {"default": -5, "by_authority": {}}}),
        ("quota.gf", {"value": {"default": None, "by_authority": {"620100": 2.5}}}),
        ("quota.gf", {"value": {"default": None, "by_authority": {"Lanzhou": 2}}}),
        ("switches.county_step", {"value": 1}),
        ("dates.national", {"value": "07-32"}),
        ("dates.national", {"value": "2026-07-31"}),
        ("consultation.silence", {"value": "shout"}),
        ("tracks.national", {"value": ["gf", "zero_carbon"]}),
        ("tracks.national", {"value": []}),
        ("annual.remind_before", {"value": [14, "7"]}),
        ("departments", {"value": [{"id": "ecology"}]}),
        ("departments", {"value": [{"id": ["ecology"]}]}),
        ("departments", {"value": ["ecology"]}),
        ("standards.gf", {"value": 5}),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(key, change):
    row = content()
    row["parameters"][key].update(change)

    assert [element for element, _ in found(row)] == [key]


def test_a_quota_is_one_number_for_all_or_has_some_authorities_of_its_own():
    plain = load_rules().changed({"quota.gf": 12}).context
    own = load_rules().changed({"quota.gf": {"default": 12, "by_authority": {"620100": 20}}}).context

    assert (plain["quota"]["gf"], plain["quota_by_authority"]["gf"]) == (12, {})
    assert (own["quota"]["gf"], own["quota_by_authority"]["gf"]) == (12, {"620100": Decimal(20)})
    asked = parse("get or else(get value(rules.quota_by_authority.gf, authority), rules.quota.gf)")
    assert [asked.evaluate({"rules": own, "authority": code}) for code in ("620100", "620200")] == [20, 12]


@pytest.mark.parametrize(
    "span",
    [
        {"from": "2026-13-01"},
        {"from": "soon"},
        {"from": "2026-05-01", "to": "2026-04-30"},
        {"to": "2026-01-01"},
    ],
)
def test_a_span_that_cannot_be_is_refused(span):
    assert [element for element, _ in found({**content(), "effective": span})] == ["effective"]


def test_a_file_may_say_only_what_differs_from_another():
    less = {"id": "x-2026", "version": 1, "year": 2026, "label": "某省", "labelEn": "Somewhere"}
    changed = {"publicity.provincial": {"value": 7, "inferred": False, "source": "F82"}}
    rules = read_rules({**less, "base": "gansu-2026", "effective": None, "parameters": changed})

    assert (rules.value("days.gf_p8"), rules.value("days.gf_m5")) == (7, 5)
    assert rules.parameters["publicity.provincial"].inferred is False
    assert rules.parameters["publicity.provincial"].label_zh == "省级公示期"
    assert rules.effective == (None, None)
    assert rules.content["derived_from"] == "gansu-2026:1"
    assert read_rules(rules.content).digest == rules.digest
    assert [e for e, _ in found({**less, "base": "mars-2026", "parameters": {}})] == [""]


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
