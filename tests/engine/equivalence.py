"""Where our engine and SpiffWorkflow as it comes must agree, how far that was tried, and where they differ.

`python -m tests.engine.equivalence` walks by lot through hundreds of generated drawings and through all
shipped packages, prints what it found and writes `docs/equivalence.md`.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.stock import HandClock, hand_clock
from tests.engine.defects import DEFECTS
from tests.engine.drawing import NOW
from tests.engine.packages import Walked, answers, definition, walk
from tests.engine.stock import Blocks, Ours, Stock
from tests.processes import drawn

LONGEST = 40
PAGE = Path(__file__).parents[2] / "docs" / "equivalence.md"
ADAPTED = {
    "FEEL, scripts, decision tables": "its own are Python; both engines ask our FEEL and our decisions",
    "service and send tasks": "they wait in both, like a person's task, and get the same recorded answer",
    "input and output mappings of zeebe": "unknown to it; the adapter maps before and after",
    "items of a multi-instance": "it reads a variable, not an expression, and lists results in the order "
    "of completion; the adapter gives it a map from item number to item",
    "loopCounter": "it has none; not compared",
    "due moments": "it fires after a moment, we at it; both are led one second past it",
}
"""What SpiffWorkflow cannot read in the shipped packages, and what the adapter in `bench/stock.py` does."""

INTRODUCTION = (
    "SpiffWorkflow 3.2.0 executes our cases with node classes of ours. Wherever the library as it comes is "
    "right, ours must do the same: the same tasks, events and jobs wait after every step, they see the same "
    "data, and at the end every element was passed as often. `make equivalence` walks by lot, writes this "
    "page and fails at the first difference; the suite does the same with smaller numbers."
)

LEFT_OUT = {
    "event sub-processes (`gf_withdrawal`)": "interrupting event sub-process",
    "second message at `pub_objection`": "boundary events that stay",
    "a branch that writes what another branch wrote": "a branch that wrote nothing",
    "sub-processes that are interrupted (`cul_pool`)": "data of an interrupted sub-process",
    "event-based gateways with two timers": "two timers of one event gateway",
    "loops of more than 40 steps": "depth",
}
"""What the walks do not do because SpiffWorkflow is wrong there → its defect."""


def drawn_walk(seed: int) -> bool:
    """Both engines on one generated drawing; whether it reached its end. Raises AssertionError."""
    HandClock.moment = NOW.astimezone(UTC)
    blocks = Blocks(seed)
    files = {d.process_id: d.xml for d in (blocks.drawing, blocks.called)}
    chance, now = random.Random(seed), NOW
    other = Stock(files, "main", {"x": 1, "true_": True})
    ours = Ours(blocks.drawing, blocks.called, {"x": Decimal(1), "true_": True})

    for _ in range(LONGEST):
        assert ours.waiting() == other.waiting()
        assert ours.is_done == other.is_done
        if ours.is_done:
            break
        for element in ours.waiting():
            assert ours.seen_by(element) == other.seen_by(element)
        if chance.random() < 0.15:
            now += timedelta(days=4)
            other.pass_time(now)
            ours.pass_time(now)
            continue
        element = chance.choice(sorted(ours.waiting()))
        values = {f"v_{element.rpartition('/')[2]}": 7}
        values |= {"x": chance.randrange(4)} if is_alone(ours) else {}
        other.complete(element, values)
        ours.complete(element, {key: Decimal(value) for key, value in values.items()})

    assert {e: n for e, n in ours.passed.items() if n} == dict(other.completed())
    if ours.is_done:
        assert ours.data == {k: v for k, v in other.data.items() if k != "data_objects"}
    return ours.is_done


def is_alone(ours: Ours) -> bool:
    """Whether no other branch is open: what both write would be a conflict, which SpiffWorkflow settles by
    the order of arrival."""
    return all(not token.frames for token in ours.execution._workflow.numbers.values())


def package_walks(process: str, examples: tuple[str, ...], seeds: Iterable[int]) -> list[Walked]:
    """Walks through one package, with the answers of these examples."""
    learnt = answers(process, examples)
    return [walk(process, learnt, seed) for seed in seeds]


def examples_of(process: str) -> tuple[str, ...]:
    return tuple(name.partition("/")[2] for name in drawn.examples() if name.startswith(f"{process}/"))


# --- the long run -------------------------------------------------------------------------------------


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--drawings", type=int, default=300)
    arguments.add_argument("--walks", type=int, default=150)
    chosen = arguments.parse_args()
    hand_clock()
    done = sum(drawn_walk(seed) for seed in range(chosen.drawings))
    lines = [f"{chosen.drawings} generated drawings: {done} walks to the end, no difference"]
    apart = []
    for process in ("supply_chain", "green_factory"):
        walked = package_walks(process, examples_of(process), range(chosen.walks))
        lines.append(summary(process, walked))
        apart += [f"{process} walk {n}: {w.difference}" for n, w in enumerate(walked) if w.difference]
    PAGE.write_text(page(lines), encoding="utf-8")
    print("\n".join([*lines, *apart, "", page(lines)]))
    sys.exit(1 if apart else 0)


def summary(process: str, walked: list[Walked]) -> str:
    """What these walks tried, in one line."""
    passed = sum((one.passed for one in walked), Counter())
    kinds = {own: e for own, e in definition(process).elements.items() if e.kind != "sequenceFlow"}
    processes = {kinds[own].process_id for own in passed}
    steps, done = sum(len(one.steps) for one in walked), sum(one.is_done for one in walked)
    apart = sum(bool(one.difference) for one in walked)
    return (
        f"{process} with what it calls: {len(walked)} walks, {steps} steps, {done} to the end; "
        f"{len(passed)} of {len(kinds)} elements of {len(processes)} processes; {apart or 'no'} differences"
    )


def page(lines: list[str]) -> str:
    """The document."""
    return f"""# Equivalence with SpiffWorkflow

{INTRODUCTION}

## The last long run

{chr(10).join(f"* {line}" for line in lines)}

## What the adapter does

{table(("what SpiffWorkflow cannot read", "in the comparison"), ADAPTED.items())}

## Where the walks do not go

{table(("left out", "because SpiffWorkflow is wrong there", "ours"), left_out())}

## Every known defect

Each is a test in `tests/engine/test_defects.py`, or in the one named.

{table(("defect", "SpiffWorkflow as it comes", "our engine", "test"), defects())}
"""


def left_out() -> list[tuple[str, str, str]]:
    return [(what, DEFECTS[name].stock, DEFECTS[name].ours) for what, name in LEFT_OUT.items()]


def defects() -> list[tuple[str, str, str, str]]:
    return [(name, told.stock, told.ours, told.shown) for name, told in DEFECTS.items()]


def table(heads: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    """Rows as Markdown."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
