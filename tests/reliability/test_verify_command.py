"""`tidu verify` says in which case and at which entry a forger was at work, and refuses to call it sound."""

from __future__ import annotations

import io
import json

import sqlalchemy as sa

from engine.proof.notes import named, read_checkpoint
from engine.tables import journal
from tests.reliability.installation import LONG_AGO
from tests.reliability.test_kills import eventually
from workflows.actors.people import find_person
from workflows.proof.checkpoints.keyring import Keyring
from workflows.proof.evidence import Paper, Store, attach, store
from workflows.store.tables import blobs

PAPER = b"%PDF-1.4\n%%EOF\n"
LATER = LONG_AGO.replace(year=2026, month=3)


def verified(installation):
    done = installation.tidu("verify", "--all", "--json")
    return done.returncode, {(f["case"], f["code"], f["seq"]) for f in json.loads(done.stdout)["findings"]}


def two_cases(installation):
    with installation.rooms(lambda: LATER) as (commands, _), installation.opened() as database:
        with database.connect() as connection:
            applicant = find_person(connection, "app01")
        made = [commands.start_case("small_review", {"days": 3}, actor=applicant) for _ in range(2)]
        files = Store(installation.folder / "evidence")
        with database.begin() as connection:
            paper = store(
                connection,
                files,
                io.BytesIO(PAPER),
                Paper(name="报告.pdf"),
                evidence_id="paper-1",
                by="app01",
                now=LATER,
            )
            attach(connection, [paper.evidence_id], case_id=made[1].case_id, by="app01")
    return made[0].case_id, made[1].case_id, files.path(paper.digest)


def test_each_kind_of_forgery_is_named_with_its_case_and_entry(installation):
    first, second, paper = two_cases(installation)
    assert verified(installation) == (0, set())

    paper.chmod(0o600)
    paper.write_bytes(PAPER.replace(b"1.4", b"1.5"))
    code, found = verified(installation)
    assert (code, {(case, what) for case, what, _ in found}) == (1, {(second, "V-ATTACHMENT")})
    paper.write_bytes(PAPER)

    (row,) = installation.rows(
        sa.select(journal.c.body).where(journal.c.case_id == first, journal.c.seq == 3)
    )
    forged = row.body.replace("SR-", "SX-", 1)
    change = sa.update(journal).where(journal.c.case_id == first, journal.c.seq == 3)
    installation.change(change.values(body=forged))
    assert verified(installation) == (1, {(first, "V-CHAIN-BREAK", 3)})
    installation.change(change.values(body=row.body))

    (drawing,) = installation.rows(sa.select(blobs).where(blobs.c.content.contains(b"decided_review")))
    installation.change(
        sa.update(blobs)
        .where(blobs.c.digest == drawing.digest)
        .values(content=bytes(drawing.content).replace(b"notSameAs=", b"notsameas="))
    )
    code, found = verified(installation)
    assert code == 1
    assert {(first, "V-ARTEFACT", 1), (second, "V-ARTEFACT", 1)} <= found


def test_the_worker_signs_and_what_it_signed_holds(installation):
    """Programs as an operator runs them: the worker signs by itself, the command compares."""
    first, second, _ = two_cases(installation)
    ring = Keyring(installation.folder / "checkpoints")
    ring.begin(named(bytes(range(32)), "tidu.example.org"))
    worker = installation.start("worker")
    try:
        note = eventually(ring.latest, "the worker signed nothing")
    finally:
        worker.kill()
    kept = installation.folder / "kept.txt"
    kept.write_text(note, encoding="utf-8")

    assert read_checkpoint(note, ring.verifiers()).size == len(installation.rows(sa.select(journal.c.seq)))
    assert installation.tidu("verify", "--against", kept).returncode == 0
    installation.change(sa.update(journal).where(journal.c.case_id == second).values(digest="0" * 64))
    done = installation.tidu("verify", "--against", kept, "--json")
    assert done.returncode == 1
    assert [(f["case"], f["code"], f["seq"]) for f in json.loads(done.stdout)["findings"]] == [
        (second, "V-CHECKPOINT-BREAK", 1)
    ]
    assert first != second
