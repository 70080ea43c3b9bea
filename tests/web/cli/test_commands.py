"""The command line keeps its contract: names, flags, exit codes, one JSON document, no running server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.engine.drawing import process
from tests.house.tree import ROOT
from web.cli import main as cli
from web.cli.table import COMMANDS
from workflows.people import check_password
from workflows.tables import open_database

CONTRACT = {
    "init", "serve", "worker", "demo", "check", "play", "decide", "deploy", "export", "verify",
    "rebuild", "backup", "restore", "user", "token", "doctor",
}  # fmt: skip


def test_every_command_of_the_contract_is_there():
    assert {command.name for command in COMMANDS} >= CONTRACT


def test_help_is_quick_and_needs_no_database():
    code = "import sys, web.cli.main as m; m._parser(); print([n for n in sys.modules if n in HEAVY])"
    heavy = "HEAVY = {'flask', 'sqlalchemy', 'SpiffWorkflow', 'engine.errors', 'workflows.tables'}; "

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
