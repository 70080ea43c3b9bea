"""Watches what SQLite does to its files, and makes it fail: a file system of its own kind over the real one.

SQLite reaches its files through tables of functions that may be exchanged (a VFS). Ours calls the real ones
and writes down what they do, in the order in which it happens, so that `disk` can cut the power anywhere. It
needs no privilege and no other program, and it watches the very library that the house works with.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import itertools
import os
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.tables import sqlite_module
from tests.reliability.disk import Answered, Disk, Made, Removed, Sized, Synced, Unsynced, Written

OK, FULL, WRITE_FAILED, SYNC_FAILED = 0, 13, 10 | (3 << 8), 10 | (4 << 8)
"""SQLite's codes for how a deed may end."""

MAIN_FILE, JOURNALS = 0x0100, 0x0800 | 0x4000 | 0x80000
"""SQLite's flags for what a file is opened as. The first sync of a new journal syncs its folder too."""

Close = CFUNCTYPE(c_int, c_void_p)
Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
Sync = CFUNCTYPE(c_int, c_void_p, c_int)

_pwrite = os.pwrite
_numbers = itertools.count(1)


class _Vfs(Structure):
    _fields_ = (
        *((name, c_int) for name in ("version", "file_size", "longest_path")),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", Open),
        ("delete", Delete),
        ("others", c_void_p * 15),
    )


class _Methods(Structure):
    _fields_ = (
        ("version", c_int),
        ("close", Close),
        ("read", c_void_p),
        ("write", Write),
        ("truncate", Truncate),
        ("sync", Sync),
        ("others", c_void_p * 13),
    )


@dataclass
class _Held:
    """A file as one connection has it open: its number, the real functions, and whether its first sync is
    to come, which will put its name on the disk."""

    number: int
    real: _Methods
    is_unnamed: bool


class Watched:
    """A folder whose SQLite databases are watched; the connections that are opened by `url`."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        """`disk`, where it differs from what programs see in the folder."""
        self.folder = folder
        files = (path for path in folder.glob("*.db*") if not path.name.endswith("-shm"))  # that is memory
        there = {path.name: path.read_bytes() for path in files}
        self.disk = disk or Disk(there)
        self.fault: Callable[[str], int] = lambda deed: OK
        """Asked before each `write` and `sync`: OK, or the code it shall fail with."""
        self.space: int | None = None
        """So many bytes may still be written, as on a disk that never writes in place; None: any number."""
        numbers = self.disk.numbers()
        self._numbers = {name: numbers[name] for name in there}
        self._held: dict[int, _Held] = {}
        self._tables: dict[int, _Methods] = {}
        self._functions = Close(self._close), Write(self._write), Truncate(self._truncate), Sync(self._sync)
        self._register()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))  # SQLite has the addresses of our tables for ever
        atexit.register(self._let_go)

    def url(self, name: str) -> str:
        """The address by which the house opens a database of this folder."""
        return f"sqlite:///file:{self.folder / name}?vfs={self._vfs.name.decode()}&uri=true"

    def answered(self, what: str) -> None:
        """Somebody was told that this is done."""
        self.disk.deeds.append(Answered(what))

    def _register(self) -> None:
        library = ctypes.CDLL(_where_sqlite_is())
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._real: _Vfs = library.sqlite3_vfs_find(None).contents
        self._vfs = _Vfs.from_buffer_copy(self._real)
        self._vfs.name = f"watched{next(_numbers)}".encode()
        self._vfs.open, self._vfs.delete = Open(self._open), Delete(self._delete)
        assert library.sqlite3_vfs_register(ctypes.byref(self._vfs), 0) == OK

    # --- what the house does to the files itself --------------------------------------------------------

    def pwrite(self, file: int, data: bytes, at: int) -> int:
        """`os.pwrite`, watched."""
        path = Path(os.readlink(f"/proc/self/fd/{file}"))
        if path.parent == self.folder:
            self.disk.deeds.append(Written(self._numbers[path.name], at, data))
        return _pwrite(file, data, at)

    # --- what SQLite calls ------------------------------------------------------------------------------

    def _open(self, vfs: int, path: int | None, file: int, flags: int, given: Any) -> int:
        """The path is handed on as SQLite's own pointer: it is kept, and more stands behind it."""
        code: int = self._real.open(vfs, path, file, flags, given)
        if code == OK and path is not None and flags & (MAIN_FILE | JOURNALS):
            name = os.path.basename(ctypes.string_at(path).decode())
            is_new = name not in self._numbers
            if is_new:
                self._numbers[name] = number = next(_numbers)
                self.disk.deeds.append(Made(number, name))
            self._hold(file, self._numbers[name], is_new and bool(flags & JOURNALS))
        return code

    def _hold(self, file: int, number: int, is_unnamed: bool) -> None:
        """Exchange the table of an open file: our functions stand where the real ones stood."""
        place = c_void_p.from_address(file)
        real = place.value or 0
        if real not in self._tables:
            ours = self._tables[real] = _Methods.from_buffer_copy(_Methods.from_address(real))
            ours.close, ours.write, ours.truncate, ours.sync = self._functions
        place.value = ctypes.addressof(self._tables[real])
        self._held[file] = _Held(number, _Methods.from_address(real), is_unnamed)

    def _close(self, file: int) -> int:
        held = self._held.pop(file)
        c_void_p.from_address(file).value = ctypes.addressof(held.real)
        return held.real.close(file)

    def _let_go(self) -> None:
        """Nothing of Python may be called when there is no Python any more."""
        self._vfs.open, self._vfs.delete = self._real.open, self._real.delete
        for file, held in self._held.items():
            c_void_p.from_address(file).value = ctypes.addressof(held.real)

    def _delete(self, vfs: int, path: bytes, named: int) -> int:
        code: int = self._real.delete(vfs, path, named)
        name = os.path.basename(path.decode())
        if self._numbers.pop(name, None) is not None and code == OK:
            self.disk.deeds.append(Removed(name, bool(named)))
        return code

    def _write(self, file: int, data: int, length: int, at: int) -> int:
        held, code = self._held[file], self.fault("write") or self._take_space(length)
        length = length // 2 if code else length  # what fails has got somewhere
        self.disk.deeds.append(Written(held.number, at, ctypes.string_at(data, length)))
        return held.real.write(file, data, length, at) or code

    def _take_space(self, length: int) -> int:
        if self.space is None:
            return OK
        self.space = max(0, self.space - length)
        return OK if self.space else FULL

    def _truncate(self, file: int, size: int) -> int:
        self.disk.deeds.append(Sized(self._held[file].number, size))
        return self._held[file].real.truncate(file, size)

    def _sync(self, file: int, flags: int) -> int:
        held, since = self._held[file], len(self.disk.deeds)
        if code := self.fault("sync"):
            self.disk.deeds.append(Unsynced(held.number, since))
            return code
        code = held.real.sync(file, flags)
        self.disk.deeds.append(Synced(held.number, since, held.is_unnamed))
        held.is_unnamed = False
        return code


def _where_sqlite_is() -> str:
    """The shared library that holds the SQLite which the house works with."""
    package = sqlite_module().__name__.partition(".")[0]
    part = "pysqlite3._sqlite3" if package == "pysqlite3" else "_sqlite3"
    return str(importlib.import_module(part).__file__)
