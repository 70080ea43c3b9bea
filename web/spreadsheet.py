"""Rows as a CSV file that a spreadsheet opens as it is meant: in Chinese, and nothing in it is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from flask import Response

MARK = "\ufeff"
"""The byte-order mark: without it Excel does not read UTF-8."""

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""What a spreadsheet would take for a formula, also where blanks or full-width signs hide it."""

DIGITS = re.compile(r"\d{12,}")
"""What a spreadsheet would round as a number: a credit code may be all digits."""


def written(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """The file: a heading, then rows of texts, numbers, and None for nothing."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in head])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return (MARK + file.getvalue()).encode()


def answered(content: bytes, name: str) -> Response:
    """The file as a download; `name` is ASCII."""
    response = Response(content, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cell(value: Any) -> str:
    """Numbers as they are; what stands before a text keeps it from being computed or rounded."""
    if value is None or isinstance(value, int | Decimal):
        return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
    text = str(value)
    if FORMULA.match(text):
        return f"'{text}"
    return f"\t{text}" if DIGITS.fullmatch(text) else text
