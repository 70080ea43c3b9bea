"""Process drafts over REST: edit, check, submit, approve by a second person, publish."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from web import words
from web.answers import moment
from web.api.conventions import listed, wanted_revision, with_revision
from web.api.definitions import shape as version_shape
from web.api.openapi import Room
from web.context import actor, rooms
from web.schemas import Definition, DraftShape, Strict
from workflows.workshop.drafts.draft import Draft, Overview
from workflows.workshop.drafts.drafts import Drafts

api = Room("models", __name__, url_prefix="/api/v1/process-model", description="Process drafts")

REASON = validate.Length(min=1, max=4000)


class Begin(Strict):
    base = fields.Integer(required=True, strict=True, validate=validate.Range(1))


class Files(Strict):
    """Path inside the package → text. Files that are not named keep their content; null takes one away."""

    files = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True), required=True)


class Submission(Strict):
    note = fields.String(required=True, validate=REASON)
    accepted = fields.Dict(keys=fields.String(), values=fields.String(), load_default={})


class DraftOpinion(Strict):
    reason = fields.String(required=True, validate=REASON)


class Publication(Strict):
    effectiveFrom = fields.AwareDateTime()


@api.get("")
@api.response(200)
def find() -> Response:
    """Every process with its versions in use and its draft."""
    return jsonify(listed(map(_overview, drafts().overviews())))


@api.post("/<key>/draft")
@api.arguments(Begin)
@api.response(201, DraftShape)
def begin(body: dict[str, Any], key: str) -> dict[str, Any]:
    """Begin a draft from a version."""
    return shape(drafts().begin(key, body["base"], actor=actor()))


@api.get("/<key>/draft")
@api.response(200)
def get(key: str) -> Response:
    """The draft with its files as text; its ETag is what the next change must name."""
    draft = drafts().draft(key)
    files = {path: data.decode("utf-8") for path, data in drafts().contents(draft).items()}
    return with_revision(jsonify(shape(draft) | {"files": files}), draft.revision)


@api.put("/<key>/draft")
@api.arguments(Files)
@api.response(200)
@api.alt_response(412, description="Somebody else saved in between.")
def save(body: dict[str, Any], key: str) -> Response:
    """Save files as the next revision; an approval of the one before is void."""
    changed = {path: None if text is None else text.encode() for path, text in body["files"].items()}
    files = {**drafts().contents(drafts().draft(key)), **changed}
    kept = {path: data for path, data in files.items() if data is not None}
    draft = drafts().save(key, kept, revision=wanted_revision(), actor=actor())
    return with_revision(jsonify(shape(draft)), draft.revision)


@api.post("/<key>/draft/validate")
@api.response(200)
def validate_draft(key: str) -> Response:
    """What the real engine says about the draft."""
    found = drafts().check(key, drafts().contents(drafts().draft(key)))
    problems = [
        {
            "element": problem.element,
            "rule": problem.rule,
            "severity": problem.severity,
            "message": words.pick(problem.message_zh, problem.message),
        }
        for problem in found
    ]
    return jsonify(deployable=all(p["severity"] != "error" for p in problems), problems=problems)


@api.post("/<key>/draft/submit")
@api.arguments(Submission)
@api.response(200, DraftShape)
def submit(body: dict[str, Any], key: str) -> dict[str, Any]:
    """Ask for approval of exactly this revision (`If-Match`)."""
    revision = wanted_revision()
    return shape(
        drafts().submit(key, revision=revision, note=body["note"], accepted=body["accepted"], actor=actor())
    )


@api.post("/<key>/draft/approve")
@api.arguments(DraftOpinion)
@api.response(200, DraftShape)
def approve(body: dict[str, Any], key: str) -> dict[str, Any]:
    """Approve exactly this revision (`If-Match`), as a second person."""
    revision = wanted_revision()
    return shape(drafts().approve(key, revision=revision, reason=body["reason"], actor=actor()))


@api.post("/<key>/draft/return")
@api.arguments(DraftOpinion)
@api.response(200, DraftShape)
def send_back(body: dict[str, Any], key: str) -> dict[str, Any]:
    """Give the draft back to its authors, with a reason."""
    revision = wanted_revision()
    return shape(drafts().send_back(key, revision=revision, reason=body["reason"], actor=actor()))


@api.post("/<key>/draft/publish")
@api.arguments(Publication)
@api.response(201, Definition)
def publish(body: dict[str, Any], key: str) -> dict[str, Any]:
    """Publish the approved revision as a new version; running cases keep theirs."""
    revision = wanted_revision()
    version = drafts().publish(
        key, revision=revision, actor=actor(), effective_from=body.get("effectiveFrom")
    )
    return version_shape(version)


def drafts() -> Drafts:
    """The drafts of this house."""
    return Drafts(rooms().database, rooms().catalog, clock=rooms().clock)


def shape(draft: Draft) -> dict[str, Any]:
    return {
        "key": draft.key,
        "revision": draft.revision,
        "base": draft.base,
        "state": draft.state,
        "author": draft.author,
        "authors": list(draft.authors),
        "changedBy": draft.changed_by,
        "changedAt": moment(draft.changed_at),
        "submittedBy": draft.submitted_by,
        "approvedBy": draft.approved_by,
        "approvedRevision": draft.approved_revision,
        "note": draft.note,
    }


def _overview(one: Overview) -> dict[str, Any]:
    return {
        "key": one.key,
        "live": version_shape(one.live) if one.live else None,
        "versions": [version.version for version in one.versions],
        "running": {str(number): count for number, count in one.running.items()},
        "draft": shape(one.draft) if one.draft else None,
    }
