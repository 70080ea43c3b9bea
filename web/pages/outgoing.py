"""What leaves the house, for administrators: what waits, what failed, and what every attempt came to."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, g, render_template, request, url_for
from werkzeug.wrappers import Response

from web import words
from web.context import actor, now, rooms
from web.pages.acting import act_and_tell
from workflows.transaction.outbox import open_subscriptions
from workflows.work import dispatches
from workflows.work.dispatches import STATES

pages = Blueprint("outgoing", __name__)

NAMES = {
    "waiting": ("待发送", ""),
    "sent": ("已发送", "is-ok"),
    "failed": ("发送失败", "is-late"),
    "given_up": ("已放弃", "is-held"),
}
CHANNELS = {"mail": "邮件", "webhook": "网络回调"}


@pages.get("/outgoing")
def show() -> str:
    """The newest dispatches, those of one state if it is asked for, and the webhooks."""
    state = request.args.get("state", "") if request.args.get("state") in STATES else ""
    with rooms().reading() as connection:
        found = dispatches.find(connection, state=state, limit=200)
        webhooks = tuple(open_subscriptions(connection))
    return render_template("outgoing.html", found=found, state=state, webhooks=webhooks, **_words())


@pages.get("/outgoing/<dispatch_id>")
def look(dispatch_id: str) -> str:
    """One dispatch with its delivery log."""
    with rooms().reading() as connection:
        found = dispatches.get(connection, dispatch_id)
        log = dispatches.attempts_of(connection, dispatch_id)
    return render_template("dispatch.html", one=found, log=log, **_words())


@pages.post("/outgoing/<dispatch_id>/retry")
def retry(dispatch_id: str) -> Response:
    """What failed for good is tried again."""
    return _act(dispatch_id, lambda: _do(dispatches.retry, dispatch_id), words.say("将重新发送。"))


@pages.post("/outgoing/<dispatch_id>/give-up")
def give_up(dispatch_id: str) -> Response:
    """What failed for good shall not leave any more."""
    reason = request.form.get("reason", "").strip()
    return _act(
        dispatch_id,
        lambda: _do(dispatches.give_up, dispatch_id, reason=reason),
        words.say("已放弃发送。"),
    )


def _do(act: Callable[..., object], dispatch_id: str, **more: str) -> None:
    with rooms().database.begin() as connection:
        act(connection, dispatch_id, actor=actor(), now=now(), request_id=g.trace_id, **more)


def _act(dispatch_id: str, act: Callable[[], object], told: str) -> Response:
    here = url_for("outgoing.look", dispatch_id=dispatch_id)
    return act_and_tell(act, told=told, otherwise=here, then=here)


def _words() -> dict[str, object]:
    return {
        "states": [{"name": name, "label": words.say(label)} for name, (label, _) in NAMES.items()],
        "state_name": {name: words.say(label) for name, (label, _) in NAMES.items()},
        "state_class": {name: style for name, (_, style) in NAMES.items()},
        "channel_name": {name: words.say(label) for name, label in CHANNELS.items()},
    }
