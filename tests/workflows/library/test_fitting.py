"""Drawing and forms read together: outcomes that are asked for, choices nobody reads, data of forms."""

from __future__ import annotations

import json

from tests.engine.drawing import extension, outputs, process
from workflows.workshop.checking import check_path

START = {"type": "number", "key": "size", "id": "size", "label": "规模", "properties": {"labelEn": "Size"}}


def field(key, kind="textfield", **more):
    own = {"labelEn": key, **more.pop("properties", {})}
    component = {"type": kind, "key": key, "id": key, "label": key, "properties": own, **more}
    if kind in ("select", "radio"):
        component["values"] = [
            {"value": value, "label": value, "labelEn": value} for value in ("good", "bad")
        ]
    return component


def found(folder, drawing, **forms):
    """(element, rule, severity) of what checking a package with these forms finds."""
    package = folder / drawing.process_id
    (package / "forms").mkdir(parents=True, exist_ok=True)
    (package / "process.bpmn").write_bytes(drawing.xml)
    for name, fields in forms.items():
        document = {"id": name, "type": "default", "schemaVersion": 18, "components": fields}
        (package / f"forms/{name}.form").write_text(json.dumps(document), "utf-8")
    problems = check_path(package)
    assert all(p.message and p.message_zh for p in problems)
    return {(p.element, p.rule, p.severity) for p in problems}


# --- outcomes -----------------------------------------------------------------------------------------


def branching(entry="verdict"):
    drawing = process().start().user("review", result="r").gateway("exclusive", "x", default="x__end").end()
    return drawing.at("x", f'=r.{entry} = "good"').end("e2")


def test_a_flow_that_asks_for_what_a_task_cannot_give_is_doubtful(tmp_path):
    expected = ("review", "task.no_outcome", "warning")

    assert found(tmp_path, branching(), review=[field("note")]) == {expected}
    assert expected in found(tmp_path, branching("outcome"), review=[field("note")])


def test_a_field_with_that_name_or_outcome_buttons_give_it(tmp_path):
    buttons = '<tidu:outcomes><tidu:outcome value="good"/></tidu:outcomes><tidu:deadline workingDays="=5"/>'
    decided = process().start().user("review", result="r", extra=buttons)
    decided.gateway("exclusive", "x", default="x__end").end().at("x", '=r.outcome = "good"').end("e2")

    assert found(tmp_path, branching(), review=[field("verdict", "radio")]) == set()
    assert found(tmp_path, decided, review=[field("note")]) == set()


def test_what_another_step_writes_under_the_same_name_is_not_the_forms_business(tmp_path):
    drawing = branching()
    drawing.at("start").job("machine", "evaluator.count", outputs(r="={verdict: 1}")).to("x")

    assert not [rule for _, rule, _ in found(tmp_path, drawing, review=[field("note")]) if "outcome" in rule]


def test_the_button_of_a_task_without_a_result_is_a_variable(tmp_path):
    buttons = '<tidu:outcomes><tidu:outcome value="good"/></tidu:outcomes><tidu:deadline workingDays="=5"/>'
    drawing = process().start().user("review", extra=buttons).script("s", "=outcome", "x").end()

    assert found(tmp_path, drawing, start=[START], review=[field("note")]) == set()


# --- choices nobody reads -----------------------------------------------------------------------------


def chosen(after="=1", extra=""):
    return process().start().user("classify", result="r", extra=extra).script("s", after, "x").end()


def test_a_choice_without_any_effect_is_doubtful(tmp_path):
    assert found(tmp_path, chosen(), classify=[field("grade", "radio")]) == {
        ("classify", "form.unread", "warning")
    }


def test_a_choice_that_is_read_somewhere_is_not(tmp_path):
    by_form = [field("grade", "radio"), field("why", conditional={"hide": '=grade = "good"'})]

    assert found(tmp_path, chosen("=r.grade"), classify=[field("grade", "radio")]) == set()
    assert found(tmp_path, chosen("=r"), classify=[field("grade", "radio")]) == set()
    assert found(tmp_path, chosen(), classify=by_form) == set()


def test_facts_kept_for_people_are_normal(tmp_path):
    facts = [field("note"), field("done", "checkbox"), field("count", "number")]
    group = {"type": "group", "id": "g", "path": "unit", "components": [field("grade", "select")]}
    record = field("grade", "radio", properties={"record": "yes"})
    buttons = '<tidu:outcomes><tidu:outcome value="good"/></tidu:outcomes><tidu:deadline workingDays="=5"/>'

    assert found(tmp_path, chosen(), classify=[*facts, group, record]) == set()
    assert found(tmp_path, chosen(extra=buttons), classify=[field("grade", "radio")]) == set()


# --- data of forms ------------------------------------------------------------------------------------


def test_fields_of_two_parallel_forms_can_write_the_same_variable(tmp_path):
    drawing = process().start().gateway("parallel", "f").user("a").gateway("parallel", "j").end()
    drawing.at("f").user("b").to("j")

    both = found(tmp_path, drawing, a=[field("opinion")], b=[field("opinion")])
    assert both == {("b", "data.conflict", "warning")}
    assert found(tmp_path, drawing, a=[field("opinion")], b=[field("answer")]) == set()


def test_a_case_starts_with_its_start_form_its_unit_and_its_rules(tmp_path):
    def reading(name):
        return process().start().script("s", f"={name}", "x").end()

    for name in ("size", "unit.id", "rules.days", "case.id", "batch", "applicant"):
        assert found(tmp_path, reading(name), start=[START]) == set()
    assert found(tmp_path, reading("extent"), start=[START]) == {("s", "data.unwritten", "error")}


def test_what_a_case_starts_with_is_not_known_without_a_start_form(tmp_path):
    later = process().start().script("s", "=size", "x").script("w", "=1", "size").end()

    assert found(tmp_path / "unknown", process().start().script("s", "=size", "x").end()) == set()
    assert found(tmp_path / "later", later) == {("s", "data.unwritten", "warning")}


def test_a_process_that_is_only_called_gets_what_its_caller_has(tmp_path):
    called = process("inner").start("is").script("ix", "=size + extent", "y").end("ie")
    called.parts.insert(
        0,
        '<bpmn:extensionElements><zeebe:properties><zeebe:property name="started_by" value="none"/>'
        "</zeebe:properties></bpmn:extensionElements>",
    )
    assert found(tmp_path, called) == set()
    caller = process().start().call("c", "inner").end()
    assert found(tmp_path, caller, start=[START]) == {("ix", "data.unwritten", "error")}


def test_what_a_form_reads_beside_its_fields_must_have_been_written(tmp_path):
    def hiding(condition):
        return [field("note"), field("more", conditional={"hide": condition})]

    drawing = process().start().script("s", "=size", "extent").user("u").end()

    good = hiding("=extent > size and note = null and unit.id = null")
    assert found(tmp_path / "good", drawing, start=[START], u=good) == set()
    assert found(tmp_path / "bad", drawing, start=[START], u=hiding("=width > 1")) == {
        ("u", "data.unwritten", "warning")
    }
    rows = [
        {
            "type": "dynamiclist",
            "path": "rows",
            "id": "rows",
            "components": hiding("=i > 1 or this.note = parent.size"),
        }
    ]
    assert found(tmp_path / "rows", drawing, start=[START], u=rows) == set()


def test_the_form_of_a_shared_task_belongs_to_the_file_it_stands_in(tmp_path):
    who = '<zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="officers"/>'
    shared = f'<bpmn:globalUserTask id="opinion">{extension(who)}</bpmn:globalUserTask>'
    drawing = process().define(shared).start().call("c", "opinion").script("s", "=grade + width", "x").end()

    unknown = found(tmp_path / "unknown", drawing, start=[START])
    assert unknown == {("opinion", "form.missing", "warning")}
    known = found(tmp_path / "known", drawing, start=[START], opinion=[field("grade")])
    assert known == {("s", "data.unwritten", "error")}
