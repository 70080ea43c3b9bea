"""The process editor: catalogue, drafts, review and publication of what the engine runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, flash, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from engine.errors import BadDefinition, InvalidInput, Problem, Rejected
from web import editor_names, outline
from web.answers import moment, xml_text
from web.api.conventions import wanted_revision, with_revision
from web.context import actor, now, rooms
from web.words import ZONE, pick, say
from workflows.actors.duties import may_edit
from workflows.library.packages import read_archive
from workflows.workshop.drafts.draft import Draft, Overview, changed_files
from workflows.workshop.drafts.drafts import Drafts
from workflows.workshop.drafts.gates import may_approve, may_publish
from workflows.workshop.rules.coverage import coverage

pages = Blueprint("editor", __name__, url_prefix="/editor")

DRAWING = "process.bpmn"
EXAMPLES = "examples/"
XML = (".bpmn", ".dmn")
JSON = (".form", ".json")


def drafts() -> Drafts:
    return Drafts(rooms().database, rooms().catalog, clock=rooms().clock)


# --- catalogue and versions ---------------------------------------------------------------------------


@pages.get("/")
def catalogue() -> str:
    found = [_catalogue_line(overview) for overview in drafts().overviews()]
    return render_template("editor/catalogue.html", processes=found, may_edit=may_edit(actor()).allowed)


@pages.get("/<key>")
def process(key: str) -> str:
    overview = drafts().overview(key)
    asked = request.args.get("version", type=int)
    shown = next((v for v in overview.versions if v.version == asked), overview.live) or next(
        iter(overview.versions), None
    )
    definition = _definition(shown.id, key) if shown else None
    paths = sorted(shown.files) if shown else []
    return render_template(
        "editor/process.html",
        key=key,
        name=_name(overview),
        draft=overview.draft,
        shown=shown,
        versions=editor_names.version_lines(overview, drafts().notes(key), now()),
        nodes=outline.tree(definition)[:1] if definition else [],
        called=editor_names.called_pages(definition) if definition else {},
        files=[path for path in paths if not path.startswith(EXAMPLES)],
        examples=[path for path in paths if path.startswith(EXAMPLES)],
        stale=_stale(key),
        may_edit=may_edit(actor()).allowed,
    )


@pages.get("/<key>/v/<int:number>/files/<path:path>")
def version_file(key: str, number: int, path: str) -> Response:
    return _file(rooms().catalog.package(f"{key}:{number}").files, path)


@pages.get("/<key>/v/<int:number>/export.zip")
def export_version(key: str, number: int) -> Response:
    return _zip(f"{key}-v{number}", key, rooms().catalog.package(f"{key}:{number}").files)


@pages.post("/import")
def bring_in() -> AnyResponse:
    named = request.form.get("process", "").strip() or None
    draft = drafts().bring_in(_brought(), process=named, actor=actor())
    flash(say("流程 {key} 已导入为草稿。发布前还缺什么，见下方问题列表。", key=draft.key))
    return redirect(url_for("editor.workspace", key=draft.key), 303)


# --- a draft ------------------------------------------------------------------------------------------


@pages.post("/<key>/draft")
def begin(key: str) -> AnyResponse:
    drafts().begin(key, request.form.get("base", type=int) or 0, actor=actor())
    return redirect(url_for("editor.workspace", key=key), 303)


@pages.get("/<key>/draft")
def workspace(key: str) -> str:
    overview = drafts().overview(key)
    draft = drafts().draft(key)
    problems = [_told(p) for p in drafts().check(key, drafts().contents(draft))]
    base = next((v.files for v in overview.versions if v.version == draft.base), {})
    return render_template(
        "editor/workspace.html",
        key=key,
        name=_name(overview),
        draft=editor_names.named(draft),
        files=editor_names.files_of(key, draft, changed_files(base, draft.files)),
        nodes=[],
        problems=problems,
        warnings=[p for p in problems if p["severity"] == "warning"],
        running=sum(overview.running.values()),
        **_rights(draft),
    )


@pages.get("/<key>/draft/decision/<name>")
def decision(key: str, name: str) -> str:
    g.inline_styles = True  # dmn-js makes style elements
    return _file_editor("editor/decision.html", key, f"{name}.dmn")


@pages.get("/<key>/draft/form/<name>")
def form(key: str, name: str) -> str:
    g.inline_styles = True  # so does the form editor
    return _file_editor("editor/form.html", key, f"forms/{name}.form")


@pages.get("/<key>/draft/files/<path:path>")
def draft_file(key: str, path: str) -> Response:
    draft = drafts().draft(key)
    return with_revision(_file(drafts().contents(draft), path), draft.revision)


@pages.put("/<key>/draft/files/<path:path>")
def save_file(key: str, path: str) -> Response:
    content = _body().get("content")
    if not isinstance(content, str):
        raise InvalidInput('expected {"content": text}')
    return _saved(key, wanted_revision(), {path: content.encode()})


@pages.post("/<key>/draft/files")
def add_file(key: str) -> AnyResponse:
    kind, name = request.form.get("kind", ""), request.form.get("name", "")
    path, content = editor_names.empty_file(kind, name)
    files = drafts().contents(drafts().draft(key))
    if path in files:
        raise InvalidInput(f"{path} is there already", code="FILE_EXISTS", file=path)
    drafts().save(key, {**files, path: content}, revision=_revision(), actor=actor())
    return redirect(url_for(f"editor.{kind}", key=key, name=name), 303)


@pages.post("/<key>/draft/validate")
def validate(key: str) -> Response:
    draft = drafts().draft(key)
    found = [_told(p) for p in drafts().check(key, drafts().contents(draft))]
    return jsonify(problems=found, revision=draft.revision)


@pages.get("/<key>/draft/export.zip")
def export_draft(key: str) -> Response:
    draft = drafts().draft(key)
    return _zip(f"{key}-draft-{draft.revision}", key, drafts().contents(draft))


# --- review and publication ---------------------------------------------------------------------------


@pages.post("/<key>/draft/submit")
def submit(key: str) -> AnyResponse:
    accepted = {
        name.removeprefix("accept:"): reason
        for name, reason in request.form.items()
        if name.startswith("accept:")
    }
    return _step(
        key,
        say("已提交，等待另一人批准。"),
        lambda: drafts().submit(key, revision=_revision(), note=_reason(), accepted=accepted, actor=actor()),
    )


@pages.post("/<key>/draft/approve")
def approve(key: str) -> AnyResponse:
    return _step(
        key,
        say("已批准，可以发布。"),
        lambda: drafts().approve(key, revision=_revision(), reason=_reason(), actor=actor()),
    )


@pages.post("/<key>/draft/return")
def send_back(key: str) -> AnyResponse:
    return _step(
        key,
        say("已退回作者修改。"),
        lambda: drafts().send_back(key, revision=_revision(), reason=_reason(), actor=actor()),
    )


@pages.post("/<key>/draft/publish")
def publish(key: str) -> AnyResponse:
    def work() -> None:
        version = drafts().publish(key, revision=_revision(), actor=actor(), effective_from=_effective_from())
        flash(say("已发布 v{n}。", n=version.version))

    return _step(key, "", work, then=url_for("editor.process", key=key))


@pages.post("/<key>/draft/discard")
def discard(key: str) -> AnyResponse:
    is_new = not drafts().overview(key).versions
    return _step(
        key,
        say("草稿已放弃。"),
        lambda: drafts().discard(key, revision=_revision(), reason=_reason(), actor=actor()),
        then=url_for("editor.catalogue") if is_new else url_for("editor.process", key=key),
    )


@pages.post("/<key>/v/<int:number>/retire")
def retire(key: str, number: int) -> AnyResponse:
    return _step(
        key,
        say("该版本已停用，在办案件不受影响。"),
        lambda: drafts().retire(f"{key}:{number}", reason=_reason(), actor=actor()),
        then=url_for("editor.process", key=key),
    )


# --- below --------------------------------------------------------------------------------------------


def _stale(key: str) -> tuple[tuple[Any, str], ...]:
    """Elements of the version in force whose clause reads otherwise than when somebody last looked."""
    with rooms().reading() as connection:
        return coverage(connection, rooms().catalog, now=now(), process=key).stale


def _step(key: str, done: str, work: Any, *, then: str | None = None) -> AnyResponse:
    """Do it and go where the next thing is done; a refusal is told on the page one came from."""
    try:
        work()
    except BadDefinition as bad:
        flash(say("尚有 {n} 个错误，见下方问题列表。", n=len(bad.problems)), "danger")
        return redirect(url_for("editor.workspace", key=key), 303)
    except Rejected as refused:
        flash(editor_names.refusal(refused), "danger")
        return redirect(url_for("editor.workspace", key=key), 303)
    if done:
        flash(done)
    return redirect(then or url_for("editor.workspace", key=key), 303)


def _saved(key: str, revision: int, changed: Mapping[str, bytes]) -> Response:
    files = {**drafts().contents(drafts().draft(key)), **changed}
    try:
        draft = drafts().save(key, files, revision=revision, actor=actor())
    except Rejected as refused:
        if (current := refused.facts.get("current")) is not None:
            refused.facts["current"] = {**current, "by": editor_names.person(current["by"])}
        raise
    answer = jsonify(
        revision=draft.revision,
        savedAt=moment(draft.changed_at),
        by=editor_names.person(draft.changed_by),
    )
    return with_revision(answer, draft.revision)


def _file_editor(template: str, key: str, path: str) -> str:
    overview, draft = drafts().overview(key), drafts().draft(key)
    if path not in draft.files:
        abort(404)
    return render_template(
        template,
        key=key,
        name=_name(overview),
        draft=editor_names.named(draft),
        path=path,
        file_name=path.rpartition("/")[2],
        may_edit=may_edit(actor()).allowed,
    )


def _rights(draft: Draft) -> dict[str, Any]:
    """Which steps this reader can take now, and a sentence for the approver who may not."""
    edits, approves = may_edit(actor()).allowed, may_approve(actor(), draft)
    is_waiting = draft.state == "submitted"
    steps = {
        "submit": edits and draft.state == "editing",
        "approve": approves.allowed and is_waiting,
        "send_back": approves.allowed and draft.state in ("submitted", "approved"),
        "publish": may_publish(actor(), draft).allowed and draft.is_approved,
        "discard": edits,
    }
    why_not = ""
    if is_waiting and not approves.allowed:
        why_not = pick(approves.sentence_zh, approves.sentence) if "approver" in actor().roles else ""
        why_not = why_not or say("等待批准人批准；您不能批准自己参与的草稿。")
    return {"steps": steps, "may_edit": edits, "why_not": why_not}


def _told(problem: Problem) -> dict[str, str]:
    return {
        "element": problem.element,
        "rule": problem.rule,
        "severity": problem.severity,
        "message": problem.message,
        "message_zh": problem.message_zh,
        "text": pick(problem.message_zh, problem.message),
    }


def _catalogue_line(overview: Overview) -> dict[str, Any]:
    newest = overview.versions[0] if overview.versions else None
    return {
        "key": overview.key,
        "name": _name(overview),
        "live": overview.live.version if overview.live else None,
        "since": overview.live.effective_from if overview.live else None,
        "running": sum(overview.running.values()),
        "by_version": sorted(overview.running.items(), reverse=True),
        "draft": editor_names.named(overview.draft) if overview.draft else None,
        "published_by": editor_names.person(newest.published_by) if newest else "",
        "published_at": newest.published_at if newest else None,
    }


def _name(overview: Overview) -> str:
    shown = overview.live or next(iter(overview.versions), None)
    return pick(shown.name, shown.name_en) if shown else overview.key


def _definition(definition_id: str, key: str) -> Any:
    catalog = rooms().catalog
    with rooms().reading() as connection:
        pins = {**catalog.pins(connection, key, now()), key: definition_id}
    return catalog.definition(pins, key)


def _file(files: Mapping[str, bytes], path: str) -> Response:
    if path not in files:
        abort(404)
    if path.endswith(XML):
        return xml_text(files[path])
    kind = "application/json" if path.endswith(JSON) else "text/plain"
    return Response(files[path], content_type=f"{kind}; charset=utf-8")


def _zip(name: str, key: str, files: Mapping[str, bytes]) -> Response:
    """The package as one archive; the same files give the same bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            archive.writestr(zipfile.ZipInfo(f"{key}/{path}"), files[path], zipfile.ZIP_DEFLATED)
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(data.getvalue(), content_type="application/zip", headers=headers)


def _brought() -> dict[str, bytes]:
    """The files of the uploaded package, or the one drawing of another tool. Raises InvalidInput."""
    given = request.files.get("package")
    data = given.read() if given else b""
    is_drawing = given is not None and (given.filename or "").lower().endswith((".bpmn", ".xml"))
    return {DRAWING: data} if is_drawing else read_archive(data)


def _body() -> Mapping[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _revision() -> int:
    return request.form.get("revision", type=int) or 0


def _reason() -> str:
    return request.form.get("reason", "").strip()


def _effective_from() -> datetime | None:
    given = request.form.get("effective_from", "").strip()
    try:
        return datetime.fromisoformat(given).replace(tzinfo=ZONE) if given else None
    except ValueError as error:
        raise InvalidInput(f"{given!r} is no date and time", code="VALIDATION") from error
