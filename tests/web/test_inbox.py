"""The inbox shows what waits, says who holds it, and keeps its state in the address."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from web.pages.inbox import read_address

CHINESE = re.compile(r"[一-鿿]+")
WITHOUT_NAMES = re.compile(r"<tbody.*</tbody>|<button[^>]*lang=.*?</button>|</span>[^<]*</span>", re.DOTALL)
"""Names of people, units and places stay as they are; so does the button that leads back to Chinese."""


def counts(page):
    """Queue label → count, as the page shows them."""
    found = re.findall(r"<span>([^<]+)</span><span class=\"badge[^>]*>(\d+|999\+)", page)
    return dict(found)


def test_a_new_task_waits_for_its_group(signed_in, check_task):
    page = signed_in("lz.officer").get("/inbox?queue=claimable").text

    assert counts(page)["可认领"] == "1"
    assert f'href="/task/{check_task}"' in page
    assert "完整性核查" in page
    assert "剩 5 工作日" in page
    assert "3月9日 周一 18:00" in page
    assert f'action="/task/{check_task}/claim"' in page


def test_another_city_sees_nothing_of_it(signed_in, check_task):
    page = signed_in("jyg.officer").get("/inbox?queue=claimable").text

    assert counts(page)["可认领"] == "0"
    assert check_task not in page
    assert "没有待办" in page


def test_claiming_opens_the_task(signed_in, check_task):
    officer = signed_in("lz.officer")

    claimed = officer.post(f"/task/{check_task}/claim", {"back": "/inbox?queue=claimable"})

    assert (claimed.status_code, claimed.location) == (303, f"/task/{check_task}")
    assert counts(officer.get("/inbox").text)["待我办理"] == "1"


def test_who_comes_too_late_is_told_who_was_faster(signed_in, check_task):
    signed_in("lz.officer").post(f"/task/{check_task}/claim")
    late = signed_in("lz.officer2")

    answer = late.post(f"/task/{check_task}/claim", {"back": "/inbox?queue=claimable"})
    page = late.get(answer.location).text

    assert answer.location == "/inbox?queue=claimable"
    assert re.search(r"任务已被认领：\S+ 于 2026年3月2日 周一 09:00 认领了该任务", page)


def test_back_leads_to_no_other_site(signed_in, check_task):
    signed_in("lz.officer").post(f"/task/{check_task}/claim")

    answer = signed_in("lz.officer2").post(f"/task/{check_task}/claim", {"back": "//evil.example"})

    assert answer.location == f"/task/{check_task}"


def test_get_next_claims_the_most_urgent(signed_in, check_task):
    officer = signed_in("lz.officer")

    answer = officer.post("/inbox/claim-next")

    assert answer.location == f"/task/{check_task}"
    assert "现在没有可领取的任务" in officer.post("/inbox/claim-next", follow_redirects=True).text


def test_of_a_crowd_that_asks_for_the_next_one_person_gets_it(app, signed_in, check_task):
    officers = [signed_in(person) for person in ("lz.officer", "lz.officer2") * 3]
    forms = [{"csrf_token": officer.csrf} for officer in officers]

    def ask(officer, form):
        return officer.client.post("/inbox/claim-next", data=form).location

    with ThreadPoolExecutor(6) as crowd:
        led_to = list(crowd.map(ask, officers, forms))

    served = {place % 2 for place, where in enumerate(led_to) if where == f"/task/{check_task}"}
    journal = app.extensions["tidu"].history.timeline(check_task.rpartition(".")[0])
    assert len(served) == 1
    assert [event.type for event in journal].count("TaskClaimed") == 1


@pytest.mark.parametrize(
    ("q", "found"), [("兰州", True), ("SM-2026", True), ("nothing like it", False), ("%", False)]
)
def test_searching(signed_in, check_task, q, found):
    page = signed_in("lz.officer").get("/inbox", query_string={"queue": "claimable", "q": q}).text

    assert (check_task in page) is found
    if not found:
        assert "没有符合筛选条件的任务" in page


@pytest.mark.parametrize(
    ("due", "days", "found"), [("overdue", 0, False), ("overdue", 8, True), ("week", 1, True)]
)
def test_filtering_by_due_date(signed_in, check_task, clock, due, days, found):
    clock.move(days=days)

    page = signed_in("lz.officer").get(f"/inbox?queue=claimable&due={due}").text

    assert (check_task in page) is found


def test_an_overdue_task_says_by_how_much(signed_in, check_task, clock):
    clock.move(days=8)

    assert "逾期 1 工作日" in signed_in("lz.officer").get("/inbox?queue=overdue").text


@pytest.mark.parametrize(
    "address",
    [
        "queue=*",
        "queue=mine'%20OR%201=1--",
        "sort=case_id;DROP%20TABLE%20tasks",
        "sort=due&desc=2",
        "due=never",
        "q=" + "x" * 5000,
        "q=%25_%25",
    ],
)
def test_addresses_that_mean_nothing_show_the_usual_list(signed_in, check_task, address):
    assert signed_in("lz.officer").get(f"/inbox?{address}").status_code == 200


@pytest.mark.parametrize("cursor", ["x", "AAAA", "W10=", "eyJhIjoxfQ=="])
def test_a_broken_cursor_is_refused_in_words(signed_in, cursor):
    answer = signed_in("lz.officer").get(f"/inbox?cursor={cursor}")

    assert answer.status_code == 422
    assert "Traceback" not in answer.text


def test_the_address_says_everything_that_is_not_usual():
    asked = read_address({"queue": "claimable", "sort": "unit", "desc": "1", "q": " a  b ", "due": "week"})

    assert asked.address() == "/inbox?queue=claimable&q=a+b&due=week&sort=unit&desc=1"
    assert read_address({}).address() == "/inbox?queue=mine"


def test_every_list_can_be_sorted_from_its_head(signed_in, check_task):
    officer = signed_in("lz.officer")
    page = officer.get("/inbox?queue=claimable").text

    for address in re.findall(r'<a class="text-reset" href="([^"]+)"', page):
        assert check_task in officer.get(address.replace("&amp;", "&")).text
    assert 'aria-sort="ascending"' in page


def test_the_page_asks_whether_something_came(signed_in, clock, application):
    officer = signed_in("lz.officer")

    before = officer.get("/inbox/changes?queue=claimable&since=2026-03-02T00:00:00Z").json
    after = officer.get("/inbox/changes?queue=claimable&since=2026-03-02T02:00:00Z").json
    nonsense = officer.get("/inbox/changes?queue=claimable&since=soon").json

    assert (before, after, nonsense) == ({"changed": 1}, {"changed": 0}, {"changed": 0})


def test_the_inbox_speaks_english_too(signed_in, check_task):
    officer = signed_in("lz.officer")
    officer.post("/language", {"language": "en", "next": "/inbox?queue=claimable"})

    page = officer.get("/inbox?queue=claimable").text

    assert '<html lang="en">' in page
    assert "Completeness check" in page
    assert "5 working days left" in page
    assert CHINESE.findall(WITHOUT_NAMES.sub("", page)) == []
