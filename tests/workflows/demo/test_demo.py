"""Three seasons: the same on every database, in every process and zone; sound, complete, with work left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.house.tree import ROOT
from tests.workflows.demo.seasons import digests, play, query
from workflows.demo.province import LED
from workflows.demo.stock import PUBLISHED, Stock
from workflows.demo.years import BATCHES, END, STATUTES
from workflows.library.catalog import Catalog
from workflows.reading.history import History
from workflows.store.tables import open_database

SEED, FEW, MANY = 7, 4, 60
LED_FOR_FEW = 3  # where nobody bears a title, the province leads the batches of the last year, no more


@pytest.fixture(scope="session")
def season(tmp_path_factory, sqlite_template):
    """The address of a SQLite database with a season large enough to leave work for everybody."""
    folder = tmp_path_factory.mktemp("season")
    (folder / "tidu.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{folder / 'tidu.db'}"
    summary = play(url, folder, cases=MANY, seed=SEED)
    assert summary.stuck == []
    assert MANY <= summary.cases <= MANY + 10  # a small season still shows everything
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

    assert len(few) == FEW + LED_FOR_FEW
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

    assert len(proofs) >= MANY + len(LED)
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
    tracks = {"GF", "SC", "GP", "WE", "WP"}

    assert tracks <= set(begun)
    assert begun["GF"] > sum(begun[track] for track in tracks - {"GF"})


def test_titles_of_other_tracks_than_the_green_factory_are_in_sight_or_given(season):
    rows = query(season, "SELECT track FROM designations UNION SELECT track FROM batch_candidates")

    assert {row.track for row in rows} > {"gf"}


def test_parks_apply_for_what_parks_may_bear_and_no_others_do(season):
    rows = query(
        season,
        """SELECT c.case_id, c.process_id, u.kind FROM cases c JOIN units u ON u.id = c.unit_id
        WHERE c.process_id IN
        ('green_factory', 'supply_chain', 'industrial_park', 'water_enterprise', 'water_park')""",
    )

    parks = {row.process_id for row in rows if row.kind == "park"}
    assert parks == {"industrial_park", "water_park"}
    assert parks.isdisjoint(row.process_id for row in rows if row.kind != "park")


def test_each_year_has_a_rule_set_that_a_second_person_approved(season):
    rows = query(season, "SELECT id, state, author, approved_by FROM rule_sets WHERE author <> 'system'")

    assert {row.id for row in rows} == {statute.rules for statute in STATUTES}
    assert {(row.state, row.author, row.approved_by) for row in rows} == {("approved", "owner", "approver")}


def test_each_year_has_a_batch_with_its_rules_and_only_the_next_one_waits(season):
    rows = query(season, "SELECT id, case_id FROM batches ORDER BY id")
    waiting = query(season, "SELECT task_id FROM tasks WHERE element = 'bat_approve' AND state = 'ready'")

    assert [row.id for row in rows] == [batch.batch for batch in BATCHES.values()][:-1]
    assert len(waiting) == 1


def test_exactly_the_stock_stands_that_was_to_be_reached(season):
    database = open_database(season)
    stock = Stock(database, MANY)

    assert all(stock.wanted[place] for place in PUBLISHED if place[0] != "gp")
    assert stock.is_reached(END.date())
    database.dispose()


def test_the_whole_season_is_to_reach_the_published_stock(season):
    database = open_database(season)

    assert Stock(database, 3000).wanted == PUBLISHED
    database.dispose()


def test_a_banned_unit_is_refused_also_under_another_name(season):
    (ban,) = query(season, "SELECT unit, since, until FROM bans ORDER BY since LIMIT 1")
    applied = query(
        season,
        f"""SELECT outcome FROM cases WHERE unit_id = '{ban.unit}' AND process_id = 'green_factory'
        AND started_at > '{ban.since}' ORDER BY started_at""",
    )

    assert [row.outcome for row in applied] == ["rejected_ineligible"] * 2
    assert query(season, f"SELECT * FROM renames WHERE unit = '{ban.unit}' AND since > '{ban.since}'")


def test_titles_are_removed_renamed_reported_complained_about_and_looked_at_again(season):
    begun = Counter(row.process_id for row in query(season, "SELECT process_id FROM cases"))

    assert query(season, "SELECT * FROM removals")
    assert begun["annual_campaign"] == 2
    assert begun["annual_report"] >= 10
    assert {
        "complaint",
        "complaint_investigation",
        "cultivation",
        "cultivation_plan",
        "evaluator_oversight",
        "re_evaluation",
        "removal",
        "significant_change",
    } <= set(begun)


def test_authorities_number_their_own_papers(season):
    rows = query(
        season,
        """SELECT u.authority, d.document FROM designations d JOIN units u ON u.id = d.unit
        WHERE d.level = 'municipal'""",
    )

    assert all(row.document.startswith("兰") == (row.authority in ("620100", "620171")) for row in rows)


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
