"""The comparison of the two engines in miniature: both get there, and what they borrow is told."""

from __future__ import annotations

from bench.engine import package, small


def test_both_engines_come_to_the_national_title():
    told = package(1, 2)

    for side in ("ours", "stock"):
        assert told[f"{side}_per_cpu_second"] > 0
        assert 0 < told[f"{side}_formulas"] + told[f"{side}_decisions"] < 1


def test_both_engines_come_to_the_end_of_the_small_drawing():
    assert small(1, 2).keys() == {"ours_per_cpu_second", "stock_per_cpu_second", "ratio"}
