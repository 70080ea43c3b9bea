"""Pages load nothing from elsewhere, run nothing inline, and stand in nobody's frame."""

import re

import pytest

PAGES = [
    ("-", "/login"),
    ("-", "/notices"),
    ("lz.officer", "/inbox"),
    ("lz.officer", "/cases"),
    ("lz.officer", "/help"),
    ("lz.officer", "/api"),
    ("app01", "/apply"),
    ("app01", "/apply/small_application"),
    ("app01", "/cases/mine"),
    ("owner", "/editor/"),
    ("auditor", "/audit/"),
    ("lz.officer", "/nowhere"),
]


@pytest.mark.parametrize(("person", "page"), PAGES)
def test_a_page_keeps_the_policy_it_declares(visitor, signed_in, person, page):
    answer = (visitor if person == "-" else signed_in(person)).get(page)
    policy = answer.headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text), "an inline script"
    assert not re.search(r"\sstyle=", answer.text), "an inline style"
    assert not re.search(r"\son\w+=\"", answer.text), "an inline handler"
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", answer.text), "something from elsewhere"


def test_every_answer_carries_the_headers_of_the_house(visitor):
    for path in ("/login", "/api/v1/openapi.json", "/static/icon.svg", "/nowhere"):
        with visitor.get(path) as answer:
            headers = answer.headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"


def test_pages_are_kept_by_no_cache(signed_in):
    answer = signed_in("lz.officer").get("/inbox")

    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", ["null", "https://evil.example"])
def test_no_other_site_is_let_in(signed_in, origin):
    answer = signed_in("lz.officer").get("/api/v1/user/me", headers={"Origin": origin})

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_what_people_write_is_shown_and_never_run(signed_in, application):
    attack = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{7*7}}'
    applicant = signed_in("app01")
    page = applicant.post(
        "/apply/small_application", {"factory": attack, "energy": "x", "products[0].name": attack}
    ).text

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;" in page
    assert "{{7*7}}" in page
