"""Signed notes and checkpoints as C2SP writes them: text for people, signed with Ed25519 for everybody.

`signed-note`, `tlog-checkpoint` and `tlog-proof` of c2sp.org say the formats; what reads them is strict, so
that a note has one spelling.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.errors import InvalidInput

ED25519 = b"\x01"
SECRET = "PRIVATE+KEY"
LARGEST = 64 * 1024
NAME = re.compile(r"[^\s+]{1,200}")
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
PROOF = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """A public key by name. With `until`, it signs no checkpoint of more entries: it was retired there."""

    name: str
    public: bytes
    until: int | None = None

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as one word, to be handed to whoever verifies."""
        return f"{self.name}+{self.key_id.hex()}+{_text(ED25519 + self.public)}"

    @property
    def line(self) -> str:
        """The key as a line of a list of keys."""
        return self.vkey if self.until is None else f"{self.vkey} until {self.until}"

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether the signature over the text is of this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, kw_only=True, repr=False)
class Signer:
    """A key that signs: 32 secret bytes and its name."""

    name: str
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return Verifier(name=self.name, public=public)

    @property
    def secret(self) -> str:
        """The key as one word, to be kept where nobody else reads."""
        key_id = self.verifier.key_id.hex()
        return f"{SECRET}+{self.name}+{key_id}+{_text(ED25519 + self.seed)}"

    def sign(self, text: str) -> str:
        """The text, which ends a line, as a signed note."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"{text}\n— {self.name} {_text(self.verifier.key_id + signature)}\n"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a log was at a moment: who says so, how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{_text(self.root)}\n"


def named(seed: bytes, place: str) -> Signer:
    """A new key named after `place` and itself, so that no two logs share a name."""
    public = Signer(name=place, seed=seed).verifier.public
    return Signer(name=f"{place}/journal/{public.hex()[:8]}", seed=seed)


def read_signer(secret: str) -> Signer:
    """The key behind its word. Raises InvalidInput KEY_UNREADABLE."""
    mark, name, key_id, material = _parts(secret.strip(), SECRET)
    signer = Signer(name=name, seed=material)
    if mark != SECRET or key_id != signer.verifier.key_id.hex():
        raise _bad_key("its parts do not belong together")
    return signer


def read_verifier(line: str) -> Verifier:
    """The key behind a line of a list of keys. Raises InvalidInput KEY_UNREADABLE."""
    vkey, *end = line.strip().split(" ")
    if end and (len(end) != 2 or end[0] != "until" or not NUMBER.fullmatch(end[1])):
        raise _bad_key("expected `until` and a number behind the key")
    _, name, key_id, material = _parts(vkey, "")
    found = Verifier(name=name, public=material)
    if key_id != found.key_id.hex():
        raise _bad_key("its parts do not belong together")
    return replace(found, until=int(end[1]) if end else None)


def read_verifiers(text: str) -> tuple[Verifier, ...]:
    """The keys of a list, one a line. Raises InvalidInput KEY_UNREADABLE."""
    return tuple(read_verifier(line) for line in text.splitlines() if line.strip())


def opened(note: str, keys: Iterable[Verifier]) -> tuple[str, tuple[Verifier, ...]]:
    """The text of a note and which of the keys signed it; at least one did.

    Raises InvalidInput NOTE_UNREADABLE for what is no note, NOTE_STRANGE for one that bears the name of none
    of these keys, NOTE_UNSIGNED for one that bears the name and a false signature.
    """
    text, signatures = _taken_apart(note)
    known = {(key.name, key.key_id): key for key in keys}
    signers = []
    for name, signature in signatures:
        key = known.get((name, signature[:4]))
        if key is None:
            continue
        if not key.signed(text, signature[4:]):
            raise InvalidInput(f"the signature of {name} is false", code="NOTE_UNSIGNED")
        signers.append(key)
    if not signers:
        names = ", ".join(name for name, _ in signatures)
        raise InvalidInput(f"expected a signature by a known key, found {names}", code="NOTE_STRANGE")
    return text, tuple(signers)


def read_checkpoint(note: str, keys: Iterable[Verifier]) -> Checkpoint:
    """The checkpoint that a note holds, signed by the key its origin names.

    Raises InvalidInput as `opened` does, and KEY_RETIRED for a key that had ended before.
    """
    text, signers = opened(note, keys)
    found = checkpoint_of(text)
    mine = [key for key in signers if key.name == found.origin]
    if not mine:
        raise InvalidInput(f"expected a signature by {found.origin}", code="NOTE_STRANGE")
    if all(key.until is not None and key.until < found.size for key in mine):
        raise InvalidInput(
            f"the key {found.origin} ended at {mine[0].until} entries, this has {found.size}",
            code="KEY_RETIRED",
        )
    return found


def checkpoint_of(text: str) -> Checkpoint:
    """What the text of a note says, whoever signed it. Raises InvalidInput NOTE_UNREADABLE."""
    lines = text.split("\n")
    if len(lines) != 4 or not NAME.fullmatch(lines[0]) or not NUMBER.fullmatch(lines[1]):
        raise _bad_note("expected three lines: origin, size, root")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=read_hash(lines[2]))


def read_hash(line: str) -> bytes:
    """A SHA-256 in base64. Raises InvalidInput NOTE_UNREADABLE."""
    found = _bytes(line)
    if found is None or len(found) != 32:
        raise _bad_note("expected a hash in base64")
    return found


def proof_text(index: int, path: Sequence[bytes], note: str) -> str:
    """A `tlog-proof`: that the entry at `index` is in the log of which the note is a checkpoint."""
    return "\n".join((PROOF, f"index {index}", *map(_text, path), "", note))


def consistency_text(old: int, path: Sequence[bytes], note: str) -> str:
    """What `tlog-witness` asks with: that the note's log begins with its first `old` entries."""
    return "\n".join((f"old {old}", *map(_text, path), "", note))


def _taken_apart(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    if len(note) > LARGEST or any(sign < " " and sign != "\n" for sign in note):
        raise _bad_note("too long, or with control characters")
    text, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise _bad_note("expected a text, an empty line, and signatures")
    signatures = [_signature(line) for line in tail[:-1].split("\n")]
    return text + "\n", signatures


def _signature(line: str) -> tuple[str, bytes]:
    found = SIGNATURE.fullmatch(line)
    signature = _bytes(found[2]) if found else None
    if found is None or signature is None or len(signature) < 5:
        raise _bad_note("expected a signature line")
    return found[1], signature


def _parts(word: str, mark: str) -> tuple[str, str, str, bytes]:
    start = f"{mark}+" if mark else ""
    parts = word.removeprefix(start).split("+", 2)
    material = _bytes(parts[2]) if word.startswith(start) and len(parts) == 3 else None
    if material is None or len(material) != 33 or material[:1] != ED25519 or not NAME.fullmatch(parts[0]):
        raise _bad_key("expected name+id+base64 of an Ed25519 key")
    return mark, parts[0], parts[1], material[1:]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _text(data) == text else None


def _bad_note(why: str) -> InvalidInput:
    return InvalidInput(f"not a checkpoint: {why}", code="NOTE_UNREADABLE")


def _bad_key(why: str) -> InvalidInput:
    return InvalidInput(f"not a key: {why}", code="KEY_UNREADABLE")
