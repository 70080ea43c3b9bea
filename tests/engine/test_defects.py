"""What SpiffWorkflow 3.2.0 does wrong as it comes, and what our engine makes of the same drawing.

`tests.engine.defects` names each defect in words; where it can be shown cheaply a story asserts what
SpiffWorkflow does, so that a repaired library is noticed, and what we do.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.defects import DEFECTS
from tests.engine.stock import hand_clock
from tests.engine.stories import elements, models, running, timers
from tests.engine.stories.telling import STORIES

ROOMS = (elements, models, running, timers)
TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("name", STORIES)
def test_the_defect_is_not_ours(name, monkeypatch):
    hand_clock(monkeypatch)

    STORIES[name]()


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_a_story_or_names_the_tests_that_tell_it(name):
    shown = DEFECTS[name].shown

    assert (name in STORIES) != bool(shown)
    assert not shown or list(TESTS.rglob(f"{shown}.py"))


def test_every_story_is_about_a_defect_on_the_list():
    assert set(STORIES) <= set(DEFECTS)
