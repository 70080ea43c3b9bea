"""`tidu conformance` answers each case of a suite as the single command would have answered it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engine.drawing import process
from tests.engine.drawn_decisions import model, table
from web.cli import main as cli


def straight(own: str = "straight"):
    return process(own).start().script("double", "=2 * x", "y").end()


@pytest.fixture
def suite(tmp_path) -> Path:
    """A suite with one case of every kind."""
    ends = {"status": "completed", "passes": ["double"], "variables": {"y": 4}}
    example = {"process": "straight", "start": {"values": {"x": 2}}, "steps": [], "ends": ends}
    files = {
        "bpmn/index.json": json.dumps([{"case": "Straight.1", "model": "Straight.bpmn", "group": "Basic"}]),
        "bpmn/Straight.bpmn": straight().xml.decode(),
        "bpmn/Straight.1.json": json.dumps(example),
        "refuse/refuse.json": json.dumps([{"name": "NoEnd", "element": "p", "kind": "run"}]),
        "refuse/NoEnd.bpmn": process().start().user("review").xml.decode(),
        "dmn/level2/score/score.dmn": model(table([[">= 80", '"A"'], ["< 80", '"B"']])).decode(),
        "dmn/level2/score/score.json": json.dumps(
            [
                {"dmn": "score.dmn", "decision": "Level", "inputs": {"score": 81}},
                {"dmn": "score.dmn", "decision": "Nobody", "inputs": {}},
            ]
        ),
        "miwg/A.1.0.bpmn": straight("a").xml.decode(),
    }
    for name, content in files.items():
        path = tmp_path / "suite" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return tmp_path / "suite"


def asked(capsys, *words: object):
    code = cli.main([*map(str, words), "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_case_gets_a_line_in_the_order_of_its_suite(suite, capsys):
    code, lines = asked(capsys, "conformance", suite)

    assert code == 0
    assert [line["case"] for line in lines] == [
        "bpmn/Straight",
        "bpmn/Straight.1",
        "refuse/NoEnd",
        "dmn/level2/score/score#0",
        "dmn/level2/score/score#1",
        "miwg/A.1.0",
    ]


def test_an_answer_is_what_the_single_command_prints(suite, capsys):
    told = {line["case"]: line["result"] for line in asked(capsys, "conformance", suite)[1]}
    drawing, dmn = suite / "bpmn/Straight.bpmn", suite / "dmn/level2/score/score.dmn"
    single = {
        "bpmn/Straight": ["check", drawing],
        "bpmn/Straight.1": ["play", drawing, "--example", suite / "bpmn/Straight.1.json"],
        "refuse/NoEnd": ["check", suite / "refuse/NoEnd.bpmn"],
        "dmn/level2/score/score#0": ["decide", dmn, "--decision", "Level", "--inputs", '{"score": 81}'],
        "dmn/level2/score/score#1": ["decide", dmn, "--decision", "Nobody", "--inputs", "{}"],
        "miwg/A.1.0": ["check", suite / "miwg/A.1.0.bpmn"],
    }

    for case, words in single.items():
        assert [told[case]] == asked(capsys, *words)[1]
    assert told["bpmn/Straight.1"]["variables"]["y"] == 4
    assert told["dmn/level2/score/score#0"] == {"value": "A", "matched": ["r1"]}
    assert told["refuse/NoEnd"]["deployable"] is False


def test_people_read_a_short_line_for_each_case(suite, capsys):
    cli.main(["conformance", str(suite)])
    told = capsys.readouterr().out.splitlines()

    assert told[0] == "bpmn/Straight: deployable"
    assert told[1] == "bpmn/Straight.1: completed"
    assert told[2].startswith("refuse/NoEnd: refused, ")


def test_a_directory_without_a_case_is_refused(tmp_path, capsys):
    code, (answer,) = asked(capsys, "conformance", tmp_path)

    assert code == 1
    assert answer["error"]["code"] == "NO_CASES"
