"""Decision tables over REST: which are in force, and trying one. Trying records nothing."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from engine.errors import NotFound
from web.answers import xml_text
from web.api.conventions import listed
from web.api.openapi import Room
from web.context import now, rooms
from web.schemas import DecisionPage, Strict
from workflows.library import decisions

api = Room("decisions", __name__, url_prefix="/api/v1/decision-definition", description="Decision tables")


class Evaluation(Strict):
    """`variables` are typed values as Camunda has them; `values` plain JSON."""

    variables = fields.Dict(keys=fields.String(), values=fields.Dict(keys=fields.String()))
    values = fields.Dict(keys=fields.String())
    decision = fields.String(load_default="", validate=validate.Length(max=200))


@api.get("")
@api.response(200, DecisionPage)
def find() -> dict[str, Any]:
    """Every decision file in force."""
    return listed(
        {"key": one.key, "definitionId": one.definition_id, "definitionKey": one.process} for one in _all()
    )


@api.get("/key/<key>/xml")
@api.response(200)
def xml(key: str) -> Response:
    """The file, as DMN."""
    return xml_text(_one(key).content, "application/xml")


@api.post("/key/<key>/evaluate")
@api.arguments(Evaluation)
@api.response(200)
def evaluate(body: dict[str, Any], key: str) -> Response:
    """What the decision says for these inputs, and which rules matched."""
    typed = {name: told.get("value") for name, told in (body.get("variables") or {}).items()}
    inputs = {**typed, **(body.get("values") or {})}
    made = decisions.decide(_one(key), inputs, decision=body["decision"], now=now())
    return jsonify(decision=made.decision, value=made.value, matched=list(made.matched), inputs=made.inputs)


def _all() -> tuple[decisions.DecisionFile, ...]:
    with rooms().reading() as connection:
        return decisions.decision_files(connection, rooms().catalog, now())


def _one(key: str) -> decisions.DecisionFile:
    for one in _all():
        if one.key == key:
            return one
    raise NotFound(f"there is no decision {key}", code="DECISION_NOT_FOUND")
