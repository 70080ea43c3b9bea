"""Whether the journal still is what checkpoints say it was; if not, from which entry on.

Every entry is hashed again from the journal as it is now. What the database kept of it, in its order of
positions, only helps to say where somebody was at work: the checkpoint alone is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from engine.errors import InvalidInput
from engine.proof import positions
from engine.proof.notes import Checkpoint, Verifier, checkpoint_of, opened, read_verifiers
from engine.proof.positions import Stand
from engine.proof.tree import Growing
from engine.replay import Finding
from engine.tables import journal
from workflows.proof.checkpoints import records
from workflows.proof.checkpoints.keyring import Keyring
from workflows.store.tables import reading

GAP, BREAK, SPLIT, KEY = "V-CHECKPOINT-GAP", "V-CHECKPOINT-BREAK", "V-CHECKPOINT-SPLIT", "V-CHECKPOINT-KEY"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was compared and found. `case_ids` are those whose entries have positions.

    A finding that no entry can be named for has no case.
    """

    entries: int
    case_ids: frozenset[str]
    findings: tuple[Finding, ...]


@dataclass
class _Walk:
    """What a walk along all positions saw: the root at each size asked for, and what is not as it was."""

    roots: dict[int, bytes] = field(default_factory=dict)
    firsts: dict[int, Stand] = field(default_factory=dict)
    altered: dict[str, Stand] = field(default_factory=dict)
    case_ids: set[str] = field(default_factory=set)
    size: int = 0


def compare(database: sa.Engine, ring: Keyring, given: Iterable[str] = (), *, keys: str = "") -> Comparison:
    """The journal against checkpoints: those given, those the database remembers, the ring's latest.

    `keys`, one a line, are trusted beside those of the ring. Raises InvalidInput KEY_UNREADABLE.
    """
    trusted = (*ring.verifiers(), *read_verifiers(keys))
    with reading(database) as connection:
        latest, remembered = ring.latest(), [record.note for record in records.kept(connection)]
        known, findings = _read([*given, *([latest] if latest else [])], remembered, trusted)
        walk = _walk(connection, {0, *(checkpoint.size for checkpoint in known)})
        waiting = connection.scalar(sa.select(sa.func.count()).select_from(journal)) or 0
    findings += [*_split(known), *_changes(walk), *_gaps(known, walk, waiting), *_breaks(known, walk)]
    return Comparison(entries=walk.size, case_ids=frozenset(walk.case_ids), findings=tuple(findings))


def _read(
    shown: Iterable[str], remembered: Iterable[str], keys: Sequence[Verifier]
) -> tuple[list[Checkpoint], list[Finding]]:
    """What the notes say, and what is wrong with their signatures. One that nobody signed says nothing.

    A restored database remembers what another house signed: those are passed over.
    """
    known: dict[Checkpoint, None] = {}
    findings = []
    for note, is_shown in {**dict.fromkeys(remembered, False), **dict.fromkeys(shown, True)}.items():
        try:
            text, signers = opened(note, keys)
            checkpoint = checkpoint_of(text)
        except InvalidInput as error:
            if is_shown or error.code != "NOTE_STRANGE":
                findings.append(_finding(KEY, str(error)))
            continue
        known[checkpoint] = None
        until = [key.until for key in signers if key.name == checkpoint.origin]
        if not until or all(end is not None and end < checkpoint.size for end in until):
            said = f"a checkpoint of {checkpoint.size} entries is signed by a key that had ended before"
            findings.append(_finding(KEY, said))
    return sorted(known, key=lambda checkpoint: checkpoint.size), findings


def _walk(connection: sa.Connection, sizes: set[int]) -> _Walk:
    seen, growing = _Walk(), Growing()
    seen.roots[0] = growing.root()
    for stand in positions.stands(connection):
        if stand.position != growing.size:
            break  # a position was taken away: what stands behind it cannot be placed
        seen.firsts |= {stand.position: stand} if stand.position in sizes else {}
        seen.case_ids.add(stand.case_id)
        if stand.now != stand.leaf:
            seen.altered.setdefault(stand.case_id, stand)
        growing.add(stand.now if stand.now is not None else b"")
        if growing.size in sizes:
            seen.roots[growing.size] = growing.root()
    seen.size = growing.size
    return seen


def _split(known: Sequence[Checkpoint]) -> Iterator[Finding]:
    roots: dict[int, bytes] = {}
    for checkpoint in known:
        if roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            detail = f"two checkpoints of {checkpoint.size} entries are signed, with different roots"
            yield _finding(SPLIT, detail)


def _changes(walk: _Walk) -> Iterator[Finding]:
    for stand in walk.altered.values():
        what = "is not there any more" if stand.now is None else "is not the one that was there"
        detail = f"the entry at position {stand.position} of all {what}"
        yield Finding(case_id=stand.case_id, code=BREAK, seq=stand.seq, detail=detail)


def _gaps(known: Sequence[Checkpoint], walk: _Walk, waiting: int) -> Iterator[Finding]:
    """Only the largest tells: whoever lacks what it knows lacks nothing more for the others."""
    beyond = [checkpoint for checkpoint in known if checkpoint.size > walk.size]
    if beyond:
        rest = waiting - walk.size
        detail = (
            f"the checkpoint knows {beyond[-1].size} entries, the database has {walk.size}: entries after"
            f" position {walk.size} are missing ({max(rest, 0)} entries have no position yet)"
        )
        yield _finding(GAP, detail)


def _breaks(known: Sequence[Checkpoint], walk: _Walk) -> Iterator[Finding]:
    """The smallest checkpoint that does not fit, if no single entry was found that explains it."""
    sound = 0
    for checkpoint in known:
        if checkpoint.size > walk.size:
            return
        if walk.roots[checkpoint.size] == checkpoint.root:
            sound = checkpoint.size
            continue
        if not any(stand.position < checkpoint.size for stand in walk.altered.values()):
            yield _located(checkpoint, sound, walk.firsts.get(sound))
        return


def _located(checkpoint: Checkpoint, sound: int, first: Stand | None) -> Finding:
    """Between the last checkpoint that fits and the first that does not, everything was written anew."""
    detail = (
        f"the journal is not what the checkpoint of {checkpoint.size} entries says: something between"
        f" positions {sound} and {checkpoint.size - 1} was written anew, in the order of positions too"
    )
    case_id, seq = (first.case_id, first.seq) if first else ("", 0)
    return Finding(case_id=case_id, code=BREAK, seq=seq, detail=detail)


def _finding(code: str, detail: str) -> Finding:
    return Finding(case_id="", code=code, seq=0, detail=detail)
