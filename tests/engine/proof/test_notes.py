"""Signed notes: the example of the specification, what is read back, and every spelling that is refused."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from engine.errors import InvalidInput
from engine.proof.notes import (
    Checkpoint,
    named,
    opened,
    proof_text,
    read_checkpoint,
    read_signer,
    read_verifier,
    read_verifiers,
)

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu7"
    "2IneyaQM=\n"
)
SIGNER = named(bytes(range(32)), "tidu.example.org")
KEY = SIGNER.verifier
CHECKPOINT = Checkpoint(origin=SIGNER.name, size=20852, root=bytes(range(32)))
NOTE = SIGNER.sign(CHECKPOINT.text)


def refused(note, *keys):
    with pytest.raises(InvalidInput) as error:
        read_checkpoint(note, keys or (KEY,))
    return error.value.code


def test_the_example_of_the_specification_is_signed_by_its_key():
    text, signers = opened(EXAMPLE, [read_verifier(VKEY)])

    assert (text, [key.vkey for key in signers]) == ("This is an example message.\n", [VKEY])


def test_a_checkpoint_reads_as_it_was_written():
    assert (
        "tidu.example.org/journal/03a107bf\n20852\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n"
        f"— tidu.example.org/journal/03a107bf {NOTE.split()[-1]}\n"
    ) == NOTE
    assert read_checkpoint(NOTE, [KEY]) == CHECKPOINT


def test_keys_read_as_they_were_written():
    retired = replace(KEY, until=77)

    assert read_signer(SIGNER.secret) == SIGNER
    assert read_verifiers(f"{KEY.line}\n{retired.line}\n") == (KEY, retired)


def test_every_flipped_bit_of_a_checkpoint_is_refused(campaign):
    data = NOTE.encode()
    accepted = 0
    for place in range(0, len(data) * 8, campaign.times(7, 1)):
        forged = bytearray(data)
        forged[place // 8] ^= 1 << place % 8
        try:
            accepted += read_checkpoint(forged.decode(), [KEY]) is not None
        except (InvalidInput, UnicodeDecodeError):
            continue

    assert accepted == 0


@pytest.mark.parametrize(
    "text",
    [
        f"{SIGNER.name}\n020852\n{CHECKPOINT.text.split()[2]}\n",
        f"{SIGNER.name}\n-1\n{CHECKPOINT.text.split()[2]}\n",
        f"{SIGNER.name}\n1e3\n{CHECKPOINT.text.split()[2]}\n",
        f"{SIGNER.name}\n20852\n{CHECKPOINT.text.split()[2][:-4]}\n",
        f"{SIGNER.name}\n20852\n",
        f"{CHECKPOINT.text}an extension\n",
        f"{SIGNER.name} x\n20852\n{CHECKPOINT.text.split()[2]}\n",
    ],
    ids=["leading zero", "below nought", "exponent", "short root", "no root", "extension", "origin"],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text):
    assert refused(SIGNER.sign(text)) == "NOTE_UNREADABLE"


NO_NOTES = (
    *("", "\n", "x", "x" * 70_000, "\0" + NOTE),
    *(NOTE[:-1], NOTE + "\n", NOTE + "x\n", NOTE[:-3] + "\n"),
    *(
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("=\n", "\n"),
    ),
)


@pytest.mark.parametrize("note", NO_NOTES, ids=range(len(NO_NOTES)))
def test_what_is_no_note_is_refused(note):
    assert refused(note) == "NOTE_UNREADABLE"


def test_a_signature_of_somebody_else_is_none():
    other = named(bytes(32), "tidu.example.org")

    assert refused(other.sign(CHECKPOINT.text)) == "NOTE_STRANGE"
    assert refused(other.sign(CHECKPOINT.text), KEY, other.verifier) == "NOTE_STRANGE"
    assert refused(NOTE, replace(other.verifier, name=KEY.name)) == "NOTE_STRANGE"


def test_a_witness_may_sign_beside_the_log():
    witness = named(bytes(32), "witness.example.org")
    line = witness.sign(CHECKPOINT.text).rpartition("\n\n")[2]

    assert read_checkpoint(NOTE + line, [KEY]) == CHECKPOINT
    assert read_checkpoint(NOTE + line, [KEY, witness.verifier]) == CHECKPOINT
    assert refused(NOTE + line, witness.verifier) == "NOTE_STRANGE"


def test_a_false_signature_of_a_known_key_spoils_the_note():
    witness = named(bytes(32), "witness.example.org")
    false = witness.sign("something else\n").rpartition("\n\n")[2]

    assert refused(NOTE + false, KEY, witness.verifier) == "NOTE_UNSIGNED"


def test_a_retired_key_is_good_for_what_it_signed_until_its_end():
    assert read_checkpoint(NOTE, [replace(KEY, until=20852)]) == CHECKPOINT
    assert refused(NOTE, replace(KEY, until=20851)) == "KEY_RETIRED"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "a+b+c",
        VKEY[:-4],
        VKEY.replace("530d", "530e"),
        VKEY.replace("foo", "fo"),
        f"{VKEY} until",
        f"{VKEY} until 07",
        f"{VKEY} til 7",
        "x+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
    ],
)
def test_what_is_no_key_is_refused(line):
    with pytest.raises(InvalidInput, match="not a key"):
        read_verifier(line)


@pytest.mark.parametrize(
    "word", [VKEY, "PRIVATE+KEY", SIGNER.secret[:-4], SIGNER.secret.replace("tidu", "tudi")]
)
def test_what_is_no_secret_key_is_refused(word):
    with pytest.raises(InvalidInput, match="not a key"):
        read_signer(word)


def test_a_secret_is_not_shown_by_chance():
    assert base64.b64encode(bytes(range(32))).decode()[:20] not in repr(SIGNER)


def test_a_proof_is_a_text_of_five_parts():
    assert proof_text(7, (bytes(32),), NOTE) == (f"c2sp.org/tlog-proof@v1\nindex 7\n{'A' * 43}=\n\n{NOTE}")
