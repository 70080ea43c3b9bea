"""Undoing what was done: order, nesting, instances, names, event sub-processes and transactions."""

from __future__ import annotations

import pytest

from engine.definition.model import check_definition
from tests.engine.drawing import Drawing, Played, for_each, play, process, timer

UNDO = "<bpmn:compensateEventDefinition/>"
CANCEL = "<bpmn:cancelEventDefinition/>"


def undo(activity: str, **attributes: str) -> str:
    written = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<bpmn:compensateEventDefinition activityRef="{activity}"{written}/>'


def undone_by(drawing: Drawing, activity: str, expression: str = "=1") -> Drawing:
    """The activity gets a compensation handler `un_<activity>` that writes a variable of that name."""
    last = drawing.last
    handler = f"un_{activity}"
    drawing.boundary(f"b_{activity}", activity, UNDO)
    drawing.add("scriptTask", handler, _script(expression, handler), connect=False, isForCompensation="true")
    drawing.associate(f"b_{activity}", handler)
    drawing.last = last
    return drawing


def _script(expression: str, result: str) -> str:
    written = f'<zeebe:script expression="{expression}" resultVariable="{result}"/>'
    return f"<bpmn:extensionElements>{written}</bpmn:extensionElements>"


def undoings(played: Played) -> list[str]:
    return [element for element in played.passed if element.startswith("un_")]


def again(played: Played) -> Played:
    state = played.execution.snapshot()
    calendar = played.execution._workflow.asker.calendar
    restored = type(played.execution).restore(played.definition, state, calendar=calendar)
    assert restored.digest() == played.execution.digest()
    played.execution = restored
    return played


def stage(own: str) -> Drawing:
    """A sub-process's content with two activities that can be undone."""
    inner = process(own).start(f"{own}_s").script(f"{own}1", "=1", "x")
    undone_by(inner, f"{own}1").script(f"{own}2", "=1", "x")
    return undone_by(inner, f"{own}2").end(f"{own}_e")


# --- order and nesting --------------------------------------------------------------------------------


def test_nested_work_is_undone_in_reverse_order_of_completion():
    inner = process("o").start("o_s").script("first", "=1", "x")
    undone_by(inner, "first").sub("deep", stage("d")).end("o_e")
    drawing = process().start().sub("outer", inner).script("last", "=1", "x")
    undone_by(drawing, "last").throw("regret", UNDO).end()

    assert undoings(play(drawing)) == ["un_last", "un_d2", "un_d1", "un_first"]


def test_branches_are_undone_by_when_they_completed():
    drawing = process().start().gateway("parallel", "g").user("a").gateway("parallel", "j")
    drawing.at("g").user("b").to("j").at("j").throw("regret", UNDO).end()
    undone_by(undone_by(drawing, "a"), "b")
    played = play(drawing).do("b").do("a")

    assert undoings(played) == ["un_a", "un_b"]


def test_a_handler_of_a_sub_process_stands_for_all_that_was_done_inside():
    inner = process("o").start("o_s").sub("deep", stage("d")).end("o_e")
    drawing = undone_by(process().start().sub("outer", inner), "outer")
    drawing.throw("regret", UNDO).end()

    assert undoings(play(drawing)) == ["un_outer"]


def test_what_was_done_twice_is_undone_twice():
    drawing = process().start().script("book", "=n + 1", "n").gateway("exclusive", "g", default="g__regret")
    drawing.at("g", "=n = 1").to("book").at("g").throw("regret", UNDO).end()

    assert undoings(play(undone_by(drawing, "book"), n=0)) == ["un_book", "un_book"]


def test_what_was_interrupted_is_not_undone():
    inner = process("i").start("is").script("done", "=1", "x")
    undone_by(inner, "done").user("wait").end("ie")
    drawing = process().start().sub("s", inner).end().boundary("late", "s", timer("P1D"))
    drawing.at("late").throw("regret", UNDO).end("e")

    assert undoings(play(drawing).later(days=2)) == []


# --- by name ------------------------------------------------------------------------------------------


def test_naming_a_sub_process_without_a_handler_undoes_what_was_done_inside():
    drawing = process().start().sub("one", stage("a")).sub("two", stage("b"))
    drawing.throw("regret", undo("one")).end()

    assert undoings(play(drawing)) == ["un_a2", "un_a1"]


def test_naming_an_activity_undoes_it_alone():
    drawing = process().start().script("a", "=1", "x").script("b", "=1", "x")
    undone_by(undone_by(drawing, "a"), "b").throw("regret", undo("a")).end()

    assert undoings(play(drawing)) == ["un_a"]


def test_what_a_throw_inside_a_sub_process_undoes_stays_inside():
    inner = process("i").start("is").script("a", "=1", "x")
    undone_by(inner, "a").throw("regret", UNDO).end("ie")
    drawing = undone_by(process().start().script("before", "=1", "x"), "before").sub("s", inner).end()

    assert undoings(play(drawing)) == ["un_a"]


# --- instances ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sequential", [True, False])
def test_each_instance_is_undone_with_its_own_item(sequential):
    drawing = process().start().user("a", inside=for_each("=people", "p", sequential=sequential))
    undone_by(drawing, "a", "=append(un_a, p)").throw("regret", UNDO).end()
    played = play(drawing, people=["x", "y", "z"], un_a=[])
    for _ in range(3):
        again(played).do("a")

    assert played.variables["un_a"] == ["z", "y", "x"]


def test_the_work_inside_each_instance_is_undone():
    loop = for_each("=people", "p", sequential=True)
    drawing = process().start().sub("s", stage("a"), loop).throw("regret", undo("s")).end()

    assert undoings(play(drawing, people=["x", "y"])) == ["un_a2", "un_a1", "un_a2", "un_a1"]


def test_a_handler_may_itself_have_instances():
    drawing = process().start().script("a", "=1", "x").throw("regret", UNDO).user("after").end()
    drawing.boundary("b", "a", UNDO)
    loop = for_each("=people", "p")
    drawing.add("userTask", "un_a", loop, connect=False, isForCompensation="true").associate("b", "un_a")
    played = play(drawing, people=["x", "y"])

    assert played.waiting() == ["un_a", "un_a"]
    assert played.do("un_a").waiting() == ["un_a"]
    assert played.do("un_a").waiting() == ["after"]


# --- compensation event sub-processes -----------------------------------------------------------------


def own_way(inside: Drawing, own: str = "un_own", trigger: str = UNDO, **attributes: str) -> Drawing:
    """The sub-process's content gets a compensation event sub-process."""
    regret = process(own).start(f"{own}_s", trigger, **attributes).script(f"{own}_x", "=x + 1", "seen")
    return inside.event_sub(own, regret.end(f"{own}_e"))


def test_a_sub_process_is_undone_by_its_own_event_sub_process():
    drawing = process().start().sub("s", own_way(stage("a"))).user("wait").throw("regret", UNDO).end()
    played = again(play(drawing)).do("wait", x=5)

    assert undoings(played) == ["un_own_s", "un_own_x", "un_own_e", "un_own"]
    assert played.variables["seen"] == 6
    assert played.status == "completed"


def test_which_decides_whether_the_work_inside_is_undone():
    regret = process("r").start("rs", UNDO).throw("all", UNDO).script("un_own", "=1", "y").end("re")
    inner = stage("a").event_sub("r", regret)
    drawing = process().start().sub("s", inner).throw("regret", undo("s")).end()

    assert undoings(play(drawing)) == ["un_a2", "un_a1", "un_own"]


def test_it_does_not_run_while_the_sub_process_does():
    inner = own_way(process("i").start("is").throw("early", UNDO).end("ie"))

    assert undoings(play(process().start().sub("s", inner).end())) == []


def test_each_instance_is_undone_by_its_own():
    inner = own_way(process("i").start("is").add("task", "a").end("ie"))
    drawing = process().start().sub("s", inner, for_each("=xs", "x")).throw("regret", UNDO).end()
    played = play(drawing, xs=[1, 2])

    assert undoings(played).count("un_own") == 2
    assert played.variables["seen"] == 2


def test_a_compensation_event_sub_process_has_one_place():
    both = undone_by(process().start().sub("s", own_way(stage("a"))), "s").end()
    top = own_way(process().start().end())
    twice = process().start().sub("s", own_way(own_way(stage("a")), "un_other")).end()
    beside = process().start().sub("s", own_way(stage("a"), isInterrupting="false")).end()

    for drawing in (both, top, twice):
        assert ("un_own", "compensation.place") in errors(drawing)
    assert ("un_own_s", "boundary.compensation") in errors(beside)


# --- transactions -------------------------------------------------------------------------------------


def test_a_cancelled_transaction_undoes_what_was_done_in_it_and_goes_its_own_way():
    inner = process("t").start("ts").sub("deep", stage("d")).script("more", "=1", "x")
    undone_by(inner, "more").end("give_up", CANCEL)
    drawing = process().start().script("before", "=1", "x")
    undone_by(drawing, "before").add("transaction", "t", inner.content).end()
    played = play(drawing.boundary("cancelled", "t", CANCEL).end("e"))

    assert undoings(played) == ["un_more", "un_d2", "un_d1"]
    assert played.passed[-2:] == ["cancelled", "e"]


def test_a_completed_transaction_can_still_be_undone_from_outside():
    drawing = process().start().add("transaction", "t", stage("a").content).throw("regret", UNDO).end()

    assert undoings(play(drawing)) == ["un_a2", "un_a1"]


# --- quantities ---------------------------------------------------------------------------------------


def test_an_activity_may_take_several_tokens_and_give_several():
    drawing = process().start().script("a", "=1", "x").script("b", "=1", "x").script("c", "=1", "x").end()
    drawing.parts[1] = drawing.parts[1].replace('id="a"', 'id="a" completionQuantity="4"')
    drawing.parts[2] = drawing.parts[2].replace('id="b"', 'id="b" startQuantity="2"')

    assert play(drawing).passed == ["start", "a", "b", "b", "c", "c", "end", "end"]


def test_a_start_quantity_does_not_hold_the_instances_back():
    drawing = process().start().add("task", "a", completionQuantity="2")
    drawing.user("b", inside=for_each("=people", "p")).end()
    drawing.parts[2] = drawing.parts[2].replace('id="b"', 'id="b" startQuantity="2"')
    played = play(drawing, people=["x", "y", "z"])

    assert played.waiting() == ["b", "b", "b"]
    assert played.do("b").do("b").do("b").status == "completed"


# --- refused ------------------------------------------------------------------------------------------


def errors(drawing: Drawing) -> set[tuple[str, str]]:
    return {(p.element, p.rule) for p in check_definition(drawing.sources()) if p.severity == "error"}


def test_undoing_without_waiting_is_refused():
    drawing = undone_by(process().start().script("a", "=1", "x"), "a")
    drawing.throw("regret", undo("a", waitForCompletion="false")).end()

    assert ("regret", "compensation.wait") in errors(drawing)


def test_only_activities_of_the_same_level_can_be_named():
    drawing = process().start().sub("s", stage("a")).throw("regret", undo("a1")).end()

    assert ("regret", "compensation.activity") in errors(drawing)
