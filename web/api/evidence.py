"""Evidence files over REST: upload, what is known of one, the file itself."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from engine.errors import InvalidInput
from web import files
from web.answers import moment
from web.api.openapi import Room
from web.schemas import EvidenceFile
from workflows.proof.evidence import Evidence

api = Room("evidence", __name__, url_prefix="/api/v1/evidence", description="Evidence files")


@api.post("")
@api.response(201, EvidenceFile)
@api.alt_response(413, description="The file is too large.")
def upload() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Keep a file (multipart, part `file`). It is the caller's alone until a form that names its id is
    handed in."""
    given = request.files.get("file")
    if given is None or not given.filename:
        raise InvalidInput("expected one file in the part `file`", code="FILE_MISSING")
    kept = files.keep(given, field=request.form.get("field", "")[:200])
    return shape(kept), 201, {"Location": f"/api/v1/evidence/{kept.evidence_id}"}


@api.get("/<evidence_id>")
@api.response(200, EvidenceFile)
def get(evidence_id: str) -> dict[str, Any]:
    """What is known of a file."""
    return shape(files.seen_evidence(evidence_id))


@api.get("/<evidence_id>/content")
@api.response(200)
def content(evidence_id: str) -> Response:
    """The file itself, as a download."""
    return files.content(files.seen_evidence(evidence_id))


def shape(one: Evidence) -> dict[str, Any]:
    return {
        "id": one.evidence_id,
        "name": one.name,
        "sha256": one.digest,
        "size": one.size,
        "type": one.type,
        "processInstanceId": one.case_id or None,
        "uploadedBy": one.uploaded_by,
        "uploadedAt": moment(one.uploaded_at),
        "status": one.status,
    }
