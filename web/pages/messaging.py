"""Messages to a case from people: which ones it would hear, their forms, and sending them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from engine.errors import FieldError, InvalidInput, NotFound
from web import files, words
from web.context import now, rooms
from web.form_names import file_ids
from web.pages import form_view
from web.pages.acting import tell_refusal
from web.pages.posted import errors_of, read_post
from web.problems import REFUSALS
from workflows.actors.policy import Actor
from workflows.library.forms.fields import Field
from workflows.library.forms.form import Form
from workflows.reading.messages import Hearing, hearings

Answer = Response | str | tuple[str, int]
REASON = Form(
    "reason",
    (Field(id="reason", kind="textarea", key="reason", label_zh="理由", label_en="Reason", required=True),),
)
"""What is asked where nobody drew a form."""


def offers(case_id: str, sender: Actor) -> list[dict[str, str]]:
    """The messages this person may send to the case now."""
    return [
        {"message": one.message, "label": words.pick(one.name, one.name_en)}
        for one in _heard(case_id, sender)
    ]


def heard(case_id: str, message: str, sender: Actor) -> Hearing:
    """The hearing of one message. Raises NotFound when nothing waits for it from this person."""
    for one in _heard(case_id, sender):
        if one.message == message:
            return one
    raise NotFound(f"case {case_id} does not wait for {message}", code="NOTHING_WAITS")


def page(
    row: Mapping[str, Any],
    hearing: Hearing,
    *,
    values: dict[str, Any],
    errors: tuple[FieldError, ...] = (),
    template: str = "message.html",
    **more: Any,
) -> str:
    """The form of a message."""
    form = hearing.form or REASON
    nodes = form_view.draw(form, values, context=hearing.context, errors=errors, now=now())
    return render_template(
        template,
        case=row,
        hearing={"message": hearing.message, "label": words.pick(hearing.name, hearing.name_en)},
        nodes=nodes,
        errors=form_view.told(errors, nodes),
        files=files.described(file_ids(form.fields, values)),
        address=request.path,
        **more,
    )


def send(
    row: Mapping[str, Any],
    hearing: Hearing,
    *,
    sender: Actor,
    then: str,
    template: str = "message.html",
    **more: Any,
) -> Answer:
    """Send what was posted, or redraw the form with what is wrong with it; nothing typed is lost."""
    form = hearing.form or REASON
    shown: dict[str, Any] = {"template": template, **more}
    posted = read_post(form, store=_keep_for(sender))
    if posted.errors:
        return page(row, hearing, values=posted.values, errors=posted.errors, **shown), 422
    if posted.redraw:
        return page(row, hearing, values=posted.values, **shown)
    try:
        form.check(posted.values, context=hearing.context, now=now())
        rooms().commands.receive_message(row["case_id"], hearing.message, posted.values, actor=sender)
    except InvalidInput as refused:
        return page(row, hearing, values=posted.values, errors=errors_of(refused), **shown), 422
    except REFUSALS as refused:
        refusal = tell_refusal(refused)
        return page(row, hearing, values=posted.values, **shown), refusal.status
    flash(words.say("已提交：{what}。", what=words.pick(hearing.name, hearing.name_en)), "success")
    return redirect(then, 303)


def _heard(case_id: str, sender: Actor) -> tuple[Hearing, ...]:
    with rooms().reading() as connection:
        return hearings(connection, rooms().catalog, rooms().commands.live, case_id, sender)


def _keep_for(sender: Actor) -> Any:
    """The public uploads nothing: who has no account cannot be asked about a file."""
    return files.keep_posted if sender.level != "public" else _refuse_upload


def _refuse_upload(_: Any) -> str:
    raise InvalidInput("files are only taken from people who are signed in", code="UPLOAD_NEEDS_ACCOUNT")
