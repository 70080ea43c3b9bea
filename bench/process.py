"""What the kernel counts for a tree of processes: processor seconds and memory, read from /proc."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")
MIB = 1024  # /proc counts memory in kB


def tree(root: int) -> list[int]:
    """The process and everything below it that is alive."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, ahead = [], [root]
    while ahead:
        pid = ahead.pop()
        found.append(pid)
        ahead += children.get(pid, [])
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of a tree, with what its ended children have used."""
    ticks = [sum(map(int, fields[11:15])) for pid in tree(root) if (fields := _stat(pid))]
    return sum(ticks) / TICK


def busy_seconds() -> float:
    """What all processors of the machine have been busy with since it started."""
    user, nice, system, _idle, _wait, irq, softirq, steal = (
        int(field) for field in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / TICK


def parent(pid: int) -> int:
    """The process that started this one."""
    return int(_stat(pid)[1])


def forget_peak(root: int) -> None:
    """Begin to look for the peak of memory anew."""
    for pid in tree(root):
        try:
            (PROC / str(pid) / "clear_refs").write_text("5")
        except OSError:
            continue  # it has ended, or is not ours to ask


def peak_mib(root: int) -> float:
    """Peak resident memory of a tree since `forget_peak`."""
    return sum(_kib(PROC / str(pid) / "status", "VmHWM:") for pid in tree(root)) / MIB


def proportional_mib(root: int) -> float:
    """Memory of a tree as it stands; a page that several share counts for each in part."""
    return sum(_kib(PROC / str(pid) / "smaps_rollup", "Pss:") for pid in tree(root)) / MIB


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from `state` on; empty if it has ended."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _kib(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
