"""Reports by anybody, without an account: what may be reported, the form, the receipt, where it stands."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.datastructures import FileStorage

from engine.errors import FieldError, InvalidInput, NotFound
from web import files, words
from web.context import now, rooms
from web.form_names import file_ids
from web.guard import limiter
from web.pages import form_view, tickets
from web.pages.acting import tell_refusal
from web.pages.posted import Posted, errors_of, read_post
from web.pages.tickets import Ticket
from web.problems import REFUSALS
from web.quota import public_starts
from web.startable import Startable, startable
from workflows.actors.reporters import reporter
from workflows.acts.openings import starter
from workflows.acts.submissions import read
from workflows.library.forms.form import Form
from workflows.library.packages import Package
from workflows.reading.notices import PUBLIC
from workflows.reading.receipts import Receipt, receipt
from workflows.transaction.results import LASTING, Idempotency

pages = Blueprint("reports", __name__, url_prefix="/reports")

MOST_FILES = 10
STATES = {"active": "办理中", "suspended": "已暂停", "completed": "已办结", "terminated": "已终止"}
Answer = str | tuple[str, int]


@pages.get("")
def board() -> str:
    """What anybody may report, and how to ask where a report stands."""
    return _board()


@pages.post("")
@limiter.limit("20 per hour")
def state() -> Answer:
    """Where a report stands, for whoever has its number and secret; no address ever holds the secret."""
    number, secret = request.form.get("number", "").strip().upper(), request.form.get("secret", "")
    try:
        with rooms().reading() as connection:
            found = receipt(connection, number[:60], reporter(secret[:60]))
    except (NotFound, ValueError):
        return _board(number=number[:60], is_unknown=True), 404
    return _board(number=number, found=_told(found))


@pages.get("/<process>")
def fill(process: str) -> str:
    """An empty form with a ticket of its own."""
    return _page(process, tickets.new(), {})


@pages.post("/<process>")
@limiter.limit("10 per hour", deduct_when=lambda answer: answer.status_code < 300)
@limiter.limit("60 per hour")
@public_starts
def send(process: str) -> Answer:
    """Start the case and show its receipt; sent again, the same receipt. Or redraw what was typed."""
    form = _form(process)
    try:
        ticket = tickets.posted()
    except InvalidInput as refused:
        return _page(process, tickets.new(), _typed(form).values, errors_of(refused)), 422
    posted = _typed(form, ticket)
    errors = (*posted.errors, *tickets.faults(ticket))
    if posted.redraw:
        return _page(process, ticket, posted.values)
    if errors:
        return _page(process, ticket, posted.values, errors), 422
    return _start(process, ticket, posted.values)


def _start(process: str, ticket: Ticket, values: dict[str, Any]) -> Answer:
    """Through the one door; the ticket is the key of the request, and its answer is kept for good."""
    once = Idempotency(key=f"{LASTING}report")
    try:
        started = rooms().commands.start_case(process, values, actor=ticket.reporter, idempotency=once)
    except InvalidInput as refused:
        return _page(process, ticket, values, errors_of(refused)), 422
    except REFUSALS as refused:
        refusal = tell_refusal(refused)
        return _page(process, ticket, values), refusal.status
    return render_template("reports/receipt.html", number=started.case_id, secret=ticket.spelled), 201


def _typed(form: Form, ticket: Ticket | None = None) -> Posted:
    """What was posted; files are kept only for who has a ticket, and only a few."""
    return read_post(form, store=partial(_keep, ticket))


def _keep(ticket: Ticket | None, upload: FileStorage) -> str:
    if ticket is None:
        raise InvalidInput("choose the file again", code="TICKET_INVALID")
    if sum(1 for _ in request.files.items(multi=True)) > MOST_FILES:
        told = tickets.fault("files", "最多上传 {n} 个文件", n=MOST_FILES)
        raise InvalidInput("too many files", fields=(told,))
    return files.keep_posted_of(ticket.reporter, upload)


def _page(process: str, ticket: Ticket, values: dict[str, Any], errors: tuple[FieldError, ...] = ()) -> str:
    version, package = _wanted(process)
    form = _form_of(package)
    nodes = form_view.draw(form, values, context=starter(PUBLIC), errors=errors, now=now())
    return render_template(
        "reports/form.html",
        name=words.pick(version.name, version.name_en),
        process=process,
        ticket=ticket.text,
        nodes=nodes,
        errors=form_view.told(errors, nodes),
        files=files.described_to(ticket.reporter, file_ids(form.fields, values)),
    )


def _board(**shown: Any) -> str:
    offered = [
        {"process": version.key, "name": words.pick(version.name, version.name_en)} | _words(package)
        for version, package in startable(PUBLIC)
    ]
    return render_template("reports/board.html", offered=offered, **shown)


def _words(package: Package) -> dict[str, str]:
    told = package.properties
    return {"about": words.pick(told.get("documentation", ""), told.get("documentation:en", ""))}


def _told(found: Receipt) -> dict[str, Any]:
    return {
        "number": found.case_id,
        "name": words.pick(found.name, found.name_en),
        "state": words.say(STATES[found.status]),
        "is_over": found.ended_at is not None,
        "received_at": found.received_at,
        "ended_at": found.ended_at,
        "steps": [words.pick(*step) for step in found.steps],
    }


def _wanted(process: str) -> Startable:
    for version, package in startable(PUBLIC):
        if version.key == process:
            return version, package
    raise NotFound(f"nobody reports by {process}", code="PROCESS_NOT_FOUND")


def _form(process: str) -> Form:
    return _form_of(_wanted(process)[1])


def _form_of(package: Package) -> Form:
    data = package.form("start")
    return read(data) if data else Form("", ())
