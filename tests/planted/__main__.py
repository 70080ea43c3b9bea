"""Plants each fault in a copy and looks whether its tests turn red: `python -m tests.planted [NAME…]`.

Exit code 1 if a test is red without a fault, or if a fault stays green.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.planted.copies import Copy, Verdict
from tests.planted.fault import Fault
from tests.planted.faults import FAULTS

WIDTH = 100


def main(names: Sequence[str]) -> int:
    """Plant all, or those that are named."""
    known = {fault.name: fault for fault in FAULTS}
    strangers = [name for name in names if name not in known]
    if strangers:
        print(f"no fault is called {', '.join(strangers)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    chosen = [known[name] for name in names] or list(FAULTS)
    with TemporaryDirectory(prefix="planted-") as folder:
        if not _is_green_without(chosen, Path(folder)):
            return 1
        stayed = [fault.name for fault in chosen if not _is_noticed(fault, Path(folder))]
    print(f"\n{len(chosen) - len(stayed)} of {len(chosen)} planted faults turned their tests red")
    if stayed:
        print(f"not noticed: {', '.join(stayed)}")
    return 1 if stayed else 0


def _is_green_without(chosen: Iterable[Fault], folder: Path) -> bool:
    copy = Copy(folder / "sound")
    assert copy.uses_its_own_code(), "a copy would run the code of the checkout"
    tests = list(dict.fromkeys(test for fault in chosen for test in fault.noticed_by))
    wrong = {test: verdict for test, verdict in copy.judge(tests).items() if verdict.colour != "green"}
    for test, verdict in wrong.items():
        print(f"{verdict.colour} without any fault: {test}\n    {_short(verdict)}")
    print(
        f"{len(tests) - len(wrong)} of {len(tests)} tests are green before anything is planted\n", flush=True
    )
    return not wrong


def _is_noticed(fault: Fault, folder: Path) -> bool:
    began = time.monotonic()
    copy = Copy(folder / fault.name)
    fault.plant(copy.folder)
    found = copy.judge(fault.noticed_by)
    shutil.rmtree(copy.folder)
    colours = {verdict.colour for verdict in found.values()}
    seconds = time.monotonic() - began
    print(f"{'red' if colours == {'red'} else 'STAYED GREEN':12} {seconds:4.0f} s  {fault.name}")
    print(f"{'':20}{fault.story}")
    for test, verdict in found.items():
        print(f"{'':20}{verdict.colour}: {test.rpartition('::')[2]}\n{'':24}{_short(verdict)}", flush=True)
    return colours == {"red"}


def _short(verdict: Verdict) -> str:
    return " ".join(verdict.reason.split())[:WIDTH]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
