"""A restored execution goes on exactly as the one that never stopped."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from engine.case.case import Case
from engine.events import Cause, entry_of
from engine.execution.execution import Execution
from tests.engine.drawing import WeekDays
from tests.engine.models import FAMILY, Walk
from tests.engine.wild import FAMILY_VALUES, Life, wild

CHECKOUT = Path(__file__).resolve().parents[2]
SEEDS = range(25)
LONGEST = 120
SHORTER = 60


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


def test_random_models_restarted_after_every_step_are_where_they_were(campaign):
    """As if the house were killed after every command and came up again; beside it one that never is."""
    models, paths = campaign.times(30, 300), campaign.times(10, 50)
    restarts = 0
    for seed in range(models):
        for path in range(paths):
            restarted, undisturbed = Life(wild(seed), path), Life(wild(seed), path)
            while undisturbed.step() and undisturbed.case.seq < LONGEST:
                restart(restarted, wild(seed))
                assert restarted.step()
                assert restarted.case.execution.digest() == undisturbed.case.execution.digest()
                assert restarted.case.standing == undisturbed.case.standing
                restarts += 1
    campaign.tell("R13", walks=models * paths, restarts=restarts, different=0)


def restart(life, definition):
    """Nothing of the case is left but what was stored."""
    before = life.case
    state = json.dumps(before.state())
    life.case = Case.of(json.loads(state), definition, WeekDays(), head=before.head)
    assert json.dumps(life.case.state()) == state
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


ZONES = ("UTC", "Asia/Shanghai", "America/New_York")
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")


def test_histories_replay_to_the_same_digests_in_other_processes(campaign, tmp_path):
    """Every prefix of every history, under hash seeds drawn by lot, in other zones, in every Python here.

    Each history is replayed in one zone, by every Python.
    """
    pythons = [sys.executable, *filter(can_run, map(shutil.which, PYTHONS))]
    places = [(python, zone) for python in pythons for zone in ZONES]
    lives = {seed: told(seed) for seed in range(campaign.times(300, 5_000))}
    replayed = 0
    for number, (python, zone) in enumerate(places):
        share = dict(list(lives.items())[number % len(ZONES) :: len(ZONES)])
        written = tmp_path / f"histories{number}.json"
        bodies = {seed: bodies for seed, (bodies, _) in share.items()}
        written.write_text(json.dumps(bodies), encoding="utf-8")
        hash_seed = str(secrets.randbelow(2**32))
        found = elsewhere(python, zone, hash_seed, written)
        assert found == {str(seed): digests for seed, (_, digests) in share.items()}, (
            python,
            zone,
            hash_seed,
        )
        replayed += sum(map(len, found.values()))
    told_of = {"histories": len(lives), "prefixes_replayed": replayed, "pythons": len(pythons)}
    campaign.tell("R14", **told_of, different=0)


def elsewhere(python, zone, hash_seed, written):
    """The digests that another process comes to."""
    program = "import sys; from tests.engine.test_execution_restart import replay; replay(sys.argv[1])"
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone}
    words = [python, "-c", program, str(written)]
    answer = subprocess.run(words, env=env, cwd=CHECKOUT, capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr.decode()
    return json.loads(answer.stdout)


def can_run(python):
    """Whether a Python is another one than ours and has what the engine needs."""
    if python is None or Path(python).samefile(sys.executable):
        return False
    asked = "import sys, pytest, engine.case.case; print(sys.version_info[:2])"
    answer = subprocess.run([python, "-c", asked], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.strip() != str(sys.version_info[:2])


def told(seed):
    """A history as it stands in the journal, and the digest of the whole state after every entry of it."""
    life = Life(drawn(seed), seed, **given(seed))
    while life.step() and life.case.seq < SHORTER:
        pass
    bodies = [entry.body() for entry in life.case.fresh]
    return bodies, relived(seed, bodies)


def drawn(seed):
    """A random drawing, and every sixth time one of the family, which has what is seldom drawn."""
    return made(FAMILY[seed // 6 % len(FAMILY)]) if seed % 6 == 5 else wild(seed)


@cache
def made(make):
    return make()


def given(seed):
    return {"values": FAMILY_VALUES} if seed % 6 == 5 else {}


def relived(seed, bodies):
    entries = [entry_of(body) for body in bodies]
    case = Case(entries[0], drawn(seed), WeekDays())
    digests = []
    for entry in entries:
        case.relive(entry)
        if isinstance(entry.event, Cause) or not digests:
            digest = hashlib.sha256(json.dumps(case.state(), sort_keys=True).encode()).hexdigest()
        digests.append(digest)
    case.end_of_replay()
    return digests


def replay(path):
    """What the other process does."""
    histories = json.loads(Path(path).read_text(encoding="utf-8"))
    print(json.dumps({seed: relived(int(seed), bodies) for seed, bodies in histories.items()}))


def test_cases_in_different_threads_do_not_disturb_each_other():
    alone = [walk(make, seed) for make in FAMILY for seed in range(6)]

    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(lambda pair: walk(*pair), [(make, seed) for make in FAMILY for seed in range(6)])
        )

    assert together == alone
