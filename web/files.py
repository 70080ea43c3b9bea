"""Evidence files as the doors take and give them: kept by content, shown only to who may see their case."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Response, g
from werkzeug.datastructures import FileStorage

from engine.errors import NotFound
from web.context import actor, now, rooms
from web.sight import seen_case
from workflows.actors.policy import Actor
from workflows.proof import evidence
from workflows.proof.evidence import Evidence, Paper
from workflows.transaction.change import record_operation


def keep(upload: FileStorage, *, field: str = "") -> Evidence:
    """Keep an uploaded file and put that on record. It is its uploader's alone until a form that names it
    is handed in."""
    with rooms().database.begin() as connection:
        kept = _store(connection, upload, field, actor())
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
    return keep_posted_of(actor(), upload)


def keep_posted_of(uploader: Actor, upload: FileStorage) -> str:
    """The same for somebody who is not signed in."""
    with rooms().database.begin() as connection:
        return _store(connection, upload, "", uploader).evidence_id


def _store(connection: sa.Connection, upload: FileStorage, field: str, uploader: Actor) -> Evidence:
    return evidence.store(
        connection,
        rooms().files,
        upload.stream,
        Paper(name=upload.filename or "", field=field),
        evidence_id=secrets.token_hex(12),
        by=uploader.id,
        now=now(),
    )


def seen_evidence(evidence_id: str) -> Evidence:
    """The evidence, for eyes that may see it: those who see its case, or its uploader. Raises NotFound."""
    with rooms().reading() as connection:
        found = evidence.find_evidence(connection, evidence_id)
    if not found.case_id:
        return _of_uploader(found, actor())
    seen_case(found.case_id)
    return found


def _of_uploader(found: Evidence, uploader: Actor) -> Evidence:
    """What belongs to no case yet, for whoever uploaded it. Raises NotFound."""
    if found.case_id or found.uploaded_by != uploader.id:
        raise NotFound(f"there is no evidence {found.evidence_id!r}", evidence=found.evidence_id)
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
    return _described(ids, seen_evidence)


def described_to(uploader: Actor, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The same for somebody who is not signed in: what they uploaded and did not hand in yet."""
    with rooms().reading() as connection:
        return _described(ids, lambda one: _of_uploader(evidence.find_evidence(connection, one), uploader))


def _described(ids: Iterable[str], seen: Callable[[str], Evidence]) -> dict[str, dict[str, Any]]:
    known = {}
    for one in dict.fromkeys(ids):
        try:
            found = seen(one)
        except NotFound:
            continue  # shown by its id alone
        known[one] = {"name": found.name, "size": size_text(found.size), "status": found.status}
    return known


def size_text(size: int) -> str:
    """`1.4 MB`, `12 kB`."""
    return f"{size / 1024 / 1024:.1f} MB" if size >= 1024 * 1024 else f"{max(1, round(size / 1024))} kB"
