"""What leaves the house over REST: dispatches with their delivery log, and the webhooks that are told."""

from __future__ import annotations

import secrets
from typing import Any

from flask import g
from marshmallow import fields, validate

from web.answers import moment
from web.api.conventions import listed
from web.api.openapi import Room
from web.api.task_commands import REASON
from web.context import actor, now, rooms
from web.outgoing.webhooks import secret_of
from web.schemas import Query, Strict, Whole, page_of
from workflows.transaction.outbox import Subscription, open_subscriptions
from workflows.work import dispatches, subscriptions
from workflows.work.dispatches import STATES, Attempt, Sent

api = Room("dispatches", __name__, url_prefix="/api/v1", description="Dispatches and webhooks")


class Filter(Query):
    state = fields.String(load_default="", validate=validate.OneOf(["", *STATES]))
    processInstanceId = fields.String(load_default="", validate=validate.Length(max=100))
    webhookId = fields.String(load_default="", validate=validate.Length(max=100))
    maxResults = Whole(load_default=50, validate=validate.Range(1, 200))


class GivenUp(Strict):
    reason = fields.String(required=True, validate=REASON)


class Wish(Strict):
    """`events` are patterns such as `bpm.task.*`; without any it is told everything."""

    url = fields.String(required=True, validate=validate.Length(max=1000))
    events = fields.List(fields.String(validate=validate.Length(max=80)), load_default=["*"])


class DispatchShape(Strict):
    id = fields.String(metadata={"description": "The same at every attempt; sent as Idempotency-Key."})
    processInstanceId = fields.String()
    channel = fields.String()
    webhookId = fields.String(allow_none=True)
    what = fields.String()
    state = fields.String(validate=validate.OneOf(STATES))
    attempts = fields.Integer()
    trouble = fields.String()
    created = fields.String()
    nextAttempt = fields.String(allow_none=True)
    ended = fields.String(allow_none=True)


class AttemptShape(Strict):
    at = fields.String()
    outcome = fields.String()
    status = fields.String(metadata={"description": "What the other side's protocol calls it."})
    answer = fields.String()
    milliseconds = fields.Integer()


class OneDispatch(DispatchShape):
    log = fields.List(fields.Nested(AttemptShape))


class WebhookShape(Strict):
    id = fields.String()
    url = fields.String()
    events = fields.List(fields.String())
    created = fields.String()
    ended = fields.String(allow_none=True)


class NewWebhook(WebhookShape):
    secret = fields.String(metadata={"description": "Checks our signatures (Standard Webhooks)."})


DispatchPage = page_of(DispatchShape, name="DispatchPage")
WebhookPage = page_of(WebhookShape, name="WebhookPage")


@api.get("/dispatch")
@api.arguments(Filter, location="query")
@api.response(200, DispatchPage)
def find(asked: dict[str, Any]) -> dict[str, Any]:
    """What left the house or shall, the newest first."""
    wanted = {"state": asked["state"], "case_id": asked["processInstanceId"], "outlet": asked["webhookId"]}
    with rooms().reading() as connection:
        return listed(map(shape, dispatches.find(connection, **wanted, limit=asked["maxResults"])))


@api.get("/dispatch/<dispatch_id>")
@api.response(200, OneDispatch)
def show(dispatch_id: str) -> dict[str, Any]:
    """One dispatch with every attempt."""
    with rooms().reading() as connection:
        found = dispatches.get(connection, dispatch_id)
        log = [_attempt(one) for one in dispatches.attempts_of(connection, dispatch_id)]
    return {**shape(found), "log": log}


@api.post("/dispatch/<dispatch_id>/retry")
@api.response(200, DispatchShape)
def retry(dispatch_id: str) -> dict[str, Any]:
    """What failed for good is tried again."""
    with rooms().database.begin() as connection:
        found = dispatches.retry(connection, dispatch_id, **_who())
    return shape(found)


@api.post("/dispatch/<dispatch_id>/give-up")
@api.arguments(GivenUp)
@api.response(200, DispatchShape)
def give_up(body: dict[str, Any], dispatch_id: str) -> dict[str, Any]:
    """What failed for good shall not leave any more."""
    with rooms().database.begin() as connection:
        found = dispatches.give_up(connection, dispatch_id, reason=body["reason"], **_who())
    return shape(found)


@api.get("/webhook")
@api.response(200, WebhookPage)
def webhooks() -> dict[str, Any]:
    """The webhooks that are told."""
    with rooms().reading() as connection:
        return listed(map(_webhook, open_subscriptions(connection)))


@api.post("/webhook")
@api.arguments(Wish)
@api.response(201, NewWebhook)
def subscribe(body: dict[str, Any]) -> dict[str, Any]:
    """A server is told from a few seconds on."""
    new = f"wh{secrets.token_hex(6)}"
    with rooms().database.begin() as connection:
        made = subscriptions.subscribe(connection, new, url=body["url"], events=body["events"], **_who())
    return {**_webhook(made), "secret": secret_of(rooms().settings.secret_key, made.id)}


@api.delete("/webhook/<webhook_id>")
@api.response(204)
def unsubscribe(webhook_id: str) -> None:
    """It is told nothing more; what lay ready for it is given up."""
    with rooms().database.begin() as connection:
        subscriptions.unsubscribe(connection, webhook_id, **_who())


def shape(one: Sent) -> dict[str, Any]:
    is_webhook = one.channel == "webhook"
    return {
        "id": one.key,
        "processInstanceId": one.case_id,
        "channel": one.channel,
        "webhookId": one.outlet if is_webhook else None,
        "what": one.what,
        "state": one.state,
        "attempts": one.attempts,
        "trouble": one.trouble,
        "created": moment(one.created_at),
        "nextAttempt": moment(one.next_at) if one.state == "waiting" else None,
        "ended": moment(one.ended_at) if one.ended_at else None,
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {**vars(one), "at": moment(one.at)}


def _webhook(one: Subscription) -> dict[str, Any]:
    return {
        "id": one.id,
        "url": one.url,
        "events": list(one.events),
        "created": moment(one.created_at),
        "ended": moment(one.ended_at) if one.ended_at else None,
    }


def _who() -> dict[str, Any]:
    return {"actor": actor(), "now": now(), "request_id": g.trace_id}
