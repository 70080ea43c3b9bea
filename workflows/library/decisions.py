"""The decision tables in force: which there are, and what one of them decides for given inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.decisions.model import Evaluation
from engine.decisions.reader import parse_decisions
from engine.errors import InvalidInput, NotFound
from engine.expressions.budget import ExpressionError
from workflows.library.catalog import Catalog
from workflows.library.typed_json import from_typed, to_typed
from workflows.register.calendar import functions_at


@dataclass(frozen=True, kw_only=True)
class DecisionFile:
    """One decision file of the version in force of its process."""

    key: str
    definition_id: str
    process: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What was decided, in typed JSON, with the inputs read and the rules that matched, in order."""

    decision: str
    value: Any
    matched: tuple[str, ...]
    inputs: Mapping[str, Any]


def decision_files(connection: sa.Connection, library: Catalog, at: datetime) -> tuple[DecisionFile, ...]:
    """Every decision file in force at `at`, by key."""
    found = [
        DecisionFile(key=key, definition_id=version.id, process=version.key, content=content)
        for version in library.all_current(connection, at)
        for key, content in library.package(version.id, connection).decisions.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.key, one.process)))


def decide(file: DecisionFile, inputs: Mapping[str, Any], *, decision: str = "", now: datetime) -> Decided:
    """What the file's decision (by default the one it is named after) says. Nothing is recorded.

    Raises InvalidInput with the expression's error code, NotFound for no such decision.
    """
    given = {name: from_typed(value) for name, value in inputs.items()}
    wanted, functions = decision or file.key, functions_at(now)
    try:
        made = parse_decisions(file.content).evaluate(wanted, given, now=now, functions=functions)
    except ExpressionError as error:
        if error.name == "decision.unknown":
            raise NotFound(str(error), code="DECISION_NOT_FOUND") from error
        raise InvalidInput(str(error), code="DECISION_FAILED", error=error.name) from error
    return _decided(made)


def _decided(made: Evaluation) -> Decided:
    inputs = {name: to_typed(value) for name, value in made.inputs.items()}
    return Decided(decision=made.decision, value=to_typed(made.value), matched=made.matched, inputs=inputs)
