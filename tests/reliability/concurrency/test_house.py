"""What all cases share, changed by two at once: versions, stored files, numbers, the schema, tidying up."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine.errors import Rejected
from tests.conftest import START, new_database
from tests.engine.drawing import process
from tests.reliability.concurrency.control import ASKED, DECIDED, ORDERS
from tests.reliability.doors import doors
from tests.reliability.installation import Installation
from workflows.actors.policy import SYSTEM
from workflows.library.packages import DRAWING, read_files
from workflows.store.tables import definitions, idempotency, migrate, open_database
from workflows.work.worker import Worker

LONG_ENOUGH = timedelta(hours=25)


def version_of(name, word):
    """A drawing of a process that differs from others by a word."""
    return read_files({DRAWING: process(name).start().user(word, "officers").end().xml})


def deploys(package):
    def act(door):
        with door.database.begin() as connection:
            return door.catalog.deploy(connection, package, by="owner", at=START)

    return act


def test_the_same_content_deployed_twice_at_once_is_one_version(stage):
    for number, order in enumerate(ORDERS):
        package = version_of(f"twin{number}", "a")
        played = stage.play(order, deploys(package), deploys(package), decided=ASKED)
        assert set(played.told) <= {"done", "cut off"}
        versions = {answer.version for answer in (played.one, played.other) if hasattr(answer, "version")}
        assert versions == {1}, order
        assert numbers_of(stage, f"twin{number}") == [1]


def test_two_contents_deployed_at_once_are_two_versions(stage):
    for number, order in enumerate(ORDERS):
        name = f"rival{number}"
        played = stage.play(
            order, deploys(version_of(name, "a")), deploys(version_of(name, "b")), decided=ASKED
        )
        assert set(played.told) <= {"done", "cut off"}
        assert numbers_of(stage, name) == ([1] if order.dies else [1, 2])
        if not order.dies:
            first, second = (getattr(played, who).version for who in ("one", "other"))
            assert (first, second) == ((1, 2) if played.first == "one" else (2, 1))


def test_two_processes_that_hold_the_same_file_are_deployed_at_once(stage):
    note = {"forms/a.form": b'{"type": "default", "components": []}'}
    for number, order in enumerate(ORDERS):
        shared = {name: text + b" " * number for name, text in note.items()}
        one, other = (
            read_files({DRAWING: process(f"{who}{number}").start().user("a", "o").end().xml, **shared})
            for who in ("left", "right")
        )
        played = stage.play(order, deploys(one), deploys(other), decided=ASKED)
        assert set(played.told) <= {"done", "cut off"}


def numbers_of(stage, key):
    query = sa.select(definitions.c.version).where(definitions.c.key == key).order_by(definitions.c.version)
    with stage.story.database.connect() as connection:
        return list(connection.scalars(query))


def test_a_version_that_is_retired_while_a_case_starts_either_carries_it_or_refuses_it(stage):
    for number, order in enumerate(ORDERS):
        name = f"old{number}"
        deploys(version_of(name, "a"))(stage.doors[0])

        def starts(door, name=name):
            return door.commands.start_case(name, {}, actor=SYSTEM, unit="u01")

        def retires(door, name=name):
            with door.database.begin() as connection:
                return door.catalog.retire(connection, f"{name}:1")

        writes_no_page = order.leads == "other"
        played = stage.play(order, starts, retires, decided=ASKED if writes_no_page else DECIDED)
        if not isinstance(played.one, Exception):
            stage.story.case_id = played.one.case_id
            assert stage.story.waiting() == ["a"]
            assert stage.story.history.verify(stage.story.case_id).ok
        assert played.told[0] in ("done", "VERSION_RETIRED", "cut off")
        if not order.dies:
            with pytest.raises(Rejected, match="no version in force"):
                starts(stage.doors[1])


def test_two_cases_that_start_at_once_have_two_numbers_without_a_gap(stage):
    deploys(version_of("counted", "a"))(stage.doors[0])

    def starts(door):
        return door.commands.start_case("counted", {}, actor=SYSTEM, unit="u01")

    for order in ORDERS:
        before = int(starts(stage.doors[0]).case_id.rpartition("-")[2])
        played = stage.play(order, starts, starts)
        begun = [answer for answer in (played.one, played.other) if not isinstance(answer, Exception)]
        numbers = sorted(int(answer.case_id.rpartition("-")[2]) for answer in begun)
        assert numbers == [before + 1] if order.dies else [before + 1, before + 2]


def test_two_workers_that_tidy_up_at_once_take_away_what_is_old_and_nothing_else(stage):
    clock, rows = stage.story.clock, idempotency

    def tidies(door):
        return Worker(door.database, door.commands, clock=clock).tick()

    for order in ORDERS:
        with stage.story.database.begin() as connection:
            connection.execute(sa.delete(rows))
            kept = {"actor": "app01", "request_digest": "d", "answer": {}}
            connection.execute(rows.insert(), {**kept, "key": "old", "at": clock() - LONG_ENOUGH})
            connection.execute(rows.insert(), {**kept, "key": "new", "at": clock()})
        played = stage.play(order, tidies, tidies, decided=ASKED)
        assert set(played.told) <= {"done", "cut off"}
        with stage.story.database.connect() as connection:
            assert list(connection.scalars(sa.select(rows.c.key))) == ["new"]


def empty(request, database, tmp_path):
    """The address of a database in which nothing is yet."""
    if database.dialect.name == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    name = f"empty_{abs(hash(request.node.nodeid)):x}"
    return new_database(request.getfixturevalue("postgres_server"), name)


def test_two_who_bring_an_empty_database_up_to_date_take_turns(request, story, tmp_path):
    url = empty(request, story.database, tmp_path)
    opened = [open_database(url) for _ in range(2)]

    with doors(story, 2) as entrances:
        entrances.at_once([lambda _, one=one: migrate(one) for one in opened])

    with opened[0].connect() as connection:
        assert list(connection.execute(sa.select(definitions))) == []
        assert len(list(connection.exec_driver_sql("SELECT * FROM alembic_version"))) == 1
    for one in opened:
        one.dispose()


@pytest.mark.long
def test_two_programs_that_set_the_house_up_at_once_both_succeed(request, story, tmp_path):
    house = Installation(tmp_path, empty(request, story.database, tmp_path))

    programs = [house.start("init") for _ in range(2)]

    assert [program.process.wait(300) for program in programs] == [0, 0], house.told()
    assert house.tidu("verify", "--all").returncode == 0
