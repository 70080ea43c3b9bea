"""Rule sets and rule documents over REST: drafted, approved, compared; who carries out what."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from engine.errors import BadDefinition, FieldError, InvalidInput, Problem
from web.answers import moment
from web.api.conventions import listed, wanted_revision, with_revision
from web.api.openapi import Room
from web.context import actor, now, rooms
from web.schemas import Query, Strict
from workflows.library.references import Reference
from workflows.register.calendar import local_day
from workflows.register.clauses import RuleDocument
from workflows.register.rule_sets import KeptRules
from workflows.workshop.rules import coverage as covering
from workflows.workshop.rules.comparison import Difference, compare
from workflows.workshop.rules.report import line_report, place_report, report
from workflows.workshop.rules.sets import ENTRY, RuleSets

api = Room("rule_sets", __name__, url_prefix="/api/v1", description="Rule sets and rule documents")

REASON = validate.Length(min=1, max=4000)
SET = "/rule-set/<key>/<int:number>"


class BeginRules(Strict):
    base = fields.String(required=True, validate=validate.Regexp(r"[a-z0-9-]{1,60}:[0-9]{1,5}"))
    id = fields.String(required=True, validate=validate.Length(min=1, max=60))
    year = fields.Integer(required=True, strict=True)


class Span(Strict):
    start = fields.Date(required=True, allow_none=True, data_key="from")
    end = fields.Date(allow_none=True, load_default=None, data_key="to")


class Entries(Strict):
    """Parameter → its value or `same_as`, `inferred`, `source`, `note`. What is not named stays."""

    parameters = fields.Dict(keys=fields.String(), values=fields.Dict(), load_default={})
    effective = fields.Nested(Span)
    label = fields.String(validate=validate.Length(min=1, max=200))
    labelEn = fields.String(validate=validate.Length(min=1, max=200))
    basis = fields.String(validate=validate.Length(max=200))


class RulesReason(Strict):
    reason = fields.String(required=True, validate=REASON)


class Other(Query):
    to = fields.String(required=True, validate=validate.Regexp(r"[a-z0-9-]{1,60}:[0-9]{1,5}"))


class Amendment(Strict):
    article = fields.String(allow_none=True, load_default=None, validate=validate.Length(max=40))
    status = fields.String(required=True)
    zh = fields.String(required=True, validate=validate.Length(min=1, max=2000))
    en = fields.String(required=True, validate=validate.Length(min=1, max=2000))
    reason = fields.String(required=True, validate=REASON)


# --- rule sets ----------------------------------------------------------------------------------------


@api.get("/rule-set")
@api.response(200)
def find() -> Response:
    """Every version of every rule set, without its parameters."""
    return jsonify(listed(map(shape, sets().all())))


@api.post("/rule-set")
@api.arguments(BeginRules)
@api.response(201)
def begin(body: dict[str, Any]) -> Response:
    """Begin a draft with everything that another version holds."""
    draft = sets().begin(sets().named(body["base"]), rules=body["id"], year=body["year"], actor=actor())
    return with_revision(jsonify(shape(draft)), draft.revision)


@api.get(SET)
@api.response(200)
def get(key: str, number: int) -> Response:
    """One version with its parameters; its ETag is what the next change must name."""
    kept = sets().get(key, number)
    return with_revision(jsonify(shape(kept) | {"content": kept.rules.content}), kept.revision)


@api.put(SET)
@api.arguments(Entries)
@api.response(200)
@api.alt_response(412, description="Somebody else saved in between.")
def save(body: dict[str, Any], key: str, number: int) -> Response:
    """Save parameters and span as the next revision; what was submitted is the authors' again."""
    facts: dict[str, Any] = {name: body[name] for name in ("label", "labelEn", "basis") if name in body}
    if span := body.get("effective"):
        facts["effective"] = {
            "from": span["start"] and span["start"].isoformat(),
            "to": span["end"] and span["end"].isoformat(),
        }
    entries = {
        name: {part: entry[part] for part in ENTRY if part in entry}
        for name, entry in body["parameters"].items()
    }
    revision, draft = wanted_revision(), sets().get(key, number)
    try:
        saved = sets().save(draft, revision=revision, entries=entries, facts=facts, actor=actor())
    except BadDefinition as bad:
        raise InvalidInput(str(bad), fields=tuple(map(_wrong, bad.problems))) from bad
    return with_revision(jsonify(shape(saved)), saved.revision)


@api.post(f"{SET}/discard")
@api.arguments(RulesReason)
@api.response(204)
def discard(body: dict[str, Any], key: str, number: int) -> None:
    """Discard a draft (`If-Match`), with a reason."""
    sets().discard(sets().get(key, number), revision=wanted_revision(), reason=body["reason"], actor=actor())


@api.post(f"{SET}/submit")
@api.arguments(RulesReason)
@api.response(200)
def submit(body: dict[str, Any], key: str, number: int) -> Response:
    """Ask for approval of exactly this revision (`If-Match`)."""
    revision, draft = wanted_revision(), sets().get(key, number)
    return jsonify(shape(sets().submit(draft, revision=revision, note=body["reason"], actor=actor())))


@api.post(f"{SET}/approve")
@api.arguments(RulesReason)
@api.response(200)
def approve(body: dict[str, Any], key: str, number: int) -> Response:
    """Approve exactly this revision (`If-Match`), as a second person; it never changes again."""
    revision, draft = wanted_revision(), sets().get(key, number)
    return jsonify(shape(sets().approve(draft, revision=revision, reason=body["reason"], actor=actor())))


@api.post(f"{SET}/return")
@api.arguments(RulesReason)
@api.response(200)
def send_back(body: dict[str, Any], key: str, number: int) -> Response:
    """Give the draft back to its authors, with a reason."""
    revision, draft = wanted_revision(), sets().get(key, number)
    return jsonify(shape(sets().send_back(draft, revision=revision, reason=body["reason"], actor=actor())))


@api.get(f"{SET}/difference")
@api.arguments(Other, location="query")
@api.response(200)
def difference(asked: dict[str, Any], key: str, number: int) -> Response:
    """What another version (`to`) sees differently, and which elements that touches."""
    before, after = sets().get(key, number), sets().named(asked["to"])
    found = compare(before.rules, after.rules, _drawn())
    return jsonify(listed(_difference(line, before, after) for line in found))


# --- rule documents -----------------------------------------------------------------------------------


@api.get("/rule-document")
@api.response(200)
def documents() -> Response:
    """Every rule document, without its articles."""
    return jsonify(listed(map(_document, _coverage().documents)))


@api.get("/rule-document/coverage")
@api.response(200)
def coverage() -> Response:
    """Which clause is carried out where, which element names none, what became stale."""
    return jsonify(report(_coverage()))


@api.get("/rule-document/<key>/article")
@api.response(200)
def articles(key: str) -> Response:
    """The clauses of a document, as they read now."""
    found = _coverage()
    lines = [line for line in found.lines if line.clause.document == key]
    return jsonify(listed(line_report(line) for line in lines))


@api.put("/rule-document/<key>/article/<clause>")
@api.arguments(Amendment)
@api.response(200)
def amend(body: dict[str, Any], key: str, clause: str) -> Response:
    """How a clause reads from now on, or a new one; elements that name it become stale."""
    said = {**body, "article": body["article"] or ""}
    with rooms().database.begin() as connection:
        after = covering.amended(connection, clause, document=key, actor=actor(), now=now(), **said)
    return jsonify({"id": after.id, "article": after.article, "status": after.status, "digest": after.digest})


@api.post("/rule-document/held/<key>")
@api.arguments(RulesReason)
@api.response(204)
def hold(body: dict[str, Any], key: str) -> None:
    """A process was held against the clauses as they read now, and still fits."""
    with rooms().database.begin() as connection:
        covering.held_again(connection, rooms().catalog, key, reason=body["reason"], actor=actor(), now=now())


# --- below --------------------------------------------------------------------------------------------


def sets() -> RuleSets:
    """The rule sets of this house."""
    return RuleSets(rooms().database, clock=rooms().clock)


def shape(kept: KeptRules) -> dict[str, Any]:
    since, until = kept.rules.effective
    return {
        "id": kept.id,
        "version": kept.version,
        "revision": kept.revision,
        "state": kept.state,
        "year": kept.rules.year,
        "label": kept.rules.label_zh,
        "labelEn": kept.rules.label_en,
        "effective": {"from": since and since.isoformat(), "to": until and until.isoformat()},
        "inForce": kept.is_in_force(local_day(now())),
        "digest": kept.digest,
        "base": kept.base,
        "author": kept.author,
        "authors": list(kept.authors),
        "changedBy": kept.changed_by,
        "changedAt": moment(kept.changed_at),
        "submittedBy": kept.submitted_by,
        "approvedBy": kept.approved_by,
        "approvedAt": moment(kept.approved_at) if kept.approved_at else None,
        "note": kept.note,
    }


def _wrong(problem: Problem) -> FieldError:
    where = "" if problem.element == "effective" else "/parameters"
    return FieldError(
        pointer=f"{where}/{problem.element}",
        code=problem.rule,
        message=problem.message,
        message_zh=problem.message_zh,
    )


def _difference(line: Difference, before: KeptRules, after: KeptRules) -> dict[str, Any]:
    values = [
        kept.rules.value(line.key) if line.key in kept.rules.parameters else None for kept in (before, after)
    ]
    return {
        "parameter": line.key,
        "before": values[0],
        "after": values[1],
        "felt": line.is_felt,
        "steps": list(line.steps),
        "places": [place_report(place) for place in line.places],
    }


def _document(one: RuleDocument) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "titleEn": one.title_en,
        "number": one.number,
        "issued": one.issued and one.issued.isoformat(),
        "binding": one.binding,
        "known": one.known,
        "effective": {
            "from": one.effective_from and one.effective_from.isoformat(),
            "to": one.effective_to and one.effective_to.isoformat(),
        },
        "clauses": len(one.clauses),
    }


def _coverage() -> covering.Coverage:
    with rooms().reading() as connection:
        return covering.coverage(connection, rooms().catalog, now=now())


def _drawn() -> list[Reference]:
    with rooms().reading() as connection:
        return covering.in_force(connection, rooms().catalog, now=now())
