"""Reports without an account: through the one door, once, confined; the receipt tells the state only."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.tables import metadata
from tests import browser
from tests.web.conftest import Clock, Visitor
from web.app import create_app
from workflows.library.packages import in_call_order
from workflows.store.tables import cases, operations
from workflows.workshop.checking import read_closure

BPMN = Path(__file__).parents[2] / "bpmn"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SAID = {
    "reporter.kind": "person",
    "reporter.name": "王建国",
    "reporter.id_no": "620102198001011234",
    "reporter.contact": "13900000000",
    "reported": "unit",
    "reported_name": "兰州兰岭水泥有限公司",
    "facts": "该厂三月仍在排放未经处理的废水。",
}


@pytest.fixture(scope="module")
def library(library, settings_of, tmp_path_factory):
    """The house of all pages, with the process that the public may start."""
    folder = tmp_path_factory.mktemp("reports")
    (folder / "tidu.db").write_bytes(library.read_bytes())
    rooms = create_app(settings_of(folder), clock=Clock()).extensions["tidu"]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with rooms.database.begin() as connection:
        for package in in_call_order(read_closure(BPMN / "complaint")):
            rooms.catalog.deploy(connection, package, by="system", at=at)
    rooms.database.dispose()
    return folder / "tidu.db"


@pytest.fixture
def house(app):
    return app.extensions["tidu"]


class Reporter(Visitor):
    """Somebody without an account who has the form before them."""

    def __init__(self, app, clock):
        super().__init__(app)
        self.form = self.get("/reports/complaint").text
        self.ticket = re.search(r'name="_ticket" value="([^"]+)"', self.form)[1]
        clock.move(seconds=60)

    def send(self, **more):
        return self.post("/reports/complaint", {"_ticket": self.ticket, **SAID, **more})

    def ask(self, number, secret):
        return self.post("/reports", {"number": number, "secret": secret})


@pytest.fixture
def reporter(house, app, clock):
    return Reporter(app, clock)


def received(answer):
    assert answer.status_code == 201, answer.text
    number, secret = re.findall(r'<dd class="[^"]*tidu-code[^"]*">([^<]+)</dd>', answer.text)
    return number, secret


def begun(house):
    with house.reading() as connection:
        return connection.execute(cases.select()).mappings().all()


def test_anybody_finds_the_door(visitor, house):
    page = visitor.get("/reports").text

    assert 'href="/reports/complaint"' in page
    assert "匿名、冒名的举报不予受理" in page
    assert 'href="/reports"' in visitor.get("/notices").text


def test_the_form_asks_nothing_that_only_an_office_knows(reporter, signed_in):
    entered = signed_in("prov.officer").get("/apply/complaint").text

    assert 'name="reporter.name"' in reporter.form
    assert 'name="channel"' not in reporter.form
    assert 'name="received_on"' not in reporter.form
    assert 'name="channel"' in entered


def test_a_report_starts_a_confined_case_and_gives_a_receipt(house, reporter):
    number, secret = received(reporter.send())

    (case,) = begun(house)
    assert re.fullmatch(r"CPL-2026-\d{6}", number)
    assert re.fullmatch(r"(?:[A-Z2-9]{4}-){4}[A-Z2-9]{4}", secret)
    assert (case["case_id"], case["confined"]) == (number, True)
    assert case["started_by"].startswith("reporter-")


def test_the_receipt_tells_the_state_and_nothing_else(house, reporter, clock):
    number, secret = received(reporter.send())
    answer = reporter.ask(number.lower(), secret.replace("-", " ").lower())

    assert answer.status_code == 200
    assert "办理中" in answer.text
    assert "核对身份与证据" in answer.text
    assert not any(told in answer.text for told in ("王建国", "13900000000", "废水", "兰岭"))


@pytest.mark.parametrize("number", ["", "CPL-2026-\x000001", "%", "' OR 1=1 --", "９" * 200])
def test_made_up_numbers_do_no_harm(reporter, number):
    received(reporter.send())

    assert reporter.ask(number, "AAAABBBBCCCCDDDDEEEE").status_code in (404, 422)


@pytest.mark.parametrize("secret", ["AAAA-BBBB-CCCC-DDDD-EEEE", "", "'; DROP TABLE cases; --", "０" * 20])
def test_a_number_without_its_secret_tells_nothing(reporter, secret):
    number, _ = received(reporter.send())
    known, unknown = reporter.ask(number, secret), reporter.ask("CPL-2026-424242", secret)

    assert (known.status_code, unknown.status_code) == (404, 404)
    assert "没有找到：请核对编号和查询码。" in known.text
    assert known.text.replace(number, "") == unknown.text.replace("CPL-2026-424242", "")


def test_sent_twice_it_is_one_report_with_one_receipt(house, reporter):
    first, second = received(reporter.send()), received(reporter.send())
    third = received(reporter.send(facts="换一种说法。"))

    assert first == second == third
    assert len(begun(house)) == 1


def test_the_secret_is_nowhere_in_the_house(house, reporter):
    _, secret = received(reporter.send())
    with house.reading() as connection:
        rows = [row for table in metadata.sorted_tables for row in connection.execute(table.select())]
    dump = str(rows).upper()

    assert "王建国" in dump

    assert secret not in dump
    assert secret.replace("-", "") not in dump


def test_nobody_but_the_reports_office_learns_of_it(app, house, reporter, signed_in):
    number, _ = received(reporter.send())

    for person in ("prov.officer", "prov.leader", "lz.officer", "auditor", "app01", "admin", "owner"):
        visitor = signed_in(person)
        assert visitor.get(f"/case/{number}").status_code == 404, person
        assert visitor.get(f"/audit/{number}").status_code in (403, 404), person
        assert number not in visitor.get("/cases?q=CPL").text, person
    office = signed_in("prov.officer2").get(f"/case/{number}").text
    assert "举报人（未登录） 发起了案件" in office


def test_evidence_reaches_the_office_and_no_stranger(app, house, reporter, signed_in, visitor):
    number, _ = received(reporter.send(evidence=(io.BytesIO(PDF), "照片说明.pdf")))
    page = signed_in("prov.officer2").get(f"/case/{number}?tab=data").text
    link = re.search(r'href="(/api/v1/evidence/[0-9a-f]+/content)"', page)[1]

    assert "照片说明.pdf" in page
    with signed_in("prov.officer2").get(link) as answer:
        assert answer.data == PDF
    assert signed_in("prov.officer").get(link).status_code == 404
    assert visitor.get(link).status_code in (303, 401)


def test_a_file_is_kept_while_something_else_is_mended(house, reporter):
    answer = reporter.send(facts="", evidence=(io.BytesIO(PDF), "照片.pdf"))
    kept = re.search(r'name="evidence" value="([0-9a-f]+)"', answer.text)

    assert answer.status_code == 422
    assert "此项必填" in answer.text
    assert 'value="王建国"' in answer.text
    assert "照片.pdf" in answer.text
    assert kept
    received(reporter.send(evidence=kept[1]))


def test_nobody_hands_in_the_file_of_another(app, clock, house, reporter):
    kept = re.search(
        r'name="evidence" value="([0-9a-f]+)"',
        reporter.send(facts="", evidence=(io.BytesIO(PDF), "照片.pdf")).text,
    )[1]
    thief = Reporter(app, clock)
    answer = thief.send(evidence=kept)

    assert answer.status_code == 422
    assert "照片.pdf" not in answer.text
    assert not begun(house)


HOSTILE = [
    ({"evidence": (io.BytesIO(b"MZ\x90\x00 not a paper"), "a.pdf")}, "422"),
    ({"evidence": (io.BytesIO(b""), "leer.pdf")}, "422"),
    ({"evidence": [(io.BytesIO(PDF), f"{n}.pdf") for n in range(11)]}, "422"),
    ({"reported": "minister"}, "422"),
    ({"reporter.kind": "person", "reporter.role": "admin"}, "422"),
    ({"case_id": "CPL-2026-000001"}, "422"),
    ({"applicant": "admin"}, "422"),
    ({"facts": "x" * 600_000}, "413 422"),
    ({"facts": "a\x00b"}, "422"),
    ({"reporter.contact": ""}, "422"),
    ({"_website": "http://spam.example"}, "422"),
    ({"_ticket": ""}, "422"),
    ({"_ticket": "eyJzZWNyZXQiOiJBQUFBIn0.made-up"}, "422"),
    ({"channel": "letter[0].x"}, "422 201"),
]


@pytest.mark.parametrize(("said", "expected"), HOSTILE, ids=[str(n) for n in range(len(HOSTILE))])
def test_hostile_inputs_are_refused_in_words_and_change_nothing(house, reporter, said, expected):
    answer = reporter.send(**said)

    assert str(answer.status_code) in expected
    assert bool(begun(house)) == (answer.status_code == 201)


def test_a_report_leaves_one_record_and_a_refused_one_none(house, reporter):
    def records():
        with house.reading() as connection:
            return connection.execute(operations.select()).mappings().all()

    reporter.send(facts="")
    before = len(records())
    number, secret = received(reporter.send())
    received(reporter.send())
    reporter.ask(number, secret)

    assert before == 0
    assert [(one["action"], one["case_id"]) for one in records()] == [("start", number)]


def test_markup_is_text(house, reporter, signed_in):
    number, _ = received(reporter.send(facts="<script>alert(1)</script>{{7*7}}"))
    page = signed_in("prov.officer2").get(f"/case/{number}?tab=data").text

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page


def test_a_form_sent_at_once_is_looked_over_first(app, house):
    class At:
        def move(self, **_):
            """No time passes."""

    answer = Reporter(app, At()).send()

    assert answer.status_code == 422
    assert "提交过快" in answer.text
    assert 'value="王建国"' in answer.text


def test_an_old_form_is_renewed_with_what_was_typed(house, reporter, clock):
    clock.move(hours=13)
    answer = reporter.send()

    assert answer.status_code == 422
    assert "表单已过期" in answer.text
    assert 'value="王建国"' in answer.text
    reporter.ticket = re.search(r'name="_ticket" value="([^"]+)"', answer.text)[1]
    clock.move(seconds=60)
    received(reporter.send())


def test_nobody_floods_the_office(app, house, clock):
    answers = [Reporter(app, clock).send().status_code for _ in range(12)]

    assert answers[:10] == [201] * 10
    assert answers[-1] == 429
    assert len(begun(house)) == 10


def test_nobody_tries_secrets_out(reporter):
    number, _ = received(reporter.send())
    answers = [reporter.ask(number, "AAAABBBBCCCCDDDDEEEE").status_code for _ in range(21)]

    assert answers[0] == 404
    assert answers[-1] == 429


def test_only_what_is_open_to_all_can_be_reported(visitor, house):
    assert visitor.get("/reports/complaint_investigation").status_code == 404
    assert visitor.get("/reports/removal").status_code == 404
    assert visitor.get("/reports/nothing").status_code == 404


@pytest.mark.parametrize("address", ["/reports", "/reports/complaint"])
def test_everybody_can_use_the_pages(chromium, app, house, address):
    with browser.served(app) as at:
        page = chromium.new_page(locale="zh-CN")
        page.goto(at + address)
        page.evaluate(browser.AXE.read_text())
        wrong = page.evaluate("tags => axe.run(document, {runOnly: tags})", WCAG)["violations"]
        page.close()

    assert not wrong, [(one["id"], one["help"]) for one in wrong]
