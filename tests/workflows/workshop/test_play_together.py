"""A file with several executable processes: checked and played as one, each process a definition."""

from __future__ import annotations

import pytest

from engine.errors import BadDefinition, NotFound
from tests.engine.drawing import ESCALATION, HEAD, MESSAGE, SIGNAL, SIGNAL_EVENT, message, process, timer
from workflows.library.packages import DRAWING, read_files, read_folder
from workflows.workshop.checking import check_path, read_closure
from workflows.workshop.play import Theatre


@pytest.fixture(scope="module")
def theatre():
    return Theatre()


def together(tmp_path, *drawings, roots=""):
    """One file of several processes."""
    inside = "".join(
        f'<bpmn:process id="{one.process_id}" isExecutable="true">{one.content}</bpmn:process>'
        for one in drawings
    )
    path = tmp_path / "several.bpmn"
    path.write_text(f"{HEAD}{roots}{inside}</bpmn:definitions>", encoding="utf-8")
    return path


def teller():
    return process("teller").start("ts").script("first", "=1", "x").throw("t", message("m")).end("told")


def receiver():
    drawing = process("receiver").add("receiveTask", "r", connect=False, messageRef="m", instantiate="true")
    return drawing.script("made", "=1", "y").end("re")


def test_what_a_case_began_is_played_with_it(theatre, tmp_path):
    path = together(tmp_path, teller(), receiver(), roots=MESSAGE)

    assert check_path(path) == ()
    played = theatre.play(path, {"process": "teller"})

    assert played.passes == ("ts", "first", "r", "made", "re", "t", "told")
    assert played.status == "completed"
    assert played.variables["x"] == 1
    assert "y" not in played.variables


def test_time_passes_for_every_case(theatre, tmp_path):
    slow = (
        process("slow")
        .start("ss", SIGNAL_EVENT)
        .catch("wait", timer("P2D"))
        .script("late", "=1", "z")
        .end("se")
    )
    quick = process("quick").start("qs").end("qe", SIGNAL_EVENT)
    path = together(tmp_path, quick, slow, roots=SIGNAL)

    played = theatre.play(path, {"process": "quick", "steps": [{"pass_time": "P3D"}]})

    assert "late" in played.passes
    assert played.timers == ()


def test_messages_and_tasks_of_a_case_that_was_begun_can_be_played(theatre, tmp_path):
    asks = process("asks").start("as", SIGNAL_EVENT).catch("c", message("m")).user("work").end("ae")
    quick = process("quick").start("qs").end("qe", SIGNAL_EVENT)
    path = together(tmp_path, quick, asks, roots=SIGNAL + MESSAGE)

    played = theatre.play(path, {"process": "quick", "steps": [{"message": "answer"}, {"do": "work"}]})

    assert played.passes[-2:] == ("work", "ae")


def test_an_incident_of_a_case_that_was_begun_is_told(theatre, tmp_path):
    fails = process("fails").start("fs", SIGNAL_EVENT).script("bad", "=1", "x").gateway("exclusive", "g")
    fails.at("g", "=missing").end("fe").at("g", "=false").end("fe2")
    quick = process("quick").start("qs").end("qe", SIGNAL_EVENT)

    played = theatre.play(together(tmp_path, quick, fails, roots=SIGNAL), {"process": "quick"})

    assert played.status == "incident"
    assert [one["element"] for one in played.incidents] == ["g"]


def test_a_process_of_an_earlier_play_hears_nothing(theatre, tmp_path):
    born = process("born").start("bs", SIGNAL_EVENT).script("heard", "=1", "x").end("be")
    quick = process("quick").start("qs").end("qe", SIGNAL_EVENT)
    theatre.play(together(tmp_path, quick, born, roots=SIGNAL), {"process": "quick"})

    alone = theatre.play(together(tmp_path, quick, roots=SIGNAL), {"process": "quick"})

    assert alone.passes == ("qs", "qe")


def test_a_process_calls_another_of_its_file(theatre, tmp_path):
    inner = '<bpmn:escalationEventDefinition escalationRef="es"/>'
    called = process("called").start("cs").script("in", "=1", "x").end("ce", inner)
    caller = process("caller").start("s").add("callActivity", "c", calledElement="called").end("e")
    caller.boundary("b", "c", inner, interrupting=False).script("told", "=1", "y").end("be")

    played = theatre.play(together(tmp_path, caller, called, roots=ESCALATION), {"process": "caller"})

    assert sorted(played.passes) == sorted(["s", "cs", "in", "ce", "b", "told", "be", "c", "e"])


def test_every_process_of_the_file_is_checked(tmp_path):
    broken = process("broken").start("bs").add("scriptTask", "empty").end("be")
    path = together(tmp_path, teller(), broken, roots=MESSAGE)

    assert ("empty", "script.missing") in {(p.element, p.rule) for p in check_path(path)}
    assert [package.process_id for package in read_closure(path)] == ["teller", "broken"]


def test_a_process_that_is_not_there_cannot_be_played(theatre, tmp_path):
    with pytest.raises(NotFound, match="no process ghost"):
        theatre.play(together(tmp_path, teller(), receiver(), roots=MESSAGE), {"process": "ghost"})


def test_a_folder_holds_one_executable_process(tmp_path):
    path = together(tmp_path, teller(), receiver(), roots=MESSAGE)
    folder = tmp_path / "teller"
    folder.mkdir()
    (folder / DRAWING).write_bytes(path.read_bytes())

    with pytest.raises(BadDefinition, match="one executable process, found 2"):
        read_folder(folder)
    with pytest.raises(BadDefinition):
        read_files({DRAWING: path.read_bytes()})
    assert read_files({DRAWING: path.read_bytes()}, "receiver").process_id == "receiver"
