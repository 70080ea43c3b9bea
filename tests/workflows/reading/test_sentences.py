"""What an entry of the journal says to people, in both languages."""

from __future__ import annotations

import pytest

from engine import events as ev
from engine.events import Entry, Who
from engine.temporal import moment
from tests.engine.drawing import NOW, process, timer
from workflows.reading.sentences import Words, chinese, english

FIRED = {
    0: ("【remind】到期。", "remind came due."),
    9: (
        "【remind】到期，连同错过的 9 次只触发一次。",
        "remind came due and stood for 9 moments missed after it.",
    ),
}


@pytest.mark.parametrize("missed", FIRED)
def test_a_timer_tells_how_many_moments_it_stood_for(missed):
    drawing = process().start().user("a").end()
    drawing.boundary("remind", "a", timer("R/P1D", "Cycle"), interrupting=False).end("e")
    words = Words(definition=drawing.read(), elements={"C.3": "remind"}, people={})
    fired = ev.TimerFired(timer_id="C.3", due_at=moment(NOW), missed=missed)
    entry = Entry(case_id="C", seq=7, at=NOW, who=Who(actor="system"), event=fired)

    assert (chinese(entry, words), english(entry, words)) == FIRED[missed]
