"""The process library: same content same version, pinned cases, refusals by name, folders out and in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.errors import BadDefinition, NotFound, WrongState
from tests.story import PACKAGES
from workflows.library.catalog import Catalog
from workflows.library.packages import read_files, read_folder
from workflows.store.contents import keep
from workflows.store.tables import blobs, definitions

SHIPPED = Path(__file__).parents[3] / "bpmn"


@pytest.fixture
def folder(tmp_path):
    """A copy of the small review that a test may change."""
    shutil.copytree(PACKAGES / "small_review", tmp_path / "small_review")
    return tmp_path / "small_review"


def edit(folder: Path, old: str, new: str, name: str = "process.bpmn") -> None:
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), "utf-8")


def deploy(story, folder):
    with story.database.begin() as connection:
        return story.catalog.deploy(connection, read_folder(folder), by="owner", at=story.clock())


def versions(story, key="small_review"):
    with story.database.connect() as connection:
        return [version.id for version in story.catalog.versions(connection, key)]


def test_the_same_content_is_the_same_version(story, folder):
    first = deploy(story, folder)

    assert deploy(story, folder).id == first.id == "small_review:1"
    assert versions(story) == ["small_review:1"]


def test_other_content_is_the_next_version_and_running_cases_keep_theirs(story, folder):
    story.start()
    edit(folder, 'name="初审"', 'name="初步审查"')
    deploy(story, folder)
    old = story.case_id

    new = story.commands.start_case("small_review", {"days": 1}, actor=story.person("app02")).case_id

    with story.database.connect().execution_options(reading=True) as connection:
        fresh = Catalog(story.database)
        for case_id, version, name in ((old, "small_review:1", "初审"), (new, "small_review:2", "初步审查")):
            case = story.commands.live.take(connection, case_id)
            assert case.beginning.pins == {"small_review": version}
            assert fresh.definition(case.beginning.pins, "small_review").elements["check"].name == name


def test_a_form_is_pinned_with_its_process(story, folder):
    story.start().claim("check", "lz.officer")
    edit(folder, '"maxLength": 500', '"maxLength": 5', "forms/opinion.form")
    deploy(story, folder)

    story.complete("check", "lz.officer", outcome="accepted", opinion="这份意见超过五个字")

    assert story.is_waiting_at("review")


def test_equal_files_are_stored_once(story, folder):
    deploy(story, folder)
    edit(folder, 'name="初审"', 'name="初步审查"')
    deploy(story, folder)

    with story.database.connect() as connection:
        stored = connection.scalar(sa.select(sa.func.count()).select_from(blobs))
    rules = 2  # as they are, and as cases are told of them
    assert stored == len(read_folder(folder).files) + 1 + rules


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('targetRef="check" />', 'targetRef="nowhere" />', None),
        ('=outcome = "accepted"', '=outcome = = "accepted"', None),
        ('decisionId="small_rating"', 'decisionId="missing"', None),
        ('notSameAs="check"', 'notSameAs="nobody"', None),
        ('isExecutable="true"', 'isExecutable="false"', "package.process"),
        ('id="small_review" name', 'id="small review" name', "package.id"),
        ('id="small_review" name', 'id="other_review" name', "package.name"),
        ('<?xml version="1.0" encoding="UTF-8"?>', "<!DOCTYPE x>", "xml.doctype"),
    ],
)
def test_what_cannot_run_is_refused_and_changes_nothing(story, folder, old, new, rule):
    edit(folder, old, new)

    with pytest.raises(BadDefinition) as refused:
        deploy(story, folder)

    assert rule is None or rule in {problem.rule for problem in refused.value.problems}
    assert all(problem.message for problem in refused.value.problems)
    assert versions(story) == []


def test_a_failed_deployment_keeps_the_version_before(story, folder):
    deploy(story, folder)
    edit(folder, 'decisionId="small_rating"', 'decisionId="missing"')

    with pytest.raises(BadDefinition):
        deploy(story, folder)

    assert versions(story) == ["small_review:1"]
    assert story.start().is_waiting_at("check")


def test_strange_files_are_no_part_of_a_package():
    files = dict(read_folder(PACKAGES / "small_review").files)

    for path in ("../evil.bpmn", "forms/../../x.form", "run.py", "forms/x.exe"):
        with pytest.raises(BadDefinition):
            read_files({**files, path: b""})


def test_a_retired_version_starts_no_cases_and_ends_none(story, folder):
    story.start().claim("check", "lz.officer")
    with story.database.begin() as connection:
        story.catalog.retire(connection, "small_review:1")

    with pytest.raises(WrongState) as refused:
        story.commands.start_case("small_review", {"days": 1}, actor=story.person("app01"))

    assert refused.value.code == "VERSION_RETIRED"
    assert story.complete("check", "lz.officer", outcome="accepted").is_waiting_at("review")


def test_a_version_comes_into_force_when_it_says(story, folder):
    deploy(story, folder)
    edit(folder, 'name="初审"', 'name="初步审查"')
    later = story.clock().replace(month=6)
    with story.database.begin() as connection:
        story.catalog.deploy(
            connection, read_folder(folder), by="owner", at=story.clock(), effective_from=later
        )
        assert story.catalog.current(connection, "small_review", story.clock()).version == 1
        assert story.catalog.current(connection, "small_review", later).version == 2


def test_what_is_exported_is_what_was_deployed(story, folder, tmp_path):
    deploy(story, folder)

    story.catalog.export("small_review:1", tmp_path / "out" / "small_review")

    assert read_folder(tmp_path / "out" / "small_review").digest == read_folder(folder).digest


def test_a_copied_folder_with_a_new_id_starts_without_a_line_of_python(story, tmp_path):
    copy = tmp_path / "water_review"
    shutil.copytree(PACKAGES / "small_review", copy)
    edit(copy, 'id="small_review"', 'id="water_review"')
    edit(copy, 'value="SR"', 'value="WR"')
    deploy(story, copy)

    started = story.commands.start_case("water_review", {"days": 1}, actor=story.person("app01"))

    assert started.case_id == "WR-2026-000001"
    assert [task.element for task in started.tasks] == ["check"]


def test_the_shipped_library_loads_once_and_stays_as_its_owner_left_it(story, tmp_path):
    library = tmp_path / "bpmn"
    for name in ("objection_handling", "objection_window", "publicity"):
        shutil.copytree(SHIPPED / name, library / name)
    shutil.copytree(PACKAGES / "small_review", library / "small_review")
    load = story.catalog.load_library
    with story.database.begin() as connection:
        loaded = load(connection, library, at=story.clock())
    edit(library / "small_review", 'name="初审"', 'name="初步审查"')
    deploy(story, library / "small_review")

    with story.database.begin() as connection:
        again = load(connection, library, at=story.clock())

    assert [version.key for version in loaded] == [
        "objection_handling",
        "small_review",
        "objection_window",
        "publicity",
    ]
    assert again == []
    assert versions(story) == ["small_review:2", "small_review:1"]


def test_a_call_pins_what_it_calls(story):
    with story.database.begin() as connection:
        for name in ("objection_handling", "objection_window", "publicity"):
            story.catalog.deploy(connection, read_folder(SHIPPED / name), by="owner", at=story.clock())
        pins = story.catalog.pins(connection, "publicity", story.clock())

    assert pins == {name: f"{name}:1" for name in ("objection_handling", "objection_window", "publicity")}


def test_calling_a_process_that_is_not_there_is_refused(story):
    with pytest.raises(BadDefinition) as refused:
        deploy(story, SHIPPED / "publicity")

    told = [(problem.element, problem.rule) for problem in refused.value.problems]
    assert told == [("pub_window_call", "call.unknown")]


def test_a_stored_file_that_was_tampered_with_is_not_used(story, folder):
    deploy(story, folder)
    with story.database.begin() as connection:
        connection.execute(sa.update(blobs).values(content=b"<evil/>"))

    with pytest.raises(NotFound) as refused:
        Catalog(story.database).package("small_review:1")

    assert refused.value.code == "ARTEFACT"


def test_warming_up_reads_every_definition_in_force(story, folder):
    deploy(story, folder)

    assert Catalog(story.database).warm(story.clock()) == 1


def test_a_rule_that_came_after_a_version_does_not_stop_its_cases(story, folder):
    """Rules are for what is deployed from now on; a case goes on with what it was started with."""
    edit(folder, 'isExecutable="true"', 'isExecutable="true" processType="Odd"')
    with pytest.raises(BadDefinition):
        deploy(story, folder)
    older = read_folder(folder)
    with story.database.begin() as connection:
        version = deploy_unchecked(connection, older, story.clock())

    started = story.commands.start_case("small_review", {"days": 3}, actor=story.person("app01"))
    story.case_id = started.case_id

    assert story.case().beginning.pins["small_review"] == version
    assert story.is_waiting_at("check")


def deploy_unchecked(connection, package, at) -> str:
    """As a release did that did not know today's rules."""
    row = {
        "key": package.process_id,
        "version": 1,
        "digest": package.digest,
        "name": package.name,
        "name_en": package.name_en,
        "files": keep(connection, package.files),
        "state": "live",
        "published_at": at,
        "effective_from": at,
    }
    connection.execute(definitions.insert().values(**row))
    return f"{package.process_id}:1"
