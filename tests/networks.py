"""A network of its own for a server, out of which nothing comes once it is cut off. Needs Linux and root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

OURS, THEIRS = "10.77.23.1", "10.77.23.2"


@dataclass(frozen=True)
class Network:
    """`inside` stands before the words of a program that is to run in it; it is reached at `host`."""

    name: str
    host: str = THEIRS

    @property
    def inside(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """From now on nothing leaves it, and nobody is told: as if a cable were pulled."""
        _ip(*self.inside[1:], "ip", "route", "add", "blackhole", f"{OURS}/32")


def unavailable() -> str:
    """Why there can be none here; empty if there can."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return "a network of its own needs root and the program ip"
    tried = subprocess.run(["unshare", "-n", "true"], capture_output=True)
    return "" if tried.returncode == 0 else "the system allows no network of its own (unshare -n)"


@contextmanager
def network() -> Iterator[Network]:
    """One network, joined to ours by a cable."""
    made = Network(f"tidu{os.getpid()}")
    ours, theirs = f"{made.name}a", f"{made.name}b"
    _ip("netns", "add", made.name)
    try:
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs)
        _ip("link", "set", theirs, "netns", made.name)
        _ip("addr", "add", f"{OURS}/30", "dev", ours)
        _ip("link", "set", ours, "up")
        for words in (("addr", "add", f"{THEIRS}/30", "dev", theirs), ("link", "set", theirs, "up")):
            _ip("-n", made.name, *words)
        yield made
    finally:
        _ip("netns", "del", made.name)
        subprocess.run(["ip", "link", "del", ours], capture_output=True)  # gone already, or soon


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
