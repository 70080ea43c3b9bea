"""`tidu checkpoint, bundle`: what is handed to people outside, so that they need not believe us."""

from __future__ import annotations

import argparse
import base64

from web.app import new_seed
from web.cli import house
from web.cli.voice import Voice
from web.context import evidence_sources
from workflows.actors.policy import SYSTEM
from workflows.proof.bundle.writing import make_bundle
from workflows.transaction.change import record_operation


def checkpoint(arguments: argparse.Namespace, voice: Voice) -> int:
    """Sign what the journal is now; with a new key, if one is asked for, whose reason goes on record."""
    rooms = house.open_house()
    if arguments.new_key:
        key = rooms.checkpoints.renew(new_seed(), place=house.place_of(rooms))
        with rooms.database.begin() as connection:
            record_operation(
                connection,
                SYSTEM,
                action="checkpoint-key",
                entity=key.vkey,
                reason=arguments.new_key,
                at=rooms.clock(),
            )
    taken = rooms.checkpoints.take()
    if arguments.output:
        arguments.output.write_text(taken.note, encoding="utf-8")
    made = taken.checkpoint
    document = {
        "origin": made.origin,
        "size": made.size,
        "root": base64.b64encode(made.root).decode(),
        "note": taken.note,
        "key": rooms.checkpoints.ring.signer().verifier.vkey,
    }
    voice.answer(document, taken.note.rstrip("\n"))
    return 0


def bundle(arguments: argparse.Namespace, voice: Voice) -> int:
    """Write evidence about cases into one archive."""
    rooms = house.open_house()
    made = make_bundle(
        evidence_sources(rooms),
        arguments.case,
        since=[house.handed_in(path) for path in arguments.since],
        with_files=arguments.files,
    )
    arguments.output.write_bytes(made.data)
    document = {
        "file": str(arguments.output),
        "bytes": len(made.data),
        "entries": dict(made.entries),
        "size": made.taken.checkpoint.size,
        "note": made.taken.note,
    }
    told = f"{arguments.output}: {sum(made.entries.values())} entries of {len(made.entries)} cases"
    voice.answer(document, told)
    return 0
