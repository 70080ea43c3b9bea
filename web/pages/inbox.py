"""The inbox: queues, one list, claiming; its whole state stands in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from engine.errors import Rejected
from web import words
from web.context import actor, now, rooms
from web.pages.acting import tell_refusal
from web.pages.lines import group_names, line
from web.problems import REFUSALS
from web.words import as_time
from workflows.reading.inbox import Queue
from workflows.reading.lists import SORTS, TaskQuery

pages = Blueprint("inbox", __name__)

QUEUES = {
    "mine": "待我办理",
    "claimable": "可认领",
    "today": "今日到期",
    "overdue": "已逾期",
    "returned": "退回再报",
    "delegated": "我委派的",
    "on_hold": "挂起",
    "team": "同组在办",
    "done": "我已办",
}
COLUMNS = (
    ("due", "截止"),
    ("", "任务"),
    ("unit", "申请单位"),
    ("", "市州"),
    ("", "批次"),
    ("", "案件"),
    ("created", "到达"),
    ("", "办理人"),
)
DUE = (("", "全部期限"), ("overdue", "已逾期"), ("today", "今日到期"), ("week", "一周内到期"))
FLAGS = (("", "全部任务"), ("returned", "第 2 次及以上"), ("provisional", "期限暂定"))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The address of a list, taken apart."""

    queue: str
    q: str
    due: str
    flag: str
    sort: str
    descending: bool
    cursor: str | None

    def address(self, **changed: Any) -> str:
        """The address of this list with something changed; defaults are left out."""
        asked = replace(self, **changed) if changed else self
        told = {"queue": asked.queue, "q": asked.q, "due": asked.due, "flag": asked.flag}
        told |= {"sort": asked.sort, "desc": "1" if asked.descending else "", "cursor": asked.cursor or ""}
        told["sort"] = "" if asked.sort == usual_sort(asked.queue)[0] else asked.sort
        return "/inbox?" + urlencode({name: value for name, value in told.items() if value})

    @property
    def query(self) -> TaskQuery:
        return TaskQuery(
            queue=self.queue,
            q=self.q,
            due=self.due,
            returned=self.flag == "returned",
            provisional=self.flag == "provisional",
            sort=self.sort,
            descending=self.descending,
            cursor=self.cursor,
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.due or self.flag)


def usual_sort(queue: str) -> tuple[str, bool]:
    """What is most urgent first; of what is done the latest first."""
    return ("ended", True) if queue == "done" else ("due", False)


def read_address(said: Mapping[str, str]) -> Asked:
    """The list asked for. What the address says wrongly falls back to the usual."""
    queue = said.get("queue", "mine") if said.get("queue", "mine") in QUEUES else "mine"
    sort, descending = usual_sort(queue)
    if said.get("sort") in SORTS:
        sort, descending = said["sort"], said.get("desc") == "1"
    due, flag = said.get("due", ""), said.get("flag", "")
    return Asked(
        queue=queue,
        q=" ".join(said.get("q", "").split())[:100],
        due=due if due in dict(DUE) else "",
        flag=flag if flag in dict(FLAGS) else "",
        sort=sort,
        descending=descending,
        cursor=said.get("cursor") or None,
    )


@pages.get("/inbox")
def show() -> str:
    asked = read_address(request.args)
    page = rooms().inbox.tasks(actor(), asked.query)
    queues = rooms().inbox.queues(actor())
    total = rooms().inbox.count(actor(), replace(asked.query, cursor=None))
    return render_template(
        "inbox.html",
        asked=asked,
        heading=words.say(QUEUES[asked.queue]),
        queues=[_queue(queue, asked) for queue in queues if queue.name in QUEUES],
        columns=[_column(name, label, asked) for name, label in COLUMNS],
        tasks=[line(row, actor()) for row in page.items],
        total=_capped(total),
        choices=_choices(asked),
        groups=group_names(sorted(actor().groups)),
        next_href=asked.address(cursor=page.next) if page.next else "",
        first_href=asked.address(cursor=None) if asked.cursor else "",
        recommends=actor().level in ("municipal", "provincial"),
        can_claim_next=any(queue.name == "claimable" and queue.count for queue in queues),
        live_url=url_for("inbox.changes", since=now().isoformat(), queue=asked.queue),
    )


@pages.get("/inbox/changes")
def changes() -> Response:
    """How many tasks of a queue have come since a moment; the page asks every 30 seconds."""
    asked = read_address(request.args)
    try:
        since = as_time(request.args.get("since"))
    except ValueError:
        since = None
    query = replace(asked.query, sort="created", descending=True, limit=50, cursor=None)
    newest = rooms().inbox.tasks(actor(), query).items if since else ()
    return jsonify(changed=sum(row.created_at > since for row in newest) if since else 0)


@pages.post("/inbox/claim-next")
def claim_next() -> AnyResponse:
    """Claim the first task that nobody was faster with."""
    for task_id in rooms().inbox.next_claimable(actor()):
        try:
            rooms().commands.claim_task(task_id, actor=actor())
        except Rejected:
            continue  # somebody was faster, or a rule bars this person: the next one
        return redirect(url_for("task.show", task_id=task_id), 303)
    flash(words.say("现在没有可领取的任务。"), "danger")
    return redirect("/inbox?queue=claimable", 303)


def claim_and_tell(task_id: str) -> bool:
    """Claim a task for a page; whether it worked, with a message for the next page."""
    try:
        rooms().commands.claim_task(task_id, actor=actor())
    except REFUSALS as refused:
        tell_refusal(refused)
        return False
    flash(words.say("已认领。"), "success")
    return True


def _queue(queue: Queue, asked: Asked) -> dict[str, object]:
    sort, descending = usual_sort(queue.name)
    changed = {"queue": queue.name, "cursor": None, "sort": sort, "descending": descending}
    return {
        "name": queue.name,
        "label": words.say(QUEUES[queue.name]),
        "count": _capped(queue),
        "href": asked.address(**changed, q="", due="", flag=""),
        "is_here": queue.name == asked.queue,
    }


def _capped(queue: Queue) -> str:
    return "999+" if queue.capped else str(queue.count)


def _column(name: str, label: str, asked: Asked) -> dict[str, str]:
    is_sorted = name and name == asked.sort
    direction = ("descending" if asked.descending else "ascending") if is_sorted else ""
    flipped = asked.address(sort=name, descending=bool(is_sorted and not asked.descending), cursor=None)
    return {"label": words.say(label), "sorted": direction, "href": flipped if name else ""}


def _choices(asked: Asked) -> list[dict[str, object]]:
    return [
        {"name": "due", "label": words.say("截止"), "chosen": asked.due, "options": _options(DUE)},
        {"name": "flag", "label": words.say("情形"), "chosen": asked.flag, "options": _options(FLAGS)},
    ]


def _options(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"value": value, "label": words.say(label)} for value, label in pairs]
