"""What may come over the wire: JSON that every reader understands the same way."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from flask import Request

DEEPEST = 64
LONGEST_NUMBER = 400
NESTING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|([\[\]{}])', re.DOTALL)
"""Strings, to pass over what stands in them, and brackets. One that never ends is passed over too: whoever
looked for its end from each of its quotes would look for hours."""

HAS_BODY = {"POST", "PUT", "PATCH"}


class Malformed(ValueError):
    """The body is not acceptable JSON; the message says which rule it broke."""


def read_json(text: bytes) -> Any:
    """Parse strict JSON: UTF-8, no NaN, no repeated key, no abyss. Fractions come as Decimal."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("the body is not UTF-8") from error
    _measure_depth(decoded)
    try:
        value = json.loads(
            decoded,
            parse_constant=_refuse_constant,
            parse_float=_decimal,
            parse_int=_whole,
            object_pairs_hook=_without_repeats,
        )
    except Malformed:
        raise
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    if "\\u" in decoded:  # the only way in for half a character or NUL
        _refuse_unstorable(value)
    return value


def check_request(request: Request) -> None:
    """Refuse a JSON body before any room reads it. Other bodies pass; their schemas judge them."""
    if request.method in HAS_BODY and request.is_json:
        body = request.get_data(cache=True)
        request.environ["tidu.json"] = read_json(body) if body.strip() else None


def _measure_depth(text: str) -> None:
    depth = 0
    for found in NESTING.finditer(text):
        if found[1]:
            depth += 1 if found[1] in "[{" else -1
            if depth > DEEPEST:
                raise Malformed(f"nested deeper than {DEEPEST} levels")


def _refuse_constant(name: str) -> Any:
    raise Malformed(f"{name} is not a JSON number")


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if len(text) > LONGEST_NUMBER or (value and abs(value.adjusted()) > LONGEST_NUMBER):
        raise Malformed("a number is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise Malformed("a number is too large")
    return int(text)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a key is given twice in one object")
    return found


def _refuse_unstorable(value: Any) -> None:
    """NUL and lone surrogates are text that no database keeps."""
    match value:
        case str():
            _refuse_unstorable_text(value)
        case list():
            for item in value:
                _refuse_unstorable(item)
        case dict():
            for key, item in value.items():
                _refuse_unstorable_text(key)
                _refuse_unstorable(item)


def _refuse_unstorable_text(text: str) -> None:
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise Malformed("a text holds NUL or half a surrogate pair")
