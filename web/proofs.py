"""The auditor's proofs: checkpoints to keep outside, and bundles that verify without this system."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from engine.errors import InvalidInput, NotFound
from web.context import actor, evidence_sources, now, rooms
from web.sight import seen_case
from workflows.proof.bundle.writing import make_bundle
from workflows.proof.checkpoints.records import kept
from workflows.transaction.change import record_operation

pages = Blueprint("proofs", __name__, url_prefix="/audit")

SHOWN = 20
LARGEST_NOTE = 64 * 1024


@pages.get("/checkpoints")
def checkpoints() -> str:
    with rooms().reading() as connection:
        records = kept(connection, newest=SHOWN)
    ring = rooms().checkpoints.ring
    return render_template(
        "audit/checkpoints.html",
        records=records,
        newest=records[0] if records else None,
        can_sign=ring.can_sign,
        keys=[key.line for key in ring.verifiers()],
    )


@pages.post("/checkpoints")
def take_checkpoint() -> AnyResponse:
    """Sign one now. What was signed before stays."""
    taken = rooms().checkpoints.take()
    _put_on_record("checkpoint", f"{taken.checkpoint.origin} {taken.checkpoint.size}")
    return redirect(url_for("proofs.checkpoints"), 303)


@pages.get("/checkpoints/<int:size>.txt")
def checkpoint(size: int) -> Response:
    """The newest checkpoint of so many entries, as a file to keep."""
    with rooms().reading() as connection:
        found = next((record for record in kept(connection) if record.size == size), None)
    if found is None:
        raise NotFound(f"there is no checkpoint of {size} entries")
    return _file(found.note.encode(), f"checkpoint-{size}.txt", "text/plain; charset=utf-8")


@pages.get("/keys.txt")
def keys() -> Response:
    """The public keys, as a file to keep."""
    lines = [key.line + "\n" for key in rooms().checkpoints.ring.verifiers()]
    return _file("".join(lines).encode(), "keys.txt", "text/plain; charset=utf-8")


@pages.get("/<case_id>/bundle")
def offer(case_id: str) -> str:
    """What a bundle holds, and the questions before it is made."""
    seen_case(case_id)
    can_sign = rooms().checkpoints.ring.can_sign
    return render_template("audit/bundle.html", case_id=case_id, can_sign=can_sign)


@pages.post("/<case_id>/bundle")
def bundle(case_id: str) -> Response:
    seen_case(case_id)
    made = make_bundle(
        evidence_sources(rooms()), [case_id], since=_since(), with_files=bool(request.form.get("files"))
    )
    _put_on_record("export-bundle", f"{case_id} {made.taken.checkpoint.size}", case_id)
    return _file(made.data, f"{case_id}.zip", "application/zip")


def _since() -> list[str]:
    """The checkpoint that the auditor kept, if one was handed in."""
    upload = request.files.get("since")
    if upload is None or not upload.filename:
        return []
    try:
        return [upload.stream.read(LARGEST_NOTE + 1).decode("utf-8")]
    except UnicodeDecodeError:
        raise InvalidInput("a checkpoint is a text", code="NOTE_UNREADABLE") from None


def _put_on_record(action: str, entity: str, case_id: str | None = None) -> None:
    with rooms().database.begin() as connection:
        record_operation(
            connection,
            actor(),
            action=action,
            entity=entity,
            case_id=case_id,
            at=now(),
            request_id=g.trace_id,
        )


def _file(data: bytes, name: str, kind: str) -> Response:
    response = Response(data, content_type=kind)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return response
