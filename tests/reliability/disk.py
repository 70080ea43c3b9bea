"""A disk as a power cut leaves it: what was synced is there, and of the rest whatever chance left.

What programs do to files comes as a list of deeds; `after_cut` answers what lies on the disk if the power
fails behind the first so many. A write that no sync covers may be there, or some of its sectors, or nothing;
a name that was given or taken away may be so or not until its folder is synced, whatever became of other
names. A sync that failed covers nothing, and nothing ever will: the system takes those pages for clean from
then on, and does not write them again. Names are paths below one folder, and folders are there for good.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
class Named:
    """A file got this name, which another may have had, `instead` of one of its own or besides."""

    file: int
    name: str
    instead: str = ""


@dataclass(frozen=True)
class Removed:
    """A name is no file's any more. `named`: that is on the disk."""

    name: str
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
    """What was done to a file before deed number `since` is on the disk. `named`: so are all names beside it
    in the uppermost folder."""

    file: int
    since: int
    named: bool = False


@dataclass(frozen=True)
class FolderSynced:
    """What was done to the names in a folder before deed number `since` is on the disk."""

    folder: str
    since: int


@dataclass(frozen=True)
class Unsynced:
    """A sync that failed: what was done to a file before deed number `since` is there by chance, or never."""

    file: int
    since: int


@dataclass(frozen=True)
class Answered:
    """Somebody was told that this is done."""

    what: str


Deed = Made | Named | Removed | Written | Sized | Synced | FolderSynced | Unsynced | Answered
UPPERMOST = ""


@dataclass
class Disk:
    """The deeds of a run. The files that were there before are whole, and their numbers below nought."""

    before: Mapping[str, bytes] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)

    def numbers(self) -> dict[str, int]:
        """The numbers of the files that were there before."""
        return {name: -1 - place for place, name in enumerate(sorted(self.before))}

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
        names = self.numbers()
        contents: dict[int, bytes | bytearray] = {file: self.before[name] for name, file in names.items()}
        for deed, share in zip(done, fates, strict=True):
            match deed:
                case Made(file, name):
                    contents[file] = bytearray()
                    names |= {name: file} if share else {}
                case Named(file, name, instead) if share:
                    names[name] = file
                    names.pop(instead, None)
                case Removed(name) if share:
                    names.pop(name, None)
                case Sized(file, size) if share:
                    contents[file] = bytearray(contents[file][:size].ljust(size, b"\0"))
                case Written(file, at, data) if share:
                    contents[file] = content = _changeable(contents[file])
                    _write(content, at, data, share, dice)
        return {name: bytes(contents[file]) for name, file in names.items()}


def lay_out(files: Mapping[str, bytes], folder: Path, folders: Iterable[str] = ()) -> Path:
    """Put the files into a new folder, which has these `folders`."""
    folder.mkdir(parents=True)
    for name in folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def _fates(done: Sequence[Deed], dice: random.Random) -> list[float]:
    """Of each deed the share that reached the disk: all of it, nothing, or that part of its sectors."""
    luck = dice.choice((NONE, 0.5, 0.5, 0.9, ALL))
    fates = [min(1.0, max(0.0, luck + dice.choice((-1, -0.3, 0, 0.3, 1)))) for _ in done]
    open_: dict[int | str, list[int]] = defaultdict(list)  # of a file, and of the names in a folder
    for at, deed in enumerate(done):
        match deed:
            case Made(name=name) | Named(name=name):
                open_[os.path.dirname(name)].append(at)
            case Removed(name, named):
                folder = os.path.dirname(name)
                open_[folder].append(at)
                open_[folder] = _settle(fates, open_[folder], at + 1 if named else 0)
            case Written(file) | Sized(file):
                open_[file].append(at)
            case Synced(file, since, named):
                open_[file] = _settle(fates, open_[file], since)
                open_[UPPERMOST] = _settle(fates, open_[UPPERMOST], since if named else 0)
            case FolderSynced(folder, since):
                open_[folder] = _settle(fates, open_[folder], since)
            case Unsynced(file, since):
                open_[file] = [one for one in open_[file] if one >= since]
    return fates


def _settle(fates: list[float], open_: list[int], since: int) -> list[int]:
    """Those before `since` are on the disk, the others still by chance."""
    for at in open_:
        if at < since:
            fates[at] = ALL
    return [at for at in open_ if at >= since]


def _changeable(content: bytes | bytearray) -> bytearray:
    return content if isinstance(content, bytearray) else bytearray(content)


def _write(content: bytearray, at: int, data: bytes, share: float, dice: random.Random) -> None:
    """Write those sectors that chance let through; what lies between is noughts, or what was there."""
    sector = len(data) if share == ALL else dice.choice(SECTORS)
    place = at
    while place < at + len(data):
        end = min((place // sector + 1) * sector, at + len(data))
        if share == ALL or dice.random() < share:
            content.extend(bytes(max(0, end - len(content))))
            content[place:end] = data[place - at : end - at]
        place = end
