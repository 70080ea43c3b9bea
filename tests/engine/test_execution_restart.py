"""A restored execution goes on exactly as the one that never stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.execution.execution import Execution
from tests.engine.drawing import WeekDays
from tests.engine.models import FAMILY, Walk

SEEDS = range(25)
LONGEST = 120


def walk(make, seed):
    """Digest and signals after every step."""
    hand = Walk(seed)
    execution = hand.start(make())
    trail = [(execution.digest(), str(execution.drain()))]
    while len(trail) < LONGEST and (command := hand.choose(execution)) is not None:
        told = hand.do(execution, command)
        trail.append((execution.digest(), str(told)))
    return trail


@pytest.mark.parametrize("make", FAMILY)
def test_restarting_after_every_step_changes_nothing(make):
    definition = make()
    kinds = set()
    for seed in SEEDS:
        hand = Walk(seed)
        running = hand.start(definition)
        running.drain()
        for _ in range(LONGEST):
            text = json.dumps(running.snapshot(), sort_keys=True)
            restored = Execution.restore(definition, json.loads(text), calendar=WeekDays())
            assert restored.digest() == running.digest()
            assert restored.variables == running.variables
            command = hand.choose(running)
            if command is None:
                break
            kinds.add(command[0])
            told = hand.do(running, command)
            assert hand.do(restored, command) == told
            assert restored.digest() == running.digest()
    assert "complete" in kinds


@pytest.mark.parametrize("make", FAMILY)
def test_every_walk_comes_to_an_end_or_goes_on_but_never_gets_stuck(make):
    ends = set()
    for seed in SEEDS:
        hand = Walk(seed)
        execution = hand.start(make())
        for _ in range(3 * LONGEST):
            command = hand.choose(execution)
            if command is None:
                break
            hand.do(execution, command)
        waits = [token.awaits for token in execution._workflow.numbers.values()]
        if hand.choose(execution) is None and "conditional" not in waits:
            assert execution.status == "completed"
        ends.add(execution.status)
    assert "completed" in ends


def test_another_process_with_another_hash_seed_comes_to_the_same_digests():
    program = (
        "import json,sys;from tests.engine.models import FAMILY;"
        "from tests.engine.test_execution_restart import walk;"
        "print(json.dumps([walk(make, seed) for make in FAMILY for seed in range(4)]))"
    )
    answers = []
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        answers.append(
            subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True)
        )

    assert answers[0].stdout == answers[1].stdout
    assert len(json.loads(answers[0].stdout)) == 4 * len(FAMILY)


def test_cases_in_different_threads_do_not_disturb_each_other():
    alone = [walk(make, seed) for make in FAMILY for seed in range(6)]

    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(lambda pair: walk(*pair), [(make, seed) for make in FAMILY for seed in range(6)])
        )

    assert together == alone


def test_a_snapshot_does_not_grow_with_the_history():
    definition = FAMILY[0]()
    hand = Walk(1)
    execution = hand.start(definition)
    sizes = []
    for _ in range(3000):
        tokens = execution._workflow.numbers.values()
        person = next(t for t in tokens if t.element in ("submit", "review") and t.awaits == "person")
        execution.complete(person.id, {"yes": False}, now=hand.now)
        execution.drain()
        sizes.append(len(json.dumps(execution.snapshot())))

    assert max(sizes[-10:]) < max(sizes[10:20]) + 50
