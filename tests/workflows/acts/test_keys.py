"""A message to a case that waits by a key: letters find it by the key, a person by its number."""

from __future__ import annotations

import pytest

from engine.errors import WrongState
from tests.workflows.letters import KEYED, House, waiter
from workflows.actors.policy import SYSTEM


@pytest.fixture
def waiting(story):
    """A case that waits by the key K."""
    return House(story).deploy(waiter(KEYED)).start("waiter", key="K")


def test_who_names_the_case_need_not_know_its_key(story, waiting):
    story.commands.receive_message(waiting, "answer", {"said": "yes"}, actor=SYSTEM)

    story.case_id = waiting
    assert story.is_waiting_at("after")
    assert story.history.verify(waiting).ok


def test_a_wrong_key_is_heard_by_nobody(story, waiting):
    with pytest.raises(WrongState) as refused:
        story.commands.receive_message(waiting, "answer", {"said": "yes"}, actor=SYSTEM, correlation="L")

    assert refused.value.code == "MESSAGE_UNEXPECTED"
