"""One person starts so many cases in an hour and no more; others are not held up by it."""

from dataclasses import replace

import pytest

from web.guard import limiter

START = "/process-definition/key/small_application/start"
VALUES = {"values": {"factory": "兰州一厂", "energy": 1250.5, "truthful": True}}


@pytest.fixture
def few(app):
    """A house in which three cases an hour are many."""
    limiter.reset()
    rooms = app.extensions["tidu"]
    app.extensions["tidu"] = replace(rooms, settings=replace(rooms.settings, starts_per_hour=3))
    yield app
    limiter.reset()


def start(visitor, **headers):
    return visitor.api("POST", START, VALUES, **headers)


def test_the_fourth_case_within_an_hour_is_refused_and_says_when_to_come_again(few, signed_in):
    applicant = signed_in("app01")

    answers = [start(applicant) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert answers[3].json["code"] == "RATE_LIMITED"
    assert int(answers[3].headers["Retry-After"]) > 0
    assert start(signed_in("app02")).status_code == 201, "others are not held up"


def test_what_starts_nothing_is_not_counted(few, signed_in):
    applicant = signed_in("app01")

    told_again = [start(applicant, Idempotency_Key="one").status_code for _ in range(4)]
    refused = [applicant.api("POST", START, {"values": {}}).status_code for _ in range(4)]

    assert told_again == [201] * 4
    assert refused == [422] * 4
    assert start(applicant).status_code == 201


def test_both_doors_count_together(few, signed_in):
    applicant = signed_in("app01")
    for _ in range(3):
        start(applicant)

    page = applicant.post("/apply/small_application", {"factory": "兰州一厂"})

    assert page.status_code == 429
