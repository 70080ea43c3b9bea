"""Contents that stand once, under the digest of what is in them: files of the library, shared values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import sqlalchemy as sa

from engine.errors import NotFound
from workflows.store.tables import blobs

_STORE = sa.text("INSERT INTO blobs (digest, content) VALUES (:digest, :content) ON CONFLICT DO NOTHING")


def name_of(data: bytes) -> str:
    """The name of a content: its SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def keep(connection: sa.Connection, files: Mapping[str, bytes]) -> dict[str, str]:
    """Store contents under their digests, each once; answers path → digest."""
    names = {path: name_of(data) for path, data in files.items()}
    stored = set(connection.scalars(sa.select(blobs.c.digest).where(blobs.c.digest.in_(names.values()))))
    new = {names[path]: data for path, data in files.items() if names[path] not in stored}
    if new:  # in one order for all: another may be storing the same at this moment
        connection.execute(_STORE, [{"digest": name, "content": new[name]} for name in sorted(new)])
    return names


def fetch(connection: sa.Connection, files: Mapping[str, str]) -> dict[str, bytes]:
    """The contents behind path → digest. Raises NotFound if one is missing or is not what it was."""
    rows = connection.execute(sa.select(blobs).where(blobs.c.digest.in_(set(files.values()))))
    contents = {row.digest: bytes(row.content) for row in rows}
    for path, name in files.items():
        if name_of(contents.get(name, b"")) != name:
            raise NotFound(f"the stored content of {path} is not {name[:16]}…", code="ARTEFACT")
    return {path: contents[name] for path, name in files.items()}
