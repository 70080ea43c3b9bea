"""People over REST: who am I, my tokens; and the working-day calendar, which is for everybody."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, g, jsonify
from marshmallow import fields, validate

from engine.errors import NotAllowed
from web import words
from web.answers import moment
from web.api.conventions import listed
from web.api.openapi import Room
from web.context import actor, now, rooms
from web.schemas import NewToken, Strict, TokenPage
from web.words import ZONE
from workflows.actors import tokens
from workflows.register.calendar import load_calendar
from workflows.transaction.change import record_operation

api = Room("people", __name__, url_prefix="/api/v1", description="People, tokens, calendar")

LONGEST_DAYS = 366
SCOPES = ("read", "write")


class TokenWish(Strict):
    name = fields.String(required=True, validate=validate.Length(min=1, max=100))
    scopes = fields.List(fields.String(validate=validate.OneOf(SCOPES)), load_default=["read"])
    days = fields.Integer(load_default=90, strict=True, validate=validate.Range(1, LONGEST_DAYS))


class Reckoning(Strict):
    """Either `days` (when is it due) or `end` (how many working days between)."""

    start = fields.AwareDateTime(required=True)
    days = fields.Integer(strict=True, validate=validate.Range(1, 1000))
    end = fields.Date()
    calendar = fields.String(validate=validate.Length(max=60))


@api.get("/user/me")
@api.response(200)
def me() -> Response:
    """Who the caller is, with groups and roles as granted now."""
    mine = actor()
    return jsonify(
        id=mine.id,
        name=mine.name,
        groups=sorted(mine.groups),
        roles=sorted(mine.roles),
        level=mine.level,
        region=mine.authority,
        unit=mine.unit,
    )


@api.get("/user/me/token")
@api.response(200, TokenPage)
def my_tokens() -> dict[str, Any]:
    """The caller's tokens, without their secrets."""
    with rooms().reading() as connection:
        return listed(map(_token, tokens.tokens_of(connection, actor().id)))


@api.post("/user/me/token")
@api.arguments(TokenWish)
@api.response(201, NewToken)
def make_token(body: dict[str, Any]) -> dict[str, Any]:
    """A new token for the caller's programs; its text is shown this once. A token cannot make tokens."""
    if g.by_token:
        raise NotAllowed("a token cannot make tokens", code="TOKEN_SCOPE")
    expires, token_id = now() + timedelta(days=body["days"]), secrets.token_hex(6)
    with rooms().database.begin() as connection:
        text = tokens.issue_token(
            connection,
            actor().id,
            token_id=token_id,
            secret=secrets.token_urlsafe(32),
            name=body["name"],
            scopes=body["scopes"],
            now=now(),
            expires_at=expires,
        )
        _record(connection, "token-make", token_id)
    return {"token": text, "name": body["name"], "scopes": body["scopes"], "expires": moment(expires)}


@api.delete("/user/me/token/<token_id>")
@api.response(204)
def revoke_token(token_id: str) -> None:
    """End a token at once."""
    with rooms().database.begin() as connection:
        tokens.revoke_token(connection, token_id, person=actor().id, now=now())
        _record(connection, "token-revoke", token_id)


@api.post("/calendar/compute")
@api.arguments(Reckoning)
@api.response(200)
def compute(body: dict[str, Any]) -> Response:
    """When `days` working days from `start` are over, told day by day; or the working days up to `end`."""
    calendar_id = body.get("calendar") or rooms().catalog.calendar_id
    calendar = load_calendar(calendar_id)
    told: dict[str, Any] = {"calendar": calendar_id}
    if "days" in body:
        due, provisional = calendar.add(body["start"], body["days"])
        explained = calendar.explain(body["start"], body["days"])
        told |= {"due": moment(due), "provisional": provisional}
        told["sentences"] = list(explained.sentences(words.language()))
    if "end" in body:
        told["workingDays"] = calendar.between(body["start"].astimezone(ZONE).date(), body["end"])
    return jsonify(told)


def _record(connection: sa.Connection, action: str, token_id: str) -> None:
    record_operation(connection, actor(), action=action, entity=token_id, at=now(), request_id=g.trace_id)


def _token(token: tokens.Token) -> dict[str, Any]:
    return {
        "id": token.token_id,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "created": moment(token.created_at),
        "expires": moment(token.expires_at),
        "revoked": moment(token.revoked_at),
    }
