"""Rule sets in the browser: seen, compared, drafted from another, approved by a second person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.errors import BadDefinition, InvalidInput, Rejected
from web.context import actor, now, rooms
from web.editor_names import person, refusal
from web.pages import rule_forms
from web.pages.acting import act_and_tell
from web.words import pick, say
from workflows.actors.duties import may_edit
from workflows.library.references import Reference
from workflows.register.calendar import local_day
from workflows.register.directory import every_authority
from workflows.register.rule_sets import KeptRules
from workflows.register.rules import NUMBERS, catalogue
from workflows.workshop.rules import coverage as covering
from workflows.workshop.rules.comparison import Difference, compare
from workflows.workshop.rules.sets import RuleSets, may_approve

pages = Blueprint("rules", __name__, url_prefix="/rules")


def sets() -> RuleSets:
    return RuleSets(rooms().database, clock=rooms().clock)


@pages.get("/")
def show() -> str:
    """Every rule set with its versions, and where to begin another."""
    found = sets().all()
    return render_template(
        "rules/sets.html",
        found=[_line(one) for one in found],
        bases=[one for one in found if one.state == "approved"],
        year=local_day(now()).year + 1,
        may_edit=may_edit(actor()).allowed,
    )


@pages.post("/begin")
def begin() -> Response:
    """A draft with everything that another set holds."""
    base, name = sets().named(request.form.get("base", "")), request.form.get("id", "").strip()
    year = request.form.get("year", type=int) or 0
    try:
        draft = sets().begin(base, rules=name, year=year, actor=actor())
    except Rejected as refused:
        flash(refusal(refused), "danger")
        return redirect(url_for("rules.show"), 303)
    flash(say("草稿已建立。"))
    return redirect(_place(draft), 303)


@pages.get("/set/<key>/<int:number>")
def look(key: str, number: int) -> str:
    """One version, a group of its parameters at a time; its form while it is a draft."""
    return _page(sets().get(key, number), problems={})


@pages.post("/set/<key>/<int:number>/save")
def save(key: str, number: int) -> Response | tuple[str, int]:
    """The group that was shown, and what the set says of itself, as the next revision."""
    draft, group = sets().get(key, number), _group(request.form)
    entries = rule_forms.entries_of(request.form, draft.rules, group)
    try:
        sets().save(draft, revision=_revision(), entries=entries, facts=_facts(), actor=actor())
    except BadDefinition as bad:
        problems = {p.element: pick(p.message_zh, p.message) for p in bad.problems}
        flash(say("尚有 {n} 处不符合要求，未保存。", n=len(problems)), "danger")
        return _page(draft, problems=problems, typed=entries), 422
    except Rejected as refused:
        flash(refusal(refused), "danger")
        return _page(draft, problems={}, typed=entries), 409
    flash(say("已保存。"))
    return redirect(_place(draft, group=group), 303)


@pages.post("/set/<key>/<int:number>/submit")
def submit(key: str, number: int) -> Response:
    """Ask a second person."""
    draft = sets().get(key, number)
    return _step(
        draft,
        say("已提交，等待另一人批准。"),
        lambda: sets().submit(draft, revision=_revision(), note=_reason(), actor=actor()),
    )


@pages.post("/set/<key>/<int:number>/approve")
def approve(key: str, number: int) -> Response:
    """The second person answers for it."""
    draft = sets().get(key, number)
    return _step(
        draft,
        say("已批准。该版本从此不再改变。"),
        lambda: sets().approve(draft, revision=_revision(), reason=_reason(), actor=actor()),
    )


@pages.post("/set/<key>/<int:number>/return")
def send_back(key: str, number: int) -> Response:
    """The draft is its authors' again."""
    draft = sets().get(key, number)
    return _step(
        draft,
        say("已退回作者修改。"),
        lambda: sets().send_back(draft, revision=_revision(), reason=_reason(), actor=actor()),
    )


@pages.post("/set/<key>/<int:number>/discard")
def discard(key: str, number: int) -> Response:
    """The draft is gone."""
    draft = sets().get(key, number)
    return _step(
        draft,
        say("草稿已放弃。"),
        lambda: sets().discard(draft, revision=_revision(), reason=_reason(), actor=actor()),
        then=url_for("rules.show"),
    )


@pages.get("/compare")
def differences() -> str:
    """Two versions side by side: what differs, and which steps that touches."""
    found = sets().all()
    before, after = request.args.get("before", ""), request.args.get("after", "")
    chosen = before and after
    one, two = (sets().named(before), sets().named(after)) if chosen else (None, None)
    lines = compare(one.rules, two.rules, _drawn()) if one and two else ()
    return render_template(
        "rules/compare.html",
        found=found,
        before=one,
        after=two,
        lines=[_told(line, one, two) for line in lines if one and two],
        inferred=[line for line in lines if not line.is_felt],
    )


# --- below --------------------------------------------------------------------------------------------


def _page(kept: KeptRules, *, problems: Mapping[str, str], typed: Mapping[str, Any] | None = None) -> str:
    group = _group(request.form if typed is not None else request.args)
    edits = may_edit(actor()).allowed
    return render_template(
        "rules/set.html",
        one=_line(kept),
        rules=kept.rules,
        is_draft=edits and kept.state != "approved",
        group=group,
        groups=[(name, rule_forms.word("groups", name)) for name in rule_forms.groups()],
        fields=rule_forms.fields_of(kept.rules, group, problems, typed or {}),
        problems=[
            (rule_forms.label(kept.rules, key), text)
            for key, text in problems.items()
            if key not in rule_forms.groups()[group]
        ],
        told=rule_forms.told_value,
        authorities=_authorities(),
        batches=sets().batches_with(kept),
        **_rights(kept),
    )


def _rights(kept: KeptRules) -> dict[str, Any]:
    edits, approves = may_edit(actor()).allowed, may_approve(actor(), kept)
    is_waiting = kept.state == "submitted"
    why_not = say("等待批准人批准；您不能批准自己参与的草稿。") if is_waiting and not approves.allowed else ""
    steps = {
        "submit": edits and kept.state == "editing",
        "approve": approves.allowed and is_waiting,
        "send_back": approves.allowed and is_waiting,
        "discard": edits and kept.state != "approved",
    }
    return {"steps": steps, "why_not": why_not}


def _line(kept: KeptRules) -> dict[str, Any]:
    since, until = kept.rules.effective
    return {
        "id": kept.id,
        "version": kept.version,
        "name": kept.name,
        "label": pick(kept.rules.label_zh, kept.rules.label_en),
        "year": kept.rules.year,
        "state": kept.state,
        "since": since,
        "until": until,
        "in_force": kept.is_in_force(local_day(now())),
        "base": kept.base or kept.rules.content.get("derived_from"),
        "author": person(kept.author),
        "approved_by": person(kept.approved_by),
        "approved_at": kept.approved_at,
        "changed_by": person(kept.changed_by),
        "changed_at": kept.changed_at,
        "revision": kept.revision,
        "note": kept.note,
        "inferred": sum(1 for p in kept.rules.parameters.values() if p.inferred),
        "count": len(kept.rules.parameters),
    }


def _told(line: Difference, before: KeptRules, after: KeptRules) -> dict[str, Any]:
    known = catalogue().get(line.key, {"unit": "text"})
    told = [
        rule_forms.told(known, kept.rules.value(line.key)) if line.key in kept.rules.parameters else "—"
        for kept in (before, after)
    ]
    return {
        "key": line.key,
        "label": pick(line.parameter.label_zh, line.parameter.label_en),
        "unit": rule_forms.word("units", known["unit"]) if known["unit"] in NUMBERS else "",
        "before": told[0],
        "after": told[1],
        "marks": [bool(one and one.inferred) for one in (line.before, line.after)],
        "sources": [one.source if one else "" for one in (line.before, line.after)],
        "is_felt": line.is_felt,
        "steps": line.steps,
        "places": line.places,
    }


def _drawn() -> list[Reference]:
    with rooms().reading() as connection:
        return covering.in_force(connection, rooms().catalog, now=now())


def _authorities() -> list[tuple[str, str]]:
    with rooms().reading() as connection:
        return [(row["code"], pick(row["name"], row["name_en"])) for row in every_authority(connection)]


def _step(draft: KeptRules, told: str, work: Callable[[], object], *, then: str | None = None) -> Response:
    here = _place(draft)
    return act_and_tell(work, told=told, otherwise=here, then=then or here)


def _place(kept: KeptRules, *, group: str | None = None) -> str:
    return url_for("rules.look", key=kept.id, number=kept.version, group=group)


def _group(given: Mapping[str, str]) -> str:
    asked = given.get("group", "")
    return asked if asked in rule_forms.groups() else next(iter(rule_forms.groups()))


def _facts() -> dict[str, Any]:
    span = {end: _day(f"effective_{end}") for end in ("from", "to")}
    labels = {name: request.form.get(name, "").strip() for name in ("label", "labelEn", "basis")}
    return {**{name: text for name, text in labels.items() if text}, "effective": span}


def _day(name: str) -> str | None:
    given = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(given).isoformat() if given else None
    except ValueError as error:
        raise InvalidInput(f"{given!r} is no date", code="VALIDATION") from error


def _revision() -> int:
    return request.form.get("revision", type=int) or 0


def _reason() -> str:
    return request.form.get("reason", "").strip()
