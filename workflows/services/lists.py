"""Lists that are published: frozen as a text whose digest anybody can compute again."""

from __future__ import annotations

from engine.case.shared import Shared
from engine.values import Value
from workflows.services.operation import Operation, Reading, Values


def _freeze(inputs: Values, read: Reading) -> dict[str, Value]:
    rows = inputs.get("rows")
    if not isinstance(rows, list):
        raise ValueError(f"expected a list of `rows`, found {rows!r}")
    frozen = Shared.of(rows)
    return {"text": frozen.text, "digest": frozen.digest}


OPERATIONS = (
    Operation(
        type="list.freeze",
        sentence="Write rows as canonical JSON and give the SHA-256 of that text.",
        run=_freeze,
    ),
)
