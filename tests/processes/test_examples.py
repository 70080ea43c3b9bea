"""Every example of every package is played with the real commands and ends as it says."""

from __future__ import annotations

import pytest

from tests.processes import drawn
from tests.processes.stage import played
from workflows.workshop.played import differences

EXAMPLES = sorted(drawn.examples())
FOUR_EYES = {
    "m_decide": "m_review",
    "p_reconsider": "p_form_review",
    "bat_approve": "bat_call",
    "bat_publish": "bat_meeting",
    "bat_notice": "bat_meeting",
    "n_recommend": "n_select",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_ends_as_it_says(name: str) -> None:
    example = drawn.examples()[name]
    assert differences(example, played(name)) == ()


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_failed_on_the_way(name: str) -> None:
    assert played(name).incidents == ()


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_left_open(name: str) -> None:
    end = played(name)
    assert (end.tasks, end.timers) == ((), ())


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_titled_in_both_languages(name: str) -> None:
    example = drawn.examples()[name]
    assert example["title"].isascii()
    assert not example["title_zh"].isascii()


def test_no_two_examples_tell_the_same_story() -> None:
    titles = [example["title"] for example in drawn.examples().values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", EXAMPLES)
def test_whoever_reviewed_does_not_approve(name: str) -> None:
    by = {step["do"]: step.get("by") for step in drawn.examples()[name]["steps"] if "do" in step}
    for approval, review in FOUR_EYES.items():
        if approval in by and review in by:
            assert by[approval] != by[review]
