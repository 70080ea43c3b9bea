"""The disk fills up: who writes is told so, who reads is served, and when there is room again all goes on."""

from __future__ import annotations

import io
import re
import resource
from threading import Thread

import pytest
import sqlalchemy as sa

from engine.tables import journal
from tests.conftest import START
from tests.reliability.at_work import DATABASE, is_whole
from tests.reliability.installation import LONG_AGO, Installation
from tests.reliability.watched import Watched
from tests.story import Clock
from web.app import create_app
from web.settings import Settings
from workflows.actors import sessions
from workflows.actors.people import find_person, set_password
from workflows.work.worker import Worker

CLIENTS = 8
SOME = 8_000
CSRF = re.compile(r'<meta name="csrf-token" content="([^"]+)">')
PDF = b"%PDF-1.7\n" + b"1 0 obj <<>> endobj\n" * 10_000
READING = (
    "/api/v1/task?queue=mine",
    "/api/v1/task/{task}",
    "/api/v1/process-instance/{case}",
    "/api/v1/history/process-instance/{case}/event",
    "/inbox",
    "/case/{case}",
    "/task/{task}",
)


class House:
    """The doors over a database, an officer with a browser and a program, and tasks in hand."""

    def __init__(self, folder, url) -> None:
        self.clock = Clock(START)
        settings = Settings(
            data_dir=folder,
            database_url=url,
            secret_key="only for the tests of this house, 32 and more",
        )
        self.app = create_app(settings, clock=self.clock)
        self.rooms = self.app.extensions["tidu"]
        token = Installation(folder, settings.database_url).token("lz.officer")
        self.program = {"Authorization": f"Bearer {token}"}
        self.browser = self.app.test_client()
        with self.rooms.database.begin() as connection:
            set_password(connection, "lz.officer", "a password of 2026", now=LONG_AGO)
            sessions.begin(connection, "secret", person="lz.officer", now=START)
        with self.browser.session_transaction() as session:
            session["session"] = "secret"

    def in_hand(self, number):
        """So many tasks that the officer holds."""
        return [self._one_in_hand() for _ in range(number)]

    def _one_in_hand(self):
        with self.rooms.database.connect().execution_options(reading=True) as connection:
            applicant, officer = (find_person(connection, who) for who in ("app01", "lz.officer"))
        begun = self.rooms.commands.start_case("small_review", {"days": 3}, actor=applicant)
        task = begun.tasks[0].task_id
        self.rooms.commands.claim_task(task, actor=officer)
        return task

    def complete(self, task, language="zh-CN"):
        return self.app.test_client().post(
            f"/api/v1/task/{task}/complete",
            json={"values": {"opinion": "材料齐全" * 100}, "outcome": "accepted"},
            headers={**self.program, "Idempotency-Key": f"done {task}", "Accept-Language": language},
        )

    def complete_together(self, tasks):
        """Task → what its own client was answered; they come at once and share commits."""
        answers = {}
        clients = [Thread(target=lambda t=t: answers.update({t: self.complete(t)})) for t in tasks]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        return answers

    def entries(self):
        with self.rooms.database.connect().execution_options(reading=True) as connection:
            return set(connection.execute(sa.select(journal)).all())

    def not_read(self, task):
        """The addresses that did not answer as they should."""
        addresses = [address.format(task=task, case=task.rpartition(".")[0]) for address in READING]
        by_program = self.app.test_client()
        return [
            address
            for address in addresses
            for answer in (self.browser.get(address), by_program.get(address, headers=self.program))
            if answer.status_code != 200
        ]

    def ready(self):
        answer = self.app.test_client().get("/readyz")
        assert answer.status_code == 200
        return answer.json

    def post(self, address, data):
        token = CSRF.search(self.browser.get(address).text)[1]
        return self.browser.post(address, data={"csrf_token": token, **data})

    def upload(self, content):
        file = (io.BytesIO(content), "报告.pdf")
        client = self.app.test_client()
        return client.post("/api/v1/evidence", data={"file": file}, headers=self.program)

    def files(self):
        return list(self.rooms.settings.evidence_dir.rglob("*"))

    def close(self) -> None:
        self.rooms.database.dispose()


@pytest.fixture
def house(watched_folder):
    watched = Watched(watched_folder)
    opened = House(watched_folder, watched.url(DATABASE))
    opened.watched = watched
    yield opened
    opened.close()


def test_a_full_disk_is_told_and_read_from_and_forgotten_when_there_is_room(house, campaign):
    times = campaign.times(2, 20)
    for room in range(times):
        tasks = house.in_hand(CLIENTS)
        house.watched.space = room * SOME
        answers = house.complete_together(tasks).values()
        refused = [answer for answer in answers if answer.status_code != 200]
        kept = house.entries()
        house.clock.move("PT2M")  # by now every session wants to be noted as seen
        unread = house.not_read(tasks[0])
        said = house.ready()
        house.watched.space = None
        done = house.complete_together(tasks)
        campaign.tell(
            "R7",
            disks_filled=1,
            writes_refused=len(refused),
            reads_refused=len(unread),
            unsound=not is_whole(house.rooms.database),
            lost=len(kept - house.entries()),
            never_done=sum(answer.status_code != 200 for answer in done.values()),
        )
        assert {answer.status_code for answer in refused} == {503}
        assert {answer.json["code"] for answer in refused} == {"STORAGE_FULL"}
        assert {answer.headers["Retry-After"] for answer in refused} == {"30"}
        assert (said["status"], said["code"]) == ("read-only", "STORAGE_FULL")
        assert house.ready()["status"] == "ok"
        assert house.browser.get("/inbox").status_code == 200

    named = ("reads_refused", "unsound", "lost", "never_done")
    assert [campaign.counts[name] for name in named] == [0, 0, 0, 0]


@pytest.fixture
def on_postgresql(database_url, tmp_path):
    url = database_url("pg")
    Installation(tmp_path, url).deploy("small_review")
    opened = House(tmp_path, url)
    yield opened
    opened.close()


NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON operations EXECUTE FUNCTION no_room();
"""
ROOM = "DROP TRIGGER no_room ON operations; DROP FUNCTION no_room();"


@pytest.mark.postgres
def test_a_full_postgresql_is_told_and_read_from_too(on_postgresql):
    """The server says of itself that its disk is full, in the middle of a commit that is shared."""
    house = on_postgresql
    tasks = house.in_hand(CLIENTS)
    before = house.entries()
    with house.rooms.database.begin() as connection:
        connection.exec_driver_sql(NO_ROOM)
    refused = house.complete_together(tasks).values()
    unread, said, kept = house.not_read(tasks[0]), house.ready(), house.entries()
    with house.rooms.database.begin() as connection:
        connection.exec_driver_sql(ROOM)

    assert {(answer.status_code, answer.json["code"]) for answer in refused} == {(503, "STORAGE_FULL")}
    assert (unread, said["code"], kept) == ([], "STORAGE_FULL", before)
    assert {answer.status_code for answer in house.complete_together(tasks).values()} == {200}
    assert house.ready()["status"] == "ok"


def test_the_reason_is_told_in_both_languages(house):
    (task,) = house.in_hand(1)
    house.watched.space = 0

    chinese, english = house.complete(task, "zh-CN").json, house.complete(task, "en").json

    assert (chinese["title"], english["title"]) == ("存储空间已满", "No space is left")
    assert "请保留已填写的内容" in chinese["detail"]
    assert "Keep what you typed" in english["detail"]


def test_what_was_typed_into_a_page_is_still_there(house):
    (task,) = house.in_hand(1)
    house.watched.space = 0

    answer = house.post(f"/task/{task}", {"opinion": "我的意见", "outcome": "accepted"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "我的意见" in answer.text
    assert "存储空间已满" in answer.text


def test_a_draft_that_cannot_be_saved_is_saved_later(house):
    (task,) = house.in_hand(1)
    draft = {"values": {"opinion": "草稿" * 200}}
    told = {**house.program, "If-Match": '"0"'}
    client = house.app.test_client()
    house.watched.space = 0
    refused = client.put(f"/api/v1/task/{task}/draft", json=draft, headers=told)
    house.watched.space = None

    saved = client.put(f"/api/v1/task/{task}/draft", json=draft, headers=told)

    assert (refused.status_code, refused.json["code"]) == (503, "STORAGE_FULL")
    assert saved.status_code == 200, saved.text
    assert client.get(f"/api/v1/task/{task}/draft", headers=house.program).json["values"] == draft["values"]


def test_the_worker_goes_on_when_there_is_room(house):
    house.complete(*house.in_hand(1))
    worker = Worker(house.rooms.database, house.rooms.commands, clock=house.clock)
    house.clock.move("P4D")
    house.watched.space = 0
    with pytest.raises(sa.exc.OperationalError, match="full"):
        worker.tick()
    house.watched.space = None

    assert worker.tick().timers == 1
    assert is_whole(house.rooms.database)


def test_a_file_for_which_there_is_no_room_is_refused_and_leaves_nothing(house, full_for_files):
    """The row would fit: it is the file that does not."""
    answers = []
    for room in (0, 100_000):
        full_for_files(room)
        answers.append(house.upload(PDF))
        full_for_files(None)

    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(503, "STORAGE_FULL")] * 2
    assert [path for path in house.files() if path.is_file()] == []
    assert house.upload(PDF).status_code == 201


def test_a_file_whose_row_finds_no_room_is_taken_when_it_is_sent_again(house):
    house.watched.space = 0
    refused = house.upload(PDF)
    house.watched.space = None

    again = house.upload(PDF)

    assert (refused.status_code, again.status_code) == (503, 201)
    assert [path.stat().st_size for path in house.files() if path.is_file()] == [len(PDF)]


@pytest.fixture
def full_for_files(monkeypatch):
    """A function after which no file grows beyond so many bytes: the system itself refuses the write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, before if size is None else (size, before[1]))

    yield limit
    limit(None)
