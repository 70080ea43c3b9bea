"""The whole demonstration: 3,000 cases, at whose end exactly the published stock stands."""

from __future__ import annotations

import pytest

from tests.workflows.demo.seasons import play, query
from workflows.demo.stock import PUBLISHED, Stock
from workflows.demo.years import END
from workflows.library.catalog import Catalog
from workflows.reading.history import History
from workflows.store.tables import open_database

WHOLE = 3000


@pytest.mark.long
def test_three_thousand_cases_end_at_the_published_stock(tmp_path, sqlite_template, campaign):
    (tmp_path / "tidu.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{tmp_path / 'tidu.db'}"

    summary = play(url, tmp_path, cases=WHOLE, seed=7)

    database = open_database(url)
    stands = Stock(database, WHOLE).stands(END.date())
    assert {place: stands[place] for place in PUBLISHED} == PUBLISHED
    assert (summary.cases, summary.stuck) == (WHOLE, [])
    assert query(url, "SELECT * FROM incidents") == []
    proofs = list(History(database, Catalog(database)).verify_all())
    assert [proof for proof in proofs if not proof.ok] == []
    database.dispose()
    campaign.tell("demo", cases=summary.cases, completions=summary.completed, verified=len(proofs))
