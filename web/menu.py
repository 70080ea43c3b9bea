"""The main navigation: what each kind of user finds where."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request, url_for

from web.context import who
from web.permissions import may_use, permission_of
from web.startable import startable


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the navigation."""

    label: str
    href: str
    is_here: bool


BEGINNING = "apply.show"
ENTRIES = (
    ("inbox.show", "待办"),
    (BEGINNING, "申报"),
    ("cases.mine", "我的案件"),
    ("cases.search", "案件"),
    ("notices.board", "公示公告"),
    ("register.search", "名录"),
    ("editor.catalogue", "流程"),
    ("rules.show", "规则"),
    ("audit.search", "审计"),
    ("mending.show", "故障"),
    ("outgoing.show", "外发"),
    ("api_page.show", "API"),
    ("help.show", "帮助"),
)


ROOMS = {"rule_documents": "rules", "figures": "register", "recommendations": "cases"}
"""Pages that stand under the line of another room."""


def menu() -> list[Entry]:
    """The lines whose route exists and whose permission this user has; to begin only for who may begin."""
    return [
        Entry(
            label=_label(endpoint, label),
            href=url_for(endpoint),
            is_here=_room(endpoint) == _room(request.endpoint),
        )
        for endpoint, label in ENTRIES
        if endpoint in current_app.view_functions
        and may_use(permission_of(endpoint) or "", who())
        and (endpoint != BEGINNING or _begins())
    ]


def _begins() -> bool:
    """Units always see the way to apply; officers the way to begin when there is something to begin."""
    actor = who()
    return actor is not None and (actor.level == "unit" or bool(startable(actor)))


def _label(endpoint: str, label: str) -> str:
    """Officers do not apply: they begin what is theirs to begin."""
    actor = who()
    return "发起" if endpoint == BEGINNING and actor is not None and actor.level != "unit" else label


def _room(endpoint: str | None) -> str:
    room = (endpoint or "").partition(".")[0]
    return ROOMS.get(room, room)
