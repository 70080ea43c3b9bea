"""The evidence people attach in the demonstration: one small document, wherever a form wants a file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from workflows.proof.evidence import Kept, Store, attach, evidence

NAME = "演示材料.pdf"
DOCUMENT = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


class Papers:
    """Enters evidence under ids that are the same in every run; the document itself is stored once."""

    def __init__(self, database: sa.Engine, files: Store) -> None:
        self._database = database
        self._kept: Kept = files.keep(io.BytesIO(DOCUMENT), name=NAME)

    def enter(self, papers: Mapping[str, str], *, case_id: str, by: str, now: datetime) -> None:
        """The document becomes evidence under each of these ids and names, brought by `by`."""
        if not papers:
            return
        row = {"field": "", "issuer": "", "pages": "1", "status": "unverified", "uploaded_by": by}
        row |= {**vars(self._kept), "case_id": ""}
        rows = [{**row, "evidence_id": key, "name": name, "uploaded_at": now} for key, name in papers.items()]
        with self._database.begin() as connection:
            left = _left_behind(connection, papers, by)
            if new := [one for one in rows if one["evidence_id"] not in left]:
                connection.execute(sa.insert(evidence), new)
            if case_id:
                attach(connection, papers, case_id=case_id, by=by)

    def belong(self, papers: Mapping[str, str], *, case_id: str, by: str) -> None:
        """What was entered before its case was there belongs to it now."""
        with self._database.begin() as connection:
            attach(connection, papers, case_id=case_id, by=by)


def _left_behind(connection: sa.Connection, papers: Mapping[str, str], by: str) -> frozenset[str]:
    """What a run that was killed before its case began has entered already."""
    c = evidence.c
    mine = (c.evidence_id.in_(papers), c.uploaded_by == by, c.case_id == "")
    return frozenset(connection.scalars(sa.select(c.evidence_id).where(*mine)))
