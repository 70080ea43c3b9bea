"""`tidu conformance`: every case of an independent suite, answered as the single commands would."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.errors import BadDefinition, EngineError, NotFound
from web.app import wall_clock
from web.cli import house
from web.cli.voice import Voice, package_report, refusal
from workflows.library.trial.trial import Trial
from workflows.workshop.checking import check_path, decide
from workflows.workshop.play import Theatre

Answer = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One case: `check` a file, `play` an example on it, or `decide` by it."""

    case: str
    verb: str
    file: Path
    asked: Mapping[str, Any]


def conformance(arguments: argparse.Namespace, voice: Voice) -> int:
    """Answer all cases below a directory, a line each. What the answers are worth is for a judge to say.

    Raises NotFound for a directory that holds no case.
    """
    questions = list(questions_in(arguments.directory))
    if not questions:
        raise NotFound(f"{arguments.directory} holds no case", code="NO_CASES")
    trial = house.trial()
    theatre = Theatre(check=trial.check)
    for question in voice.progress(questions, total=len(questions), label="conformance"):
        result = answer(question, theatre, trial)
        voice.answer({"case": question.case, "result": result}, f"{question.case}: {_in_short(result)}")
    return 0


def questions_in(folder: Path) -> Iterator[Question]:
    """The cases of `bpmn/` (each model checked once, then played), `refuse/`, `dmn/` and `miwg/`."""
    index = _read(folder / "bpmn" / "index.json")
    for model in sorted({entry["model"] for entry in index}):
        yield _check(folder, f"bpmn/{model}")
    for entry in index:
        case, file = f"bpmn/{entry['case']}", folder / "bpmn" / entry["model"]
        yield Question(case=case, verb="play", file=file, asked=_read(folder / f"{case}.json"))
    for entry in _read(folder / "refuse" / "refuse.json"):
        yield _check(folder, f"refuse/{entry['name']}.bpmn")
    for tests in sorted((folder / "dmn").glob("*/*/*.json")):
        for number, asked in enumerate(_read(tests)):
            case = f"{tests.relative_to(folder).with_suffix('').as_posix()}#{number}"
            yield Question(case=case, verb="decide", file=tests.parent / asked["dmn"], asked=asked)
    for model in sorted((folder / "miwg").glob("*.bpmn")):
        yield _check(folder, f"miwg/{model.name}")


def answer(question: Question, theatre: Theatre, trial: Trial) -> Answer:
    """What the command that `question.verb` names would print with --json."""
    try:
        return _ask(question, theatre, trial)
    except BadDefinition as error:
        return package_report(error.problems)[0]
    except EngineError as error:
        return refusal(getattr(error, "code", type(error).__name__), str(error))


def _ask(question: Question, theatre: Theatre, trial: Trial) -> Answer:
    if question.verb == "check":
        return package_report(check_path(question.file, check=trial.check))[0]
    if question.verb == "play":
        return theatre.play(question.file, question.asked).document()
    asked = question.asked
    made = decide(
        question.file,
        asked["decision"],
        asked["inputs"],
        service=asked.get("service", ""),
        now=wall_clock(),
        make=trial.decide,
    )
    return {"value": made.value, "matched": list(made.matched)}


def _check(folder: Path, name: str) -> Question:
    return Question(case=name.removesuffix(".bpmn"), verb="check", file=folder / name, asked={})


def _read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"), parse_float=Decimal) if file.is_file() else []


def _in_short(result: Answer) -> str:
    if "deployable" in result:
        errors = [problem["rule"] for problem in result["problems"] if problem["severity"] == "error"]
        return f"refused, {', '.join(dict.fromkeys(errors))}" if errors else "deployable"
    if "error" in result:
        return f"refused, {result['error']['code']}"
    return str(result.get("status", result.get("value")))
