"""The web application over a real database, with the demonstration's people and a small process."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from web.app import create_app
from web.settings import Settings
from workflows.actors import people, sessions
from workflows.library.packages import read_folder
from workflows.register.rule_sets import load_rule_sets
from workflows.store.tables import migrate

PASSWORD = "tidu-demo"
HERE = Path(__file__).parent
CSRF = re.compile(r'<meta name="csrf-token" content="([^"]+)">')


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday 09:00 in Shanghai

    def __call__(self):
        return self.now

    def move(self, **span):
        self.now += timedelta(**span)


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, app):
        self.client = app.test_client()

    def get(self, address, **more):
        return self.client.get(address, **more)

    @property
    def csrf(self):
        return CSRF.search(self.client.get("/login?next=/help", follow_redirects=True).text)[1]

    def post(self, address, data=None, **more):
        return self.client.post(address, data={"csrf_token": self.csrf, **(data or {})}, **more)

    def api(self, method, address, body=None, **headers):
        """A request of the page's own scripts: cookie, token in the header, JSON."""
        said = {
            "X-CSRFToken": self.csrf,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.client.open(f"/api/v1{address}", method=method, json=body, headers=said)

    def sign_in(self, person, password=PASSWORD):
        return self.post("/login", {"account": person, "password": password})


@pytest.fixture(scope="session")
def settings_of():
    def settings(folder):
        return Settings(
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'tidu.db'}",
            secret_key="only for the tests of this house, 32 and more",
        )

    return settings


@pytest.fixture(scope="session")
def library(tmp_path_factory, settings_of):
    """A database file that every test starts from: schema, people, the small process."""
    folder = tmp_path_factory.mktemp("library")
    app = create_app(settings_of(folder), clock=Clock())
    rooms = app.extensions["tidu"]
    migrate(rooms.database)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with rooms.database.begin() as connection:
        people.load_organisations(connection, password=PASSWORD, now=at)
        load_rule_sets(connection, now=at)
        rooms.catalog.deploy(connection, read_folder(HERE / "small_application"), by="system", at=at)
    rooms.database.dispose()
    return folder / "tidu.db"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(tmp_path, library, settings_of, clock):
    (tmp_path / "tidu.db").write_bytes(library.read_bytes())
    app = create_app(settings_of(tmp_path), clock=clock)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    app.extensions["tidu"].database.dispose()


@pytest.fixture
def visitor(app):
    """Somebody who has not signed in."""
    return Visitor(app)


@pytest.fixture
def signed_in(app):
    """Opens a browser for a person, past the password: `signed_in("lz.officer")`."""
    numbers = itertools.count()

    def open_browser(person):
        visitor, rooms = Visitor(app), app.extensions["tidu"]
        secret = f"secret {next(numbers)} of {person}"
        with rooms.database.begin() as connection:
            sessions.begin(connection, secret, person=person, now=rooms.clock())
        with visitor.client.session_transaction() as session:
            session["session"] = secret
        return visitor

    return open_browser


@pytest.fixture
def application(signed_in):
    """A case of the small process, filed by app01 of u01 in Lanzhou; answers its id."""
    values = {"factory": "兰州一厂", "energy": 1250.5, "truthful": True}
    answer = signed_in("app01").api(
        "POST", "/process-definition/key/small_application/start", {"values": values}
    )
    assert answer.status_code == 201, answer.text
    return answer.json["id"]


@pytest.fixture
def check_task(app, application):
    """The task that waits in the fresh case: the completeness check."""
    history = app.extensions["tidu"].history
    (task,) = history.state(application, len(history.timeline(application))).standing.tasks
    return task
