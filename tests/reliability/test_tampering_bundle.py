"""A bundle that somebody changed is accepted by nobody, whatever they made to fit around the change.

The forger here holds the bundle: they may change any file, correct the manifest, pack everything again as it
should be packed, and in some of these tests sign it with a stolen key.
"""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from engine.proof.notes import named
from engine.proof.tree import Tree, leaf_hash
from tests.reliability.bundles import b64, repacked, zip_tricks
from workflows.proof.bundle import verify
from workflows.proof.bundle.verify import INCOMPLETE, SOUND, TAMPERED, UNTRUSTED, archived, opened, read_keys


def test_what_nobody_changed_is_sound_and_says_what_it_holds(bundle):
    code, told = bundle.verdict(bundle.data, since=[bundle.kept])

    assert code == SOUND
    assert f"{bundle.case}: {bundle.entries} entries" in told
    assert "the checkpoint you kept, of" in told


def test_a_bundle_opens_with_what_everybody_has(bundle, tmp_path):
    (tmp_path / "b.zip").write_bytes(bundle.data)
    shutil.unpack_archive(tmp_path / "b.zip", tmp_path / "out")

    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")}
    assert set(bundle.parts) <= found


# --- one bit ----------------------------------------------------------------------------------------------


def test_no_flipped_bit_of_a_bundle_is_accepted(bundle, campaign):
    accepted = []
    for place in range(0, len(bundle.plain) * 8, campaign.times(101, 1)):
        forged = bytearray(bundle.plain)
        forged[place // 8] ^= 1 << place % 8
        if bundle.verdict(bytes(forged))[0] == SOUND:
            accepted.append(place)

    assert accepted == []


def test_no_flipped_bit_of_what_is_proved_is_accepted_though_all_around_it_was_made_to_fit(bundle, campaign):
    """With the manifest made anew and signed with the stolen key: chain, proofs and digests must do."""
    whole = opened(bundle.plain)
    proved = [name for name in whole if name.startswith(("cases/", "definitions/", "checkpoint"))]
    accepted = []
    for name in proved:
        for place in range(0, len(whole[name]) * 8, campaign.times(1009, 11)):
            forged = bytearray(whole[name])
            forged[place // 8] ^= 1 << place % 8
            if bundle.verdict(bundle.resigned({**whole, name: bytes(forged)}))[0] == SOUND:
                accepted.append((name, place))

    assert accepted == []


# --- entries and proofs -----------------------------------------------------------------------------------


def test_a_changed_entry_is_named_with_its_case_even_if_all_was_signed_again(bundle):
    lines = bundle.parts[bundle.lines].decode().split("\n")
    for index in range(bundle.entries):
        changed = [*lines[:index], lines[index].replace('"v":1', '"v":2'), *lines[index + 1 :]]

        assert bundle.verdict(bundle.with_parts(**{bundle.lines: "\n".join(changed).encode()})) == (
            TAMPERED,
            f"case {bundle.case}, entry {index + 1}: it is not the entry that the checkpoint knows",
        )


ZERO = "A" * 43 + "="
PROOFS = {
    "a node more": lambda lines: [*lines[:2], ZERO, *lines[2:]],
    "a node more at the root": lambda lines: [*lines[:-5], ZERO, *lines[-5:]],
    "a node less": lambda lines: [*lines[:2], *lines[3:]],
    "a node of noughts": lambda lines: [*lines[:2], ZERO, *lines[3:]],
    "nodes exchanged": lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    "no nodes": lambda lines: [*lines[:2], *lines[-6:]],
    "the next place": lambda lines: [lines[0], f"index {int(lines[1].split()[1]) + 1}", *lines[2:]],
    "a place far beyond": lambda lines: [lines[0], "index 99999999", *lines[2:]],
    "a place with noughts": lambda lines: [lines[0], "index 0" + lines[1].split()[1], *lines[2:]],
    "a place below nought": lambda lines: [lines[0], "index -1", *lines[2:]],
    "another format": lambda lines: ["c2sp.org/tlog-proof@v2", *lines[1:]],
    "a node in capitals": lambda lines: [*lines[:2], lines[2].swapcase(), *lines[3:]],
    "a size of nought": lambda lines: [*lines[:-5], "0", *lines[-4:]],
    "nothing": lambda lines: [],
}


@pytest.mark.parametrize("forgery", PROOFS)
def test_a_proof_that_was_made_up_is_none(bundle, forgery):
    for seq in range(1, bundle.entries + 1):
        lines = bundle.parts[bundle.proof(seq)].decode().split("\n")
        forged = "\n".join(PROOFS[forgery](lines)).encode()
        code, told = bundle.verdict(bundle.with_parts(**{bundle.proof(seq): forged}))

        assert code == TAMPERED
        assert f"case {bundle.case}, entry {seq}" in told


def test_the_proof_of_another_entry_proves_nothing(bundle):
    first, second = bundle.proof(1), bundle.proof(2)
    swapped = {first: bundle.parts[second], second: bundle.parts[first]}

    code, told = bundle.verdict(bundle.with_parts(**swapped))

    assert code == TAMPERED
    assert "entry 1" in told


def test_a_history_made_up_whole_lacks_only_the_key_of_the_house(bundle):
    """The forger builds a tree of their own over forged entries, and signs with a key of their own."""
    thief = named(bytes(32), "tidu.example.org")
    lines = bundle.parts[bundle.lines].decode().replace("app02", "app09").split("\n")[:-1]
    tree = tree_over(bundle.case, lines)
    note = thief.sign(f"{thief.name}\n{tree.size}\n{b64(tree.root())}\n")
    kept = ("contents/", "definitions/", "manifest.")
    parts = {name: data for name, data in bundle.parts.items() if name.startswith(kept)}
    for index in range(tree.size):
        proof = (verify.PROOF, f"index {index}", *map(b64, tree.inclusion(index)), "", note)
        parts[bundle.proof(index + 1)] = "\n".join(proof).encode()
    parts |= {bundle.lines: ("\n".join(lines) + "\n").encode(), "checkpoint.txt": note.encode()}
    cases = json.loads(parts["manifest.json"])["cases"]
    whole = opened(repacked(parts, cases={bundle.case: cases[bundle.case]}))
    text = f"{verify.FORMAT}\n{hashlib.sha256(whole['manifest.json']).hexdigest()}\n"
    data = archived({**whole, "manifest.note": thief.sign(text).encode()})

    assert bundle.verdict(data, keys=read_keys(thief.verifier.vkey))[0] == SOUND  # it is a good forgery
    assert bundle.verdict(data)[0] == UNTRUSTED


def tree_over(case, lines):
    digest, leaves = "", []
    for seq, line in enumerate(lines, 1):
        digest = hashlib.sha256((digest + line).encode()).hexdigest()
        place = {"case": case, "digest": digest, "seq": seq}
        leaves.append(leaf_hash(json.dumps(place, separators=(",", ":")).encode()))
    return Tree(len(leaves), lambda start, stop: leaves[start:stop])


# --- parts and packing ------------------------------------------------------------------------------------


def test_a_part_that_is_missing_is_named(bundle):
    for name in bundle.parts:
        code, told = bundle.verdict(archived({n: data for n, data in bundle.parts.items() if n != name}))

        assert (code == INCOMPLETE and name in told) or name.startswith("definitions/")
        assert code in (INCOMPLETE, TAMPERED)


def test_the_end_of_a_case_cannot_be_left_out(bundle):
    """Its proofs would all hold; how many were put in stands in the signed manifest."""
    lines = bundle.parts[bundle.lines].decode().split("\n")
    shorter = {name: data for name, data in bundle.parts.items() if name != bundle.proof(bundle.entries)}
    shorter[bundle.lines] = "\n".join([*lines[: bundle.entries - 1], ""]).encode()
    assert bundle.verdict(archived(shorter))[0] == INCOMPLETE

    cases = json.loads(shorter["manifest.json"])["cases"]
    cases[bundle.case]["entries"] -= 1
    assert bundle.verdict(repacked(shorter, cases=cases)) == (
        TAMPERED,
        "manifest.json is not the one that was signed",
    )


def test_drawings_swapped_under_the_same_version_are_found(bundle):
    drawing = next(name for name in bundle.parts if name.endswith("small_review.bpmn"))
    other = bundle.parts[drawing].replace(b"notSameAs=", b"notsameas=")
    assert other != bundle.parts[drawing]

    code, told = bundle.verdict(bundle.with_parts(**{drawing: other}))

    assert code == TAMPERED
    assert "entry 1: the drawings and tables" in told


@pytest.mark.parametrize("name", ["cases/X/entries.jsonl", "readme.txt", "since/1.txt"])
def test_a_part_that_was_put_in_is_refused(bundle, name):
    assert bundle.verdict(archived({**bundle.parts, name: b"x"}))[0] == TAMPERED


@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/passwd", "a\\b", "C:evil", "a//b", ".hidden", "a/./b", ""]
)
def test_a_name_that_leads_elsewhere_is_refused(bundle, name):
    assert bundle.verdict(repacked({**bundle.parts, name: b"x"}))[0] == TAMPERED


def test_names_given_twice_in_a_text_are_refused(bundle):
    manifest = bundle.parts["manifest.json"].replace(b'{"a', b'{"format":"tidu-bundle/1","a', 1)
    entries = bundle.parts[bundle.lines].replace(b'{"actor"', b'{"actor":"x","actor"', 1)

    for data in (
        archived({**bundle.parts, "manifest.json": manifest}),
        bundle.with_parts(**{bundle.lines: entries}),
    ):
        code, told = bundle.verdict(data)
        assert (code, "twice" in told) == (TAMPERED, True)


def test_tricks_with_the_archive_are_refused(bundle):
    for trick, data in zip_tricks(bundle.data):
        code, told = bundle.verdict(data)

        assert code in (TAMPERED, INCOMPLETE), trick
        assert "archive" in told or "missing" in told


@pytest.mark.parametrize("folder", ["attachments", "contents"])
def test_what_is_named_by_its_content_is_that_content(bundle, folder):
    """An attachment that was replaced under its name, or the rules of a batch."""
    digest = hashlib.sha256(b"as it was handed in").hexdigest()

    assert bundle.verdict(bundle.with_parts(**{f"{folder}/{digest}": b"as it was handed in"}))[0] == SOUND
    assert bundle.verdict(bundle.with_parts(**{f"{folder}/{digest}": b"another"}))[0] == TAMPERED
