"""Call activities: global tasks, loops and events at a call, and processes that call themselves."""

from __future__ import annotations

from engine.definition.model import check_definition
from tests.engine.drawing import Drawing, extension, for_each, outputs, play, process, timer

SCRIPT = extension('<zeebe:script expression="=x * 2" resultVariable="x"/>')
WHO = extension('<zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="officers"/>')


def calling(task: str, inside: str = "", extra: str = "") -> Drawing:
    """A process whose call activity `c` calls the global task `g`, which stands in the same file."""
    drawing = process().start().call("c", "g", extra).end()
    return drawing.define(f'<bpmn:{task} id="g" name="shared">{inside}</bpmn:{task}>')


def test_a_global_script_task_is_run_by_the_call_activity():
    played = play(calling("globalScriptTask", SCRIPT), x=2)

    assert played.passed == ["start", "g", "c", "end"]
    assert played.variables == {"x": 4}


def test_a_global_user_task_waits_for_a_person_under_its_own_id():
    played = play(calling("globalUserTask", WHO))

    assert played.waiting() == ["g"]
    assert [w.groups for w in played.open().values()] == [("officers",)]
    assert played.do("g", answer=1).variables == {"answer": 1}


def test_a_global_decision_task_decides():
    dmn = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="m" name="m" namespace="u">
      <decision id="level" name="level"><variable name="level"/>
      <literalExpression><text>score + 1</text></literalExpression></decision></definitions>"""
    asked = extension('<zeebe:calledDecision decisionId="level" resultVariable="level"/>')
    drawing = calling("globalBusinessRuleTask", asked)

    assert play(drawing, dmn={"level": dmn}, score=4).variables["level"] == 5


def test_global_tasks_without_an_executor_only_pass():
    for kind in ("globalTask", "globalManualTask"):
        assert play(calling(kind)).passed == ["start", "g", "c", "end"]


def test_bpmns_own_attribute_names_the_global_task_as_well():
    drawing = process().start().add("callActivity", "c", calledElement="g").end()
    drawing.define(f'<bpmn:globalScriptTask id="g">{SCRIPT}</bpmn:globalScriptTask>')

    assert play(drawing, x=1).variables == {"x": 2}


def test_mappings_of_the_call_hold_for_a_global_task():
    drawing = calling("globalScriptTask", SCRIPT, outputs(doubled="=x"))

    assert play(drawing, x=3).variables == {"x": 3, "doubled": 6}


def test_a_global_task_is_called_for_each_item():
    drawing = process().start().call("c", "g", "", for_each("=people", "p")).end()
    drawing.define(f'<bpmn:globalUserTask id="g">{WHO}</bpmn:globalUserTask>')
    played = play(drawing, people=["a", "b"])

    assert played.waiting() == ["g", "g"]
    assert played.do("g").do("g").status == "completed"


def test_a_global_task_is_called_from_two_places():
    drawing = process().start().call("c", "g").call("d", "g").end()
    drawing.define(f'<bpmn:globalUserTask id="g">{WHO}</bpmn:globalUserTask>')

    assert play(drawing).do("g").do("g").status == "completed"


def test_a_deadline_at_the_call_withdraws_the_global_task():
    drawing = calling("globalUserTask", WHO).boundary("late", "c", timer("P1D")).end("too_late")
    played = play(drawing)

    assert played.later(days=2).passed == ["start", "late", "too_late"]
    assert played.waiting() == []


def test_a_case_inside_a_global_task_comes_back_from_its_snapshot():
    played = play(calling("globalUserTask", WHO))
    state = played.execution.snapshot()
    again = type(played.execution).restore(
        played.definition, state, calendar=played.execution._workflow.asker.calendar
    )

    assert again.digest() == played.execution.digest()


def test_what_a_global_task_lacks_is_refused_at_the_task():
    drawing = calling("globalScriptTask")

    assert ("g", "script.missing") in {(p.element, p.rule) for p in check_definition(drawing.sources())}


def test_the_called_process_sees_a_copy_and_its_own_changes_stay_apart_until_it_ends():
    called = process("q").start("qs").script("x", "=1", "x").user("wait").end("qe")
    drawing = process().start().call("c", "q").end()
    played = play(drawing, called, x=0)

    assert played.variables == {"x": 0}
    assert played.execution.local(played.n("wait"))["x"] == 1
    assert played.do("wait").variables == {"x": 1}


def test_a_process_that_calls_itself_while_a_condition_holds_comes_back():
    drawing = process().start().script("less", "=n - 1", "n").gateway("exclusive", "g", default="g__end")
    drawing.at("g", "=n > 0").call("c", "p").end("deep").at("g").end()

    assert play(drawing, n=10).variables == {"n": 0}


def test_two_processes_that_call_each_other_for_ever_end_in_an_incident():
    other = process("q").start("qs").call("back", "p").end("qe")
    drawing = process().start().call("c", "q").end()

    assert [f.split(":")[1] for f in play(drawing, other).failed] == ["TOO_DEEP"]


def test_calls_that_double_at_every_level_end_in_incidents_quickly():
    drawing = process().start().gateway("parallel", "g").call("c", "p").end()
    drawing.at("g").call("d", "p").to("end")
    failed = {f.split(":")[1] for f in play(drawing).failed}

    assert failed == {"TOO_MANY_TOKENS"}


def test_a_global_task_belongs_to_the_package_of_its_file():
    definition = calling("globalUserTask", WHO).read()

    assert definition.elements["g"].process_id == "p"


def test_one_id_in_two_files_of_a_case_is_refused():
    task = f'<bpmn:globalUserTask id="g">{WHO}</bpmn:globalUserTask>'
    other = process("q").start("qs").call("qc", "g").end("qe").define(task)
    drawing = process().start().call("c", "g").call("d", "q").end().define(task)

    assert ("g", "id.unique") in {(p.element, p.rule) for p in check_definition(drawing.sources(other))}
