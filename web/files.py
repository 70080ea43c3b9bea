"""Evidence files as the doors take and give them: kept by content, shown only to who may see their case."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Response, g
from werkzeug.datastructures import FileStorage

from engine.errors import NotFound
from web.context import actor, now, rooms
from web.sight import seen_case
from workflows.proof import evidence
from workflows.proof.evidence import Evidence, Paper
from workflows.transaction.change import record_operation


def keep(upload: FileStorage, *, field: str = "") -> Evidence:
    """Keep an uploaded file and put that on record. It is its uploader's alone until a form that names it
    is handed in."""
    with rooms().database.begin() as connection:
        kept = _store(connection, upload, field)
        record_operation(
            connection,
            actor(),
            action="evidence-upload",
            entity=kept.evidence_id,
            at=now(),
            request_id=g.get("trace_id", ""),
        )
    return kept


def keep_posted(upload: FileStorage) -> str:
    """What a posted form does with each of its uploads: keep it and answer its id. The record of the
    request is that of the form."""
    with rooms().database.begin() as connection:
        return _store(connection, upload, "").evidence_id


def _store(connection: sa.Connection, upload: FileStorage, field: str) -> Evidence:
    return evidence.store(
        connection,
        rooms().files,
        upload.stream,
        Paper(name=upload.filename or "", field=field),
        evidence_id=secrets.token_hex(12),
        by=actor().id,
        now=now(),
    )


def seen_evidence(evidence_id: str) -> Evidence:
    """The evidence, for eyes that may see it: those who see its case, or its uploader. Raises NotFound."""
    with rooms().reading() as connection:
        found = evidence.find_evidence(connection, evidence_id)
    if found.case_id:
        seen_case(found.case_id)
    elif found.uploaded_by != actor().id:
        raise NotFound(f"there is no evidence {evidence_id!r}", evidence=evidence_id)
    return found


def content(found: Evidence) -> Response:
    """The file itself, always as a download: nothing in it ever runs in our pages."""
    file = rooms().files.open(found.digest)
    response = Response(file, content_type=found.type)
    response.call_on_close(file.close)
    response.headers["Content-Length"] = str(found.size)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    response.headers["ETag"] = f'"{found.digest}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def described(ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What is known of these files, where the reader may know it: id → name, size, kind."""
    known = {}
    for one in dict.fromkeys(ids):
        try:
            found = seen_evidence(one)
        except NotFound:
            continue  # shown by its id alone
        known[one] = {"name": found.name, "size": size_text(found.size), "status": found.status}
    return known


def size_text(size: int) -> str:
    """`1.4 MB`, `12 kB`."""
    return f"{size / 1024 / 1024:.1f} MB" if size >= 1024 * 1024 else f"{max(1, round(size / 1024))} kB"
