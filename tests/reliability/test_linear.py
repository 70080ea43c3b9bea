"""The checker of histories: it explains what can be explained, and sees through what cannot."""

from __future__ import annotations

import random

import pytest

from tests.reliability.linear import UNKNOWN, Call, State, is_linearizable, step

PEOPLE = ("ana", "bo", "cy")


def call(verb, by, began, ended, *outcome, to=None):
    told = UNKNOWN if outcome == ("?",) else (outcome[0], outcome[1] if len(outcome) > 1 else None)
    return Call(verb=verb, by=by, to=to, began=began, ended=ended, outcome=told)


GOOD = {
    "one after the other": [
        call("claim", "ana", 0, 1, "done", "ana"),
        call("claim", "bo", 2, 3, "TASK_ALREADY_CLAIMED", "ana"),
        call("complete", "ana", 4, 5, "done", "ana"),
    ],
    "the later asked was earlier": [
        call("claim", "ana", 0, 3, "TASK_ALREADY_CLAIMED", "bo"),
        call("claim", "bo", 1, 2, "done", "bo"),
    ],
    "a lost answer whose act happened": [
        call("claim", "ana", 0, 1, "?"),
        call("claim", "bo", 2, 3, "TASK_ALREADY_CLAIMED", "ana"),
    ],
    "a lost answer whose act happened much later": [
        call("claim", "ana", 0, 1, "?"),
        call("claim", "bo", 2, 3, "done", "bo"),
        call("release", "bo", 4, 5, "done"),
        call("look", "", 6, 7, "claimed", "ana"),
    ],
    "a lost answer whose act never happened": [
        call("claim", "ana", 0, 1, "?"),
        call("look", "", 2, 3, "ready"),
    ],
    "handed on": [
        call("claim", "ana", 0, 1, "done", "ana"),
        call("transfer", "ana", 2, 6, "done", "bo", to="bo"),
        call("complete", "bo", 3, 4, "done", "bo"),
    ],
}
BAD = {
    "two winners": [
        call("claim", "ana", 0, 2, "done", "ana"),
        call("claim", "bo", 1, 3, "done", "bo"),
    ],
    "a refusal before there was a reason": [
        call("claim", "bo", 0, 1, "TASK_ALREADY_CLAIMED", "ana"),
        call("claim", "ana", 2, 3, "done", "ana"),
    ],
    "the wrong winner named": [
        call("claim", "ana", 0, 1, "done", "ana"),
        call("claim", "bo", 2, 3, "TASK_ALREADY_CLAIMED", "cy"),
    ],
    "completed twice": [
        call("claim", "ana", 0, 1, "done", "ana"),
        call("complete", "ana", 2, 4, "done", "ana"),
        call("complete", "ana", 3, 5, "done", "ana"),
    ],
    "an acknowledged claim that was lost": [
        call("claim", "ana", 0, 1, "done", "ana"),
        call("look", "", 2, 3, "ready"),
    ],
    "an act that counted before it was asked": [
        call("look", "", 0, 1, "claimed", "ana"),
        call("claim", "ana", 2, 3, "?"),
    ],
    "completed by whom it was taken from": [
        call("claim", "ana", 0, 1, "done", "ana"),
        call("transfer", "ana", 2, 3, "done", "bo", to="bo"),
        call("complete", "ana", 4, 5, "done", "ana"),
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_explained_is_accepted(name):
    assert is_linearizable(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_explained_is_refused(name):
    assert not is_linearizable(BAD[name])


def drawn(seed):
    """A history that happened one by one, every call stretched over its neighbours, some unanswered."""
    dice, state, history = random.Random(seed), State(), []
    for place in range(dice.randint(2, 10)):
        verb = dice.choice(("claim", "claim", "release", "transfer", "complete", "look"))
        by, to = dice.choice(PEOPLE), dice.choice(PEOPLE)
        moment = 10 * place
        asked = Call(verb=verb, by=by, to=to, began=0, ended=0, outcome=UNKNOWN)
        state, outcome = step(state, asked)
        began, ended = moment - dice.randint(0, 25), moment + dice.randint(1, 25)
        is_lost = dice.random() < 0.15 and verb != "look"
        told = UNKNOWN if is_lost else outcome
        history.append(Call(verb=verb, by=by, to=to, began=began, ended=ended, outcome=told))
    return dice, history


def test_whatever_happened_in_one_order_is_accepted_however_it_overlapped():
    assert all(is_linearizable(drawn(seed)[1]) for seed in range(500))


def test_an_answer_that_was_forged_behind_everything_is_found():
    """The last look, made when all was quiet, is told something else than what is."""
    for seed in range(200):
        dice, history = drawn(seed)
        known = [one for one in history if one.is_known]
        state = State()
        for one in known:
            state, _ = step(state, one)
        told = dice.choice([one for one in ("ready", "completed") if one != state.word])
        quiet = [one for one in known if one.verb != "look"]
        forged = Call(verb="look", by="", began=10_000, ended=10_001, outcome=(told, "nobody at all"))
        assert not is_linearizable([*quiet, forged])
