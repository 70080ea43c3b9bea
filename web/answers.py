"""How our data look outside: moments with offset, decimals as text, XML in its own encoding."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from flask import Response
from flask.json.provider import DefaultJSONProvider

from web.words import ZONE
from workflows.library.packages import encoding_of


def moment(value: datetime | None) -> str | None:
    """`2026-08-21T18:00:00.000+08:00`."""
    return None if value is None else value.astimezone(ZONE).isoformat(timespec="milliseconds")


def plain(value: Any) -> Any:
    """What JSON itself cannot say. Raises TypeError for what nobody meant to send."""
    match value:
        case datetime():
            return moment(value)
        case date() | time():
            return value.isoformat()
        case Decimal():
            return str(value)
        case timedelta():
            return value.total_seconds()
        case set() | frozenset():
            return sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in our JSON")


def xml_text(data: bytes, kind: str = "text/xml") -> Response:
    """A file byte for byte, said to be in the encoding that it names itself: a browser reads it so."""
    return Response(data, content_type=f"{kind}; charset={encoding_of(data).lower()}")


def typed(value: Any) -> dict[str, Any]:
    """One variable as programs that know Camunda expect it: value and type."""
    match value:
        case None:
            return {"value": None, "type": "Null"}
        case bool():
            return {"value": value, "type": "Boolean"}
        case int():
            return {"value": value, "type": "Long" if abs(value) >= 2**31 else "Integer"}
        case Decimal():
            return {"value": str(value), "type": "Decimal"}
        case str():
            return {"value": value, "type": "String"}
        case datetime() | date():
            return {"value": plain(value), "type": "Date"}
    return {"value": value, "type": "Json"}


class Answers(DefaultJSONProvider):
    """The JSON of every answer."""

    default = staticmethod(plain)
    ensure_ascii = False
    sort_keys = False
    compact = True
