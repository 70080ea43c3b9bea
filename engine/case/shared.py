"""Values that many cases begin with alike: they stand once, and a journal names them by their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from engine.events import Json
from engine.journal import canonical
from engine.values import Value, from_json, ordered, to_json


@dataclass(frozen=True, kw_only=True)
class Shared:
    """`text` is the canonical JSON of `value`, `digest` its SHA-256, `names` what else a journal tells of it.

    `value` is as a case reads it out of a journal. Many cases hold it: it is never changed.
    """

    text: str
    digest: str
    value: Value
    names: Mapping[str, Json] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Value, **names: Json) -> Shared:
        """Raises InvalidInput for what cannot be stored."""
        return cls.read(canonical(to_json(value)), **names)

    @classmethod
    def read(cls, text: str, **names: Json) -> Shared:
        """From the text that was kept."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(text=text, digest=digest, value=ordered(from_json(orjson.loads(text))), names=names)

    def told(self) -> dict[str, Json]:
        """How a journal names it."""
        return {**self.names, "digest": self.digest}
