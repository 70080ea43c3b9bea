"""What every request passes on its way in and every answer on its way out."""

from __future__ import annotations

import logging
import secrets
import time
from urllib.parse import quote

from flask import Flask, Response, g, redirect, request, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from engine.errors import NotAllowed
from web import admission, auth, context, measures, wire
from web.permissions import may_use, permission_of
from web.problems import NotSignedIn, answer_refusal, wants_json
from web.settings import Settings
from web.storage import RETRY_AFTER

log = logging.getLogger("tidu.web")

SAFE = {"GET", "HEAD", "OPTIONS"}
LARGEST_JSON = 4 * 1024 * 1024
WITHOUT_ACCOUNT = frozenset({"reports.send", "reports.state"})
LARGEST_WITHOUT_ACCOUNT = 20 * 1024 * 1024
"""What somebody may send who cannot be asked about it: a few pictures and papers."""

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://")


def install(app: Flask, settings: Settings) -> None:
    """Put the guard before every route; the order below is the order in which a request is judged."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # we call it ourselves: never for bearer tokens
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # the session's own end is the limit
    csrf.init_app(app)
    limiter.init_app(app)
    admission.install(app, settings)
    for step in (_begin, admission.enter, _recognise, _permit, _against_forgery, _read_body):
        app.before_request(step)
    app.after_request(_finish)


def _begin() -> None:
    g.trace_id = secrets.token_hex(8)
    g.began = time.perf_counter()
    if request.is_json:
        request.max_content_length = LARGEST_JSON  # before anybody reads; also where no length is told
    elif request.endpoint in WITHOUT_ACCOUNT:
        request.max_content_length = LARGEST_WITHOUT_ACCOUNT


def _recognise() -> None:
    g.actor = auth.recognise()


def _permit() -> AnyResponse | None:
    if request.endpoint is None or request.method == "OPTIONS":
        return None  # 404, 405 and the list of methods hold no secret
    permission = permission_of(request.endpoint)
    if permission is None:
        raise NotAllowed(f"no permission is written down for {request.endpoint}")
    if may_use(permission, context.who()):
        _within_scopes()
        return None
    if context.who() is None:
        return _ask_to_sign_in()
    raise NotAllowed(f"this needs the permission {permission}", needs=permission)


def _within_scopes() -> None:
    """A token reads; only one with the scope `write` changes."""
    if g.scopes is not None and request.method not in SAFE and "write" not in g.scopes:
        raise NotAllowed("expected a token with the scope write", code="TOKEN_SCOPE", scopes=sorted(g.scopes))


def _ask_to_sign_in() -> AnyResponse:
    if wants_json():
        return answer_refusal(NotSignedIn("sign in, or send a bearer token"))
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(f"{url_for('login.show')}?next={quote(wanted)}", 303)


def _against_forgery() -> None:
    """Whoever is recognised by a cookie, or not at all, must show the token of the page."""
    if request.method not in SAFE and not g.by_token:
        csrf.protect()


def _read_body() -> None:
    if request.is_json and len(request.get_data()) >= LARGEST_JSON:  # Werkzeug stops there, without a word
        raise RequestEntityTooLarge(f"a JSON body may have {LARGEST_JSON} bytes")
    wire.check_request(request)


def _finish(response: Response) -> Response:
    styles = " 'unsafe-inline'" if g.get("inline_styles") else ""  # the decision and form editors only
    response.headers.setdefault("Content-Security-Policy", POLICY.format(styles=styles))
    for name, value in HEADERS.items():
        response.headers[name] = value
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Vary"] = "Cookie, Authorization, Accept-Language"
    if g.get("is_replayed"):
        response.headers["Idempotency-Replayed"] = "true"
    response.headers["X-Trace-Id"] = g.get("trace_id", "")
    _note_of_storage(response)
    _count(response)
    return response


def _note_of_storage(response: Response) -> None:
    """Whoever asks whether the house is ready is told what the last change came to."""
    if "trouble" in g:
        response.headers["Retry-After"] = str(RETRY_AFTER[g.trouble])
    if request.method not in SAFE:
        writing = context.rooms().writing
        if "trouble" in g:
            writing.fails(g.trouble, context.now())
        elif response.status_code < 400:
            writing.works()


def _count(response: Response) -> None:
    endpoint = request.endpoint or "none"
    spent = time.perf_counter() - g.get("began", time.perf_counter())
    measures.requests_total.labels(endpoint, request.method, response.status_code).inc()
    measures.request_seconds.labels(endpoint).observe(spent)
    if endpoint != "static":
        log.info(
            "%s %s %s %.0f ms %s",
            request.method,
            endpoint,
            response.status_code,
            spent * 1000,
            g.get("trace_id", ""),
        )
