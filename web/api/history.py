"""The past over REST: every entry, a case as it stood at one, verifying."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import validate

from web import words
from web.answers import moment
from web.api.conventions import listed
from web.api.openapi import Room
from web.context import rooms
from web.pages.drawings import marks
from web.schemas import EventPage, Query, Verification, Whole
from web.sight import inner_case
from workflows.reading.history import Event, Proof

api = Room("history", __name__, url_prefix="/api/v1/history/process-instance", description="The past")


class After(Query):
    after = Whole(load_default=0, validate=validate.Range(0))
    maxResults = Whole(load_default=200, validate=validate.Range(1, 1000))


class At(Query):
    seq = Whole(validate=validate.Range(1))


@api.get("/<case_id>/event")
@api.arguments(After, location="query")
@api.response(200, EventPage)
def events(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """The entries of the journal behind `after`, each with a sentence; `next` is the following `after`."""
    last = inner_case(case_id)["seq"]
    upto = min(last, asked["after"] + asked["maxResults"])
    told = rooms().history.timeline(case_id, after=asked["after"], upto=upto) if upto else ()
    return listed(map(shape, told), str(upto) if upto < last else None)


@api.get("/<case_id>/state")
@api.arguments(At, location="query")
@api.response(200)
def state(asked: dict[str, Any], case_id: str) -> Response:
    """The case as it stood when entry `seq` was written (default: now): data, tasks, marks."""
    row = inner_case(case_id)
    found = rooms().history.state(case_id, asked.get("seq") or row["seq"])
    return jsonify(
        id=case_id,
        seq=found.seq,
        at=moment(found.at),
        event=shape(found.event),
        definitionId=found.definition_id,
        variables=found.variables,
        changed={name: list(pair) for name, pair in found.changed.items()},
        tasks=list(found.standing.tasks.values()),
        decisions=found.standing.decisions,
        marks=marks(found.standing),
        problem=found.problem or None,
    )


@api.post("/<case_id>/verify")
@api.response(200, Verification)
def verify(case_id: str) -> dict[str, Any]:
    """Check the chain of digests, run every cause again, compare the artefacts."""
    inner_case(case_id)
    return proof(rooms().history.verify(case_id))


def shape(event: Event) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "at": moment(event.at),
        "actor": event.actor,
        "actorName": event.actor_name,
        "onBehalfOf": event.on_behalf_of,
        "type": event.type,
        "lane": event.lane,
        "activityId": event.element or None,
        "sentence": words.pick(event.sentence_zh, event.sentence),
        "data": dict(event.data),
        "digest": event.digest,
    }


def proof(found: Proof) -> dict[str, Any]:
    return {
        "id": found.case_id,
        "ok": found.ok,
        "code": found.code,
        "entries": found.entries,
        "findings": [{"code": f.code, "seq": f.seq, "detail": f.detail} for f in found.findings],
    }
