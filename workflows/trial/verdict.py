"""What the real engine says about a process: its drawings and decisions, then its forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.decisions.reader import parse_decisions
from engine.definition.model import Sources, check_definition, read_definition
from engine.errors import BadDefinition, InvalidInput, Problem
from engine.expressions.budget import ExpressionError
from engine.values import Value
from workflows.forms.form import read_form
from workflows.forms.problems import check_form


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What a decision came to, and the ids of the rules that matched."""

    value: Any
    matched: tuple[str, ...]


def judge(given: Sources, forms: Mapping[str, bytes]) -> tuple[Problem, ...]:
    """Everything wrong or doubtful about a process and its own forms (path → content).

    Sources that name no process hold decisions alone. Never raises for a bad model.
    """
    if not given.process_id:
        return tuple(problem for data in given.dmn.values() for problem in _decisions(data))
    problems = check_definition(given)
    return (*problems, *_broken(forms), *_missing(given, problems, forms))


def decide(data: bytes, decision: str, inputs: Mapping[str, Value], *, now: datetime) -> Decided:
    """The decision (by id or name) of a DMN text.

    Raises BadDefinition, and InvalidInput when the decision cannot be made: no such decision, two rules
    of a UNIQUE table, an input of another type.
    """
    try:
        made = parse_decisions(data).evaluate(decision, inputs, now=now)
    except ExpressionError as error:
        raise InvalidInput(str(error), code=error.name) from error
    return Decided(value=made.value, matched=made.matched)


def _decisions(data: bytes) -> tuple[Problem, ...]:
    try:
        return parse_decisions(data).problems
    except BadDefinition as error:
        return error.problems


def _broken(forms: Mapping[str, bytes]) -> Iterator[Problem]:
    for path, data in forms.items():
        try:
            found = check_form(read_form(data))
        except BadDefinition as error:
            found = error.problems
        yield from (replace(problem, element=f"{path} {problem.element}".strip()) for problem in found)


def _missing(given: Sources, problems: tuple[Problem, ...], forms: Mapping[str, bytes]) -> Iterator[Problem]:
    """User tasks without a form: an error where the drawing names it.

    A task without a form takes whatever is handed in with it.
    """
    if any(problem.severity == "error" for problem in problems):
        return
    for element in read_definition(given).elements.values():
        if element.process_id != given.process_id or element.task is None:
            continue
        form_id = element.task.form
        if f"forms/{form_id}.form" not in forms:
            yield Problem(
                element=element.id,
                rule="form.missing",
                severity="warning" if form_id == element.id else "error",
                message=f"there is no forms/{form_id}.form",
                message_zh=f"缺少表单 forms/{form_id}.form",
            )
