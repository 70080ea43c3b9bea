"""People, gateways and machines: what a token does at single steps."""

from __future__ import annotations

from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    MESSAGE,
    extension,
    inputs,
    message,
    outputs,
    play,
    process,
    timer,
)

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
    drawing.at("f").user("stop").end("stopped", "<bpmn:terminateEventDefinition/>")
    played = play(drawing)

    assert played.do("slow").waiting() == ["stop", "c"]
    assert played.do("c").waiting() == ["stop"]
    assert played.do("stop").status == "completed"


def test_the_first_event_after_an_event_gateway_wins():
    drawing = process().define(MESSAGE).start().gateway("eventBased", "g")
    drawing.catch("short", timer("PT1H")).end("e1").at("g").catch("long", timer("PT24H")).end("e2")
    drawing.at("g").catch("msg", message("m")).end("e3")

    assert play(drawing).later(hours=2).passed == ["start", "g", "short", "e1"]
    assert play(drawing).later(hours=2).flows[1] == "g__short"
    told = play(drawing).say("answer", x=1)
    assert (told.passed, told.variables) == (["start", "g", "msg", "e3"], {"x": 1})
    assert [type(s).__name__ for s in told.fresh][:2] == ["Withdrawn", "Withdrawn"]


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
