"""A season: the same on every database, in every process and zone; sound, complete, with work left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.house.tree import ROOT
from tests.workflows.demo.seasons import digests, play, query
from workflows.demo.rounds import END
from workflows.library.catalog import Catalog
from workflows.reading.history import History
from workflows.store.tables import open_database

SEED, FEW, MANY = 7, 4, 45
LED = 2  # the batches of the province are cases as well


@pytest.fixture(scope="session")
def season(tmp_path_factory, sqlite_template):
    """The address of a SQLite database with a season large enough to leave work for everybody."""
    folder = tmp_path_factory.mktemp("season")
    (folder / "tidu.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{folder / 'tidu.db'}"
    summary = play(url, folder, cases=MANY, seed=SEED)
    assert (summary.cases, summary.stuck) == (MANY, [])
    return url


@pytest.fixture(scope="session")
def few(tmp_path_factory, sqlite_template):
    """The digests of a small season on SQLite."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "tidu.db").write_bytes(sqlite_template.read_bytes())
    play(f"sqlite:///{folder / 'tidu.db'}", folder, cases=FEW, seed=SEED)
    return digests(f"sqlite:///{folder / 'tidu.db'}")


@pytest.mark.postgres
def test_a_seed_gives_the_same_digests_on_postgresql(few, database_url, tmp_path):
    url = database_url("pg")

    play(url, tmp_path, cases=FEW, seed=SEED)

    assert len(few) == FEW + LED
    assert digests(url) == few


def _command_line(folder, *words, **environment):
    surroundings = {**os.environ, "TIDU_DATA_DIR": str(folder), **environment}
    surroundings.pop("TIDU_DATABASE_URL", None)
    subprocess.run(
        [sys.executable, "-m", "web.cli.main", *words], cwd=ROOT, env=surroundings, check=True, timeout=300
    )


def test_another_process_zone_and_hash_seed_give_the_same_digests(few, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    surroundings = {"PYTHONHASHSEED": "12345", "TZ": "America/New_York", "LC_ALL": "C"}
    _command_line(elsewhere, "init", **surroundings)
    _command_line(elsewhere, "demo", "--cases", str(FEW), "--seed", str(SEED), **surroundings)

    assert digests(f"sqlite:///{elsewhere / 'tidu.db'}") == few


def test_another_seed_gives_another_season(few, database_url, tmp_path):
    url = database_url("sqlite")

    play(url, tmp_path, cases=FEW, seed=SEED + 1)

    assert digests(url) != few


def test_the_first_case_goes_straight_to_the_national_title(season):
    row = query(season, "SELECT unit_id, status, outcome, level FROM cases WHERE case_id = 'GF-2026-000001'")

    assert tuple(row[0]) == ("u01", "completed", "designated", "national")


def test_the_first_case_is_documented_like_a_real_one(season):
    files = query(season, "SELECT name FROM evidence WHERE case_id = 'GF-2026-000001'")

    assert len(files) >= 10


def test_every_case_of_the_season_verifies(season):
    database = open_database(season)

    proofs = list(History(database, Catalog(database)).verify_all())

    assert len(proofs) == MANY + LED
    assert [proof for proof in proofs if not proof.ok] == []
    database.dispose()


def test_no_model_failed(season):
    assert query(season, "SELECT * FROM incidents") == []


def test_cases_end_in_different_ways_and_some_are_still_under_way(season):
    ends = Counter(row.outcome for row in query(season, "SELECT outcome FROM cases"))

    assert ends["designated"] >= 1
    assert ends[None] >= 10
    assert len(ends) >= 5


def test_every_track_has_applications_and_most_are_for_the_green_factory(season):
    begun = Counter(row.case_id[:2] for row in query(season, "SELECT case_id FROM cases"))
    del begun["BT"]

    assert set(begun) == {"GF", "SC", "GP", "WE", "WP"}
    assert begun["GF"] > MANY // 2


def test_titles_of_other_tracks_than_the_green_factory_are_in_sight_or_given(season):
    rows = query(season, "SELECT track FROM designations UNION SELECT track FROM batch_candidates")

    assert {row.track for row in rows} > {"gf"}


def test_parks_apply_for_what_parks_may_bear_and_each_once(season):
    rows = query(
        season,
        """SELECT c.case_id, c.unit_id, u.kind FROM cases c JOIN units u ON u.id = c.unit_id
        WHERE c.unit_id IS NOT NULL""",
    )

    assert {row.case_id[:2] for row in rows if row.kind == "park"} == {"GP", "WP"}
    assert len({row.unit_id for row in rows}) == len(rows)


def test_every_kind_of_people_has_something_to_do(season):
    open_tasks = query(
        season,
        "SELECT c.name FROM candidates c JOIN tasks t ON t.task_id = c.task_id WHERE t.state = 'ready'",
    )
    kinds = {row.name.partition("@")[0] for row in open_tasks}

    assert kinds >= {
        "applicant",
        "evaluator",
        "county_officer",
        "municipal_officer",
        "municipal_leader",
        "provincial_officer",
        "provincial_leader",
        "department",
    }


@pytest.mark.parametrize(
    "person", ["lz.county", "lz.officer", "lz.leader", "prov.officer", "dee", "dem", "amr"]
)
def test_the_accounts_that_are_printed_find_work(season, person):
    waiting = f"""
        SELECT count(*) AS found FROM candidates c JOIN tasks t ON t.task_id = c.task_id
        JOIN grants g ON g.kind = 'group' AND g.name = c.name
        WHERE t.state = 'ready' AND g.person = '{person}'"""

    assert query(season, waiting)[0].found >= 1


def test_some_work_is_overdue(season):
    text = f"SELECT * FROM tasks WHERE state IN ('ready', 'claimed') AND due_at < '{END:%Y-%m-%dT%H:%M:%S}'"

    assert query(season, text)


def test_nothing_happened_after_the_end(season):
    assert query(season, f"SELECT * FROM cases WHERE updated_at > '{END:%Y-%m-%dT%H:%M:%S.000001Z}'") == []
