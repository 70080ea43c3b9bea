"""A restored execution goes on exactly as the one that never stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.case.case import Case
from engine.events import entry_of
from engine.execution.execution import Execution
from tests.engine.drawing import WeekDays
from tests.engine.models import FAMILY, Walk
from tests.engine.wild import Life, wild

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


def test_random_models_restarted_after_every_step_are_where_they_were(often):
    """As if the house were killed after every single entry's command and came up again."""
    for seed in range(often("models")):
        for path in range(often("paths")):
            life = Life(wild(seed), path)
            while life.step() and life.case.seq < LONGEST:
                before = life.case
                state = json.dumps(before.state(), sort_keys=True)
                life.case = Case.of(json.loads(state), wild(seed), WeekDays(), head=before.head)
                assert json.dumps(life.case.state(), sort_keys=True) == state
                assert life.case.execution.digest() == before.execution.digest()
                assert life.case.variables == before.variables


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


PLACES = (("1", "UTC"), ("2", "Asia/Shanghai"), ("3", "America/New_York"))
"""Hash seeds and time zones of other processes."""


def test_histories_replay_to_the_same_digests_in_other_processes(often, tmp_path):
    """Every prefix of every history, under another hash seed and in another zone."""
    seeds = range(often("histories"))
    lives = [told(seed) for seed in seeds]
    written = tmp_path / "histories.json"
    written.write_text(json.dumps([bodies for bodies, _ in lives]), encoding="utf-8")
    program = "import sys; from tests.engine.test_execution_restart import replay; replay(sys.argv[1])"
    for hash_seed, zone in PLACES:
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone}
        answer = subprocess.run(
            [sys.executable, "-c", program, str(written)], env=env, capture_output=True, check=True
        )
        assert json.loads(answer.stdout) == [digests for _, digests in lives]


def told(seed):
    """A history as it stands in the journal, and the digest of the whole state after every entry of it."""
    life = Life(wild(seed), seed)
    while life.step() and life.case.seq < LONGEST:
        pass
    bodies = [entry.body() for entry in life.case.fresh]
    return bodies, relived(seed, bodies)


def relived(seed, bodies):
    entries = [entry_of(body) for body in bodies]
    case = Case(entries[0], wild(seed), WeekDays())
    digests = []
    for entry in entries:
        case.relive(entry)
        digests.append(case.execution.digest())
    case.end_of_replay()
    return digests


def replay(path):
    """What the other process does."""
    histories = json.loads(Path(path).read_text(encoding="utf-8"))
    print(json.dumps([relived(seed, bodies) for seed, bodies in enumerate(histories)]))


def test_cases_in_different_threads_do_not_disturb_each_other():
    alone = [walk(make, seed) for make in FAMILY for seed in range(6)]

    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(lambda pair: walk(*pair), [(make, seed) for make in FAMILY for seed in range(6)])
        )

    assert together == alone
