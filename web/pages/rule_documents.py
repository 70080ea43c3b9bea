"""Rule documents in the browser: article by article, what carries out which clause, and what became stale."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from web.context import actor, now, rooms
from web.pages.acting import act_and_tell
from web.words import say
from workflows.actors.duties import may_edit
from workflows.register.clauses import STATUSES, RuleDocument
from workflows.workshop.rules import coverage as covering
from workflows.workshop.rules.coverage import ClauseLine, Coverage

pages = Blueprint("rule_documents", __name__, url_prefix="/rules")


@pages.get("/documents")
def show() -> str:
    """Every rule document: what of it is known, and how much of it is carried out."""
    found = _coverage()
    counted = {one.id: _counts(one, found) for one in found.documents}
    return render_template("rules/documents.html", documents=found.documents, counted=counted)


@pages.get("/documents/<key>")
def look(key: str) -> str:
    """One document with its articles, and where each clause is carried out."""
    found = _coverage()
    document = next((one for one in found.documents if one.id == key), None)
    if document is None:
        abort(404)
    return render_template(
        "rules/document.html",
        one=document,
        articles=_articles(document, found),
        statuses=[(name, say(told)) for name, (told, _) in STATUSES.items()],
        may_edit=may_edit(actor()).allowed,
    )


@pages.post("/documents/<key>/amend")
def amend(key: str) -> Response:
    """How a clause reads from now on, or a new one."""
    here = url_for("rule_documents.look", key=key)
    return act_and_tell(
        lambda: _amend(key), told=say("条款已修订；涉及的环节标为待核对。"), otherwise=here, then=here
    )


@pages.get("/coverage")
def coverage() -> str:
    """Both directions: clauses nobody carries out, elements that name none, parameters nobody asks for."""
    found = _coverage()
    return render_template(
        "rules/coverage.html",
        found=found,
        carried=[line for line in found.lines if line.is_carried_out],
        idle=[line for line in found.lines if not line.is_carried_out],
        stale=_by_process(found.stale),
        unused=[line.parameter for line in found.parameters if not line.places],
        titles={one.id: one for one in found.documents},
        may_edit=may_edit(actor()).allowed,
    )


@pages.post("/coverage/<key>/held")
def hold(key: str) -> Response:
    """A process was held against the clauses as they read now, and still fits."""
    here = url_for("rule_documents.coverage")
    return act_and_tell(lambda: _hold(key), told=say("已核对。"), otherwise=here, then=here)


# --- below --------------------------------------------------------------------------------------------


def _coverage() -> Coverage:
    with rooms().reading() as connection:
        return covering.coverage(connection, rooms().catalog, now=now())


def _amend(key: str) -> None:
    said = {name: request.form.get(name, "").strip() for name in ("article", "status", "zh", "en", "reason")}
    clause = request.form.get("clause", "").strip()
    with rooms().database.begin() as connection:
        covering.amended(connection, clause, document=key, actor=actor(), now=now(), **said)


def _hold(key: str) -> None:
    reason = request.form.get("reason", "").strip()
    with rooms().database.begin() as connection:
        covering.held_again(connection, rooms().catalog, key, reason=reason, actor=actor(), now=now())


def _articles(document: RuleDocument, found: Coverage) -> list[tuple[str | None, list[ClauseLine]]]:
    lines = {line.clause.id: line for line in found.lines}
    articles: dict[str | None, list[ClauseLine]] = {}
    for clause in document.clauses:
        articles.setdefault(clause.article, []).append(lines[clause.id])
    return list(articles.items())


def _counts(document: RuleDocument, found: Coverage) -> dict[str, int]:
    ours = [line for line in found.lines if line.clause.document == document.id]
    return {
        "all": len(ours),
        "carried": sum(1 for line in ours if line.is_carried_out),
        "stale": sum(1 for line in ours if line.stale),
    }


def _by_process(stale: tuple[tuple[Any, str], ...]) -> dict[str, list[tuple[Any, str]]]:
    found: dict[str, list[tuple[Any, str]]] = {}
    for place, clause in stale:
        found.setdefault(place.process, []).append((place, clause))
    return found
