"""Process definitions over REST: what there is, its drawing, and starting a case."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from engine.errors import NotFound
from web import words
from web.answers import moment, xml_text
from web.api.conventions import idempotency, listed, wanted_revision, with_revision
from web.api.openapi import Room
from web.api.task_commands import marked, next_task, plain_values
from web.context import actor, now, rooms
from web.pages.posted import draft_values
from web.quota import starts
from web.schemas import Definition, DefinitionPage, StartedCase, Strict
from workflows.acts import submissions
from workflows.library.catalog import Version
from workflows.library.forms.form import Form
from workflows.library.packages import DRAWING

api = Room("definitions", __name__, url_prefix="/api/v1/process-definition", description="Processes")

SHORT = validate.Length(min=1, max=100)


class Start(Strict):
    """`variables` are typed values as Camunda has them; `values` the plain JSON of the start form."""

    variables = fields.Dict(keys=fields.String(), values=fields.Dict(keys=fields.String()))
    values = fields.Dict(keys=fields.String())
    unit = fields.String(validate=SHORT)
    batch = fields.String(validate=SHORT)


class StartDraft(Strict):
    values = fields.Dict(keys=fields.String(), required=True)


@api.get("")
@api.response(200, DefinitionPage)
def find() -> dict[str, Any]:
    """The version in force of every process."""
    with rooms().reading() as connection:
        return listed(map(shape, rooms().catalog.all_current(connection, now())))


@api.get("/key/<key>")
@api.response(200, Definition)
def by_key(key: str) -> dict[str, Any]:
    """The version of a process that new cases start with."""
    with rooms().reading() as connection:
        return shape(rooms().catalog.current(connection, key, now()))


@api.get("/key/<key>/versions")
@api.response(200, DefinitionPage)
def versions(key: str) -> dict[str, Any]:
    """Every version of a process, newest first."""
    with rooms().reading() as connection:
        found = rooms().catalog.versions(connection, key)
    if not found:
        raise NotFound(f"there is no process {key}", code="PROCESS_NOT_FOUND")
    return listed(map(shape, found))


@api.post("/key/<key>/start")
@api.arguments(Start)
@api.response(201, StartedCase)
@starts
def start(body: dict[str, Any], key: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Start a case of the version in force, for the caller's own unit."""
    started = marked(
        rooms().commands.start_case(
            key,
            plain_values(body),
            actor=actor(),
            unit=body.get("unit") or actor().unit,
            batch=body.get("batch"),
            idempotency=idempotency(),
        )
    )
    told = {
        "id": started.case_id,
        "definitionKey": key,
        "status": started.status,
        "seq": started.seq,
        "tasks": [next_task(task) for task in started.tasks],
    }
    return told, 201, {"Location": f"/api/v1/process-instance/{started.case_id}"}


@api.get("/key/<key>/start-form")
@api.response(200)
def start_form(key: str) -> Response:
    """The file (form-js) of the form a case starts with; null if there is none."""
    data = _start_form(key)
    return jsonify(schema=None if data is None else json.loads(data))


@api.get("/key/<key>/start-draft")
@api.response(200)
def start_draft(key: str) -> Response:
    """What the caller has typed into the start form so far."""
    found = rooms().inbox.start_draft(key, actor())
    told = jsonify(values=found.values, revision=found.revision, savedAt=moment(found.saved_at))
    return with_revision(told, found.revision)


@api.put("/key/<key>/start-draft")
@api.arguments(StartDraft)
@api.response(200)
def save_start_draft(body: dict[str, Any], key: str) -> Response:
    """Keep what was typed into the start form."""
    saved = rooms().commands.save_start_draft(
        key,
        draft_values(_read_start_form(key), body["values"]),
        actor=actor(),
        revision=wanted_revision(),
        idempotency=idempotency(),
    )
    told = jsonify(revision=saved.revision, savedAt=moment(words.as_time(saved.saved_at)))
    return with_revision(told, saved.revision)


@api.get("/<definition_id>/xml")
@api.response(200)
def xml(definition_id: str) -> Response:
    """The drawing of one version, as BPMN 2.0."""
    text = rooms().catalog.package(definition_id).files[DRAWING]
    return xml_text(text, "application/xml")


@api.get("/<definition_id>/diagram")
@api.response(200)
def diagram(definition_id: str) -> Response:
    """The drawing with its files, as JSON."""
    package = rooms().catalog.package(definition_id)
    return jsonify(
        id=definition_id,
        bpmn20Xml=package.files[DRAWING].decode("utf-8"),
        calls=list(package.calls),
        files=sorted(package.files),
    )


def shape(version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "key": version.key,
        "name": version.name,
        "nameEn": version.name_en,
        "version": version.version,
        "state": version.state,
        "digest": version.digest,
        "author": version.author,
        "approvedBy": version.approved_by,
        "publishedBy": version.published_by,
        "publishedAt": moment(version.published_at),
        "effectiveFrom": moment(version.effective_from),
    }


def _read_start_form(key: str) -> Form | None:
    data = _start_form(key)
    return submissions.read(data) if data else None


def _start_form(key: str) -> bytes | None:
    with rooms().reading() as connection:
        version = rooms().catalog.current(connection, key, now())
    return rooms().catalog.start_form(version.id)
