"""Signing in, being signed in, and how it ends: at once, and for good."""

import re

import pytest

from tests.web.conftest import PASSWORD, Visitor
from workflows.actors import people


@pytest.fixture
def change(app):
    """Changes an account behind everybody's back: `change(people.disable_account, "x", disabled=True)`."""

    def run(act, *args, **more):
        with app.extensions["tidu"].database.begin() as connection:
            return act(connection, *args, **more)

    return run


def is_signed_in(visitor):
    return visitor.get("/api/v1/user/me").status_code == 200


def test_the_right_password_opens_a_session(visitor):
    answer = visitor.sign_in("lz.officer")

    assert (answer.status_code, answer.location) == (303, "/")
    assert visitor.get("/api/v1/user/me").json["id"] == "lz.officer"


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(visitor):
    cookie = visitor.sign_in("lz.officer").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_is_secure(tmp_path, library, settings_of, clock):
    from dataclasses import replace

    from web.app import create_app

    (tmp_path / "tidu.db").write_bytes(library.read_bytes())
    app = create_app(replace(settings_of(tmp_path), base_url="https://tidu.example"), clock=clock)

    assert app.config["SESSION_COOKIE_SECURE"] is True
    app.extensions["tidu"].database.dispose()


def without_what_changes(page):
    """A page without its tokens, numbers and the account that was typed."""
    return re.sub(r'value="[^"]*"|content="[^"]*"|[0-9a-f]{16}', "", page)


def test_unknown_accounts_and_wrong_passwords_look_the_same(visitor):
    wrong = visitor.sign_in("lz.officer", "not the password")
    unknown = visitor.sign_in("nobody.at.all", "not the password")

    assert wrong.status_code == unknown.status_code == 403
    assert without_what_changes(wrong.text) == without_what_changes(unknown.text)
    assert "lz.officer" in wrong.text, "what was typed is kept"
    assert "not the password" not in wrong.text, "but not the password"


def test_after_five_failures_the_account_rests(visitor, clock):
    for _ in range(5):
        visitor.sign_in("lz.officer", "guess")

    locked = visitor.sign_in("lz.officer")
    clock.move(minutes=16)
    rested = visitor.sign_in("lz.officer")

    assert locked.status_code == 429
    assert "登录已暂停" in locked.text
    assert rested.status_code == 303


def test_a_session_from_before_the_sign_in_is_not_continued(app, visitor):
    visitor.get("/login")
    with visitor.client.session_transaction() as planted:
        planted["session"] = "planted by somebody else"
    visitor.sign_in("lz.officer")

    with visitor.client.session_transaction() as after:
        assert after["session"] != "planted by somebody else"


def test_signing_out_kills_the_cookie_at_the_server(app, signed_in):
    visitor = signed_in("lz.officer")
    with visitor.client.session_transaction() as session:
        stolen = dict(session)

    visitor.post("/logout")
    thief = Visitor(app)
    with thief.client.session_transaction() as session:
        session.update(stolen)

    assert not is_signed_in(visitor)
    assert not is_signed_in(thief)


@pytest.mark.parametrize(("span", "lasts"), [({"minutes": 29}, True), ({"minutes": 31}, False)])
def test_an_idle_session_ends(signed_in, clock, span, lasts):
    visitor = signed_in("lz.officer")

    clock.move(**span)

    assert is_signed_in(visitor) is lasts


def test_no_session_outlasts_the_day(signed_in, clock):
    visitor = signed_in("lz.officer")

    for _ in range(23):
        clock.move(minutes=20)
        assert is_signed_in(visitor)
    clock.move(minutes=21)

    assert not is_signed_in(visitor)


def test_a_disabled_account_is_out_at_once(signed_in, change):
    visitor = signed_in("lz.officer")

    change(people.disable_account, "lz.officer", disabled=True)

    assert not is_signed_in(visitor)


def test_a_changed_password_ends_open_sessions(signed_in, change, clock):
    visitor = signed_in("lz.officer")
    clock.move(minutes=1)

    change(people.set_password, "lz.officer", "a new password", now=clock())

    assert not is_signed_in(visitor)


def test_a_lost_group_counts_with_the_next_request(signed_in, change):
    visitor = signed_in("lz.officer")

    change(people.revoke, "lz.officer", group="municipal_officer@620100")

    assert "municipal_officer@620100" not in visitor.get("/api/v1/user/me").json["groups"]


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "/\t//evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
        " //evil.example",
    ],
)
def test_signing_in_leads_to_no_other_site(visitor, wanted):
    answer = visitor.post("/login", {"account": "lz.officer", "password": PASSWORD, "next": wanted})

    assert (answer.status_code, answer.location) == (303, "/")


def test_signing_in_leads_back_to_the_page_that_was_wanted(visitor):
    asked = visitor.get("/inbox?queue=overdue")
    answer = visitor.post(
        "/login", {"account": "lz.officer", "password": PASSWORD, "next": "/inbox?queue=overdue"}
    )

    assert asked.location == "/login?next=/inbox%3Fqueue%3Doverdue"
    assert answer.location == "/inbox?queue=overdue"


# --- forgery -----------------------------------------------------------------------------------------


def test_a_form_without_its_token_is_refused(signed_in):
    answer = signed_in("lz.officer").client.post("/inbox/claim-next")

    assert answer.status_code == 400
    assert "页面已过期" in answer.text


def test_signing_in_needs_the_token_too(visitor):
    answer = visitor.client.post("/login", data={"account": "lz.officer", "password": PASSWORD})

    assert answer.status_code == 400
    assert not is_signed_in(visitor)


def test_a_cookie_alone_moves_nothing_over_the_api(signed_in, check_task):
    visitor = signed_in("lz.officer")

    answer = visitor.client.post(f"/api/v1/task/{check_task}/claim")

    assert (answer.status_code, answer.json["code"]) == (400, "CSRF")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_json_that_a_foreign_form_could_send_is_refused(signed_in, check_task, kind):
    visitor = signed_in("lz.officer")

    answer = visitor.client.post(
        f"/api/v1/task/{check_task}/transfer",
        data='{"userId": "lz.officer2", "reason": "because I can"}',
        content_type=kind,
        headers={"X-CSRFToken": visitor.csrf},
    )

    assert answer.status_code == 415


# --- tokens ------------------------------------------------------------------------------------------


def token_of(visitor, **wish):
    answer = visitor.api("POST", "/user/me/token", {"name": "a program", **wish})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json['token']}"}


def test_a_token_stands_for_its_person(app, signed_in):
    token = token_of(signed_in("lz.officer"))

    assert app.test_client().get("/api/v1/user/me", headers=token).json["id"] == "lz.officer"


def test_a_reading_token_changes_nothing(app, signed_in, check_task):
    token = token_of(signed_in("lz.officer"), scopes=["read"])

    answer = app.test_client().post(f"/api/v1/task/{check_task}/claim", headers=token)

    assert (answer.status_code, answer.json["code"]) == (403, "TOKEN_SCOPE")


def test_a_writing_token_needs_no_page_token(app, signed_in, check_task):
    token = token_of(signed_in("lz.officer"), scopes=["read", "write"])

    assert app.test_client().post(f"/api/v1/task/{check_task}/claim", headers=token).status_code == 204


def test_a_token_makes_no_tokens(app, signed_in):
    token = token_of(signed_in("lz.officer"), scopes=["read", "write"])

    answer = app.test_client().post("/api/v1/user/me/token", json={"name": "more"}, headers=token)

    assert (answer.status_code, answer.json["code"]) == (403, "TOKEN_SCOPE")


def test_tokens_end(app, signed_in, clock):
    visitor = signed_in("lz.officer")
    token = token_of(visitor, days=1)
    clock.move(hours=25)

    answer = app.test_client().get("/api/v1/user/me", headers=token)

    assert (answer.status_code, answer.json["code"]) == (401, "TOKEN_EXPIRED")


def test_a_revoked_token_is_dead_at_once(app, signed_in):
    visitor = signed_in("lz.officer")
    token = token_of(visitor)
    (listed,) = visitor.get("/api/v1/user/me/token").json["items"]

    visitor.api("DELETE", f"/user/me/token/{listed['id']}")

    assert app.test_client().get("/api/v1/user/me", headers=token).json["code"] == "TOKEN_REVOKED"


@pytest.mark.parametrize("said", ["Bearer nonsense", "Bearer tidu_x_" + "y" * 30, "Bearer "])
def test_a_bad_token_is_401_even_with_a_good_cookie(signed_in, said):
    answer = signed_in("lz.officer").get("/api/v1/user/me", headers={"Authorization": said})

    assert (answer.status_code, answer.json["code"]) == (401, "TOKEN_INVALID")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
