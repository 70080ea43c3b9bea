"""What goes into a bundle: entries, proofs, drawings, attachments, and the programs that judge them.

The same evidence is the same bytes: files are sorted, stored as they are, and bear no time. Each stands in
the manifest with its SHA-256, the manifest is signed, and `verify.py` refuses what is not byte for byte so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from engine.errors import InvalidInput, NotFound
from engine.events import CaseStarted, entry_of
from engine.journal import canonical
from engine.proof import positions
from engine.proof.notes import consistency_text, proof_text, read_checkpoint
from engine.proof.tree import Tree
from engine.temporal import moment
from workflows.library.catalog import Catalog
from workflows.proof.bundle.verify import CHECKPOINT, FORMAT, MANIFEST, SIGNED, archived
from workflows.proof.checkpoints.records import ALGORITHM
from workflows.proof.checkpoints.taking import Checkpoints, Taken
from workflows.proof.evidence import Evidence, Store, evidence_of
from workflows.store.tables import blobs, reading

PROGRAMS = ("verify.py", "verify.mjs", "VERIFY.zh.md")
"""What stands beside this room and goes along."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """One archive, the checkpoint it stands on, and how many entries of each case are in it."""

    data: bytes
    taken: Taken
    entries: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where evidence comes from."""

    database: sa.Engine
    library: Catalog
    files: Store
    checkpoints: Checkpoints


def make_bundle(
    sources: Sources, case_ids: Iterable[str], *, since: Iterable[str] = (), with_files: bool = False
) -> Bundle:
    """Evidence about cases, up to a checkpoint that is signed now.

    `since` are earlier checkpoints: the bundle shows that the journal of today begins with theirs. Raises
    NotFound for a case that is not there, InvalidInput for a checkpoint of somebody else, and what
    `Checkpoints.take` raises.
    """
    taken = sources.checkpoints.take()
    with reading(sources.database) as connection, sources.library.over(connection):
        tree = positions.tree(connection)
        parts, cases = _programs(sources, taken), {}
        for case_id in sorted(set(case_ids)):
            found, cases[case_id] = _case(sources, connection, case_id, tree, taken)
            parts |= found
            parts |= _papers(sources, connection, case_id, with_files=with_files)
        for note in since:
            parts |= _earlier(sources, note, tree, taken)
    return Bundle(
        data=archived(_sealed(sources, parts, cases)),
        taken=taken,
        entries={case_id: said["entries"] for case_id, said in cases.items()},
    )


def _programs(sources: Sources, taken: Taken) -> dict[str, bytes]:
    keys = "".join(f"{key.line}\n" for key in sources.checkpoints.ring.verifiers())
    here = {name: (Path(__file__).parent / name).read_bytes() for name in PROGRAMS}
    return {**here, "keys.txt": keys.encode(), CHECKPOINT: taken.note.encode()}


def _case(
    sources: Sources, connection: sa.Connection, case_id: str, tree: Tree, taken: Taken
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of a case, and what the manifest says of it."""
    size, folder = taken.checkpoint.size, f"cases/{case_id}"
    written = positions.texts(connection, case_id, size=size)
    if not written:
        raise NotFound(f"there is no case {case_id}", code="CASE_NOT_FOUND")
    parts = {f"{folder}/entries.jsonl": "".join(f"{body}\n" for _, body in written).encode()}
    for place, _ in written:
        proof = proof_text(place.position, tree.inclusion(place.position, size), taken.note)
        parts[f"{folder}/{place.seq:06}.tlog-proof"] = proof.encode()
    digest, drawn = _definition(sources, written[0][1])
    drawn |= _shared(connection, written[0][1])
    return {**parts, **drawn}, {"definition": digest, "entries": len(written)}


def _definition(sources: Sources, first: str) -> tuple[str, dict[str, bytes]]:
    """The drawings and tables that the first entry of a case names, by their digest."""
    begun = entry_of(orjson.loads(first)).event
    assert isinstance(begun, CaseStarted)
    drawn, digest = sources.library.definition(begun.pins, begun.process).sources, begun.definition_digest
    stem = f"definitions/{digest}"
    bpmn = {f"{stem}/bpmn/{name}.bpmn": data for name, data in drawn.bpmn.items()}
    return digest, {**bpmn, **{f"{stem}/dmn/{name}.dmn": data for name, data in drawn.dmn.items()}}


def _shared(connection: sa.Connection, first: str) -> dict[str, bytes]:
    """The values that the first entry names by their digest, because many cases begin with them."""
    names = [told["digest"] for told in orjson.loads(first)["data"].get("shared", {}).values()]
    rows = connection.execute(sa.select(blobs).where(blobs.c.digest.in_(names))) if names else ()
    return {f"contents/{row.digest}": bytes(row.content) for row in rows}


def _papers(
    sources: Sources, connection: sa.Connection, case_id: str, *, with_files: bool
) -> dict[str, bytes]:
    """What was handed in with a case: listed with its digests, and the files themselves if asked for."""
    papers = evidence_of(connection, case_id)
    if not papers:
        return {}
    listed = canonical([_told(paper) for paper in papers])
    parts = {f"cases/{case_id}/attachments.json": listed.encode()}
    return {**parts, **dict(_contents(sources.files, papers))} if with_files else parts


def _contents(files: Store, papers: Iterable[Evidence]) -> Iterator[tuple[str, bytes]]:
    for paper in papers:
        with files.open(paper.digest) as file:
            yield f"attachments/{paper.digest}", file.read()


def _told(paper: Evidence) -> dict[str, Any]:
    return {
        "id": paper.evidence_id,
        "digest": paper.digest,
        "size": paper.size,
        "type": paper.type,
        "name": paper.name,
        "field": paper.field,
        "by": paper.uploaded_by,
        "at": moment(paper.uploaded_at),
    }


def _earlier(sources: Sources, note: str, tree: Tree, taken: Taken) -> dict[str, bytes]:
    """An earlier checkpoint with the proof that the journal begins with what it knew."""
    old, size = read_checkpoint(note, sources.checkpoints.ring.verifiers()), taken.checkpoint.size
    if old.size > size:
        raise InvalidInput(
            f"the checkpoint knows {old.size} entries, the database has {size}", code="JOURNAL_WENT_BACK"
        )
    proof = consistency_text(old.size, tree.consistency(old.size, size), note)
    return {f"since/{old.size}.txt": proof.encode()}


def _sealed(sources: Sources, parts: dict[str, bytes], cases: Mapping[str, Any]) -> dict[str, bytes]:
    """The parts with a manifest of them, and the manifest's signature."""
    manifest = canonical(
        {
            "format": FORMAT,
            "algorithm": ALGORITHM,
            "cases": dict(cases),
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()},
        }
    ).encode()
    text = f"{FORMAT}\n{hashlib.sha256(manifest).hexdigest()}\n"
    return {**parts, MANIFEST: manifest, SIGNED: sources.checkpoints.ring.signer().sign(text).encode()}
