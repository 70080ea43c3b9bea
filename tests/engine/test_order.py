"""A drawing may depend on which name of a context comes first: live and replayed cases see the same."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.case.case import Case
from engine.events import Entry, Who, entry_of
from engine.execution.execution import Execution
from engine.journal import canonical
from tests.engine.drawing import NOW, SIGNAL, SIGNAL_EVENT, WeekDays, feel_values, message, process

MARA = Who(actor="mara")
NAMES = st.sampled_from(["b", "a", "B", "é", "申报", "序号", "\uffee", "\U00020000", "@number", "a b"])
LEAVES = st.one_of(st.booleans(), st.integers(-9, 9), st.text("ab申", max_size=3), st.none())
NESTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)
WAYS = ("started", "asked", "said", "called", "worked", "mended")


def drawn():
    """What enters by each way is told as a text, in which the order of every context shows."""
    drawing = process("ordered").define('<bpmn:message id="m" name="m"/>').define(SIGNAL).start()
    told(drawing, "started").user("ask")
    told(drawing, "asked").catch("heard", message("m"))
    told(drawing, "said").catch("signalled", SIGNAL_EVENT)
    told(drawing, "called").job("work", "work.done")
    told(drawing, "worked").gateway("exclusive", "fork")
    drawing.at("fork", "=false").end("never").at("fork", "=mended != null")
    return told(drawing, "mended").user("last").end()


def told(drawing: Any, name: str) -> Any:
    return drawing.script(f"tell_{name}", f"=string({name})", f"told_{name}")


DRAWN = drawn().read()


def lived(values: dict[str, Any]) -> Case:
    """A case into which these values have come, each by its own way."""
    page = {name: {name: feel_values({"it": value})["it"]} for name, value in values.items()}
    case = Case.start("C-1", DRAWN, WeekDays(), pins={}, values=page["started"], by=MARA, now=NOW)
    (task,) = case.standing.tasks
    case.claim_task(task, by=MARA, now=NOW)
    case.complete_task(task, page["asked"], by=MARA, now=NOW)
    case.receive_message("m", page["said"], by=MARA, now=NOW)
    case.hear_signal("stop all", page["called"], job_id="C-2.1", origin="C-2.1", by=MARA, now=NOW)
    (job,) = case.standing.jobs
    case.finish_job(job, page["worked"], by=MARA, now=NOW)
    (incident,) = case.standing.incidents
    case.resolve_incident(incident, reason="mended", by=MARA, now=NOW, values=page["mended"])
    return case


def replayed(case: Case) -> Case:
    """The case that its journal tells."""
    entries = [stored(entry) for entry in case.fresh]
    other = Case(entries[0], case.definition, case.calendar)
    for entry in entries:
        other.relive(entry)
    other.end_of_replay()
    return other


def stored(entry: Entry) -> Entry:
    """The entry as it comes back from the journal's text."""
    return entry_of(orjson.loads(canonical(entry.body())))


@given(st.fixed_dictionaries(dict.fromkeys(WAYS[:-1], NESTS) | {"mended": NESTS.filter(bool)}))
def test_whatever_enters_in_whatever_order_is_seen_alike_when_it_is_replayed(values):
    case = lived(values)

    again = replayed(case)

    assert again.execution.digest() == case.execution.digest()
    assert list(again.execution.variables.items()) == list(case.execution.variables.items())


@pytest.mark.parametrize("way", WAYS)
def test_the_first_entry_is_the_first_in_the_journal(way):
    page = {"\uffee": 1, "b": {"d": 1, "c": 2}, "\U00020000": 3, "a": [{"z": 1, "y": 2}]}

    seen = lived({name: {"x": 1} for name in WAYS} | {way: page}).execution.variables

    assert seen[f"told_{way}"] == "{a: [{y: 2, z: 1}], b: {c: 2, d: 1}, \U00020000: 3, \uffee: 1}"


def test_contexts_that_the_drawing_builds_keep_the_order_it_gives_them_in_a_snapshot():
    drawing = (
        process().start().script("s", "={b: 1, a: 2}", "built").user("a").script("t", "=string(built)", "t")
    )
    definition = drawing.user("last").end().read()
    running = Execution.start(
        definition, {"given": feel_values({"a": 2, "b": 1})}, calendar=WeekDays(), now=NOW
    )
    restored = Execution.restore(
        definition, orjson.loads(orjson.dumps(running.snapshot())), calendar=WeekDays()
    )

    (n,) = (token for token in running._workflow.numbers)
    restored.complete(n, {}, now=NOW)

    assert restored.variables["t"] == "{b: 1, a: 2}"
