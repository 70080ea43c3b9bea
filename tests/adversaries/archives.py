"""Row 25: archives that are sent as packages."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator

from tests.adversaries.row import Attack, Row
from tests.adversaries.uploads import plain

Send = Callable[[], Attack]


def archive(*entries: tuple[str, bytes], locked: bool = False, cut: bool = False) -> Attack:
    """A zip of these entries, damaged if wanted."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    raw = bytearray(data.getvalue())
    if locked:
        for mark in (b"PK\x03\x04", b"PK\x01\x02"):
            raw[raw.index(mark) + (6 if mark[2] == 3 else 8)] |= 1
    if cut:
        start = raw.index(b"PK\x03\x04") + 30 + len(entries[0][0])
        raw[start : start + 8] = b"\xff" * 8
    return Attack(archive=bytes(raw))


GOOD = ("process.bpmn", plain().encode())
PACKAGES: dict[str, tuple[Send, tuple[str, ...]]] = {
    "25 zip slip": (lambda: archive(GOOD, ("../../etc/cron.d/x", b"x")), ("refused:package.file",)),
    "25 absolute path": (lambda: archive(GOOD, ("/etc/passwd", b"x")), ("refused:package.file",)),
    "25 backslashes": (lambda: archive(GOOD, ("forms\\..\\..\\x.form", b"{}")), ("refused:package.file",)),
    "25 a link": (lambda: _linked(), ("refused:",)),
    "25 a bomb": (lambda: archive(GOOD, ("README.md", b"0" * 30_000_000)), ("rejected:TOO_LARGE",)),
    "25 a large file": (lambda: archive(GOOD, ("README.md", b"0" * 19_000_000)), ("refused:package.size",)),
    "25 an archive in an archive": (lambda: archive(GOOD, ("42.zip", b"PK")), ("refused:package.file",)),
    "25 many files": (
        lambda: archive(GOOD, *((f"examples/e{n}.json", b"{}") for n in range(5_000))),
        ("refused:package.size",),
    ),
    "25 a name twice": (
        lambda: _twice(),
        ("rejected:PACKAGE_EXPECTED",),
    ),
    "25 NUL in a name": (lambda: archive(GOOD, ("README.md\0.exe", b"x")), ("refused:", "completed:x=null")),
    "25 no archive": (lambda: Attack(archive=b"x" * 1000), ("rejected:PACKAGE_EXPECTED",)),
    "25 locked": (lambda: archive(GOOD, locked=True), ("rejected:PACKAGE_EXPECTED",)),
    "25 damaged": (lambda: archive(GOOD, cut=True), ("rejected:PACKAGE_EXPECTED",)),
    "25 no drawing": (lambda: archive(("README.md", b"x")), ("refused:package.drawing",)),
}


def rows() -> Iterator[Row]:
    """Every archive."""
    for name, (attack, expect) in PACKAGES.items():
        yield Row(id=name, attack=attack, expect=expect, seconds=4)


def _linked() -> Attack:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        link = zipfile.ZipInfo("process.bpmn")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    return Attack(archive=data.getvalue())


def _twice() -> Attack:
    name, content = GOOD
    made = archive((name, content), ("process.bpmX", content.replace(b'id="a"', b'id="A"')))
    assert made.archive is not None
    return Attack(archive=made.archive.replace(b"process.bpmX", b"process.bpmn"))
