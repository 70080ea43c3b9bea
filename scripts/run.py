"""`make run`: fill an empty database with a season, then serve and work until Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIDU = Path(sys.executable).with_name("tidu")
CASES = "40"
PATIENCE = 60
LOG_INS = """
  {address}

  who                        account         password
  applicant                  app01           tidu-demo
  county officer             lz.county       tidu-demo
  municipal officer, leader  lz.officer, lz.leader
  provincial officer, leader prov.officer, prov.leader
  departments                dee, dem, amr
  experts                    expert1 … expert9
  process owner, approver    owner, approver
  auditor, administrator     auditor, admin

  All of them have the same password. Ctrl-C stops; `make run` goes on with the same data.
"""


def main() -> int:
    host, port = os.environ.get("TIDU_HOST") or "127.0.0.1", os.environ.get("TIDU_PORT") or "8080"
    if _is_taken(host, int(port)):
        print(f"tidu: {host}:{port} is in use; TIDU_PORT=8081 make run takes another port", file=sys.stderr)
        return 1
    known = subprocess.run([TIDU, "init", "--json"], cwd=ROOT, check=False, stdout=subprocess.PIPE)
    if known.returncode:
        return 1
    if json.loads(known.stdout)["cases"] == 0:
        print(
            f"tidu: playing a season of {CASES} cases into the empty database …", file=sys.stderr, flush=True
        )
        if subprocess.run([TIDU, "demo", "--cases", CASES], cwd=ROOT, check=False).returncode:
            return 1
    return _serve_until_stopped(f"http://{host}:{port}")


def _serve_until_stopped(address: str) -> int:
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # even where a shell had them ignored
    programs = [
        subprocess.Popen([TIDU, name], cwd=ROOT, start_new_session=True) for name in ("serve", "worker")
    ]
    try:
        if _answers(address, programs):
            print(LOG_INS.format(address=address), flush=True)
        while all(program.poll() is None for program in programs):
            time.sleep(0.2)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(programs)


def _stop(programs: list[subprocess.Popen[bytes]]) -> None:
    for program in programs:
        if program.poll() is None:
            program.terminate()
    for program in programs:
        try:
            program.wait(15)
        except subprocess.TimeoutExpired:
            program.kill()


def _answers(address: str, programs: list[subprocess.Popen[bytes]]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and all(program.poll() is None for program in programs):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            time.sleep(0.1)
    return False


def _is_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1" if host == "0.0.0.0" else host, port)) == 0


if __name__ == "__main__":
    sys.exit(main())
