"""Evidence files as forms show and take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.datastructures import FileStorage

from engine.errors import InvalidInput


def keeper(case_id: str) -> Callable[[FileStorage], str]:
    """Keeps an uploaded file as evidence of a case and answers its id."""

    def keep(upload: FileStorage) -> str:
        raise InvalidInput("this installation keeps no files", code="NO_EVIDENCE_STORE")

    return keep


def described(ids: Iterable[str]) -> dict[str, Any]:
    """What is known of these files: id → name and size."""
    return {}
