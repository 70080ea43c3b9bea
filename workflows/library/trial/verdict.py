"""What the real engine says about a process: its drawings and decisions, then its forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.decisions.check import check
from engine.decisions.model import Model, ServedDecisions
from engine.decisions.reader import parse_decisions
from engine.definition.model import Definition, Sources, check_definition, deployed_definition
from engine.errors import BadDefinition, InvalidInput, Problem
from engine.expressions.budget import ExpressionError
from engine.values import Value
from workflows.actors.conflict_rules import check_marks
from workflows.library.fitting import broken_forms, misfits
from workflows.library.typed_json import to_typed
from workflows.register.calendar import functions_at
from workflows.register.quotas import check_places


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What a decision came to, in typed JSON, and the ids of the rules that matched."""

    value: Any
    matched: tuple[str, ...]


def judge(given: Sources, forms: Mapping[str, bytes]) -> tuple[Problem, ...]:
    """Everything wrong or doubtful about a process and its own forms (path → content).

    Sources that name no process hold decisions alone: the first file is judged, it may import the others.
    Never raises for a bad model.
    """
    if given.process_id:
        problems = check_definition(given)
        if any(problem.severity == "error" for problem in problems):
            return (*problems, *broken_forms(forms))
        definition = deployed_definition(given)
        return (*problems, *_marks(definition), *broken_forms(forms), *misfits(definition, forms))
    try:
        return tuple(check(_model(tuple(given.dmn.values()))))
    except BadDefinition as error:
        return error.problems


def decide(
    models: Sequence[bytes],
    decision: str,
    inputs: Mapping[str, Value],
    *,
    service: str = "",
    now: datetime,
) -> Decided:
    """The decision (by id or name) of the first DMN text, which may import the others.

    With `service`, that decision service is asked instead: of several output decisions the one that
    `decision` names, or a context of all. Raises BadDefinition, and InvalidInput when the decision cannot
    be made: no such decision, two rules of a UNIQUE table, an input of another type, too large a value.
    """
    model, functions = _model(models), functions_at(now)
    try:
        if not service:
            made = model.evaluate(decision, inputs, now=now, functions=functions)
            return Decided(value=to_typed(made.value), matched=made.matched)
        made = model.evaluate_service(service, inputs, now=now, functions=functions)
        value = _output(model, model.services[service], decision, made.value)
        return Decided(value=to_typed(value), matched=made.matched)
    except ExpressionError as error:
        raise InvalidInput(str(error), code=error.name) from error


def _marks(definition: Definition) -> Iterator[Problem]:
    """What is wrong with the conflict rules and the places that the process's own elements name."""
    for element in definition.elements.values():
        if element.process_id == definition.process_id:
            outcomes = tuple(outcome.value for outcome in element.task.outcomes) if element.task else ()
            yield from check_marks(element.id, element.kind, element.properties)
            yield from check_places(element.id, element.kind, element.properties, outcomes)


def _output(model: Model, service: ServedDecisions, decision: str, value: Value) -> Value:
    """Of several outputs the one that was asked for."""
    if len(service.outputs) == 1 or decision in ("", service.name, service.id) or value is None:
        return value
    found = model.decisions.get(decision)
    if found is None or not isinstance(value, dict) or found.name not in value:
        raise ExpressionError("decision.unknown", f"{service.name!r} has no output decision {decision!r}")
    return value[found.name]


def _model(texts: Sequence[bytes]) -> Model:
    return parse_decisions(texts[0], others=texts[1:])
