"""Verify, rebuild, backup, restore and doctor over a season: what is sound, what was tampered with."""

from __future__ import annotations

import pytest

from tests.web.cli.conftest import CASES

READ_MODELS = (
    *("cases", "tasks", "candidates", "timers", "jobs", "incidents", "decisions", "notifications"),
    "designations",
)


def test_every_case_of_the_season_is_sound(season):
    code, answer = season("verify --all --json")

    assert (code, answer) == (0, {"cases": CASES, "ok": CASES, "findings": []})


def test_one_case_can_be_verified_alone(season):
    assert season("verify GF-2026-000001 --json")[1]["cases"] == 1
    assert season("verify GF-2026-999999 --json")[1]["error"]["code"] == "CASE_NOT_FOUND"


def test_one_changed_byte_of_the_journal_is_found(season):
    season.execute(
        "UPDATE journal SET body = replace(body, '兰州', '金昌') WHERE case_id = 'GF-2026-000001' AND seq = 1"
    )

    code, answer = season("verify --all --json")

    assert (code, answer["ok"]) == (1, CASES - 1)
    found = answer["findings"][0]
    assert (found["case"], found["code"], found["seq"]) == ("GF-2026-000001", "V-CHAIN-BREAK", 1)


def test_a_missing_evidence_file_is_found(season):
    for file in (season.folder / "evidence").rglob("*"):
        if file.is_file():
            file.unlink()

    code, answer = season("verify --all --json")

    assert code == 1
    assert {finding["code"] for finding in answer["findings"]} == {"V-ATTACHMENT"}


def _shown(season):
    return {table: sorted(map(str, season.execute(f"SELECT * FROM {table}"))) for table in READ_MODELS}


def test_rebuilding_changes_nothing_a_query_can_see(season):
    before = _shown(season)

    assert season("rebuild --json")[1] == {"cases": CASES}
    assert _shown(season) == before
    assert season.count("snapshots") == 0


def test_deleting_every_snapshot_changes_nothing(season):
    before = _shown(season)
    season.execute("DELETE FROM snapshots")

    assert season("verify --all")[0] == 0
    assert _shown(season) == before


def test_a_backup_is_restored_elsewhere_and_verified(season, tmp_path, monkeypatch):
    assert season(f"backup -o {tmp_path / 'b.zip'}")[0] == 0
    elsewhere = season.beside(tmp_path / "elsewhere", monkeypatch)

    code, answer = elsewhere(f"restore {tmp_path / 'b.zip'} --json")

    assert (code, answer) == (0, {"cases": CASES, "ok": CASES, "findings": []})


def test_a_backup_is_not_restored_over_cases(season, tmp_path):
    season(f"backup -o {tmp_path / 'b.zip'}")

    assert season(f"restore {tmp_path / 'b.zip'} --json")[1]["error"]["code"] == "DATABASE_NOT_EMPTY"


def test_a_restored_database_that_was_tampered_with_is_told(season, tmp_path, monkeypatch):
    season.execute("UPDATE journal SET digest = 'x' WHERE case_id = 'GF-2026-000002' AND seq = 3")
    season(f"backup -o {tmp_path / 'b.zip'}")

    code, answer = season.beside(tmp_path / "elsewhere", monkeypatch)(f"restore {tmp_path / 'b.zip'} --json")

    assert (code, answer["findings"][0]["code"]) == (1, "V-CHAIN-BREAK")


def test_progress_goes_to_standard_error(season):
    season("verify --all --json")

    assert f"verify {CASES}/{CASES}" in season.errors


def test_the_doctor_looks_at_everything(season):
    answer = season("doctor --json")[1]
    signs = {sign["name"]: sign["ok"] for sign in answer["signs"]}

    assert answer["ok"] == all(signs.values())
    assert signs["schema"]
    assert signs["durability"]
    assert signs["library"]


def test_the_doctor_finds_a_schema_of_another_release(season):
    season.execute("UPDATE alembic_version SET version_num = '0000'")

    code, answer = season("doctor --json")

    assert code == 1
    assert not next(sign["ok"] for sign in answer["signs"] if sign["name"] == "schema")


@pytest.mark.parametrize("line", ["verify --all", "rebuild", "deploy bpmn/publicity", "user list"])
def test_no_command_works_on_a_schema_of_another_release(season, line):
    season.execute("UPDATE alembic_version SET version_num = '0000'")

    assert season(f"{line} --json")[1]["error"]["code"] == "NOT_INITIALISED"


@pytest.mark.parametrize("line", ["init", "serve", "worker", "verify --all", "user list"])
def test_an_older_release_does_not_come_back_to_what_a_newer_one_has(season, line):
    season.execute("UPDATE alembic_version SET version_num = '9999'")

    assert season(f"{line} --json")[1]["error"]["code"] == "OTHER_RELEASE"


def test_a_second_season_does_not_start_by_itself(season):
    before = season.count("journal")

    assert season("demo --cases 2 --if-empty")[0] == 0
    assert season.count("journal") == before
