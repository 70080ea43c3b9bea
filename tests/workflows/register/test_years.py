"""The years after a title: who stands last, green codes, targets."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.workflows.register.parts import TODAY
from workflows.register import years

DAY = timedelta(days=1)


def score(connection, unit, points, *, year=2026, case="AR", since=TODAY):
    facts = {"case_id": f"{case}-{unit}-{year}", "number": 5, "track": "gf", "level": "national"}
    years.record_score(connection, unit=unit, year=year, score=Decimal(points), since=since, **facts)


def last(connection, *, year=2026, share="0.1", on=TODAY):
    found = years.last_of(
        connection, track="gf", level="national", year=year, share=Decimal(share), years=3, on=on
    )
    return [(row.unit, row.rank, row.years_in_a_row) for row in found]


def season(connection, year, lowest):
    """Twenty units with 80 points and more, but for those named."""
    for place in range(1, 21):
        unit = f"u{place:02}"
        score(connection, unit, lowest.get(unit, str(80 + place)), year=year)


def test_the_last_twentieth_is_told_with_its_years_in_a_row(connection):
    season(connection, 2024, {"u03": "50"})
    season(connection, 2025, {"u03": "55", "u04": "54"})
    season(connection, 2026, {"u03": "50.5", "u04": "50.4"})

    assert last(connection) == [("u04", 20, 2), ("u03", 19, 3)]
    assert last(connection, share="0.05") == [("u04", 20, 2)]
    assert last(connection, year=2024) == [("u03", 20, 1), ("u01", 19, 1)]
    assert last(connection, year=2023) == []


def test_a_share_of_a_unit_is_no_unit(connection):
    for unit in ("u01", "u02", "u03"):
        score(connection, unit, "60")

    assert last(connection, share="0.3") == []


def test_nobody_is_last_whom_another_keeps_company_above_the_line(connection):
    season(connection, 2026, {"u03": "50", "u04": "50", "u05": "50"})

    assert last(connection, share="0.1") == []
    assert {unit for unit, *_ in last(connection, share="0.15")} == {"u03", "u04", "u05"}


def test_the_newest_score_of_a_year_counts(connection):
    season(connection, 2026, {"u03": "50"})
    score(connection, "u03", "99", case="RE", since=TODAY + DAY)

    assert [unit for unit, *_ in last(connection)] == ["u03", "u01"]
    assert [unit for unit, *_ in last(connection, on=TODAY + DAY)] == ["u01", "u02"]


def test_a_green_code_is_shown_until_it_runs_out_or_becomes_void(connection):
    facts = {
        "case_id": "GC-1",
        "unit": "u01",
        "year": 2026,
        "code": "2026-A1",
        "valid_until": TODAY + 9 * DAY,
    }
    years.record_green_code(connection, number=3, grade="A", since=TODAY, **facts)

    def shown(on):
        found = years.green_code_of(connection, "u01", on=on)
        return found and found["grade"]

    days = (TODAY - DAY, TODAY, TODAY + 9 * DAY, TODAY + 10 * DAY)
    assert [shown(on) for on in days] == [None, "A", "A", None]

    void = facts | {"case_id": "RM-1", "code": "", "valid_until": None}
    years.record_green_code(connection, number=1, grade="", since=TODAY + 2 * DAY, **void)

    assert [shown(TODAY + DAY), shown(TODAY + 2 * DAY), shown(TODAY + 3 * DAY)] == ["A", None, None]


def test_targets_are_kept_by_year(connection):
    for targets in ({"gf": 2, "we": 1}, {"gf": 3, "we": 1}):
        years.record_pull(connection, case_id="GP-1", unit="u31", track="gp", year=2026, targets=targets)

    assert years.pull_targets_of(connection, "u31", year=2026) == {"gf": 3, "we": 1}
    assert years.pull_targets_of(connection, "u31", year=2027) == {}
