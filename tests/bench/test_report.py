"""The report counts what was measured in quiet, compares within rounds, and says which gate holds."""

from __future__ import annotations

from bench import lines, report

ENV = {"cpu": "two cores", "mem_gib": 4, "python": "3", "pg": "15.18", "fsync_us": 100, "loop_ms": 1.0}


def line(subject: str, rate: float, *, turn: int = 1, foreign: float = 0.0, ok: bool = True) -> lines.Line:
    return lines.line(
        "A",
        subject,
        store="pg15",
        env={**ENV, "foreign_cpu": foreign},
        params={"cases": 10},
        round=turn,
        rate={"completions_s": rate},
        per_case={"cpu_app_ms": 10.0, "cpu_db_ms": 10.0, "stmts": 59.0, "fsync": 10.0, "stored_b": 29000},
        oracle={"ok": ok},
    )


def test_ratios_are_made_within_rounds():
    quiet, slow = (1, 800, 100), (2, 80, 8)
    found = [
        one
        for turn, mine, theirs in (quiet, slow)
        for one in (line("ours", mine, turn=turn), line("flowable-7.2.0", theirs, turn=turn))
    ]

    told = report.told(found)

    assert "| ours over theirs: completions/s | 9 (8–10) |" in told
    assert "| completions, ours over the better Java engine ≥ 8 | 9 | held |" in told


def test_a_gate_says_what_was_missed_and_what_was_not_measured():
    told = report.told([line("ours", 100.0), line("floor", 200.0)])

    assert "| completions, ours over the floor ≥ 1.5 | 0.5 | missed |" in told
    assert "| statements of a durable act, without the look-up ≤ 5 | 5 | held |" in told
    assert "| completions, ours over the better Java engine ≥ 8 | – | not measured |" in told


def test_what_was_measured_on_a_busy_machine_is_left_out_unless_asked_for():
    found = [line("ours", 100.0, turn=1), line("ours", 50.0, turn=2, foreign=0.3)]

    assert "| completions/s | 100 |" in report.told(found)
    assert "1 of 2 lines were measured on a busy machine" in report.told(found)
    assert "| completions/s | 75 (50–100) |" in report.told(found, keep_noisy=True)


def test_a_fast_run_with_a_wrong_result_counts_for_nothing():
    told = report.told([line("ours", 7777.0, ok=False), line("floor", 100.0)])

    assert "7,777" not in told
    assert "ours (wrong)" in told


def test_who_cannot_be_had_has_a_row_that_says_why():
    gone = lines.missing("A", "operaton", "there is no mvn", store="pg15", env=ENV)

    assert report.told([gone]) == "A: operaton could not be had: there is no mvn"
    assert report.in_one_line(gone) == "A operaton: there is no mvn"


def test_lines_come_back_as_they_were_written(tmp_path):
    path = tmp_path / "lines.jsonl"
    written = [line("ours", 1.0), line("floor", 2.0)]
    for one in written:
        lines.append(path, one)

    assert list(lines.read([path])) == written
