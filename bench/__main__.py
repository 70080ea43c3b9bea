"""The benchmark: `python -m bench SCENARIO …` measures into a file, `python -m bench report FILE…` tells."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from bench import lines, report
from bench.order import Order, Run
from bench.scenarios import audit, cold, growth, inbox, office, throughput
from bench.stores import Unavailable

SCENARIOS: dict[str, Run] = {
    "A": throughput.run,
    "B": office.run,
    "C": inbox.run,
    "D": audit.run,
    "G": cold.run,
    "H": growth.run,
}


def main() -> int:
    given = _parser().parse_args()
    if given.scenario == "report":
        print(report.told(lines.read(given.files), keep_noisy=given.keep_noisy))
        return 0
    return _measure(given)


def _measure(given: argparse.Namespace) -> int:
    """1 if an oracle said no, for a fast run with a wrong result is a failed run; 2 if nothing can be run."""
    failed = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    try:
        for one in SCENARIOS[given.scenario](_order(given)):
            lines.append(given.out, one)
            print(report.in_one_line(one), file=sys.stderr)
            failed |= not one["oracle"]["ok"] and not lines.is_missing(one)
    except Unavailable as reason:
        print(f"{given.scenario} cannot be measured here: {reason}", file=sys.stderr)
        return 2
    return int(failed)


def _order(given: argparse.Namespace) -> Order:
    return Order(
        scenario=given.scenario,
        store=given.store,
        threads=tuple(given.threads or (1,)),
        subjects=tuple(given.subjects.split(",")),
        rounds=given.rounds,
        cases=given.cases,
        warm=given.warm,
        processes=given.processes,
        payload=given.payload,
        sizes=tuple(given.size or ()),
        calibrate=given.calibrate,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="scenario", required=True)
    for name, run in SCENARIOS.items():
        said = (sys.modules[run.__module__].__doc__ or "").splitlines()[0]
        _orders(commands.add_parser(name, help=said, description=said))
    told = commands.add_parser("report", help="tables in Markdown from files of lines")
    told.add_argument("files", nargs="+", type=Path, metavar="FILE")
    told.add_argument("--keep-noisy", action="store_true", help="also lines measured on a busy machine")
    return parser


def _orders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", choices=("sqlite", "pg"), default="pg")
    parser.add_argument(
        "--threads", type=int, action="append", metavar="N", help="may be given several times"
    )
    parser.add_argument("--subjects", default="ours,floor", help="ours, floor, spiff, flowable, operaton")
    parser.add_argument("--rounds", type=int, default=1, metavar="R")
    parser.add_argument("--cases", type=int, metavar="N", help="measured each time; what the scenario takes")
    parser.add_argument("--warm", type=int, metavar="N", help="cases before the first; 50, JVM 1000")
    parser.add_argument("--processes", type=int, default=1, metavar="P", help="of each candidate of A")
    parser.add_argument("--payload", type=int, default=2000, metavar="BYTES", help="of each page handed in")
    parser.add_argument(
        "--size", type=int, action="append", metavar="N", help="of what is stored; several times"
    )
    parser.add_argument("--calibrate", type=float, default=2.0, metavar="S", help="seconds of the CPU loop")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="lines are put behind it")


if __name__ == "__main__":
    sys.exit(main())
