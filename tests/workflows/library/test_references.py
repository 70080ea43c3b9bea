"""What a package refers to: clauses that are named, parameters that are asked for or handed on as a track."""

from __future__ import annotations

import re

import pytest

from tests.processes import drawn
from tests.story import PACKAGES
from workflows.library.packages import read_files, read_folder
from workflows.library.references import names_in, references, unknown_clauses
from workflows.register.clauses import clauses
from workflows.workshop.checking import check_path

FORM = PACKAGES / "yearly_form"


def places(package):
    return {one.place: one for one in references(package)}


def redrawn(old, new):
    files = dict(read_folder(FORM).files)
    text = files["process.bpmn"].decode()
    assert old in text
    return read_files({**files, "process.bpmn": text.replace(old, new).encode()})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("F36", ("F36",)),
        ("F36(3), F37", ("F36", "F37")),
        ("F12、F13", ("F12", "F13")),
        ("GF-M5 F17 inferred", ("F17",)),
        ("inferred", ()),
        ("第三条", ("第三条",)),
        ("", ()),
    ],
)
def test_a_property_names_clauses_and_no_steps(text, named):
    assert names_in(text) == named


def test_an_element_tells_its_step_its_clauses_and_its_parameters():
    found = places(read_folder(FORM))

    assert (found["yf_fill"].step, found["yf_fill"].clauses) == ("AR-2", ("F38", "F50"))
    assert found["yf_late"].parameters == ("dates.annual_form",)
    assert found["yf_late"].is_inferred
    assert found["yearly_form"].clauses == ("F38",)


def test_what_acts_must_say_where_it_comes_from_and_what_routes_need_not():
    bare = places(redrawn('<zeebe:property name="clause" value="inferred" />', ""))

    assert [name for name, one in bare.items() if one.names_nothing] == ["yf_late"]
    assert [name for name, one in bare.items() if one.must_name] == ["yf_fill", "yf_late"]


def test_a_rule_of_a_table_names_its_clause_in_its_description():
    found = places(drawn.packages()["municipal_level"])
    named = {name: one for name, one in found.items() if one.kind == "rule" and one.clauses}

    assert any(one.clauses == ("F36", "F37") for one in named.values())
    assert all(re.fullmatch(r"F\d+|B0|G1", clause) for one in named.values() for clause in one.clauses)


def test_a_ladder_hands_parameters_on_as_its_track():
    ladder = places(drawn.packages()["green_factory"])["gf_track"]
    level = places(drawn.packages()["municipal_level"])

    assert ("terms.municipal.county", "days.gf_m6") in ladder.carries
    assert ("terms.municipal.publicity.window", "days.gf_m10") in ladder.carries
    assert ("validity", "validity.gf") in ladder.carries
    assert "terms.municipal.county" in level["m_county_opinion"].takes


def test_a_clause_that_no_document_has_is_a_warning_with_its_element(tmp_path):
    package = redrawn("F38, F50", "F38, F99, 第三条")

    found = unknown_clauses(package, clauses())

    assert [(p.element, p.rule, p.severity) for p in found] == [("yf_fill", "clause.unknown", "warning")] * 2
    assert ("F99" in found[0].message, "第三条" in found[1].message_zh) == (True, True)


def test_tidu_check_tells_it(tmp_path):
    folder = tmp_path / "yearly_form"
    folder.mkdir()
    (folder / "process.bpmn").write_bytes(redrawn("F38, F50", "F99").files["process.bpmn"])

    assert ("yf_fill", "clause.unknown") in {(p.element, p.rule) for p in check_path(folder)}
    assert "clause.unknown" not in {p.rule for p in check_path(FORM)}


def test_the_library_checks_a_draft_against_the_documents_as_they_read(story):
    with story.database.connect() as connection:
        found = story.catalog.check(connection, redrawn("F38, F50", "F99"), story.clock())

    assert ("yf_fill", "clause.unknown") in {(p.element, p.rule) for p in found}


def test_what_cannot_be_read_is_told_by_those_who_read_it():
    package = read_files({**read_folder(FORM).files, "broken.dmn": b"<definitions"})

    assert unknown_clauses(package, clauses()) == ()
