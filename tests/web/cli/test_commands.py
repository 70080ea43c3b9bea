"""The command line keeps its contract: names, flags, exit codes, one JSON document, no running server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.engine.drawing import process
from tests.engine.drawn_decisions import NAMESPACE, bkm, literal, model, needs
from tests.house.tree import ROOT
from web.cli import main as cli
from web.cli.table import COMMANDS
from workflows.actors.people import check_password
from workflows.store.tables import open_database

CONTRACT = {
    "init", "serve", "worker", "demo", "check", "play", "decide", "deploy", "export", "verify",
    "rebuild", "backup", "restore", "user", "token", "doctor", "conformance",
}  # fmt: skip


def test_every_command_of_the_contract_is_there():
    assert {command.name for command in COMMANDS} >= CONTRACT


def test_help_is_quick_and_needs_no_database():
    code = "import sys, web.cli.main as m; m._parser(); print([n for n in sys.modules if n in HEAVY])"
    heavy = "HEAVY = {'flask', 'sqlalchemy', 'SpiffWorkflow', 'engine.errors', 'workflows.store.tables'}; "

    told = subprocess.run(
        [sys.executable, "-c", heavy + code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "juggle",
        "verify --some",
        "demo --cases many",
        "play bpmn/publicity",
        "decide x.dmn --decision d",
        "export publicity",
        "user",
        "token add lz.officer",
    ],
)
def test_wrong_usage_ends_with_2(line, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(line.split())

    assert ended.value.code == 2
    assert "usage: tidu" in capsys.readouterr().err


def test_verify_wants_cases_or_all(tidu):
    assert tidu("verify")[0] == 2
    assert tidu("verify GF-2026-000001 --all")[0] == 2


def test_a_command_that_needs_a_database_says_so(tidu_bare):
    code, answer = tidu_bare("verify --all --json")

    assert code == 1
    assert answer["error"]["code"] == "NOT_INITIALISED"


def test_init_can_be_repeated(tidu_bare):
    first = tidu_bare("init --json")
    again = tidu_bare("init --json")

    assert first[0] == again[0] == 0
    assert "green_factory:1" in first[1]["deployed"]
    assert again[1] == {"deployed": [], "cases": 0}


def test_floors_that_do_not_lie_together_are_refused(tidu, monkeypatch):
    monkeypatch.setattr(cli, "FLOORS", ("web", "workflows", "json"))

    code, answer = tidu("verify --all --json")

    assert (code, answer["error"]["code"]) == (2, "NOT_AT_HOME")


# --- processes ------------------------------------------------------------------------------------------


def test_a_sound_package_is_deployable(tidu_bare):
    code, answer = tidu_bare(f"check {ROOT / 'bpmn/publicity'} --json")

    assert (code, answer["deployable"]) == (0, True)
    assert answer["problems"] == []


def test_a_doubt_is_told_with_element_rule_severity_and_a_sentence_in_both_languages(tidu_bare, tmp_path):
    drawing = process("doubtful").start().user("review").end()
    (tmp_path / "doubtful.bpmn").write_bytes(drawing.xml)

    _, answer = tidu_bare(f"check {tmp_path / 'doubtful.bpmn'} --json")

    assert answer["problems"] == [
        {
            "element": "review",
            "rule": "form.missing",
            "severity": "warning",
            "message": "there is no forms/review.form",
            "message_zh": "缺少表单 forms/review.form",
        }
    ]


def test_a_broken_drawing_is_not(tidu_bare, tmp_path):
    drawing = (ROOT / "bpmn/publicity/process.bpmn").read_text(encoding="utf-8")
    (tmp_path / "broken.bpmn").write_text(drawing.replace('id="pub_publish"', 'id="elsewhere"'))

    code, answer = tidu_bare(f"check {tmp_path / 'broken.bpmn'} --json")

    assert (code, answer["deployable"]) == (1, False)
    assert any(problem["severity"] == "error" for problem in answer["problems"])


def test_every_package_of_a_folder_is_checked(tidu_bare, tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "process.bpmn").write_bytes(process(name).start().user(f"{name}_task").end().xml)

    _, answer = tidu_bare(f"check {tmp_path} --json")

    assert [problem["element"] for problem in answer["problems"]] == ["first_task", "second_task"]


def test_a_file_that_is_not_there_is_refused(tidu_bare):
    code, answer = tidu_bare("check nowhere.bpmn --json")

    assert (code, answer["error"]["code"]) == (1, "FILE_NOT_FOUND")


def _example(folder, **changes):
    path = ROOT / "bpmn/green_factory/examples/refused_mode.json"
    example = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    (folder / "example.json").write_text(json.dumps(example), encoding="utf-8")
    return folder / "example.json"


def test_an_example_is_played_in_memory(tidu_bare, tmp_path):
    code, answer = tidu_bare(f"play {ROOT / 'bpmn/green_factory'} --example {_example(tmp_path)} --json")

    assert (code, answer["status"]) == (0, "completed")
    assert answer["passes"][0] == "gf_start"
    assert {"status", "passes", "variables", "tasks", "incidents"} <= answer.keys()


def test_an_example_that_ends_otherwise_is_refused(tidu_bare, tmp_path):
    example = _example(tmp_path, ends={"status": "completed", "passes": ["gf_no_such_step"]})

    assert tidu_bare(f"play {ROOT / 'bpmn/green_factory'} --example {example} --json")[0] == 1


def test_a_decision_tells_its_value_and_the_matched_rules(tidu_bare):
    file = ROOT / "bpmn/expert_review/onsite_selection.dmn"

    code, answer = tidu_bare(["decide", file, "--decision", "onsite_selection", "--inputs", "{}", "--json"])

    assert code == 0
    assert answer.keys() == {"value", "matched"}


@pytest.mark.parametrize(
    ("decision", "inputs", "error"),
    [("nothing", "{}", "decision.unknown"), ("onsite_selection", "[1", "MALFORMED")],
)
def test_a_decision_that_cannot_be_made_is_an_error(tidu_bare, decision, inputs, error):
    file = ROOT / "bpmn/expert_review/onsite_selection.dmn"

    code, answer = tidu_bare(["decide", file, "--decision", decision, "--inputs", inputs, "--json"])

    assert (code, answer["error"]["code"]) == (1, error)


SERVED = (
    f'<import name="lib" namespace="urn:lib" importType="{NAMESPACE}"/><inputData id="a" name="a"/>'
    f'<decision id="half" name="Half">{needs("a")}{literal("a / 2")}</decision>'
    f'<decision id="sum" name="Sum">{needs("a")}{needs("half", kind="Decision")}'
    f"{literal('sum([a, Half][item != null])')}</decision>"
    '<decisionService id="both" name="Both"><outputDecision href="#half"/><outputDecision href="#sum"/>'
    '<inputData href="#a"/></decisionService>'
    '<decisionService id="one" name="One"><outputDecision href="#sum"/><inputDecision href="#half"/>'
    "</decisionService>"
    '<decision id="lent" name="Lent"><knowledgeRequirement><requiredKnowledge href="urn:lib#twice"/>'
    f"</knowledgeRequirement>{literal('lib.twice(4)')}</decision>"
)


def decided(tidu_bare, folder, *arguments):
    (folder / "m.dmn").write_bytes(model(SERVED))
    library = model(bkm("twice", ["n"], literal("n * 2"))).replace(b"urn:m", b"urn:lib")
    (folder / "beside.dmn").write_bytes(library)
    (folder / "broken.dmn").write_text("not a model")
    return tidu_bare(["decide", folder / "m.dmn", *arguments, "--json"])


def test_a_decision_service_is_asked_by_name(tidu_bare, tmp_path):
    both = decided(tidu_bare, tmp_path, "--service", "Both", "--inputs", '{"a": 3}')
    one = decided(tidu_bare, tmp_path, "--decision", "Sum", "--service", "One", "--inputs", '{"Half": 5}')
    named = decided(tidu_bare, tmp_path, "--decision", "Sum", "--service", "Both", "--inputs", '{"a": 3}')
    other = decided(tidu_bare, tmp_path, "--decision", "Lent", "--service", "Both", "--inputs", '{"a": 3}')

    assert both == (0, {"value": {"Half": 1.5, "Sum": 4.5}, "matched": []})
    assert one == (0, {"value": 5, "matched": []})
    assert named == (0, {"value": 4.5, "matched": []})
    assert (other[0], other[1]["error"]["code"]) == (1, "decision.unknown")
    assert decided(tidu_bare, tmp_path, "--service", "None", "--inputs", "{}")[0] == 1


def test_an_imported_model_is_found_beside_the_file_by_its_namespace(tidu_bare, tmp_path):
    assert decided(tidu_bare, tmp_path, "--decision", "Lent", "--inputs", "{}") == (
        0,
        {"value": 8, "matched": []},
    )

    (tmp_path / "beside.dmn").write_text("no longer a model")
    code, answer = tidu_bare(["decide", tmp_path / "m.dmn", "--decision", "Lent", "--inputs", "{}", "--json"])

    assert (code, answer["error"]["code"]) == (1, "dmn.import")
    assert "there is no model 'urn:lib'" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("for i in 1..50 return if i = 1 then [1, 1] else [partial[-1], partial[-1]]", "VALUE_SIZE"),
        ("for i in 1..300 return [partial]", "VALUE_SIZE"),
        ("for i in 1..99999999 return i", "budget.list"),
    ],
)
def test_a_result_that_is_too_large_is_an_error_with_a_name(tidu_bare, tmp_path, text, error):
    (tmp_path / "m.dmn").write_bytes(model(f'<decision id="d" name="D">{literal(text)}</decision>'))

    code, answer = tidu_bare(["decide", tmp_path / "m.dmn", "--decision", "d", "--inputs", "{}", "--json"])

    assert (code, answer["error"]["code"]) == (1, error)


def test_inputs_too_deep_to_read_are_refused(tidu_bare, tmp_path):
    (tmp_path / "m.dmn").write_bytes(model(f'<decision id="d" name="D">{literal("1")}</decision>'))
    inputs = '{"a": ' + "[" * 5000 + "]" * 5000 + "}"

    code, answer = tidu_bare(["decide", tmp_path / "m.dmn", "--decision", "d", "--inputs", inputs, "--json"])

    assert code == 1
    assert "error" in answer


def test_a_table_may_count_working_days(tidu_bare, tmp_path):
    text = 'add working days(@"2026-09-30", 1)'
    (tmp_path / "m.dmn").write_bytes(model(f'<decision id="d" name="D">{literal(text)}</decision>'))

    code, answer = tidu_bare(["decide", tmp_path / "m.dmn", "--decision", "d", "--inputs", "{}", "--json"])

    assert (code, answer["value"]["value"]) == (0, "2026-10-08T18:00:00+08:00")


def test_what_was_exported_can_be_deployed_and_is_the_same(tidu, tmp_path):
    assert tidu(f"export publicity -o {tmp_path}")[0] == 0
    there = tmp_path / "publicity"
    mine = {p.relative_to(there).as_posix(): p.read_bytes() for p in there.rglob("*") if p.is_file()}

    assert mine == {name: (ROOT / "bpmn/publicity" / name).read_bytes() for name in mine}
    assert tidu(f"deploy {there} --json")[1]["version"] == 1


def test_changed_content_is_a_new_version(tidu, tmp_path):
    tidu(f"export publicity -o {tmp_path}")
    drawing = tmp_path / "publicity/process.bpmn"
    drawing.write_text(drawing.read_text(encoding="utf-8").replace("发布公示", "张贴公示"), encoding="utf-8")

    assert tidu(f"deploy {tmp_path / 'publicity'} --json")[1]["version"] == 2


# --- people ---------------------------------------------------------------------------------------------


def test_a_person_is_added_and_may_sign_in(tidu, monkeypatch):
    added = tidu("user add mara --name 马兰 --level municipal --authority 620100 --group clerks --json")
    monkeypatch.setattr("sys.stdin", _Typed("a long password"))
    tidu("user password mara")

    with open_database(tidu.url).begin() as connection:
        assert check_password(connection, "mara", "a long password", now=tidu.now).actor.name == "马兰"
    assert added[1]["groups"] == ["clerks"]


def test_separate_duties_stay_separate(tidu):
    tidu("user add mara --name 马兰 --level staff --role auditor")

    code, answer = tidu("user grant mara --role administrator --json")

    assert (code, answer["error"]["code"]) == (1, "SOD")


def test_a_token_is_shown_once_and_ends(tidu):
    tidu("user add mara --name 马兰 --level staff")
    token = tidu("token add mara --name robot --scope tasks:read --json")[1]

    assert tidu(f"token revoke {token['token_id']}")[0] == 0

    listed = tidu("token list mara --json")[1]["tokens"]
    assert token["token"] not in json.dumps(listed)
    assert listed[0]["revoked_at"]


def test_each_change_of_people_leaves_one_operation_record(tidu):
    before = tidu.count("operations")
    tidu("user add mara --name 马兰 --level staff")
    tidu("user grant mara --group clerks")

    assert tidu.count("operations") == before + 2


def test_a_refused_change_leaves_none(tidu):
    before = tidu.count("operations")
    tidu("user grant nobody --group clerks")

    assert tidu.count("operations") == before


class _Typed:
    """What somebody pipes in."""

    def __init__(self, text):
        self.text = text

    def isatty(self):
        return False

    def readline(self):
        return self.text + "\n"
