"""What all rooms of the API share: preconditions, repeated requests, list envelopes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from flask import Response, g, request

from engine.errors import InvalidInput
from web.answers import moment
from web.context import now
from web.problems import PreconditionFailed
from workflows.transaction.results import Idempotency

LONGEST_KEY = 200
REVISION = re.compile(r'"(\d{1,12})"')


def idempotency() -> Idempotency:
    """Which request this is: its `Idempotency-Key`, if it carries one, and the digest of what it asks."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return Idempotency(request_id=g.trace_id)
    if not key.isascii() or not key.isprintable() or not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidInput(f"an Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters")
    asked = b"\n".join((request.method.encode(), request.full_path.encode(), request.get_data(cache=True)))
    digest = hashlib.sha256(asked).hexdigest()
    return Idempotency(key=key, request_digest=digest, request_id=g.trace_id)


def wanted_revision() -> int:
    """The revision that `If-Match` names. Raises PreconditionFailed (428 without one)."""
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise PreconditionFailed("If-Match is required", code="PRECONDITION_REQUIRED")
    if not (found := REVISION.fullmatch(given)):
        raise PreconditionFailed(f'expected If-Match: "<revision>", found {given[:40]}')
    return int(found[1])


def with_revision(response: Response, revision: int) -> Response:
    """The answer with the strong ETag of what it shows."""
    response.headers["ETag"] = f'"{revision}"'
    return response


def listed(items: Iterable[Any], following: str | None = None) -> dict[str, Any]:
    """The envelope of every list."""
    return {"items": list(items), "next": following, "asOf": moment(now())}
