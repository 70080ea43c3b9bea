"""What a line says about the machine, and how busy others were while it was measured."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench import process

ROOT = Path(__file__).resolve().parents[1]
OWN = os.getpid()
BLOCK = b"\0" * 8192


class Foreign:
    """Processors that were busy with neither us nor our PostgreSQL since this was made."""

    def __init__(self, *roots: int) -> None:
        self._roots = roots
        self._begin = time.monotonic()
        self._busy, self._own = process.busy_seconds(), self._ours()

    def _ours(self) -> float:
        return sum(process.cpu_seconds(root) for root in self._roots)

    def cores(self) -> float:
        wall = max(time.monotonic() - self._begin, 0.01)
        others = process.busy_seconds() - self._busy - (self._ours() - self._own)
        return round(max(others, 0.0) / wall, 2)


def environment(folder: Path, *, calibrate: float = 2.0) -> dict[str, Any]:
    """The machine, the time of a synced write below `folder`, and turns of a loop in a CPU second."""
    return {
        "cpu": f"{_model()}, {os.cpu_count()} cores",
        "mem_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "fsync_us": _synced_write(folder),
        "loop_ms": _loop(calibrate),
    }


def version() -> str:
    """The commit that is measured, with a + when files differ from it."""
    try:
        command = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
        commit = subprocess.check_output([*command, "rev-parse", "--short", "HEAD"], text=True).strip()
        changed = subprocess.check_output([*command, "status", "--porcelain"], text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit + ("+" if changed else "")


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")


def _synced_write(folder: Path, times: int = 200) -> int:
    """Median microseconds of overwriting a block and having it on the disk (as pg_test_fsync counts)."""
    path, taken = folder / "synced", []
    handle = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        os.pwrite(handle, BLOCK, 0)
        for _ in range(times):
            begin = time.perf_counter()
            os.pwrite(handle, BLOCK, 0)
            os.fdatasync(handle)
            taken.append(time.perf_counter() - begin)
    finally:
        os.close(handle)
        path.unlink()
    return round(1e6 * median(taken))


def _loop(seconds: float) -> float:
    """Milliseconds of CPU for a fixed loop, so that figures of two machines can be compared."""
    turns, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        sum(range(100_000))
        turns += 1
    return round(1000 * (time.process_time() - begin) / turns, 3)
