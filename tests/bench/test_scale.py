"""The page about scale says what its constants come to."""

from __future__ import annotations

from bench import scale
from tests.house import tree


def test_the_page_holds_the_table_that_is_computed():
    assert scale.table() in (tree.ROOT / "docs/scale.md").read_text(encoding="utf-8")


def test_more_cases_need_more_processes_and_never_fewer_than_two():
    assert [scale.processes(cases) for cases in (0, 10_000_000_000)] == [2, 2789]
