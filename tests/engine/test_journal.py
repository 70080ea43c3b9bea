"""The journal: entries chained by digest, one writer per place, one text per body."""

import gc
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import rfc8785
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from engine import journal
from engine.errors import StaleCase
from engine.events import Entry, TaskReleased, Who
from engine.journal import START, Head
from engine.tables import connect, metadata

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
EMPTY = Head(seq=0, digest=START)

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def entry(seq: int, reason: str = "") -> Entry:
    event = TaskReleased(task_id=f"C-1.{seq}", reason=reason)
    return Entry(case_id="C-1", seq=seq, at=NOON, who=Who(actor="mara"), event=event)


@pytest.fixture
def connection():
    database = connect("sqlite://")
    metadata.create_all(database)
    with database.connect() as connection:
        yield connection
    database.dispose()


@given(json_values)
def test_a_body_has_the_one_text_that_rfc_8785_gives_it(body):
    assert journal.canonical(body) == rfc8785.dumps(body).decode()


def test_keys_beyond_the_basic_plane_sort_by_utf_16_units():
    body = {"\U00020bb7": 1, "\uff0c": 2}

    assert journal.canonical(body) == '{"\U00020bb7":1,"\uff0c":2}'


def test_what_was_appended_is_read_back_as_it_was(connection):
    journal.append(connection, [entry(1), entry(2, "午休")], after=EMPTY)

    assert [entry(1), entry(2, "午休")] == [line.entry() for line in journal.read(connection, "C-1")]


@pytest.mark.parametrize("number", [1, 3, 16, 17, 39])
def test_however_many_are_appended_at_once_all_are_there_in_order(connection, number):
    entries = [entry(seq, str(seq)) for seq in range(1, number + 1)]

    journal.append(connection, entries, after=EMPTY)

    assert [line.entry() for line in journal.read(connection, "C-1")] == entries


def test_the_digest_of_an_entry_covers_everything_before_it(connection):
    first = journal.append(connection, [entry(1), entry(2)], after=EMPTY)
    other = journal.chain([entry(1, "changed"), entry(2)], after=EMPTY)

    assert first.digest != other[-1].digest


def test_two_writers_behind_the_same_entry_have_one_winner(connection):
    head = journal.append(connection, [entry(1)], after=EMPTY)
    journal.append(connection, [entry(2, "first")], after=head)

    with pytest.raises(StaleCase) as refused:
        journal.append(connection, [entry(2, "second")], after=head)

    assert refused.value.facts["expected"] == 1


def test_a_gap_is_never_written(connection):
    with pytest.raises(ValueError, match="expected entry 1 of C-1, found 2"):
        journal.append(connection, [entry(2)], after=EMPTY)

    assert journal.head(connection, "C-1") == EMPTY


def test_the_head_is_the_last_entry(connection):
    head = journal.append(connection, [entry(1), entry(2)], after=EMPTY)

    assert journal.head(connection, "C-1") == head
    assert journal.case_ids(connection) == ["C-1"]


def test_the_journal_table_refuses_a_second_entry_at_one_place(connection):
    journal.append(connection, [entry(1)], after=EMPTY)
    row = {"case_id": "C-1", "seq": 1, "body": "{}", "digest": "0"}

    with pytest.raises(sa.exc.IntegrityError):
        connection.execute(journal.journal.insert(), [row])


def test_who_leaves_a_case_half_read_spoils_no_other(tmp_path):
    """A bad entry ends the reading of its case; whenever that is cleared away, others are read whole."""
    database = connect(f"sqlite:///{tmp_path / 'j.db'}")
    metadata.create_all(database)
    with database.begin() as connection:
        for case_id in ("C-1", "C-2"):
            own = [replace(entry(seq), case_id=case_id) for seq in range(1, 7)]
            journal.append(connection, own, after=EMPTY)
    with database.connect() as connection:
        left = journal.read(connection, "C-1")
        next(left)

    with database.connect() as connection:
        reading = journal.read(connection, "C-2")
        seen = [next(reading).seq, next(reading).seq]
        del left
        gc.collect()
        seen += [line.seq for line in reading]

    assert seen == [1, 2, 3, 4, 5, 6]
    database.dispose()
