"""One task: its form, what it is about, and the verbs on it. Everything typed survives every refusal."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from engine.errors import FieldError, InvalidInput
from web import files, sight, words
from web.codes import CODES
from web.context import actor, now, rooms
from web.form_names import file_ids
from web.pages import drawings, form_view, materials, recommendations, telling
from web.pages.acting import act_and_tell, override_hint, tell_refusal
from web.pages.inbox import claim_and_tell
from web.pages.lines import group_names, line, term
from web.pages.posted import errors_of, read_post
from web.problems import REFUSALS
from web.safe import safe_next
from workflows.actors.conflict_rules import conflict_rules
from workflows.actors.people import people_in
from workflows.library.forms.form import Form
from workflows.reading.desk import Barred, OutcomeView, Preview, TaskView
from workflows.transaction.results import Completed

pages = Blueprint("task", __name__)

CONFLICTS = frozenset({"SOD", "COI"})
TABS = {"form": "办理", "materials": "材料", "diagram": "流程", "history": "过程", "why": "说明"}
NO_FORM = Form("none", ())


@pages.get("/task/<task_id>")
def show(task_id: str) -> str:
    view = sight.opened(task_id)
    return _page(view, values=dict(view.values))


@pages.post("/task/<task_id>")
def submit(task_id: str) -> Response | str | tuple[str, int]:
    """Complete the task, or redraw it with one row or file more or less."""
    view = sight.opened(task_id)
    try:
        posted = read_post(view.form or NO_FORM, store=files.keep_posted)
    except InvalidInput as refused:
        return _page(view, values=dict(view.values), errors=errors_of(refused)), 422
    if posted.errors:
        return _page(view, values=posted.values, errors=posted.errors), 422
    if posted.redraw:
        return _page(view, values=posted.values)
    handed = {**posted.values, "outcome": posted.outcome} if view.outcomes else posted.values
    try:
        done = rooms().commands.complete_task(task_id, handed, actor=actor())
    except InvalidInput as refused:
        return _page(view, values=posted.values, errors=errors_of(refused)), 422
    except REFUSALS as refused:
        refusal = tell_refusal(refused)
        return _page(sight.opened(task_id), values=posted.values), refusal.status
    _remember(done)
    return redirect(url_for("task.show", task_id=task_id), 303)


@pages.post("/task/<task_id>/claim")
def claim(task_id: str) -> Response:
    """Claim and open it; whoever came too late is back in the list and told who was faster."""
    back = safe_next(request.form.get("back"), otherwise=url_for("task.show", task_id=task_id))
    worked = claim_and_tell(task_id)
    return redirect(url_for("task.show", task_id=task_id) if worked else back, 303)


@pages.post("/task/<task_id>/release")
def release(task_id: str) -> Response:
    return act_and_tell(
        lambda: rooms().commands.release_task(
            task_id, actor=actor(), reason=request.form.get("reason", "").strip()
        ),
        told=words.say("已放回，候选人可以认领。"),
        otherwise=url_for("task.show", task_id=task_id),
        then="/inbox?queue=claimable",
    )


@pages.get("/task/<task_id>/<any(transfer, delegate, resolve, release):verb>")
def ask(task_id: str, verb: str) -> str:
    """The same dialog as a page, for browsers without scripts."""
    view = sight.opened(task_id)
    return render_template("task_verb.html", verb=verb, task=line(view.task, actor()), people=_others(view))


@pages.get("/task/<task_id>/override")
def choose_override(task_id: str) -> str:
    """Whom conflict rules bar and why, for who may allow an override."""
    view = sight.opened(task_id)
    barred = rooms().inbox.barred(task_id, actor())
    return render_template(
        "task_override.html",
        task=line(view.task, actor()),
        barred=[_barred(one) for one in barred if one.may_allow],
    )


@pages.post("/task/<task_id>/override")
def override(task_id: str) -> Response:
    rule, _, person = request.form.get("override", "").partition(" ")
    reason = request.form.get("reason", "").strip()
    return act_and_tell(
        lambda: rooms().commands.override_conflict(task_id, rule, person, reason=reason, actor=actor()),
        told=words.say("已准许例外，仅限办理一次。"),
        otherwise=url_for("task.choose_override", task_id=task_id),
        then=url_for("task.show", task_id=task_id),
    )


@pages.post("/task/<task_id>/transfer")
def transfer(task_id: str) -> Response:
    to, reason = request.form.get("to", ""), request.form.get("reason", "").strip()
    return act_and_tell(
        lambda: rooms().commands.transfer_task(task_id, to, reason=reason, actor=actor()),
        told=words.say("已转办。"),
        otherwise=url_for("task.ask", task_id=task_id, verb="transfer"),
    )


@pages.post("/task/<task_id>/delegate")
def delegate(task_id: str) -> Response:
    to, question = request.form.get("to", ""), request.form.get("reason", "").strip()
    return act_and_tell(
        lambda: rooms().commands.delegate_task(task_id, to, question=question, actor=actor()),
        told=words.say("已委派，答复后任务会回到您这里。"),
        otherwise=url_for("task.ask", task_id=task_id, verb="delegate"),
    )


@pages.post("/task/<task_id>/resolve")
def resolve(task_id: str) -> Response:
    opinion = request.form.get("reason", "").strip()
    return act_and_tell(
        lambda: rooms().commands.resolve_task(task_id, opinion, actor=actor()),
        told=words.say("意见已送回委派人。"),
        otherwise=url_for("task.ask", task_id=task_id, verb="resolve"),
    )


def _page(view: TaskView, *, values: dict[str, Any], errors: tuple[FieldError, ...] = ()) -> str:
    tab = request.args.get("tab", "form") if request.args.get("tab") in _tabs() else "form"
    form = view.form or NO_FORM
    frozen = not view.can["complete"].allowed
    nodes = form_view.draw(form, values, context=view.facts, errors=errors, frozen=frozen, now=now())
    return render_template(
        "task.html",
        view=view,
        task=line(view.task, actor()),
        tab=tab,
        tabs=[{"name": name, "label": words.say(label)} for name, label in _tabs().items()],
        instructions=words.pick(view.instructions, view.instructions_en),
        nodes=nodes,
        frozen=frozen,
        can_redraw=form_view.has_conditions(form),
        files=files.described(file_ids(form.fields, values)),
        errors=form_view.told(errors, nodes),
        outcomes=[_outcome(outcome) for outcome in view.outcomes],
        following=_preview(view.next),
        due_sentences=view.due.sentences(words.language()) if view.due else (),
        people=_others(view),
        obstacle=_obstacle(view),
        overrides=_allowable(view),
        table=recommendations.table_at(view),
        done=_recall(view.task.task_id),
        **_tab(tab, view),
    )


def _obstacle(view: TaskView) -> dict[str, str] | None:
    """Which conflict keeps the reader from claiming the task, or from completing what they hold."""
    verdict = view.can["complete" if view.task.assignee == actor().id else "claim"]
    if verdict.allowed or verdict.code not in CONFLICTS:
        return None
    code = CODES[verdict.code]
    return {
        "title": words.pick(code.zh, code.en),
        "told": words.pick(verdict.sentence_zh, verdict.sentence),
        "hint": override_hint(verdict.facts),
    }


def _allowable(view: TaskView) -> int:
    """For how many candidates the reader may allow an override."""
    known = conflict_rules().values()
    if not any(actor().groups & set(rule.overriders(view.task.authority)) for rule in known):
        return 0
    return sum(one.may_allow for one in rooms().inbox.barred(view.task.task_id, actor()))


def _barred(one: Barred) -> dict[str, str]:
    return {
        "value": f"{one.rule.id} {one.person.id}",
        "name": f"{one.person.name}（{one.person.id}）",
        "rule": words.pick(one.rule.name, one.rule.name_en),
        "about": words.pick(one.rule.about, one.rule.about_en),
        "ground": words.pick(one.ground.zh, one.ground.en),
    }


def _tab(tab: str, view: TaskView) -> dict[str, Any]:
    """What only one tab shows."""
    case_id = view.task.case_id
    match tab:
        case "why":
            return {"checks": rooms().inbox.why(view.task.task_id, actor())}
        case "history" if sight.looks_inside():
            definition = rooms().catalog.definition(view.case["pins"], view.case["process_id"])
            return {"steps": telling.steps(rooms().history.timeline(case_id), definition)}
        case "materials":
            return {"handed": materials.handed_in(case_id), "variables": _data(view)}
        case "diagram":
            state = rooms().history.state(case_id, view.case["seq"])
            task = view.task
            return drawings.shown(view.case, state, process=task.process_id, focus=task.element)
    return {}


def _data(view: TaskView) -> list[dict[str, Any]]:
    """The data of the case as a tree, for those who look inside."""
    return materials.tree(view.context) if sight.looks_inside() else []


def _tabs() -> dict[str, str]:
    """Only those who look inside read the whole history."""
    return {name: label for name, label in TABS.items() if name != "history" or sight.looks_inside()}


def _outcome(outcome: OutcomeView) -> dict[str, Any]:
    style = {"primary": "btn-primary", "danger": "btn-outline-danger"}.get(
        outcome.style, "btn-outline-primary"
    )
    return {
        "value": outcome.value,
        "label": words.pick(outcome.label, outcome.label_en),
        "style": style,
        "consequence": words.pick(outcome.consequence, outcome.consequence_en),
        "following": _preview(outcome.next),
    }


def _preview(preview: Preview) -> dict[str, Any]:
    return {
        "known": preview.known,
        "ends": preview.ends and not preview.steps,
        "steps": [
            {
                "name": words.pick(step.name, step.name_en),
                "groups": group_names(step.groups) or "、".join(step.users),
                "term": term(step.due_at),
            }
            for step in preview.steps
        ],
    }


def _others(view: TaskView) -> list[dict[str, str]]:
    """Who else is in the task's groups: those it can be handed to."""
    with rooms().reading() as connection:
        people = (person for group in view.task.groups for person in people_in(connection, group))
        found = {person.id: person.name for person in people}
    return [{"id": id_, "name": name} for id_, name in sorted(found.items()) if id_ != actor().id]


def _remember(done: Completed) -> None:
    """Keep for the next page what follows; a few lines, for cookies are small."""
    session["done"] = {
        "task_id": done.task_id,
        "status": done.status,
        "next": [
            {
                "id": task.task_id,
                "name": words.pick(task.name, task.name_en),
                "groups": list(task.groups)[:3],
                "due": task.due_at,
            }
            for task in done.next_tasks[:4]
        ],
    }


def _recall(task_id: str) -> dict[str, Any] | None:
    done = session.get("done")
    if not done or done["task_id"] != task_id:
        return None
    session.pop("done")
    steps = [
        {
            "id": step["id"],
            "name": step["name"],
            "groups": group_names(step["groups"]),
            "term": term(words.as_time(step["due"])),
            "is_ours": bool(actor().groups & set(step["groups"])),
        }
        for step in done["next"]
    ]
    return {"ended": done["status"] == "completed", "steps": steps}
