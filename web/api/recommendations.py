"""Recommendations over REST: an authority's letters and summary table (e-7) in a batch, as of a moment."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from web import words
from web.answers import moment
from web.api.conventions import listed
from web.api.openapi import Room
from web.context import actor, now, rooms
from web.pages.recommendations import demand_reader
from web.schemas import Query, page_of
from workflows.reading import recommendations
from workflows.reading.recommendations import Letter, Quota, Recommended

api = Room(
    "api_recommendations",
    __name__,
    url_prefix="/api/v1/recommendation",
    description="What authorities recommend to the province",
)


class WantedSenders(Query):
    batch = fields.String(load_default="", validate=validate.Length(max=100))


class WantedLetters(Query):
    documentNo = fields.String(load_default=None, validate=validate.Length(max=200))
    asOf = fields.AwareDateTime(load_default=None, default_timezone=words.ZONE)


class SenderLine(Query):
    batch = fields.String()
    batchName = fields.String()
    authority = fields.String()
    authorityName = fields.String()
    recommended = fields.Integer()
    pending = fields.Integer()


@api.get("")
@api.arguments(WantedSenders, location="query")
@api.response(200, page_of(SenderLine, name="SenderPage"))
def senders(asked: dict[str, Any]) -> dict[str, Any]:
    """The authorities that recommend in a batch, as far as the reader may know of them."""
    with rooms().reading() as connection:
        found = recommendations.senders(connection, actor(), **asked)
    return listed(
        {
            "batch": one.batch,
            "batchName": one.batch_name,
            "authority": one.authority,
            "authorityName": one.authority_name,
            "recommended": one.recommended,
            "pending": one.pending,
        }
        for one in found
    )


@api.get("/<batch>/<authority>")
@api.arguments(WantedLetters, location="query")
@api.response(200)
def letters(asked: dict[str, Any], batch: str, authority: str) -> Response:
    """An authority's letters with their rows, as of a moment (default: now), and its quotas as of now.

    `sha256` is over the text that `/recommendations/{batch}/{authority}/letter.json?no=` gives.
    """
    demand_reader(authority)
    number, until = asked["documentNo"], asked["asOf"]
    with rooms().reading() as connection:
        quotas = recommendations.quotas(connection, batch=batch, authority=authority)
        found = recommendations.letters(connection, batch=batch, authority=authority, until=until)
    return jsonify(
        batch=batch,
        authority=authority,
        letters=[_letter(one) for one in found if number in (None, one.document_no)],
        quotas=[_quota(one) for one in quotas],
        asOf=moment(until or now()),
    )


def _letter(one: Letter) -> dict[str, Any]:
    return {
        "documentNo": one.document_no,
        "bodies": [*one.bodies],
        "dates": [day.isoformat() for day in one.dates],
        "sha256": one.frozen.digest,
        "rows": [_row(row) for row in one.rows],
    }


def _row(row: Recommended) -> dict[str, Any]:
    same = ("track", "order", "unit", "uscc", "sector", "held", "score", "evaluated", "opinion", "contact")
    return {
        "case": row.case_id,
        "entry": row.entry,
        "digest": row.digest,
        "recommendedAt": moment(row.at),
        **{name: getattr(row, name) for name in same},
        "annexes": [{"name": annex.name, "sha256": annex.digest} for annex in row.annexes],
        "body": row.body,
        "date": row.date.isoformat() if row.date else None,
    }


def _quota(one: Quota) -> dict[str, Any]:
    return {"track": one.track, "places": one.of, "taken": len(one.held_by), "cases": [*one.held_by]}
