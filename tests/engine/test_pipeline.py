"""Statements that go past SQLAlchemy: prepared once, sent together; a failure names its statement."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from engine import sending, statements

THINGS = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer),
    sa.Column("lasting", sa.Boolean),
    sa.Column("content", sa.LargeBinary),
)
COLUMNS = ("name", "number", "lasting", "content")


@pytest.fixture
def things(database):
    with database.begin() as connection:
        THINGS.create(connection)
    yield database
    with database.begin() as connection:
        THINGS.drop(connection)


def thing(name, number=1, lasting=True, content=b"\0\xff"):
    return {"name": name, "number": number, "lasting": lasting, "content": content}


def adding(connection):
    return statements.inserting(THINGS, COLUMNS, connection.dialect)


def write(database, plan):
    with database.begin() as connection:
        sending.send(connection, plan)


def everything(database):
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(THINGS).order_by(THINGS.c.number))]


def test_values_come_back_as_they_went(things):
    rows = [thing("绿色工厂 ’\\", 1), thing("", -(2**31), False, b""), thing("n", None, None, None)]
    with things.begin() as connection:
        sending.send(connection, [(adding(connection), rows)])

    assert sorted(everything(things), key=str) == sorted((tuple(row.values()) for row in rows), key=str)


@pytest.mark.parametrize("number", [1, 2, 15, 16, 17, 100])
def test_many_rows_arrive_in_any_number(things, number):
    rows = [thing(str(n), n) for n in range(number)]
    with things.begin() as connection:
        sending.send(connection, [(adding(connection), rows)])

    assert [row[1] for row in everything(things)] == list(range(number))


def test_a_failure_names_its_statement_and_nothing_of_the_trip_stays(things):
    with things.begin() as connection:
        sending.send(connection, [(adding(connection), [thing("a")])])
    change = statements.updating(THINGS, ("name",), ("number",), things.dialect)
    again = statements.inserting(THINGS, COLUMNS, things.dialect)
    plan = [(change, [thing("a", 7)]), (again, [thing("a")]), (change, [thing("a", 8)])]

    with pytest.raises(sa.exc.IntegrityError) as refused:
        write(things, plan)

    assert str(refused.value.statement).startswith(again.before)
    assert everything(things) == [("a", 1, True, b"\0\xff")]


@pytest.mark.parametrize(("value", "kind"), [("ab\0cd", sa.exc.DataError), (1.5, TypeError)])
@pytest.mark.postgres
def test_what_cannot_be_held_is_refused_before_anything_is_sent(postgres_server, value, kind):
    database = sa.create_engine(postgres_server.format(database="postgres"))
    with database.connect() as connection:
        with pytest.raises(kind):
            sending.exchange(connection, [("SELECT 1", []), ("SELECT $1::text", [value])])
        assert sending.exchange(connection, [("SELECT $1::text", ["whole"])]) == [[("whole",)]]
    database.dispose()


def test_a_connection_goes_on_after_a_failure(things):
    with things.connect() as connection:
        for name in ("a", "a", "b"):
            try:
                with connection.begin():
                    sending.send(connection, [(adding(connection), [thing(name, ord(name))])])
            except sa.exc.IntegrityError:
                assert name == "a"

    assert [row[0] for row in everything(things)] == ["a", "b"]


def test_what_is_sent_is_part_of_the_transaction_around_it(things):
    with things.connect() as connection:
        connection.execute(THINGS.insert().values(thing("first")))
        sending.send(connection, [(adding(connection), [thing("second", 2)])])
        assert connection.scalar(sa.select(sa.func.count()).select_from(THINGS)) == 2
        connection.rollback()

    assert everything(things) == []


def test_several_questions_are_answered_in_order(things):
    with things.connect() as connection:
        found = sending.exchange(
            connection, [("SELECT 'a'", []), ("SELECT 'b' WHERE 1 = 0", []), ("SELECT NULL", [])]
        )

    assert found == [[("a",)], [], [(None,)]]


@pytest.mark.postgres
def test_a_statement_is_prepared_once_on_its_connection(postgres_server):
    database = sa.create_engine(
        postgres_server.format(database="postgres"), connect_args={"prepare_threshold": None}
    )
    with database.connect() as connection:
        for number in range(3):
            assert sending.exchange(connection, [("SELECT $1::text", [str(number)])]) == [[(str(number),)]]
        known = connection.exec_driver_sql(
            "SELECT statement FROM pg_prepared_statements ORDER BY 1"
        ).scalars()
        assert list(known) == ["BEGIN", "SELECT $1::text"]
    database.dispose()


@pytest.mark.postgres
def test_a_connection_that_the_server_ends_is_an_error_and_not_a_wait(postgres_server):
    database = sa.create_engine(
        postgres_server.format(database="postgres"), connect_args={"prepare_threshold": None}
    )
    with database.connect() as victim, database.connect() as other:
        pid = victim.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(sa.exc.DBAPIError):
            sending.exchange(victim, [("SELECT 1", []), ("SELECT 2", [])])
        victim.invalidate()
    database.dispose()
