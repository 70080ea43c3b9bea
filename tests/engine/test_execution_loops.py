"""Activities that are done several times: rounds of a loop, instances side by side or one by one."""

from __future__ import annotations

import pytest

from engine.definition.model import check_definition
from tests.engine.drawing import (
    FORMAL,
    MESSAGE,
    Drawing,
    Played,
    extension,
    for_each,
    message,
    play,
    process,
    timer,
)


def looped(again: str = "", **attributes: str) -> str:
    """A standard loop."""
    written = "".join(f' {key}="{value}"' for key, value in attributes.items())
    inside = f"<bpmn:loopCondition {FORMAL}>{again}</bpmn:loopCondition>" if again else ""
    return f"<bpmn:standardLoopCharacteristics{written}>{inside}</bpmn:standardLoopCharacteristics>"


def times(cardinality: str, done: str = "", sequential: bool = True) -> str:
    """Multi-instance by number."""
    until = f"<bpmn:completionCondition {FORMAL}>{done}</bpmn:completionCondition>" if done else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"<bpmn:loopCardinality {FORMAL}>{cardinality}</bpmn:loopCardinality>{until}"
        "</bpmn:multiInstanceLoopCharacteristics>"
    )


def counting(loop: str) -> Drawing:
    """A script that counts its rounds in `n`."""
    return process().start().script("a", "=n + 1", "n", inside=loop).end()


def rounds(loop: str, n: int = 0) -> int:
    played = play(counting(loop), n=n)
    assert played.status == "completed"
    return played.passed.count("a")


def again(played: Played) -> Played:
    state = played.execution.snapshot()
    calendar = played.execution._workflow.asker.calendar
    restored = type(played.execution).restore(played.definition, state, calendar=calendar)
    assert restored.digest() == played.execution.digest()
    played.execution = restored
    return played


# --- standard loops -----------------------------------------------------------------------------------


def test_a_loop_tests_after_each_round():
    assert rounds(looped("=n &lt; 3")) == 3
    assert rounds(looped("=false")) == 1


def test_or_before_each_round():
    assert rounds(looped("=n &lt; 3", testBefore="true")) == 3
    assert rounds(looped("=n &lt; 3", testBefore="1"), n=3) == 0


def test_a_maximum_ends_it():
    assert rounds(looped("=true", loopMaximum="4")) == 4
    assert rounds(looped(loopMaximum="2")) == 2
    assert rounds(looped("=true", loopMaximum="4", testBefore="true")) == 4


def test_a_maximum_of_no_rounds_is_no_round():
    assert rounds(looped("=true", loopMaximum="0")) == 0


@pytest.mark.parametrize("maximum", ["-1", "many", "1.5", "9" * 5000])
def test_a_maximum_that_is_no_number_of_rounds_is_refused(maximum):
    assert ("a", "loop.maximum") in errors(counting(looped("=true", loopMaximum=maximum)))


def test_a_loop_without_an_end_is_refused_or_ends_in_an_incident():
    assert ("a", "loop.endless") in errors(counting(looped()))
    assert play(counting(looped("=true")), n=0).failed == ["a:TOO_MANY_STEPS"]


def test_the_condition_sees_the_number_of_rounds():
    assert rounds(looped("=loopCounter &lt; 5")) == 5


def test_a_condition_that_is_no_condition_is_an_incident():
    played = play(counting(looped("=unknown")), n=0)

    assert [f.split(":")[1] for f in played.failed] == ["CONDITION"]


def test_a_person_repeats_a_task_until_it_is_right_or_too_late():
    drawing = process().start().user("a", inside=looped("=wrong")).end()
    played = play(drawing.boundary("late", "a", timer("P3D")).end("e"))

    played.do("a", wrong=True)
    assert again(played).waiting() == ["a"]
    assert played.do("a", wrong=True).later(days=4).passed == ["start", "a", "a", "late", "e"]


def test_a_sub_process_and_a_call_repeat_with_what_they_wrote():
    inner = process("i").start("is").script("x", "=n + 1", "n").end("ie")
    called = process("q").start("qs").script("y", "=n + 1", "n").end("qe")
    drawing = process().start().sub("s", inner, looped("=n &lt; 3"))
    drawing.call("c", "q", inside=looped("=n &lt; 5")).end()

    assert play(drawing, called, n=0).variables == {"n": 5}


def test_a_receive_task_waits_once_for_each_round():
    drawing = process().start().add("receiveTask", "a", looped("=more"), messageRef="m").end()
    drawing.define(MESSAGE).boundary("late", "a", timer("P3D")).end("e")
    played = play(drawing).say("answer", more=True)

    assert again(played).say("answer", more=False).status == "completed"
    assert played.later(days=4).passed == ["start", "a", "a", "end"]


# --- instances by number ------------------------------------------------------------------------------


def test_a_number_of_instances():
    assert rounds(times("=3")) == 3
    assert rounds(times("3", sequential=False)) == 3
    assert rounds(times("=n", sequential=False), n=2) == 2


def test_no_instances_pass_at_once():
    assert rounds(times("0")) == 0
    assert rounds(times("=n", sequential=False), n=0) == 0


@pytest.mark.parametrize(
    ("number", "code"),
    [("=-1", "NUMBER"), ("=1.5", "NUMBER"), ("=0/0", "NUMBER"), ('="x"', "NUMBER"), ("=10**12", "NUMBER")],
)
def test_what_is_no_number_of_instances_is_an_incident_that_says_so(number, code):
    played = play(counting(times(number)), n=0)
    told = next(s for s in played.told if type(s).__name__ == "Failed")

    assert (told.element, told.code) == ("a", code)
    assert "loopCardinality of a must be a whole number from 0 to 999999" in told.message


def test_too_many_instances_are_an_incident_with_their_number():
    played = play(counting(times("=20000")), n=0)
    told = next(s for s in played.told if type(s).__name__ == "Failed")

    assert (told.code, told.message) == ("COLLECTION", "20000 instances of a; 1000 are allowed")


def test_a_mended_number_goes_on():
    played = play(counting(times("=many")), n=0)

    assert played.retry(next(iter(played.open("Failed"))), many=2).passed.count("a") == 2


def test_the_completion_condition_knows_the_numbers():
    seen = (
        "=numberOfInstances = 4 and numberOfCompletedInstances = 2 and "
        "numberOfActiveInstances = 2 and numberOfTerminatedInstances = 0 and loopCounter = 3"
    )
    played = play(process().start().user("a", inside=times("4", seen, sequential=False)).end())
    numbers = sorted(played.open())
    played.do("a", numbers[0])

    assert again(played).do("a", numbers[2]).status == "completed"
    assert [type(s).__name__ for s in played.fresh].count("Withdrawn") == 2


def test_in_sequence_nobody_else_is_active():
    seen = "=numberOfActiveInstances = 0 and numberOfCompletedInstances = 2"

    assert rounds(times("4", seen)) == 2


# --- nested -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outer", [True, False])
@pytest.mark.parametrize("within", [True, False])
def test_instances_within_instances_keep_their_items_apart(outer, within):
    inside = for_each("=row", "cell", results="doubled", result="=cell * 2", sequential=within)
    inner = process("i").start("is").user("a", inside=inside).end("ie")
    loop = for_each("=rows", "row", results="all", result="=doubled", sequential=outer)
    played = play(process().start().sub("s", inner, loop).end(), rows=[[1, 2], [3]])
    while played.status != "completed":
        again(played).do("a")

    assert played.variables["all"] == [[2, 4], [6]]


def test_a_loop_within_instances_counts_for_itself():
    inner = process("i").start("is").script("a", "=n + 1", "n", inside=looped("=loopCounter &lt; 3"))
    loop = for_each("=xs", "x", results="ns", result="=n")
    played = play(process().start().sub("s", inner.end("ie"), loop).end(), xs=[1, 2], n=0)

    assert played.variables["ns"] == [3, 3]


def test_an_interrupting_event_withdraws_all_instances_and_a_late_one_does_not():
    drawing = process().start().user("a", inside=for_each("=people", "p")).end()
    drawing.boundary("stop", "a", message("m")).end("stopped").define(MESSAGE)
    drawing.boundary("remind", "a", timer("P1D"), interrupting=False).script("note", "=1", "n").end("e")
    played = play(drawing, people=["x", "y"]).later(days=2)

    assert played.waiting() == ["a", "a"]
    assert played.do("a").say("answer").passed[-2:] == ["stop", "stopped"]
    assert (played.waiting(), played.status) == ([], "completed")


def test_called_processes_run_side_by_side_without_seeing_each_other():
    called = process("q").start("qs").user("work").end("qe")
    loop = for_each("=people", "p", results="all", result="=answer")
    played = play(process().start().call("c", "q", "", loop).end(), called, people=["x", "y"])
    first, second = sorted(played.open())

    played.do("work", second, answer="two")
    assert again(played).do("work", first, answer="one").variables["all"] == ["one", "two"]


# --- BPMN's own lists ---------------------------------------------------------------------------------


def own_lists(inside: str) -> Drawing:
    data = '<bpmn:ioSpecification><bpmn:dataInput id="din" isCollection="false"/></bpmn:ioSpecification>'
    loop = f"<bpmn:multiInstanceLoopCharacteristics>{inside}</bpmn:multiInstanceLoopCharacteristics>"
    return process().start().add("task", "a", data + loop).end()


def test_lists_and_items_without_a_variable_are_refused_by_name():
    inside = '<bpmn:loopDataInputRef>din</bpmn:loopDataInputRef><bpmn:inputDataItem id="item"/>'
    found = errors(own_lists(inside))

    assert {("a", "loop.loopDataInputRef"), ("a", "loop.inputDataItem")} <= found


def test_beside_their_variables_they_are_documentation():
    run = extension('<zeebe:loopCharacteristics inputCollection="=xs" inputElement="x"/>')
    inside = '<bpmn:loopDataInputRef>din</bpmn:loopDataInputRef><bpmn:inputDataItem id="item"/>'

    assert play(own_lists(run + inside), xs=[1]).passed == ["start", "a", "end"]


def test_data_that_would_have_to_be_computed_is_refused():
    for tag in ("transformation", "assignment"):
        body = f'<bpmn:from {FORMAL}>="x"</bpmn:from><bpmn:to {FORMAL}>x</bpmn:to>'
        inside = f"<bpmn:{tag}>{body if tag == 'assignment' else 'x'}</bpmn:{tag}>"
        data = f'<bpmn:dataInputAssociation id="d">{inside}</bpmn:dataInputAssociation>'
        drawing = process().start().add("task", "a", data).end()

        assert ("a", f"data.{tag}") in errors(drawing)


def errors(drawing: Drawing) -> set[tuple[str, str]]:
    return {(p.element, p.rule) for p in check_definition(drawing.sources()) if p.severity == "error"}
