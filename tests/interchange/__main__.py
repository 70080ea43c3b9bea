"""`make interchange DIR=…`: every .bpmn file of a folder through import, editor and export, as a report."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests import browser
from tests.interchange.compare import differences
from tests.interchange.editing import Owner, owner_at_work

TOLD = 12
"""So many differences of one file are printed."""


def main(folder: Path) -> int:
    """Print one paragraph for each file; 1 if something differs or cannot be imported."""
    if reason := browser.unavailable():
        print(f"interchange: {reason}", file=sys.stderr)
        return 2
    logging.disable()  # a report, not the story of a server
    with (
        browser.launched() as chromium,
        tempfile.TemporaryDirectory() as house,
        owner_at_work(chromium, Path(house)) as owner,
    ):
        results = [_report(owner, path) for path in sorted(folder.rglob("*.bpmn"))]
    print(f"{results.count(True)} of {len(results)} come back as they went")
    return 0 if results and all(results) else 1


def _report(owner: Owner, path: Path) -> bool:
    try:
        trip = owner.travel(path)
    except AssertionError as error:
        print(f"{path.name}: import refused\n    {error}")
        return False
    kept = trip.imported == path.read_bytes()
    found = differences(trip.imported, trip.saved)
    errors = Counter(rule for severity, rule, _, _ in trip.findings if severity == "error")
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(errors.items()))
    print(f"{path.name}: imported {'byte for byte' if kept else 'CHANGED'}; ", end="")
    print(f"{'deployable' if not errors else f'refused by {rules}'}; ", end="")
    print("round trip same" if not found else f"round trip differs in {len(found)} places")
    for line in found[:TOLD]:
        print(f"    {line[:400]}")
    if trip.told:
        print(f"    the editor says: {trip.told}")
    return kept and not found


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
