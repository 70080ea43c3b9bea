"""Every kind of element does what BPMN says, seen from outside."""

from __future__ import annotations

import pytest

from engine.errors import WrongState
from tests.engine.drawing import (
    FORMAL,
    extension,
    for_each,
    inputs,
    message,
    outputs,
    play,
    process,
    timer,
)

ERROR = '<bpmn:error id="er" errorCode="E1"/>'
ERROR_EVENT = '<bpmn:errorEventDefinition errorRef="er"/>'
ESCALATION = '<bpmn:escalation id="es" escalationCode="LATE"/>'
ESCALATION_EVENT = '<bpmn:escalationEventDefinition escalationRef="es"/>'
MESSAGE = '<bpmn:message id="m" name="answer"/>'
SIGNAL = '<bpmn:signal id="si" name="stop all"/>'
SIGNAL_EVENT = '<bpmn:signalEventDefinition signalRef="si"/>'


# --- user tasks ---------------------------------------------------------------------------------------


def test_a_user_task_tells_who_may_do_it_and_until_when():
    extra = '<tidu:deadline workingDays="=3"/><zeebe:priorityDefinition priority="80"/>'
    drawing = process().start().user("a", '=["county_officer@" + unit.authority]', extra=extra).end()

    waits = play(drawing, unit={"authority": "620100"}).open()[2]

    assert waits.groups == ("county_officer@620100",)
    assert (waits.due_at.isoformat(), waits.due_days) == ("2026-03-05T18:00:00+08:00", 3)
    assert (waits.priority, waits.round, waits.provisional) == (80, 1, False)


def test_rounds_are_counted():
    drawing = process().start().user("a").gateway("exclusive", "g", default="g__a")
    drawing.at("g", "=ok").end().at("g").to("a")

    assert [w.round for w in play(drawing).do("a", ok=False).open().values()] == [2]


def test_values_stand_under_the_result_variable_or_merge_or_go_through_outputs():
    under = process().start().user("a", result="form").end()
    mapped = process().start().user("a", extra=outputs(kept="=x + y", **{"deep.er": "=x"})).end()

    assert play(under).do("a", x=1).variables == {"form": {"x": 1}}
    assert play(mapped, y=2).do("a", x=1).variables == {"y": 2, "kept": 3, "deep": {"er": 1}}


def test_inputs_are_seen_by_the_task_only():
    drawing = process().start().user("a", extra=inputs(days="=rules.days")).user("b").end()
    played = play(drawing, rules={"days": 7})

    assert played.execution.local(played.n("a"))["days"] == 7
    assert "days" not in played.do("a").execution.local(played.n("b"))


def test_what_a_caller_holds_is_never_the_engines_own():
    given = {"list": [1]}
    played = play(process().start().user("a").end(), box=given)
    played.variables["box"]["list"].append(2)
    played.execution.local(2)["box"]["list"].append(3)
    given["list"].append(4)

    assert played.variables == {"box": {"list": [1]}}


# --- gateways -----------------------------------------------------------------------------------------


def test_an_inclusive_join_waits_for_all_that_can_still_come_and_no_others():
    drawing = process().start().gateway("inclusive", "split", default="split__c")
    drawing.at("split", "=a").user("ua").gateway("inclusive", "join").user("after").end()
    drawing.at("split", "=b").user("ub").gateway("exclusive", "x", default="x__join")
    drawing.at("x", "=away").end("elsewhere").at("x").to("join")
    drawing.at("split").add("task", "c").to("join")

    both = play(drawing, a=True, b=True).do("ua")
    assert both.waiting() == ["ub"]
    assert both.do("ub", away=False).waiting() == ["after"]

    left = play(drawing, a=True, b=True).do("ua").do("ub", away=True)
    assert left.waiting() == ["after"]

    assert play(drawing, a=False, b=False).waiting() == ["after"]


def test_tasks_may_split_and_conditions_after_them_count():
    drawing = process().start().user("a").user("b").end("e1").at("a", "=more = true").user("c").end("e2")

    assert play(drawing).do("a", more=True).waiting() == ["b", "c"]
    assert play(drawing).do("a", more=False).waiting() == ["b"]


def test_a_single_false_condition_is_a_failure_that_a_person_can_mend():
    drawing = process().start().user("a").at("a", "=ok").end()
    played = play(drawing).do("a", ok=False)

    assert played.failed == ["a:NO_WAY_OUT"]
    assert played.retry(2, ok=True).status == "completed"


def test_excess_tokens_wait_for_the_next_round_of_a_join():
    drawing = (
        process().start().gateway("parallel", "f").add("task", "a").gateway("parallel", "j").user("c").end()
    )
    drawing.at("f").add("task", "b").to("a").at("f").user("slow").to("j")
    played = play(drawing)

    assert played.do("slow").waiting() == ["c"]
    assert played.do("c").status == "active"


def test_the_first_event_after_an_event_gateway_wins():
    drawing = process().define(MESSAGE).start().gateway("eventBased", "g")
    drawing.catch("short", timer("PT1H")).end("e1").at("g").catch("long", timer("PT24H")).end("e2")
    drawing.at("g").catch("msg", message("m")).end("e3")

    assert play(drawing).later(hours=2).passed == ["start", "g", "short", "e1"]
    assert play(drawing).later(hours=2).flows[1] == "g__short"
    told = play(drawing).say("answer", x=1)
    assert (told.passed, told.variables) == (["start", "g", "msg", "e3"], {"x": 1})
    assert [type(s).__name__ for s in told.fresh][:2] == ["Withdrawn", "Withdrawn"]


# --- events -------------------------------------------------------------------------------------------


def test_links_jump():
    link = '<bpmn:linkEventDefinition name="L"/>'
    drawing = process().start().throw("go", link)
    drawing.add("intermediateCatchEvent", "come", link, connect=False).user("a").end()

    assert play(drawing).waiting() == ["a"]


def test_a_terminate_end_stops_everything_that_was_ready_in_the_same_moment():
    drawing = process().start().gateway("parallel", "f").end("kill", "<bpmn:terminateEventDefinition/>")
    drawing.at("f").script("s", "=1", "ran").user("a").end()
    played = play(drawing)

    assert played.status == "completed"
    assert played.variables == {}


def test_an_error_end_is_caught_by_the_nearest_boundary_that_names_it():
    inner = process("i").start("is").script("w", "=1", "w").end("ie", ERROR_EVENT)
    drawing = process().define(ERROR).start().sub("s", inner).end()
    drawing.boundary("any", "s", "<bpmn:errorEventDefinition/>").end("e_any")
    drawing.boundary("named", "s", ERROR_EVENT).end("e_named")

    played = play(drawing)

    assert played.passed == ["start", "is", "w", "ie", "named", "e_named"]
    assert played.variables == {"w": 1}


def test_an_error_nobody_catches_is_an_incident_not_an_end():
    played = play(process().define(ERROR).start().end("e", ERROR_EVENT))

    assert (played.failed, played.status) == (["e:E1"], "active")


def test_an_error_crosses_a_call():
    called = process("q").define(ERROR).start("qs").end("qe", ERROR_EVENT)
    drawing = (
        process()
        .define(ERROR)
        .start()
        .call("c", "q")
        .end()
        .boundary("b", "c", ERROR_EVENT)
        .user("a")
        .end("e")
    )
    called.outside = ['<bpmn:error id="er" errorCode="E1"/>']

    assert play(drawing, called).waiting() == ["a"]


def test_an_error_event_sub_process_starts_only_when_the_error_comes():
    handler = process("h").start("hs", ERROR_EVENT).user("mend").end("he")
    drawing = process().define(ERROR).start().job("j", "work").end().event_sub("h", handler)
    played = play(drawing)

    assert played.passed == ["start"]
    assert played.fail("j", "E1").waiting() == ["mend"]
    assert played.do("mend").status == "completed"


def test_an_escalation_beside_lets_the_inner_level_go_on():
    inner = process("i").start("is").throw("up", ESCALATION_EVENT).user("goes_on").end("ie")
    drawing = process().define(ESCALATION).start().sub("s", inner).end()
    beside = play(drawing.boundary("b", "s", ESCALATION_EVENT, interrupting=False).user("told").end("e"))

    assert beside.waiting() == ["goes_on", "told"]


def test_an_interrupting_escalation_takes_over():
    inner = process("i").start("is").throw("up", ESCALATION_EVENT).user("never").end("ie")
    drawing = process().define(ESCALATION).start().sub("s", inner).end()
    played = play(drawing.boundary("b", "s", ESCALATION_EVENT).user("told").end("e"))

    assert played.waiting() == ["told"]
    assert "never" not in [getattr(s, "element", "") for s in played.told]


def test_an_escalation_nobody_catches_is_not_an_incident():
    drawing = process().define(ESCALATION).start().throw("up", ESCALATION_EVENT).end("e", ESCALATION_EVENT)

    assert play(drawing).status == "completed"


def test_a_message_goes_to_the_key_it_carries():
    key = extension('<zeebe:subscription correlationKey="=key"/>')
    keyed = MESSAGE.replace("/>", f">{key}</bpmn:message>")
    drawing = process().define(keyed).start().catch("c", message("m")).end()
    played = play(drawing, key="K1")

    assert [(a.message, a.correlation) for a in played.execution.awaited()] == [("answer", "K1")]
    with pytest.raises(WrongState):
        played.say("answer", "K2")
    assert played.say("answer", "K1", x=1).variables == {"key": "K1", "x": 1}


def test_a_message_boundary_interrupts_or_not():
    drawing = process().define(MESSAGE).start().user("a").end()
    drawing.boundary("b", "a", message("m"), interrupting=False).user("more").end("e")
    played = play(drawing).say("answer").say("answer")

    assert played.waiting() == ["a", "more", "more"]
    assert [s.element for s in played.told if type(s).__name__ == "Escalated"] == ["b", "b"]


def test_a_receive_task_waits_for_its_message():
    drawing = process().define(MESSAGE).start().add("receiveTask", "r", messageRef="m").end()

    assert play(drawing).say("answer", x=1).variables == {"x": 1}


def test_an_interrupting_event_sub_process_takes_over_its_level():
    handler = process("h").start("hs", message("m")).user("withdrawn").end("he")
    drawing = process().define(MESSAGE).start().user("a").end().event_sub("h", handler)
    drawing.boundary("late", "a", timer("P1D"), interrupting=False).user("remind").end("e")
    played = play(drawing).later(days=1)
    assert played.waiting() == ["a", "remind"]

    assert played.say("answer", why="x").waiting() == ["withdrawn"]
    assert played.do("withdrawn").status == "completed"
    assert played.variables["why"] == "x"


def test_an_event_sub_process_beside_comes_as_often_as_the_message():
    handler = process("h").start("hs", message("m"), isInterrupting="false").user("extra").end("he")
    drawing = process().define(MESSAGE).start().user("a").end().event_sub("h", handler)
    played = play(drawing).say("answer", n=1).say("answer", n=2)

    assert played.waiting() == ["a", "extra", "extra"]
    played.do("extra").do("a")
    assert played.status == "active"
    assert played.do("extra").status == "completed"


def test_a_cycle_start_of_an_event_sub_process_repeats():
    handler = (
        process("h")
        .start("hs", timer("R2/P1D", "Cycle"), isInterrupting="false")
        .script("x", "=1", "x")
        .end("he")
    )
    drawing = process().start().user("a").end().event_sub("h", handler)

    assert play(drawing).later(days=5).passed.count("x") == 2


def test_a_signal_reaches_everybody_in_the_case_who_waits():
    drawing = (
        process().define(SIGNAL).start().gateway("parallel", "f").user("a").throw("t", SIGNAL_EVENT).end()
    )
    drawing.at("f").user("b").end("e2").boundary("s", "b", SIGNAL_EVENT).end("e3")

    assert play(drawing).do("a").status == "completed"


def test_a_message_is_thrown_by_a_job():
    job = extension('<zeebe:taskDefinition type="notice.send"/>')
    drawing = process().define(MESSAGE).start().throw("t", job + message("m")).end("e", job + message("m"))
    played = play(drawing)

    assert played.finish("t").status == "active"
    assert played.finish("e").status == "completed"


# --- timers -------------------------------------------------------------------------------------------


def test_timers_are_patient_and_due_moments_do_not_move():
    drawing = process().start().catch("t", timer("P14D")).end()
    played = play(drawing)

    with pytest.raises(WrongState):
        played.fire(2)
    assert played.open("Timed")[2].due_at.isoformat() == "2026-03-16T01:00:00+00:00"
    assert played.later(days=30).status == "completed"


def test_a_cycle_repeats_as_often_as_drawn_on_its_own_grid():
    drawing = process().start().user("a").end()
    drawing.boundary("b", "a", timer("R3/P1D", "Cycle"), interrupting=False).script("x", "=1", "x").end("e")
    played = play(drawing)

    assert played.later(days=10).passed.count("x") == 3
    repeats = [s.repeats for s in played.told if type(s).__name__ == "Timed"]
    assert repeats == [] or repeats[-1] == 1
    assert played.do("a").status == "completed"


def test_a_timer_counted_in_working_days_says_so():
    drawing = process().start().catch("t", timer("=add working days(now(), 250)", "Date")).end()

    timed = play(drawing).open("Timed")[2]

    assert (timed.days, timed.provisional) == (250, True)


# --- work of machines ---------------------------------------------------------------------------------


def test_a_job_gets_its_inputs_and_gives_its_result():
    drawing = process().start().job("j", "experts.draw", inputs(count="=3")).end()
    header = '<zeebe:taskHeaders><zeebe:header key="result" value="drawn"/></zeebe:taskHeaders>'
    named = process().start().job("j", "experts.draw", header).end()
    played = play(drawing)

    assert played.open("Job")[2].inputs == {"count": 3}
    assert played.finish("j", experts=[1]).variables == {"experts": [1]}
    assert play(named).finish("j", n=1).variables == {"drawn": {"n": 1}}


def test_an_error_of_a_job_takes_its_boundary_or_waits_for_a_person():
    drawing = process().define(ERROR).start().job("j", "work").end().boundary("b", "j", ERROR_EVENT).end("e")

    assert play(drawing).fail("j", "E1").passed == ["start", "b", "e"]
    other = play(drawing).fail("j", "E2")
    assert (other.failed, other.status) == (["j:E2"], "active")
    assert other.retry(2).finish("j").status == "completed"


def test_a_decision_is_told_with_its_rules():
    rows = [("r1", "&gt;= 80", '"gold"'), ("r2", "-", '"none"')]
    rules = "".join(
        f'<rule id="{own}"><inputEntry id="{own}i"><text>{test}</text></inputEntry>'
        f'<outputEntry id="{own}o"><text>{value}</text></outputEntry></rule>'
        for own, test, value in rows
    )
    dmn = f"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="x">
      <inputData id="given" name="score"/>
      <decision id="level" name="level">
        <informationRequirement id="q"><requiredInput href="#given"/></informationRequirement>
        <decisionTable id="t" hitPolicy="FIRST">
          <input id="i"><inputExpression id="ie"><text>score</text></inputExpression></input>
          <output id="o" name="level"/>{rules}
        </decisionTable>
      </decision></definitions>""".encode()
    called = '<zeebe:calledDecision decisionId="level" resultVariable="level"/>'
    drawing = process().start().add("businessRuleTask", "b", extension(called)).end()

    played = play(drawing, dmn={"level": dmn}, score=85)

    decided = next(s for s in played.told if type(s).__name__ == "Decided")
    assert (decided.decision, decided.evaluation.matched) == ("level", ("r1", "r2"))
    assert played.variables["level"] == "gold"


# --- activities that hold others ----------------------------------------------------------------------


def test_a_call_maps_variables_both_ways():
    called = process("q").start("qs").script("x", "=given * 2", "doubled").script("y", "=1", "y").end("qe")
    entries = '<zeebe:input source="=a" target="given"/><zeebe:output source="=doubled" target="b"/>'
    mapping = f"<zeebe:ioMapping>{entries}</zeebe:ioMapping>"
    drawing = process().start().call("c", "q", mapping, propagateAllParentVariables="false").end()

    assert play(drawing, called, a=2).variables == {"a": 2, "b": 4}


def test_inner_variables_of_a_call_can_stay_inside():
    called = process("q").start("qs").script("x", "=1", "x").end("qe")
    drawing = process().start().call("c", "q", propagateAllChildVariables="false").end()

    assert play(drawing, called).variables == {}


def test_a_sub_process_shares_its_variables_and_is_withdrawn_as_a_whole():
    inner = process("i").start("is").script("x", "=1", "x").user("a").end("ie")
    drawing = process().start().sub("s", inner).end().boundary("b", "s", timer("P1D")).end("late")
    played = play(drawing)

    assert played.later(days=2).passed == ["start", "is", "x", "b", "late"]
    assert played.variables == {"x": 1}
    assert play(drawing).do("a", y=2).variables == {"x": 1, "y": 2}


def test_instances_one_after_another_until_enough_have_answered():
    loop = for_each(
        "=people",
        "p",
        results="votes",
        result="=vote",
        done="=numberOfCompletedInstances >= 2",
        sequential=True,
    )
    played = play(process().start().user("m", inside=loop).end(), people=["x", "y", "z"])

    assert [w.item for w in played.open().values()] == ["x"]
    played.do("m", vote=1)
    assert [w.item for w in played.open().values()] == ["y"]
    assert played.do("m", vote=2).variables["votes"] == [1, 2, None]


def test_the_rest_of_parallel_instances_is_withdrawn():
    loop = for_each("=people", "p", results="votes", result="=vote", done="=vote = false")
    played = play(process().start().user("m", inside=loop).user("n").end(), people=["x", "y", "z"])

    assert played.do("m", vote=False).waiting() == ["n"]
    assert [type(s).__name__ for s in played.fresh].count("Withdrawn") == 2
    assert played.flows == ["start__m", "m__n"]


def test_each_instance_sees_its_item_and_its_number():
    loop = for_each("=people", "p")
    played = play(process().start().user("m", '=["expert@" + p]', inside=loop).end(), people=["x", "y"])

    assert [w.groups for w in played.open().values()] == [("expert@x",), ("expert@y",)]
    local = played.execution.local(played.n("m"))
    assert (local["p"], local["loopCounter"]) == ("x", 1)
    assert "p" not in played.do("m").do("m").variables


def test_without_an_output_collection_writes_are_taken_over_in_item_order():
    loop = for_each("=people", "p")
    played = play(process().start().user("m", inside=loop).end(), people=["x", "y"])
    first, second = played.open()

    assert (
        played.do("m", n=second, last="second").do("m", n=first, last="first").variables["last"] == "second"
    )


def test_no_items_no_instances():
    loop = for_each("=people", "p", results="votes", result="=1")

    played = play(process().start().user("m", inside=loop).end(), people=[])

    assert (played.status, played.variables["votes"]) == ("completed", [])


def test_instances_of_sub_processes_and_calls():
    inner = process("i").start("is").user("a", '=["g@" + p]').end("ie")
    loop = for_each("=people", "p", results="answers", result="=answer")
    drawing = process().start().sub("s", inner, loop).end()
    played = play(drawing, people=["x", "y"])
    first, second = played.open()
    played.do("a", n=second, answer=2).do("a", n=first, answer=1)
    assert (played.status, played.variables["answers"]) == ("completed", [1, 2])

    called = process("q").start("qs").script("x", "=p + 1", "answer").end("qe")
    calls = play(process().start().call("c", "q", inside=loop).end(), called, people=[1, 2])
    assert calls.variables == {"people": [1, 2], "answers": [2, 3]}


def test_a_boundary_timer_ends_all_instances_at_once():
    loop = for_each("=people", "p")
    drawing = (
        process().start().user("m", inside=loop).end().boundary("b", "m", timer("P1D")).user("late").end("e")
    )

    assert play(drawing, people=["x", "y"]).later(days=1).waiting() == ["late"]


def test_a_reminder_beside_instances_tells_each_open_task():
    loop = for_each("=people", "p")
    drawing = process().start().user("m", inside=loop).end()
    drawing.boundary("b", "m", timer("P1D"), interrupting=False).add("task", "remind").end("e")
    played = play(drawing, people=["x", "y", "z"]).do("m").later(days=1)

    escalated = [s.task_n for s in played.told if type(s).__name__ == "Escalated"]
    assert escalated == list(played.open())


def test_a_standard_loop_repeats_while_its_condition_holds():
    condition = f"<bpmn:loopCondition {FORMAL}>=n &lt; 3</bpmn:loopCondition>"
    loop = f"<bpmn:standardLoopCharacteristics>{condition}</bpmn:standardLoopCharacteristics>"
    inner = process("i").start("is").script("x", "=n + 1", "n").end("ie")

    assert play(process().start().sub("s", inner, loop).end(), n=0).variables == {"n": 3}


# --- what goes wrong ----------------------------------------------------------------------------------


def test_a_broken_condition_stops_its_branch_only_and_can_be_mended():
    drawing = process().start().gateway("parallel", "f").gateway("exclusive", "g", default="g__e1")
    drawing.at("g", "=nothing > 1").end("e2").at("g").end("e1").at("f").user("b").end("e3")
    played = play(drawing)

    assert (played.failed, played.waiting()) == (["g:CONDITION"], ["b"])
    n = next(s.n for s in played.told if type(s).__name__ == "Failed")
    played.retry(n, nothing=2).do("b")
    assert (played.status, "e2" in played.passed) == ("completed", True)


def test_a_broken_timer_or_assignment_fails_where_it_stands():
    timed = play(process().start().catch("t", timer("=soon")).end())
    assert timed.failed == ["t:TIMER"]
    naive = play(process().start().catch("t", timer('=date and time("2026-05-01T00:00:00")', "Date")).end())
    assert naive.failed == ["t:TIMER"]
    who = play(process().start().user("a", "=nobody").end())
    assert who.failed == ["a:ASSIGNMENT"]
    assert who.retry(2, nobody=["g"]).waiting() == ["a"]


def test_a_failing_boundary_timer_leaves_the_task_open():
    drawing = process().start().user("a").end().boundary("b", "a", timer("=soon")).end("e")
    played = play(drawing)

    assert (played.failed, played.waiting()) == (["b:TIMER"], ["a"])
    assert played.do("a").status == "completed"


def test_a_loop_without_a_wait_ends_as_a_failure():
    drawing = process().start().add("task", "a").gateway("exclusive", "g", default="g__a")
    drawing.at("g", "=false").end().at("g").to("a")
    played = play(drawing)

    assert [f.split(":")[1] for f in played.failed] == ["TOO_MANY_STEPS"]


def test_a_process_that_calls_itself_for_ever_fails():
    drawing = process().start().call("c", "p").end()

    assert play(drawing).failed == ["c:TOO_DEEP"]


def test_a_cancelled_case_withdraws_everything():
    drawing = process().start().user("a").end().boundary("b", "a", timer("P1D")).end("e")
    played = play(drawing)
    played.execution.cancel(now=played.now)

    assert [type(s).__name__ for s in played.execution.drain()] == ["Withdrawn", "Withdrawn"]
    assert played.status == "cancelled"


def test_commands_for_what_does_not_wait_are_refused():
    played = play(process().start().user("a").end())

    for refused in (
        lambda: played.execution.complete(9, {}, now=played.now),
        lambda: played.execution.finish(2, {}, now=played.now),
        lambda: played.execution.fire(2, now=played.now),
        lambda: played.execution.retry(2, values={}, now=played.now),
        lambda: played.say("nothing"),
    ):
        with pytest.raises(WrongState):
            refused()
    assert played.do("a").status == "completed"
