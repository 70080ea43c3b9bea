"""Apply: what somebody may start, and the form it starts with. Nobody starts it for an applicant."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from engine.errors import FieldError, InvalidInput, NotFound
from web import files, words
from web.context import actor, now, rooms
from web.form_names import file_ids
from web.pages import form_view
from web.pages.acting import tell_refusal
from web.pages.posted import errors_of, read_post
from web.pages.task import NO_FORM
from web.problems import REFUSALS
from web.quota import starts
from web.startable import Startable, startable
from workflows.library.catalog import Version
from workflows.library.forms.form import Form, read_form
from workflows.library.packages import Package
from workflows.register import batches
from workflows.register.tracks import tracks

pages = Blueprint("apply", __name__)


@pages.get("/apply")
def show() -> str:
    return render_template("apply.html", groups=_groups(), applies=_applies())


@pages.get("/apply/<process>")
def fill(process: str) -> str:
    version, package = _wanted(process)
    draft = rooms().inbox.start_draft(process, actor())
    return _page(version, package, values=dict(draft.values), revision=draft.revision)


@pages.post("/apply/<process>")
@starts
def start(process: str) -> Response | str | tuple[str, int]:
    """Start the case, or redraw the form with one row or file more or less."""
    version, package = _wanted(process)
    form = _form(package)
    revision = rooms().inbox.start_draft(process, actor()).revision
    try:
        posted = read_post(form, store=files.keep_posted)
    except InvalidInput as refused:
        return _page(version, package, values={}, revision=revision, errors=errors_of(refused)), 422
    if posted.errors:
        return _page(version, package, values=posted.values, revision=revision, errors=posted.errors), 422
    if posted.redraw:
        return _page(version, package, values=posted.values, revision=revision)
    try:
        started = rooms().commands.start_case(process, posted.values, actor=actor(), unit=actor().unit)
    except InvalidInput as refused:
        return _page(
            version, package, values=posted.values, revision=revision, errors=errors_of(refused)
        ), 422
    except REFUSALS as refused:
        refusal = tell_refusal(refused)
        return _page(version, package, values=posted.values, revision=revision), refusal.status
    flash(words.say("已提交，案件编号 {id}。", id=started.case_id), "success")
    mine = [task for task in started.tasks if actor().groups & set(task.groups)]
    if mine:
        return redirect(url_for("task.show", task_id=mine[0].task_id), 303)
    return redirect(url_for("cases.show", case_id=started.case_id), 303)


def _applies() -> bool:
    """Units apply; offices begin what is theirs."""
    return actor().level == "unit"


def _startable() -> list[Startable]:
    return startable(actor(), kind=(_known()["unit"] or {}).get("kind"))


def _groups() -> list[dict[str, Any]]:
    """The tracks in the order of the rule set, then everything else; headings where there are both."""
    ladders = _ladders()
    found = {version.key: _track(version, package) for version, package in _startable()}
    first = [found.pop(process) for process in ladders if process in found]
    told = (("申报称号", first), ("获得称号之后及其他事项", list(found.values())))
    return [{"name": words.say(name), "tracks": those} for name, those in told if those]


def _ladders() -> list[str]:
    """The processes of the tracks: those the rule set opens, in its order, then the others."""
    opened = ((_known()["rules"] or {}).get("tracks") or {}).get("provincial") or []
    order = dict.fromkeys([*(one for one in opened if one in tracks()), *tracks()])
    return [tracks()[track].process for track in order]


def _wanted(process: str) -> tuple[Version, Package]:
    for version, package in _startable():
        if version.key == process:
            return version, package
    raise NotFound(f"there is no process {process} to start", code="PROCESS_NOT_FOUND")


def _known() -> dict[str, Any]:
    """What a case of this applicant would know from the start: unit, newest open batch, its rules."""
    with rooms().reading() as connection:
        return batches.case_context(connection, actor().unit, batches.newest_open(connection), now=now())


def _form(package: Package) -> Form:
    data = package.form("start")
    return read_form(data) if data else NO_FORM


def _track(version: Version, package: Package) -> dict[str, Any]:
    draft = rooms().inbox.start_draft(version.key, actor())
    return {
        "key": version.key,
        "name": words.pick(version.name, version.name_en),
        "documentation": words.pick(
            package.properties.get("documentation", ""), package.properties.get("documentation:en", "")
        ),
        "version": version.version,
        "saved_at": draft.saved_at,
    }


def _page(
    version: Version,
    package: Package,
    *,
    values: dict[str, Any],
    revision: int,
    errors: tuple[FieldError, ...] = (),
) -> str:
    form = _form(package)
    told = _known()
    nodes = form_view.draw(form, values, context=told, errors=errors, now=now())
    return render_template(
        "apply_form.html",
        track=_track(version, package),
        applies=_applies(),
        nodes=nodes,
        errors=form_view.told(errors, nodes),
        can_redraw=form_view.has_conditions(form),
        batch=told["batch"],
        revision=revision,
        files=files.described(file_ids(form.fields, values)),
    )
