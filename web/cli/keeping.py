"""`tidu verify, rebuild, backup, restore, doctor`: keeping what was done, and knowing that it is sound."""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import shutil
import sys
from collections.abc import Iterable
from typing import Any

from engine.errors import Rejected
from web.cli import house
from web.cli.voice import Voice
from web.context import Rooms
from web.settings import Settings
from workflows.proof.checkpoints.comparing import Comparison, compare
from workflows.proof.evidence import Store
from workflows.store.backup import read_backup, write_backup
from workflows.transaction.projections import rebuild as rebuild_read_models
from workflows.work.condition import Sign, examine, unsound_evidence

REFUSED, MISUSED = 1, 2
ENOUGH_SPACE = 500_000_000
BUNDLE = house.LIBRARY.parent / "web/static/dist"


def verify(arguments: argparse.Namespace, voice: Voice) -> int:
    """Verify cases, and the journal against checkpoints; refused if anything was found."""
    if (arguments.case and arguments.all) or not (arguments.case or arguments.all or arguments.against):
        voice.tell("tidu verify: name cases, or say --all, or --against a checkpoint")
        return MISUSED
    rooms = house.open_house()
    wanted = rooms.history.case_ids() if arguments.all else arguments.case
    compared = None
    if arguments.all or arguments.against:
        given, keys = map(house.handed_in, arguments.against), "\n".join(map(house.handed_in, arguments.key))
        compared = compare(rooms.database, rooms.checkpoints.ring, given, keys=keys)
    return _verify(rooms, wanted, voice, compared)


def rebuild(arguments: argparse.Namespace, voice: Voice) -> int:
    """Drop and rebuild what can be rebuilt."""
    rooms = house.open_house()
    with rooms.database.begin() as connection:
        done = rebuild_read_models(connection, rooms.catalog)
    voice.answer({"cases": done}, f"{done} cases rebuilt")
    return 0


def backup(arguments: argparse.Namespace, voice: Voice) -> int:
    """Copy everything into one file."""
    rooms = house.open_house()
    made = write_backup(rooms.database, rooms.settings.evidence_dir, arguments.output, at=rooms.clock())
    entries = made.rows.get("journal", 0)
    voice.answer(dataclasses.asdict(made), f"{arguments.output}: {entries} journal entries")
    return 0


def restore(arguments: argparse.Namespace, voice: Voice) -> int:
    """Put a backup back and verify every case; refused if anything was found."""
    rooms = house.any_house()
    read_backup(rooms.database, rooms.settings.evidence_dir, arguments.file)
    compared = compare(rooms.database, rooms.checkpoints.ring)
    return _verify(rooms, rooms.history.case_ids(), voice, compared)


def doctor(arguments: argparse.Namespace, voice: Voice) -> int:
    """Look at the installation; refused if anything is not well."""
    rooms = house.any_house()
    signs = [*_machine(rooms.settings), *examine(rooms.database, now=rooms.clock())]
    if all(sign.ok for sign in signs if sign.name == "schema"):
        signs.append(_acknowledged(rooms))
        signs.append(_signing(rooms))
    ok = all(sign.ok for sign in signs)
    lines = [f"{'ok ' if sign.ok else 'BAD'} {sign.name}: {sign.detail}" for sign in signs]
    voice.answer({"ok": ok, "signs": [dataclasses.asdict(sign) for sign in signs]}, *lines)
    return 0 if ok else REFUSED


def _acknowledged(rooms: Rooms) -> Sign:
    with rooms.reading() as connection:
        missing = rooms.tidemarks.behind(connection)
    if missing is None:
        return Sign(name="acknowledged", ok=True, detail="the database has what this house acknowledged last")
    detail = f"entry {missing.seq} of {missing.case_id} is missing: see `tidu gap show`"
    return Sign(name="acknowledged", ok=False, detail=detail)


def _verify(rooms: Rooms, case_ids: Iterable[str], voice: Voice, compared: Comparison | None) -> int:
    wanted = list(case_ids)
    findings: list[dict[str, Any]] = []
    for case_id in voice.progress(wanted, total=len(wanted), label="verify"):
        proof = rooms.history.verify(case_id)
        findings += [_finding(f.case_id, f.code, f.seq, f.detail) for f in proof.findings]
    findings += _attachments(rooms, set(wanted))
    looked_at = set(wanted)
    if compared is not None:
        looked_at |= compared.case_ids if not wanted else set()
        more = [_finding(f.case_id, f.code, f.seq, f.detail) for f in compared.findings]
        findings += [f for f in more if not any(_same(f, known) for known in findings)]
    findings += _gaps(rooms, set(wanted))
    ok = len(looked_at - {finding["case"] for finding in findings})
    lines = [f"{_place(f)}: {f['detail']} [{f['code']}]" for f in findings]
    document = {"cases": len(looked_at), "ok": ok, "findings": findings}
    voice.answer(document, *lines, f"{ok} of {len(looked_at)} cases are sound")
    return REFUSED if findings else 0


def _attachments(rooms: Rooms, wanted: set[str]) -> list[dict[str, Any]]:
    """Evidence files of these cases, and of none yet, that are not what they were."""
    files = Store(rooms.settings.evidence_dir)
    with rooms.reading() as connection:
        found = [entry for entry in unsound_evidence(connection, files) if entry[0] in wanted | {""}]
    return [
        _finding(case_id, "V-ATTACHMENT", 0, f"evidence file {digest} is {state}")
        for case_id, digest, state in found
    ]


def _gaps(rooms: Rooms, wanted: set[str]) -> list[dict[str, Any]]:
    """Entries of these cases, and of cases that are gone, that were acknowledged and are not there."""
    with rooms.reading() as connection:
        lost = rooms.tidemarks.lost(connection)
    return [
        _finding(
            one.case_id,
            "V-GAP",
            one.after + 1,
            f"{one.number} entries that were acknowledged are lost, the last of {one.at} (`tidu gap show`)",
        )
        for one in lost
        if one.case_id in wanted or one.after == 0
    ]


def _same(finding: dict[str, Any], known: dict[str, Any]) -> bool:
    return all(finding[name] == known[name] for name in ("case", "code", "seq"))


def _place(finding: dict[str, Any]) -> str:
    return f"{finding['case']} entry {finding['seq']}" if finding["case"] else "the journal"


def _finding(case_id: str, code: str, seq: int, detail: str) -> dict[str, Any]:
    return {"case": case_id, "code": code, "seq": seq, "detail": detail}


def _signing(rooms: Rooms) -> Sign:
    try:
        return Sign(name="checkpoints", ok=True, detail=rooms.checkpoints.standing())
    except Rejected as error:
        return Sign(name="checkpoints", ok=False, detail=str(error))


def _machine(settings: Settings) -> list[Sign]:
    free = shutil.disk_usage(settings.data_dir).free
    writable = os.access(settings.data_dir, os.W_OK)
    bundled = BUNDLE.is_dir() and any(BUNDLE.iterdir())
    return [
        Sign(name="python", ok=sys.version_info >= (3, 11), detail=platform.python_version()),
        Sign(name="data", ok=writable, detail=str(settings.data_dir)),
        Sign(name="disk", ok=free > ENOUGH_SPACE, detail=f"{free // 1_000_000} MB free"),
        Sign(name="browser parts", ok=bundled, detail="built" if bundled else "missing: run `make setup`"),
    ]
