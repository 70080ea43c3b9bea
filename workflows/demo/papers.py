"""The evidence people attach in the demonstration: one small document, wherever a form wants a file."""

from __future__ import annotations

import io
from datetime import datetime

import sqlalchemy as sa

from workflows.evidence import Kept, Store, attach, evidence

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

    def enter(self, ids: list[str], *, case_id: str, by: str, now: datetime) -> None:
        """The document becomes evidence of the case under each of these ids, brought by `by`."""
        if not ids:
            return
        row = {"name": NAME, "field": "", "issuer": "", "pages": "1", "status": "unverified"}
        row |= {**vars(self._kept), "case_id": "", "uploaded_by": by}
        rows = [{**row, "evidence_id": name, "uploaded_at": now} for name in ids]
        with self._database.begin() as connection:
            connection.execute(sa.insert(evidence), rows)
            if case_id:
                attach(connection, ids, case_id=case_id, by=by)

    def belong(self, ids: list[str], *, case_id: str, by: str) -> None:
        """What was entered before its case was there belongs to it now."""
        with self._database.begin() as connection:
            attach(connection, ids, case_id=case_id, by=by)
