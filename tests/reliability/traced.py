"""Watches what the processes of a PostgreSQL do to the files of its cluster: strace tells.

strace stops each process before and behind a call and writes one line at a time, so its lines have one order.
What was done before a line is what a disk may hold at the moment of the line; who had been answered by then
is told by the moments of the answers, which the same clock gave.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.disk import (
    Answered,
    Deed,
    Disk,
    FolderSynced,
    Made,
    Named,
    Removed,
    Sized,
    Synced,
    Written,
)

CALLS = (
    *("openat", "write", "pwrite64", "pwritev", "ftruncate", "fallocate", "fsync", "fdatasync"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"),
)
PATIENCE = 60.0
"""Seconds."""

LONGEST = 1 << 20
"""Bytes of one write that strace may be asked to tell."""

OF_THE_MOMENT = ("postmaster.pid", "postmaster.opts")
"""What a server says of itself while it runs; no machine that starts again minds it."""

LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)")
CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?)(?:<([^>]*)>)?")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
FILE = re.compile(r"(\d+)<(\\x2f[^>]*)>(?!\(deleted\))")
UNFINISHED, RESUMED = " <unfinished ...>", re.compile(r"<\.\.\. \w+ resumed>(.*)")

_numbers = itertools.count(1)


def words(log: Path) -> tuple[str, ...]:
    """What stands before a program so that it and all its children are watched; they stay our children."""
    told = ("-f", "-D", "-y", "-ttt", "-xx", "-s", str(LONGEST), "-o", str(log))
    return ("strace", *told, "--seccomp-bpf", "-e", "signal=none", "-e", f"trace={','.join(CALLS)}")


def wait_for_end(log: Path, pid: int) -> None:
    """Until the log tells of the end of this process, which is written behind its end."""
    last, deadline = f"{pid} ", time.monotonic() + PATIENCE
    while not any(line.startswith(last) and "+++" in line for line in _tail(log)):
        assert time.monotonic() < deadline, "strace does not come to an end"
        time.sleep(0.01)


def _tail(log: Path) -> list[str]:
    with log.open("rb") as told:
        told.seek(max(0, told.seek(0, os.SEEK_END) - 4096))
        return told.read().decode("ascii").splitlines()


def missing() -> str:
    """What is not installed here; empty if nothing is missing."""
    return "" if shutil.which("strace") else "strace is not installed"


def forbidden() -> str:
    """Why no program may be watched here; empty if one may."""
    tried = subprocess.run([*words(Path(os.devnull)), "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"no program may be traced here: {tried.stderr}"


@dataclass
class Watch:
    """One run of a server under watch: who was answered when, and what stood in its folder before."""

    folder: Path
    before: Mapping[str, bytes]
    answers: list[tuple[float, str]] = field(default_factory=list)

    def answered(self, what: str) -> None:
        """Somebody was told that this is done."""
        self.answers.append((time.time(), what))

    def disk(self, log: Path) -> Disk:
        """What the log of the run says has been done to the files, and between what the answers came."""
        disk = Disk(self.before)
        reader = _Reader(self.folder, disk)
        waiting = sorted(self.answers, reverse=True)
        with log.open(encoding="ascii") as lines:
            for pid, moment, said in (_parts(line) for line in lines):
                while waiting and waiting[-1][0] < moment:
                    disk.deeds.append(Answered(waiting.pop()[1]))
                reader.hear(pid, said)
        assert not waiting, "the log ends before the last answer"
        return disk


def _parts(line: str) -> tuple[str, float, str]:
    found = LINE.match(line)
    assert found is not None, f"strace said something new: {line[:200]}"
    return found[1], float(found[2]), found[3]


@dataclass(frozen=True)
class _Call:
    """A call that succeeded: what it was given, what it answered, how many deeds there were before it."""

    pid: str
    name: str
    given: str
    answer: int
    opened: str
    since: int

    @property
    def numbers(self) -> list[int]:
        return [int(word) for word in self.given.split(", ") if word.isdigit()]

    @property
    def strings(self) -> list[bytes]:
        return [_bytes(told) for told in STRING.findall(self.given)]


class _Reader:
    """Makes deeds of lines. A call that was under way while others were made is one deed, at its end."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.folder = folder
        self.deeds: list[Deed] = disk.deeds
        self.files = disk.numbers()
        self.places: dict[tuple[str, int], int] = {}
        """Where `write` goes on in what a process has open."""
        self.syncing: set[tuple[str, int]] = set()
        """What a process has open so that each write is a sync too."""
        self._under_way: dict[str, tuple[str, int]] = {}

    def hear(self, pid: str, said: str) -> None:
        """The next line."""
        since = len(self.deeds)
        if said.endswith(UNFINISHED):
            self._under_way[pid] = said.removesuffix(UNFINISHED), since
            return
        if resumed := RESUMED.match(said):
            begun, since = self._under_way.pop(pid)
            said = begun + resumed[1]
        call = CALL.match(said)
        if call is not None and call[3].isdigit():
            self._note(_Call(pid, call[1], call[2], int(call[3]), call[4] or "", since))

    def _note(self, call: _Call) -> None:
        if call.name == "openat":
            self._open(call)
        elif call.name.startswith(("rename", "link", "unlink")):
            self._name(call)
        elif (file := FILE.match(call.given)) and (name := self._ours(_bytes(file[2]))) is not None:
            if call.name in ("fsync", "fdatasync"):
                self._sync(name, call.since)
            else:
                self._change(self.files[name], (call.pid, int(file[1])), call)

    def _open(self, call: _Call) -> None:
        name, held = self._ours(_bytes(call.opened)), (call.pid, call.answer)
        self.places[held] = 0
        self.syncing.discard(held)
        if name is None:
            return
        if "O_DSYNC" in call.given or "O_SYNC" in call.given:
            self.syncing.add(held)
        if "O_CREAT" in call.given and name not in self.files:
            self.files[name] = number = next(_numbers)
            self.deeds.append(Made(number, name))
        elif "O_TRUNC" in call.given:
            self.deeds.append(Sized(self.files[name], 0))

    def _name(self, call: _Call) -> None:
        first, *others = (self._ours(path) for path in call.strings)
        if first is None:
            return
        if call.name.startswith("unlink"):
            del self.files[first]
            self.deeds.append(Removed(first))
            return
        (second,) = others
        assert second is not None, "a file left the cluster"
        is_renamed = call.name.startswith("rename")
        number = self.files.pop(first) if is_renamed else self.files[first]
        self.files[second] = number
        self.deeds.append(Named(number, second, first if is_renamed else ""))

    def _sync(self, name: str, since: int) -> None:
        is_file = name in self.files
        self.deeds.append(Synced(self.files[name], since) if is_file else FolderSynced(name, since))

    def _change(self, file: int, held: tuple[str, int], call: _Call) -> None:
        match call.name:
            case "ftruncate":
                self.deeds.append(Sized(file, call.numbers[-1]))
            case "fallocate":  # only ever asked for behind the end of a file
                place, length = call.numbers[-2:]
                self.deeds.append(Written(file, place, bytes(length)))
            case "write":
                self._write(file, self.places[held], call)
                self.places[held] += call.answer
            case _:
                self._write(file, call.numbers[-1], call)
        if held in self.syncing:
            self.deeds.append(Synced(file, len(self.deeds)))

    def _write(self, file: int, place: int, call: _Call) -> None:
        data = b"".join(call.strings)[: call.answer]
        assert len(data) == call.answer, "strace did not tell all that was written"
        self.deeds.append(Written(file, place, data))

    def _ours(self, path: bytes) -> str | None:
        """A name in the cluster, empty for itself; None for what lies elsewhere and what need not be kept."""
        name = os.path.relpath(os.path.join(self.folder, os.fsdecode(path)), self.folder)
        is_kept = not name.startswith("..") and name not in OF_THE_MOMENT
        return ("" if name == "." else name) if is_kept else None


def _bytes(told: str) -> bytes:
    return bytes.fromhex(told.replace("\\x", ""))
