"""A disk as a power cut leaves it: what was synced is there, and of the rest whatever chance left.

What programs do to the files of one folder comes as a list of deeds; `after_cut` answers what lies on the
disk if the power fails behind the first so many. A write that no sync covers may be there, or some of its
sectors, or nothing; a name that was made or removed may be so or not. A sync that failed covers nothing,
and nothing ever will: the system takes those pages for clean from then on, and does not write them again.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECTORS = (512, 4096)
ALL, NONE = 1.0, 0.0


@dataclass(frozen=True)
class Made:
    """A new file: a name alone is not enough, the same may be given again."""

    file: int
    name: str


@dataclass(frozen=True)
class Removed:
    """A file has its name no more. `named`: that is on the disk."""

    file: int
    named: bool = False


@dataclass(frozen=True)
class Written:
    """Bytes that a file got at a place."""

    file: int
    at: int
    data: bytes


@dataclass(frozen=True)
class Sized:
    """A file was cut, or grown with noughts."""

    file: int
    size: int


@dataclass(frozen=True)
class Synced:
    """What was done to a file before deed number `since` is on the disk. `named`: so are all names."""

    file: int
    since: int
    named: bool = False


@dataclass(frozen=True)
class Unsynced:
    """A sync that failed: what was done to a file before deed number `since` is there by chance, or never."""

    file: int
    since: int


@dataclass(frozen=True)
class Answered:
    """Somebody was told that this is done."""

    what: str


Deed = Made | Removed | Written | Sized | Synced | Unsynced | Answered


@dataclass
class Disk:
    """The deeds of a run. The files that were there before are whole, and their numbers below nought."""

    before: Mapping[str, bytes] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)

    def number(self, name: str) -> int:
        """The number of a file that was there before."""
        return -1 - sorted(self.before).index(name)

    def answered(self, moment: int) -> list[str]:
        """What was acknowledged before the cut."""
        return [deed.what for deed in self.deeds[:moment] if isinstance(deed, Answered)]

    def moments(self, number: int, dice: random.Random) -> list[int]:
        """So many moments to cut the power at, all of them behind the first answer."""
        first = next(at for at, deed in enumerate(self.deeds, start=1) if isinstance(deed, Answered))
        return [dice.randint(first, len(self.deeds)) for _ in range(number)]

    def after_cut(self, moment: int, dice: random.Random) -> dict[str, bytes]:
        """What is on the disk: name → content."""
        done = self.deeds[:moment]
        return self._files(done, _fates(done, dice), dice)

    def after_kill(self, moment: int) -> dict[str, bytes]:
        """What every program sees: nothing is lost when programs die and the system lives."""
        done = self.deeds[:moment]
        return self._files(done, [ALL] * len(done), random.Random())

    def _files(self, done: Sequence[Deed], fates: list[float], dice: random.Random) -> dict[str, bytes]:
        names = {self.number(name): name for name in self.before}
        contents = {self.number(name): bytearray(content) for name, content in self.before.items()}
        for deed, share in zip(done, fates, strict=True):
            match deed:
                case Made(file, name):
                    contents[file] = bytearray()
                    names |= {file: name} if share else {}
                case Removed(file) if share:
                    names.pop(file, None)
                case Sized(file, size) if share:
                    contents[file] = contents[file][:size].ljust(size, b"\0")
                case Written(file, at, data) if share:
                    _write(contents[file], at, data, share, dice)
        return {name: bytes(contents[file]) for file, name in names.items()}


def lay_out(files: Mapping[str, bytes], folder: Path) -> Path:
    """Put the files into a new folder."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def _fates(done: Sequence[Deed], dice: random.Random) -> list[float]:
    """Of each deed the share that reached the disk: all of it, nothing, or that part of its sectors."""
    luck = dice.choice((NONE, 0.5, 0.5, 0.9, ALL))
    fates = [min(1.0, max(0.0, luck + dice.choice((-1, -0.3, 0, 0.3, 1)))) for _ in done]
    open_: dict[int, list[int]] = defaultdict(list)
    names: list[int] = []
    for at, deed in enumerate(done):
        match deed:
            case Made():
                names.append(at)
            case Removed(named=named):
                names.append(at)
                names = _settle(fates, names, at + 1 if named else 0)
            case Written(file) | Sized(file):
                open_[file].append(at)
            case Synced(file, since, named):
                open_[file] = _settle(fates, open_[file], since)
                names = _settle(fates, names, since if named else 0)
            case Unsynced(file, since):
                open_[file] = [one for one in open_[file] if one >= since]
    return fates


def _settle(fates: list[float], open_: list[int], since: int) -> list[int]:
    """Those before `since` are on the disk, the others still by chance."""
    for at in open_:
        if at < since:
            fates[at] = ALL
    return [at for at in open_ if at >= since]


def _write(content: bytearray, at: int, data: bytes, share: float, dice: random.Random) -> None:
    """Write those sectors that chance let through; what lies between is noughts, or what was there."""
    content.extend(bytes(max(0, at + len(data) - len(content)) if share == ALL else 0))
    sector = dice.choice(SECTORS)
    place = at
    while place < at + len(data):
        end = min((place // sector + 1) * sector, at + len(data))
        if share == ALL or dice.random() < share:
            content.extend(bytes(max(0, end - len(content))))
            content[place:end] = data[place - at : end - at]
        place = end
