"""A golden set as a house: its drawings deployed and its journals written, in a new database."""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.journal import START, digest
from engine.tables import journal, metadata
from workflows.store.tables import blobs, definitions, open_database

FOLDER = Path(__file__).parent
MOMENTS = ("published_at", "effective_from")


@dataclass(frozen=True, kw_only=True)
class Told:
    """One history of the set: the texts of its entries, its last digest, and what was seen at each cause."""

    case: str
    bodies: tuple[str, ...]
    head: str
    seen: dict[int, str]


@dataclass(frozen=True, kw_only=True)
class Golden:
    """What one release left: drawings by digest, deployed versions, histories."""

    release: str
    blobs: dict[str, str]
    definitions: list[dict[str, Any]]
    histories: list[Told]


def releases() -> list[str]:
    """Every release of which there is a set."""
    return sorted(path.name.removesuffix(".json.xz") for path in FOLDER.glob("*.json.xz"))


def path_of(release: str) -> Path:
    """Where its set stands."""
    return FOLDER / f"{release}.json.xz"


def read(release: str) -> Golden:
    """The set of a release."""
    found = json.loads(lzma.decompress(path_of(release).read_bytes()))
    told = [
        Told(
            case=one["case"],
            bodies=tuple(one["bodies"]),
            head=one["head"],
            seen={int(seq): digest for seq, digest in one["seen"].items()},
        )
        for one in found["histories"]
    ]
    return Golden(release=release, blobs=found["blobs"], definitions=found["definitions"], histories=told)


def write(golden: Golden) -> Path:
    """Put a new set down. Raises FileExistsError: one that is there stays as it is, for ever."""
    told = {"blobs": golden.blobs, "definitions": golden.definitions}
    told |= {"histories": [vars(one) for one in golden.histories]}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    with path_of(golden.release).open("xb") as file:
        file.write(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    return path_of(golden.release)


def opened(golden: Golden, url: str) -> sa.Engine:
    """A new house at `url` that holds the record of the set, and nothing that can be made of it."""
    database = open_database(url)
    metadata.create_all(database)
    contents = {digest: text.encode() for digest, text in golden.blobs.items()}
    versions = [{**row, **{name: _moment(row[name]) for name in MOMENTS}} for row in golden.definitions]
    lines = [
        {"case_id": told.case, "seq": seq, "body": body, "digest": digest}
        for told in golden.histories
        for seq, (body, digest) in enumerate(zip(told.bodies, chained(told.bodies), strict=True), start=1)
    ]
    with database.begin() as connection:
        connection.execute(blobs.insert(), [{"digest": d, "content": c} for d, c in contents.items()])
        connection.execute(definitions.insert(), versions)
        connection.execute(journal.insert(), lines)
    return database


def chained(bodies: tuple[str, ...]) -> list[str]:
    """The digest of every entry behind the one before."""
    found, previous = [], START
    for body in bodies:
        previous = digest(previous, body)
        found.append(previous)
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
