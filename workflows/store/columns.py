"""The columns of our tables; how moments and JSON stand in one: as text, the same on every database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.temporal import moment


def text(name: str, default: str = "") -> sa.Column[str]:
    """A text, empty unless something is told."""
    return sa.Column(name, sa.Text, nullable=False, default=default)


def count(name: str, default: int = 0) -> sa.Column[int]:
    """A whole number."""
    return sa.Column(name, sa.Integer, nullable=False, default=default)


def flag(name: str) -> sa.Column[bool]:
    """A yes or no, no unless told."""
    return sa.Column(name, sa.Boolean, nullable=False, default=False)


def case() -> sa.Column[str]:
    """The case, as a part of the key."""
    return sa.Column("case_id", sa.Text, primary_key=True)


class Moment(sa.TypeDecorator[datetime]):
    """An aware moment, stored as the fixed-width UTC text of the journal: it sorts alike everywhere."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: datetime | str | None, dialect: sa.Dialect) -> str | None:
        return moment(value) if isinstance(value, datetime) else value

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Document(sa.TypeDecorator[Any]):
    """JSON-native data stored as text with sorted keys, so that equal data are equal text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else orjson.loads(value)
