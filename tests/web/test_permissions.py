"""Every route stands in the table; nobody passes who should not."""

import pytest

from web.permissions import PERMISSIONS, PUBLIC, may_use, permission_of
from workflows.actors.policy import Actor

FILLED = {
    "task_id": "SM-2026-000001.1",
    "case_id": "SM-2026-000001",
    "incident_id": "SM-2026-000001.9",
    "definition_id": "small_application:1",
    "evidence_id": "0",
    "token_id": "0",
    "number": 1,
    "size": 1,
    "verb": "transfer",
    "filename": "icon.svg",
}
NOBODYS = {"PUT", "POST", "DELETE", "PATCH"}


def routes(app):
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule, method


def address(app, rule):
    given = {name: FILLED.get(name, "small_application") for name in rule.arguments}
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, given, method=next(iter(rule.methods)))


def test_every_route_has_a_permission(app):
    silent = {rule.endpoint for rule, _ in routes(app) if permission_of(rule.endpoint) is None}

    assert silent == set()


def test_the_table_has_no_row_for_nothing(app):
    endpoints = {rule.endpoint for rule, _ in routes(app)}
    rooms = {endpoint.partition(".")[0] for endpoint in endpoints}
    idle = {row for row in PERMISSIONS if row not in endpoints and row.removesuffix(".*") not in rooms}

    assert idle == set()


def test_whoever_is_not_signed_in_is_stopped_everywhere(app, visitor):
    csrf = visitor.csrf
    passed = []
    for rule, method in routes(app):
        if permission_of(rule.endpoint) == PUBLIC:
            continue
        where = address(app, rule)
        answer = visitor.client.open(where, method=method, headers={"X-CSRFToken": csrf})
        to_login = answer.status_code == 303 and answer.location.startswith("/login")
        expected = answer.status_code == 401 if where.startswith("/api/") else to_login
        if not expected:
            passed.append((method, where, answer.status_code))

    assert passed == []


def test_what_is_public_is_a_short_list():
    public = {row for row, permission in PERMISSIONS.items() if permission == PUBLIC}

    assert public == {
        "static",
        "health.*",
        "login.show",
        "login.sign_in",
        "login.choose_language",
        "start.show",
        "api-docs.*",
        "notices.*",
        "reports.*",
        "register.*",
        "register_api.*",
        "figures.*",
    }


@pytest.mark.parametrize("person", ["auditor", "admin"])
def test_auditors_and_administrators_move_nothing(app, signed_in, person):
    visitor = signed_in(person)
    csrf = visitor.csrf
    own = {"login.", "people.", "audit.", "proofs.", "history.", "notices.", "decisions."}
    mending = {"incidents.", "mending.", "outgoing.", "dispatches."} if person == "admin" else set()
    passed = []
    for rule, method in routes(app):
        if method not in NOBODYS or any(map(rule.endpoint.startswith, own | mending)):
            continue
        answer = visitor.client.open(
            address(app, rule), method=method, json={}, headers={"X-CSRFToken": csrf}
        )
        if answer.status_code not in (403, 404, 422):
            passed.append((method, rule.endpoint, answer.status_code))

    assert passed == []


def test_a_route_that_nobody_wrote_down_answers_nobody(app, signed_in):
    visitor = signed_in("prov.leader")
    app._got_first_request = False
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    app._got_first_request = True

    answer = visitor.get("/forgotten")

    assert answer.status_code == 403
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("permission", "actor", "may"),
    [
        ("worker", Actor(id="a", name="a", groups=frozenset({"expert"})), True),
        ("worker", Actor(id="a", name="a", roles=frozenset({"auditor"})), False),
        ("applicant", Actor(id="a", name="a", level="unit"), True),
        ("staff", Actor(id="a", name="a", level="unit"), False),
        ("staff", Actor(id="a", name="a", level="municipal"), True),
        ("auditor", Actor(id="a", name="a", roles=frozenset({"administrator"})), False),
        ("signed_in", None, False),
        ("public", None, True),
    ],
)
def test_the_table_is_read_as_it_says(permission, actor, may):
    assert may_use(permission, actor) is may


@pytest.mark.parametrize(
    "path",
    [
        "/inbox;x",
        "/inbox/..;/metrics/../inbox",
        "/%2e%2e/inbox",
        "//inbox",
        "/inbox/.",
        "/INBOX",
        "/api/v1/task;i18ntranslation",
        "/api/v1/../v1/task",
        "/static/../settings.py",
        "/static/..%2fsettings.py",
        "/static/%2e%2e/settings.py",
    ],
)
def test_tricks_with_paths_open_nothing(visitor, path):
    answer = visitor.get(path)

    assert answer.status_code in (301, 303, 308, 401, 404)
    assert "TIDU_DATABASE_URL" not in answer.text


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_changes_the_method(signed_in, check_task, header):
    visitor = signed_in("lz.officer")

    answer = visitor.get(f"/api/v1/task/{check_task}/claim", headers={header: "POST"})

    assert answer.status_code == 405
