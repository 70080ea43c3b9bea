"""Every route that changes something leaves exactly one operation record; a refused one leaves none."""

from __future__ import annotations

import io
import re
import secrets

import pytest
import sqlalchemy as sa

from workflows.store.leases import set_aside, take
from workflows.store.tables import operations
from workflows.transaction.outbox import outbox
from workflows.work.worker import LEASE

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
READS = {
    "people.compute": "counts days",
    "decisions.evaluate": "tries a decision",
    "models.validate_draft": "checks a draft",
    "editor.validate": "checks a draft",
    "history.verify": "replays a case",
    "audit.verify": "replays a case",
    "login.choose_language": "sets a cookie",
    "reports.state": "asks where a report stands: test_reports",
}
"""Routes that are sent like changes because their question is long; they change no record."""

ELSEWHERE = {
    "login.sign_in": "sessions: test_auth",
    "login.sign_out": "sessions: test_auth",
    "notices.send": "the public's objection, the same command as cases.send: test_notices",
    "reports.send": "somebody without an account starts a case: test_reports",
    "incidents.resolve": "the same command as in the stories of commands on cases",
    "mending.resolve": "the same command as incidents.resolve: test_mending",
    "rules.begin": "the same act as rule_sets.begin: test_rules",
    "rules.save": "the same act as rule_sets.save: test_rules",
    "rules.submit": "the same act as rule_sets.submit: test_rules",
    "rules.approve": "the same act as rule_sets.approve: test_rules",
    "rules.send_back": "the same act as rule_sets.send_back: test_rules",
    "rules.discard": "the same act as rule_sets.discard: test_rules",
    "rule_documents.amend": "the same act as rule_sets.amend: test_rules",
    "rule_documents.hold": "the same act as rule_sets.hold: test_rules",
    "editor.bring_in": "the same act as editor.save_file: test_editor",
    "editor.add_file": "the same act as editor.save_file: test_editor",
    "editor.send_back": "the same act as models.send_back",
    "editor.submit": "the same act as models.submit",
    "editor.approve": "the same act as models.approve",
    "editor.publish": "the same act as models.publish",
    "proofs.take_checkpoint": "signs with a key: test_proofs",
    "proofs.bundle": "signs with a key: test_proofs",
}
"""Routes whose way is told by other tests."""

READ = {"If_Match": '"2"'}
START_DRAFT = "/process-definition/key/small_application/start-draft"
FORM = {"factory": "兰州兰岭水泥", "energy": "12.5", "truthful": True}


class Ledger:
    """Counts the operation records that each request left behind."""

    def __init__(self, app):
        self.app = app
        self.left: dict[str, set[int]] = {}
        self.refused: set[int] = set()

    def records(self) -> int:
        with self.app.extensions["tidu"].database.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(operations))

    def note(self, method, address, send):
        before = self.records()
        answer = send()
        assert answer.status_code < 400, f"{method} {address}: {answer.status_code} {answer.text[:400]}"
        endpoint, _ = self.app.url_map.bind("localhost").match(address.partition("?")[0], method=method)
        self.left.setdefault(endpoint, set()).add(self.records() - before)
        return answer


class Scribe:
    """Somebody whose requests are entered in the ledger."""

    def __init__(self, visitor, ledger):
        self.visitor = visitor
        self.ledger = ledger

    def api(self, method, address, body=None, **headers):
        send = lambda: self.visitor.api(method, address, body, **headers)  # noqa: E731
        return self.ledger.note(method, f"/api/v1{address}", send)

    def post(self, address, **data):
        return self.ledger.note("POST", address, lambda: self.visitor.post(address, data))

    def put(self, address, body, revision):
        headers = {"X-CSRFToken": self.visitor.csrf, "If-Match": f'"{revision}"'}
        return self.ledger.note(
            "PUT", address, lambda: self.visitor.client.put(address, json=body, headers=headers)
        )


@pytest.fixture
def ledger(app):
    return Ledger(app)


@pytest.fixture
def as_(signed_in, ledger):
    people: dict[str, Scribe] = {}

    def somebody(person):
        if person not in people:
            people[person] = Scribe(signed_in(person), ledger)
        return people[person]

    return somebody


def begin(as_) -> str:
    """A new application over the API; its first task."""
    started = as_("app01").api("POST", "/process-definition/key/small_application/start", {"values": FORM})
    return started.json["tasks"][0]["id"]


def tasks_over_the_api(as_):
    officer = as_("lz.officer")
    task = begin(as_)
    officer.api("POST", f"/task/{task}/claim")
    officer.api("PUT", f"/task/{task}/draft", {"values": {"opinion": "草稿"}}, If_Match='"0"')
    officer.api("DELETE", f"/task/{task}/draft", If_Match='"1"')
    officer.api("POST", f"/task/{task}/delegate", {"userId": "lz.officer2", "question": "请核对能耗数据"})
    as_("lz.officer2").api("POST", f"/task/{task}/resolve", {"opinion": "数据无误"})
    officer.api("POST", f"/task/{task}/unclaim", {"reason": "临时出差在外"})
    officer.api("POST", f"/task/{task}/claim")
    officer.api("POST", f"/task/{task}/transfer", {"userId": "lz.officer2", "reason": "出差一周，请代办"})
    as_("lz.officer2").api(
        "POST", f"/task/{task}/assignee", {"userId": "lz.officer", "reason": "已经出差返回"}
    )
    done = officer.api("POST", f"/task/{task}/complete", {"values": {"score": 90}, "outcome": "accepted"})
    review = done.json["nextTasks"][0]["id"]
    override = {"conflict": "review_approval", "userId": "lz.officer", "reason": "别无合适人选可派"}
    as_("prov.leader").api("POST", f"/task/{review}/override", override)
    as_("lz.officer2").api("POST", f"/task/{review}/claim")
    as_("lz.officer2").api("POST", f"/task/{review}/submit-form", {"values": {}, "outcome": "designated"})
    begin(as_)
    as_("lz.officer").api("POST", "/task/claim-next")


def cases_over_the_api(as_):
    case = begin(as_).rpartition(".")[0]
    as_("app02").api("PUT", START_DRAFT, {"values": {}}, If_Match='"0"')
    leader = as_("prov.leader")
    leader.api("PUT", f"/process-instance/{case}/suspended", {"suspended": True, "reason": "等待核查结果"})
    leader.api("PUT", f"/process-instance/{case}/suspended", {"suspended": False, "reason": "核查已经完毕"})
    leader.api("POST", f"/process-instance/{case}/terminate", {"reason": "重复立案，予以终止"})
    other = begin(as_).rpartition(".")[0]
    message = {"messageName": "withdraw", "values": {"reason": "本年度暂不申报"}}
    as_("app01").api("POST", f"/process-instance/{other}/messages", message)


def evidence_and_tokens(as_, ledger):
    file = {"file": (io.BytesIO(b"%PDF-1.4\n%%EOF\n"), "报告.pdf")}
    visitor = as_("app01").visitor
    headers = {"X-CSRFToken": visitor.csrf}
    send = lambda: visitor.client.post("/api/v1/evidence", data=file, headers=headers)  # noqa: E731
    ledger.note("POST", "/api/v1/evidence", send)
    token = as_("owner").api("POST", "/user/me/token", {"name": "robot"}).json
    as_("owner").api("DELETE", f"/user/me/token/{token['token'].split('_')[1]}")


def pages_of_tasks(as_):
    officer, second = as_("lz.officer"), as_("lz.officer2")
    as_("app01").post("/apply/small_application", factory="兰岭", energy="12.5", truthful="on")
    officer.post("/inbox/claim-next")
    task = begin(as_)
    officer.post(f"/task/{task}/claim")
    officer.post(f"/task/{task}/delegate", to="lz.officer2", reason="请核对能耗数据")
    second.post(f"/task/{task}/resolve", reason="数据无误")
    officer.post(f"/task/{task}/release", reason="临时出差在外")
    officer.post(f"/task/{task}/claim")
    officer.post(f"/task/{task}/transfer", to="lz.officer2", reason="出差一周，请代办")
    second.post(f"/task/{task}", outcome="accepted", score="90")
    case = task.rpartition(".")[0]
    (review,) = second.visitor.api("GET", f"/task?q={case}").json["items"]
    override = {"override": "review_approval lz.officer2", "reason": "别无合适人选可派"}
    as_("prov.leader").post(f"/task/{review['id']}/override", **override)
    as_("app01").post(f"/case/{case}/message/withdraw", reason="本年度暂不申报")


def processes_over_the_api(as_):
    owner, approver, key = as_("owner"), as_("approver"), "/process-model/small_application/draft"
    _new_revision(owner, key)
    owner.api(
        "POST", f"{key}/submit", {"note": "按新规定修改名称", "accepted": _accepted(owner, key)}, **READ
    )
    approver.api("POST", f"{key}/return", {"reason": "名称还需要再斟酌"}, **READ)
    owner.api(
        "POST", f"{key}/submit", {"note": "按新规定修改名称", "accepted": _accepted(owner, key)}, **READ
    )
    approver.api("POST", f"{key}/approve", {"reason": "同意修改名称"}, **READ)
    owner.api("POST", f"{key}/publish", {}, **READ)


def rules_over_the_api(as_):
    owner, approver, key = as_("owner"), as_("approver"), "/rule-set/gansu-2027/1"
    begin_rules = {"base": "gansu-2026:1", "id": "gansu-2027", "year": 2027}
    owner.api("POST", "/rule-set", begin_rules)
    owner.api("PUT", key, {"parameters": {"days.gf_m5": {"value": 4}}}, If_Match='"1"')
    owner.api("POST", f"{key}/submit", {"reason": "按2027年度通知调整"}, **READ)
    approver.api("POST", f"{key}/return", {"reason": "名额依据不足"}, **READ)
    owner.api("POST", f"{key}/submit", {"reason": "按2027年度通知调整"}, **READ)
    approver.api("POST", f"{key}/approve", {"reason": "同意"}, **READ)
    owner.api("POST", "/rule-set", {**begin_rules, "id": "gansu-2028", "year": 2028})
    owner.api("POST", "/rule-set/gansu-2028/1/discard", {"reason": "本年度不再需要"}, If_Match='"1"')
    text = {"status": "read", "zh": "改为每年3月31日前。", "en": "By 31 March.", "reason": "部令已经修订"}
    owner.api("PUT", "/rule-document/miit-2024/article/F38", text)
    owner.api("POST", "/rule-document/held/small_application", {"reason": "对照新文本，仍然符合"})


def pages_of_processes(as_):
    owner = as_("owner")
    owner.post("/editor/small_application/draft", base="2")
    drawing = owner.visitor.get("/editor/small_application/draft/files/process.bpmn").text
    owner.put("/editor/small_application/draft/files/process.bpmn", {"content": drawing + "\n"}, 1)
    owner.post("/editor/small_application/draft/discard", reason="本次不再需要", revision="2")
    owner.post("/editor/small_application/v/1/retire", reason="已有新版本")


def _new_revision(owner, key):
    owner.api("POST", key, {"base": 1})
    drawing = owner.visitor.api("GET", key).json["files"]["process.bpmn"]
    changed = re.sub(r'name="完整性核查"', 'name="完整性审核"', drawing)
    owner.api("PUT", key, {"files": {"process.bpmn": changed}}, If_Match='"1"')


def _accepted(owner, key):
    found = owner.visitor.api("POST", f"{key}/validate", {}).json["problems"]
    return {f"{p['rule']}@{p['element']}": "已经知悉" for p in found if p["severity"] == "warning"}


def failed(app):
    """A dispatch that failed for good; its id."""
    rooms = app.extensions["tidu"]
    with rooms.database.begin() as connection:
        row = {
            "case_id": "X",
            "seq": 1,
            "channel": "webhook",
            "outlet": "wh1",
            "content": {},
            "state": "failed",
        }
        number = f"1.webhook.{secrets.token_hex(4)}"
        connection.execute(
            outbox.insert().values(number=number, created_at=rooms.clock(), next_at=rooms.clock(), **row)
        )
    return f"X.{number}"


def aside(app):
    """A timer that was set aside; its id."""
    rooms = app.extensions["tidu"]
    item = f"X.{secrets.token_hex(4)}"
    with rooms.database.begin() as connection:
        terms = {"holder": "w", "now": rooms.clock(), "span": LEASE}
        (lease,) = take(connection, [("X", item)], **terms)
        set_aside(connection, lease, now=rooms.clock(), trouble="poison")
    return item


def what_leaves_the_house(as_, app):
    admin, reason = as_("admin"), {"reason": "对方系统已停用"}
    made = admin.api("POST", "/webhook", {"url": "https://example.org/hook", "events": ["bpm.task.*"]})
    admin.api("DELETE", f"/webhook/{made.json['id']}")
    admin.api("POST", f"/dispatch/{failed(app)}/retry")
    admin.api("POST", f"/dispatch/{failed(app)}/give-up", reason)
    admin.post(f"/outgoing/{failed(app)}/retry")
    admin.post(f"/outgoing/{failed(app)}/give-up", **reason)
    admin.api("POST", f"/incident/aside/{aside(app)}/retry", reason)
    admin.post(f"/incidents/aside/{aside(app)}", **reason)


@pytest.fixture
def told(as_, ledger, clock, app):
    """The ledger after all stories."""
    what_leaves_the_house(as_, app)
    tasks_over_the_api(as_)
    cases_over_the_api(as_)
    pages_of_tasks(as_)
    evidence_and_tokens(as_, ledger)
    processes_over_the_api(as_)
    rules_over_the_api(as_)
    clock.move(minutes=1)
    pages_of_processes(as_)
    return ledger


def test_every_changing_route_leaves_exactly_one_record(told, app):
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if rule.methods & CHANGING}

    assert {endpoint: left for endpoint, left in told.left.items() if left != {1}} == {}
    assert routes - told.left.keys() - READS.keys() - ELSEWHERE.keys() == set()


def test_a_refused_change_leaves_none(as_, ledger):
    task = begin(as_)
    before = ledger.records()

    as_("lz.officer").visitor.api("POST", f"/task/{task}/complete", {"values": {}, "outcome": "accepted"})
    as_("dee").visitor.api("POST", f"/task/{task}/claim")
    as_("app01").visitor.post("/apply/small_application", {"factory": ""})

    assert ledger.records() == before
