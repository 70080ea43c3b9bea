"""Every refusal as an answer: RFC 9457 for programs, a plain page for people, never a stack trace."""

from __future__ import annotations

import logging
import string
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, json, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from engine.errors import (
    BadDefinition,
    InvalidInput,
    NotAllowed,
    NotFound,
    Rejected,
    ReplayMismatch,
    StaleCase,
    WrongState,
)
from web import storage, words
from web.codes import CODES
from web.form_names import flat_names
from web.wire import Malformed

log = logging.getLogger("tidu.web")

STATUS: dict[type[Exception], int] = {
    Malformed: 400,
    NotAllowed: 403,
    NotFound: 404,
    StaleCase: 409,
    WrongState: 409,
    InvalidInput: 422,
    BadDefinition: 422,
    ReplayMismatch: 409,
    Rejected: 409,
}
STATUS_OF_CODE = {
    "TASK_COMPLETED": 410,
    "TASK_CANCELLED": 410,
    "DRAFT_STALE": 412,
    "PRECONDITION_FAILED": 412,
    "TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "PRECONDITION_REQUIRED": 428,
    "RATE_LIMITED": 429,
    "LOCKED_OUT": 429,
    "BUSY": 503,
    "CASE_BUSY": 503,
    "DATABASE_BEHIND": 503,
    "OTHER_RELEASE": 503,
    "OVERLOADED": 503,
    "STORAGE_FULL": 503,
    "STORAGE_FAILED": 503,
    "DATABASE_AWAY": 503,
}
CODE_OF_STATUS = {
    400: "MALFORMED",
    401: "NOT_SIGNED_IN",
    403: "NOT_ALLOWED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "WRONG_STATE",
    410: "GONE",
    412: "PRECONDITION_FAILED",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION",
    428: "PRECONDITION_REQUIRED",
    429: "RATE_LIMITED",
    503: "BUSY",
}
REFUSALS = (Rejected, *storage.LOST)
"""What a page catches to show it beside what was typed."""


INVISIBLE = {"TASK_NOT_FOUND", "CASE_NOT_FOUND"}
"""What is not there and what is not for these eyes is told in the same words."""

API = "/api/"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What both kinds of answer are made of."""

    status: int
    code: str
    title: str
    detail: str
    facts: dict[str, Any]
    errors: tuple[dict[str, Any], ...] = ()

    def body(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            **self.facts,
            "type": f"/problems/{self.code.lower().replace('_', '-')}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": request.path,
            "code": self.code,
            "traceId": g.get("trace_id", ""),
        }
        return said | ({"errors": list(self.errors)} if self.errors else {})


class NotSignedIn(Rejected):
    """Nobody is signed in; a program gets 401, a browser the login page."""

    default_code = "NOT_SIGNED_IN"


class PreconditionFailed(Rejected):
    """The thing has changed since the asker read it (or the asker did not say which state was read)."""

    default_code = "PRECONDITION_FAILED"


STATUS[NotSignedIn] = 401
STATUS[PreconditionFailed] = 412


def status_of(error: Exception) -> int:
    """The one table from refusals to HTTP."""
    if (by_code := STATUS_OF_CODE.get(getattr(error, "code", ""))) is not None:
        return by_code
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def install(app: Flask) -> None:
    """Answer every refusal, every HTTP error and every fault of ours in the asker's form and language."""
    for kind in (Rejected, BadDefinition, ReplayMismatch, Malformed):
        app.register_error_handler(kind, answer_refusal)
    app.register_error_handler(HTTPException, answer_http)
    for away in (*storage.LOST, OSError):
        app.register_error_handler(away, answer_away)
    app.register_error_handler(Exception, answer_fault)


def answer_refusal(error: Exception) -> Response:
    return answer(refusal_of(error))


def answer_http(error: HTTPException) -> Response:
    """Errors that Flask, Werkzeug, Flask-WTF and flask-smorest raise."""
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    if status in {301, 302, 303, 307, 308}:
        return error.get_response()  # type: ignore[return-value]
    code = "CSRF" if isinstance(error, CSRFError) else CODE_OF_STATUS.get(status, "FAULT")
    errors = tuple(_schema_errors(getattr(error, "data", {}).get("messages", {})))
    response = answer(_refusal(status, code, "", {}, errors))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            response.headers[name] = value
    return response


def answer_away(error: Exception) -> Response:
    """The database or a disk refuses, or was lost on the way; any other fault of this kind is ours."""
    return answer(refusal_of(error)) if storage.trouble(error) else answer_fault(error)


def answer_fault(error: Exception) -> Response:
    """A fault of ours: the log has the trace under its id, the answer only the id."""
    log.exception("fault %s at %s", g.get("trace_id", ""), request.endpoint, exc_info=error)
    return answer(_refusal(500, "FAULT", "", {}))


def answer(refusal: Refusal) -> Response:
    """The refusal in the form the asker reads."""
    response = _for_programs(refusal) if wants_json() else _for_people(refusal)
    if refusal.status in {429, 503}:
        response.headers["Retry-After"] = str(refusal.facts.get("retry_after", 30))
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def wants_json() -> bool:
    """Programs ask under /api/, or say that they read JSON."""
    return request.path.startswith(API) or request.accept_mimetypes.best == "application/json"


def refusal_of(error: Exception) -> Refusal:
    """An engine's or the storage's refusal with its fields and problems, in the reader's language."""
    if trouble := storage.trouble(error):
        return _of_storage(trouble, error)
    code = getattr(error, "code", None) or type(error).__name__.upper()
    facts = _facts(error)
    if code in INVISIBLE:
        code, facts = "NOT_FOUND", {}
    match error:
        case InvalidInput():
            return _refusal(status_of(error), code, str(error), facts, tuple(map(_field, error.fields)))
        case BadDefinition():
            found = tuple(_finding(problem) for problem in error.problems)
            return _refusal(status_of(error), "BAD_DEFINITION", str(error), facts, found)
        case ReplayMismatch():
            return _refusal(status_of(error), "REPLAY_MISMATCH", str(error), facts)
        case Malformed():
            return _refusal(status_of(error), "MALFORMED", str(error), facts)
    return _refusal(status_of(error), code, str(error), facts)


def _of_storage(code: str, error: Exception) -> Refusal:
    """Perhaps it was lost between a commit and its answer: the same request with the same idempotency key
    finds out what was done, and does it if it was not."""
    g.trouble = code
    log.error("%s %s at %s: %s", code, g.get("trace_id", ""), request.endpoint, error)
    return _refusal(503, code, "", {"retry_after": storage.RETRY_AFTER[code]})


def _facts(error: Exception) -> dict[str, Any]:
    """What the refusal tells beside its sentence; of a stale draft the current one, by input names."""
    facts = dict(getattr(error, "facts", {}))
    if getattr(error, "code", "") == "DRAFT_STALE" and "values" in facts:
        facts["current"] = {"revision": facts.get("revision"), "values": flat_names(facts.pop("values"))}
    return facts


def _refusal(
    status: int, code: str, message: str, facts: dict[str, Any], errors: tuple[dict[str, Any], ...] = ()
) -> Refusal:
    known = CODES.get(code) or CODES[CODE_OF_STATUS.get(status, "FAULT")]
    title = words.pick(known.zh, known.en)
    told = words.pick(str(facts.pop("message_zh", "")), message)
    detail = _filled(words.pick(known.detail_zh, known.detail_en), facts) or told or title
    return Refusal(status=status, code=code, title=title, detail=detail, facts=facts, errors=errors)


def _filled(template: str, facts: dict[str, Any]) -> str:
    """The sentence of a code with its facts; empty when one of them was not told."""
    wanted = {name.split("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}
    if not template or not all(facts.get(name) for name in wanted):
        return ""
    told = {name: words.at(facts[name]) if name.endswith("_at") else facts[name] for name in wanted}
    return template.format(**told)


def _field(error: Any) -> dict[str, Any]:
    return {
        "pointer": error.pointer,
        "code": error.code,
        "message": words.pick(error.message_zh, error.message),
    }


def _finding(problem: Any) -> dict[str, Any]:
    return {
        "element": problem.element,
        "rule": problem.rule,
        "severity": problem.severity,
        "message": words.pick(problem.message_zh, problem.message),
    }


def _schema_errors(messages: Any, pointer: str = "") -> list[dict[str, Any]]:
    """marshmallow's nested messages as JSON pointers."""
    if isinstance(messages, dict):
        return [
            found
            for key, inner in messages.items()
            for found in _schema_errors(inner, f"{pointer}/{key}" if pointer or key != "json" else "")
        ]
    told = messages if isinstance(messages, list) else [messages]
    return [{"pointer": pointer, "code": "invalid", "message": str(message)} for message in told]


def _for_programs(refusal: Refusal) -> Response:
    text = json.dumps(refusal.body())
    return Response(text, refusal.status, content_type="application/problem+json; charset=utf-8")


def _for_people(refusal: Refusal) -> Response:
    return make_response(render_template("problem.html", refusal=refusal), refusal.status)
