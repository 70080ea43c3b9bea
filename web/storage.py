"""What a disk or a database that refuses means for who asked, and whether writing goes well at present."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

FULL, FAILED, BUSY, AWAY = "STORAGE_FULL", "STORAGE_FAILED", "BUSY", "DATABASE_AWAY"
RETRY_AFTER = {FULL: 30, FAILED: 30, BUSY: 2, AWAY: 2}
"""Seconds: space is made by people; a lock is let go of and a server restarted by itself."""

LOST = (sa.exc.OperationalError, sa.exc.InterfaceError)
"""What SQLAlchemy calls it when the database does not answer, hangs up, or cannot do its work."""

OF_SQLITE = {5: BUSY, 6: BUSY, 8: FAILED, 10: FAILED, 11: FAILED, 13: FULL, 14: FAILED, 26: FAILED}
"""Primary result codes: busy, locked, read-only, I/O, corrupt, full, cannot open, no database."""

OF_POSTGRESQL = {"53100": FULL, "58030": FAILED, "55P03": BUSY}
"""SQLSTATEs: disk full, I/O error, a lock that was not to be had."""

OF_THE_SYSTEM = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EFBIG: FULL, errno.EIO: FAILED}


def trouble(error: BaseException) -> str | None:
    """The code of the refusal that a database or a disk is the reason of; None for any other fault."""
    if isinstance(error, OSError):
        return OF_THE_SYSTEM.get(error.errno or 0)
    cause = getattr(error, "orig", None)
    said = OF_SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF) or OF_POSTGRESQL.get(
        getattr(cause, "sqlstate", None) or ""
    )
    return said or (AWAY if isinstance(error, LOST) else None)


@dataclass
class Writing:
    """The last word of this process on writing: `refused` with a code since when, or nothing."""

    refused: str = ""
    since: datetime | None = None

    def fails(self, code: str, now: datetime) -> None:
        """A change was refused for the storage's sake."""
        if code in (FULL, FAILED) and self.refused != code:
            self.refused, self.since = code, now

    def works(self) -> None:
        """A change was done."""
        self.refused, self.since = "", None
