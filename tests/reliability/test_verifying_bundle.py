"""Who verifies a bundle brings a key and the checkpoint they kept; two programs written apart agree."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from engine.proof.notes import named
from tests.reliability.bundles import PROGRAMS, asked_node, b64, run, zip_tricks
from workflows.proof.bundle.verify import (
    INCOMPLETE,
    SOUND,
    TAMPERED,
    UNTRUSTED,
    Fault,
    archived,
    opened,
    read_keys,
)


def test_without_a_key_of_ones_own_nothing_is_verified(bundle):
    assert bundle.verdict(bundle.data, keys=[])[0] == UNTRUSTED
    thief = named(bytes(32), "tidu.example.org").verifier
    assert bundle.verdict(bundle.data, keys=read_keys(thief.vkey))[0] == UNTRUSTED


def test_a_key_that_was_retired_before_signs_nothing_after(bundle):
    good, ended = f"{bundle.vkey} until {bundle.size}", f"{bundle.vkey} until {bundle.size - 1}"

    assert bundle.verdict(bundle.data, keys=read_keys(good))[0] == SOUND
    assert bundle.verdict(bundle.data, keys=read_keys(ended))[0] == UNTRUSTED


def test_an_old_bundle_is_no_answer_to_who_has_a_newer_checkpoint(bundle):
    code, told = bundle.verdict(bundle.data, since=[bundle.newer])

    assert (code, "it is older" in told) == (TAMPERED, True)


def test_a_bundle_made_without_the_checkpoint_one_kept_is_not_enough(bundle):
    code, told = bundle.verdict(bundle.plain, since=[bundle.kept])

    assert code == INCOMPLETE
    assert f"since/{bundle.kept_size}.txt" in told


@pytest.mark.parametrize("size", ["kept", "same"])
def test_a_split_view_is_seen_by_who_kept_the_other_side(bundle, size):
    """The stolen key signs another history; for this auditor that was the first that counted."""
    place = bundle.kept_size if size == "kept" else bundle.size
    other = bundle.signer.sign(f"{bundle.signer.name}\n{place}\n{b64(bytes(32))}\n")

    assert bundle.verdict(bundle.data, since=[other])[0] == TAMPERED


def questions(bundle):
    """Bundle, keys and kept checkpoints, and the exit code that both programs shall give."""
    parts, vkey = bundle.parts, bundle.vkey
    drawing = next(name for name in parts if name.endswith("small_review.bpmn"))
    changed = parts[bundle.lines].replace(b'"v":1', b'"v":2', 1)
    twice = parts[bundle.lines].replace(b'{"actor"', b'{"actor":"x","actor"', 1)
    yield bundle.data, [vkey], [bundle.kept], SOUND
    yield bundle.data, [], [], UNTRUSTED
    yield bundle.data, [named(bytes(32), "x").verifier.vkey], [], UNTRUSTED
    yield bundle.data, [f"{vkey} until 7"], [], UNTRUSTED
    yield bundle.data, ["no key"], [], UNTRUSTED
    yield bundle.data, [vkey], [bundle.newer], TAMPERED
    yield bundle.plain, [vkey], [bundle.kept], INCOMPLETE
    yield bundle.with_parts(**{bundle.lines: changed}), [vkey], [], TAMPERED
    yield bundle.with_parts(**{bundle.lines: twice}), [vkey], [], TAMPERED
    yield bundle.with_parts(**{bundle.proof(2): parts[bundle.proof(1)]}), [vkey], [], TAMPERED
    yield bundle.with_parts(**{drawing: parts[drawing] + b" "}), [vkey], [], TAMPERED
    yield bundle.with_parts(**{"attachments/0": b"x"}), [vkey], [], TAMPERED
    for name in (bundle.proof(2), "verify.py", "manifest.json", "checkpoint.txt"):
        yield archived({n: data for n, data in parts.items() if n != name}), [vkey], [], INCOMPLETE
    yield archived({**parts, "more.txt": b"x"}), [vkey], [], TAMPERED
    for _, data in zip_tricks(bundle.data):
        yield data, [vkey], [], None


def test_two_programs_written_apart_give_one_verdict(bundle, tmp_path):
    found = list(questions(bundle))
    by_node = asked_node(tmp_path, [question[:3] for question in found])
    for number, ((data, keys, since, wanted), second) in enumerate(zip(found, by_node, strict=True)):
        first = by_python(bundle, data, keys, since)

        assert first[0] == second[0], (number, first, second)
        assert wanted in (None, first[0]), (number, first)
        assert (first[0] == SOUND) == (wanted == SOUND)
        assert named_place(first[1]) == named_place(second[1])


def by_python(bundle, data, keys, since):
    try:
        return bundle.verdict(data, keys=[key for text in keys for key in read_keys(text)], since=since)
    except Fault as fault:
        return fault.args


def named_place(told):
    """Case and entry, where the program names them."""
    return re.findall(r"case (\S+), entry (\d+)", told)


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_runs_alone_and_answers_by_its_exit_code(bundle, tmp_path, program):
    sound = run(program, tmp_path, bundle.data, key=bundle.vkey, since=bundle.kept)
    changed = bundle.parts[bundle.lines].replace(b'"v":1', b'"v":2', 1)
    tampered = run(program, tmp_path, bundle.with_parts(**{bundle.lines: changed}), key=bundle.vkey)

    assert sound.returncode == SOUND
    assert "SOUND: nothing was changed" in sound.stdout
    assert tampered.returncode == TAMPERED
    assert f"TAMPERED: case {bundle.case}, entry 1: " in tampered.stderr
    assert run(program, tmp_path, bundle.data).returncode == UNTRUSTED
    assert run(program, tmp_path, b"", key=bundle.vkey).returncode == INCOMPLETE


def test_the_programs_in_the_bundle_are_those_of_the_release(bundle):
    for name, words in PROGRAMS.items():
        assert bundle.parts[name] == Path(words[-1]).read_bytes()


def test_the_second_program_accepts_no_flipped_bit_either(bundle, tmp_path, campaign):
    """Half of them as they are, half made to fit and signed with the stolen key."""
    dice, forged = random.Random(17), []
    whole = opened(bundle.plain)
    proved = [name for name in whole if name.startswith(("cases/", "definitions/", "checkpoint"))]
    for _ in range(campaign.times(50, 1_000)):
        forged.append(flipped(bundle.plain, dice))
        name = dice.choice(proved)
        forged.append(bundle.resigned({**whole, name: flipped(whole[name], dice)}))

    verdicts = asked_node(tmp_path, [(data, [bundle.vkey], []) for data in forged])

    bundle.tried += len(forged)
    bundle.caught += sum(code != SOUND for code, _ in verdicts)
    assert [told for code, told in verdicts if code == SOUND] == []


def flipped(data, dice):
    place = dice.randrange(len(data) * 8)
    return data[: place // 8] + bytes([data[place // 8] ^ 1 << place % 8]) + data[place // 8 + 1 :]
