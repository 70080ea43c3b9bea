"""Verify a bundle of evidence: one file, nothing but Python's own library, no trust in who made the bundle.

    python3 verify.py BUNDLE.zip --key KEYS.txt [--since CHECKPOINT.txt …]

KEYS.txt holds the public key of the installation as you got it from people, not from this bundle. With a
CHECKPOINT.txt that you kept it is also checked that the journal of today begins with the one of that day. Use
your own copy of this program: whoever changes a bundle can change the copy in it.

Exit codes: 0 sound; 1 changed, and where; 2 something is missing; 3 no key that you trust signed it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

SOUND, TAMPERED, INCOMPLETE, UNTRUSTED = 0, 1, 2, 3
NAMES = ("SOUND", "TAMPERED", "INCOMPLETE", "KEY NOT VERIFIED")
MANIFEST, SIGNED, CHECKPOINT = "manifest.json", "manifest.note", "checkpoint.txt"
NAMED_BY_CONTENT = ("attachments/", "contents/")
TIGHT = (",", ":")
FORMAT, PROOF = "tidu-bundle/1", "c2sp.org/tlog-proof@v1"
PART = re.compile(r"(?!\.)[^/\\\0:]{1,200}")
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
Files = Mapping[str, bytes]
Signatures = Sequence[tuple[str, bytes]]


class Fault(Exception):
    """Why a bundle is not accepted: an exit code and a sentence."""


class Key(NamedTuple):
    name: str
    key_id: bytes
    public: bytes
    until: int | None  # good for checkpoints of so many entries at most


class Head(NamedTuple):
    origin: str
    size: int
    root: bytes


def main(words: Sequence[str]) -> int:
    """Verify as the command line says; tell the result, answer the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle", type=Path)
    for option in ("--key", "--since"):
        parser.add_argument(option, action="append", default=[], type=Path)
    asked = parser.parse_args(words)
    try:
        keys = [key for path in asked.key for key in read_keys(path.read_text("utf-8"))]
        since = [path.read_text("utf-8") for path in asked.since]
        print(*judge(asked.bundle.read_bytes(), keys, since), sep="\n")
    except Fault as fault:
        print(f"{NAMES[fault.args[0]]}: {fault.args[1]}", file=sys.stderr)
        return int(fault.args[0])
    except (OSError, UnicodeDecodeError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return INCOMPLETE
    return SOUND


def judge(data: bytes, keys: Sequence[Key], since: Sequence[str] = ()) -> list[str]:
    """Check everything there is in a bundle; answers what holds, in sentences. Raises Fault."""
    files = opened(data)
    manifest = _manifest(files)
    head = read_head(read_note(_need(files, CHECKPOINT), CHECKPOINT)[0], CHECKPOINT)
    told = [_case(files, case, said, head) for case, said in sorted(manifest["cases"].items())]
    for name in sorted({*manifest["files"], *files} - {MANIFEST, SIGNED}):
        digest = hashlib.sha256(_need(files, name)).hexdigest()
        is_named_so = not name.startswith(NAMED_BY_CONTENT) or name.endswith(f"/{digest}")
        if digest != manifest["files"].get(name) or not is_named_so:
            raise Fault(TAMPERED, f"{name} is not the file that was put in")
    told += [_older(files, name, head) for name in sorted(files) if name.startswith("since/")]
    told += [_held(files, note, head, keys) for note in since]
    _signed(files, head, keys)
    return [f"{head.origin}: checkpoint of {head.size} entries", *told, "SOUND: nothing was changed"]


def archived(files: Files) -> bytes:
    """The one archive that holds these files: sorted, stored as they are, without times and rights."""
    body, index = bytearray(), bytearray()
    for name, content in sorted(files.items()):
        said, sizes = name.encode(), [len(content)] * 2
        common = struct.pack("<5H4I", 20, 0x800, 0, 0, 0x21, zlib.crc32(content), *sizes, len(said))
        index += b"PK\1\2\x14\0" + common + bytes(10) + struct.pack("<I", len(body)) + said
        body += b"PK\3\4" + common + said + content
    end = struct.pack("<4H2IH", 0, 0, len(files), len(files), len(index), len(body), 0)
    return bytes(body + index + b"PK\5\6" + end)


def opened(data: bytes) -> dict[str, bytes]:
    """The files of an archive. One that is not byte for byte as `archived` writes it is refused."""
    files: dict[str, bytes] = {}
    try:
        count, _, place = struct.unpack("<H2I", data[-12:-2])
        for _ in range(count):
            length, width, start = struct.unpack("<IH12xI", data[place + 24 : place + 46])
            name = data[place + 46 : place + 46 + width].decode()
            files[name] = data[start + 30 + width : start + 30 + width + length]
            place += 46 + width
        is_ours = archived(files) == data and all(
            PART.fullmatch(p) for name in files for p in name.split("/")
        )
    except (struct.error, UnicodeDecodeError):
        is_ours = False
    if not is_ours:
        raise Fault(TAMPERED if data[:2] == b"PK" else INCOMPLETE, "this is not an archive as it was written")
    return files


def _need(files: Files, name: str) -> bytes:
    if name not in files:
        raise Fault(INCOMPLETE, f"{name} is missing")
    return files[name]


def _manifest(files: Files) -> dict[str, Any]:
    """What the bundle says it holds."""
    manifest = read_json(_need(files, MANIFEST), MANIFEST)
    if (manifest.get("format"), manifest.get("algorithm")) != (FORMAT, "sha-256"):
        raise Fault(INCOMPLETE, f"this program knows {FORMAT} with sha-256 only")
    if not all(isinstance(manifest.get(part), dict) for part in ("cases", "files")):
        raise Fault(TAMPERED, f"{MANIFEST} does not have the parts of a manifest")
    return manifest


def _signed(files: Files, head: Head, keys: Sequence[Key]) -> None:
    """Last of all, so that whatever else is wrong was named before."""
    text, signatures = read_note(_need(files, SIGNED), SIGNED)
    if text != f"{FORMAT}\n{hashlib.sha256(files[MANIFEST]).hexdigest()}\n":
        raise Fault(TAMPERED, f"{MANIFEST} is not the one that was signed")
    trusted = [key for key in keys if key.name == head.origin]
    _by_one_of(trusted, text, signatures, "the bundle")
    _by_one_of(trusted, *read_note(files[CHECKPOINT], CHECKPOINT), "the checkpoint", head.size)


def _by_one_of(keys: Sequence[Key], text: str, signatures: Signatures, what: str, size: int = 0) -> None:
    mine = [(key, s[4:]) for key in keys for name, s in signatures if (name, s[:4]) == (key.name, key.key_id)]
    if not mine:
        raise Fault(UNTRUSTED, f"{what} is signed by {signatures[0][0]}, and you gave no key of that name")
    for key, signature in mine:
        if not is_signature(key.public, text.encode(), signature):
            raise Fault(TAMPERED, f"the signature under {what} is false")
        if key.until is not None and key.until < size:
            raise Fault(UNTRUSTED, f"{what} has {size} entries, its key was retired at {key.until}")


def read_keys(text: str) -> list[Key]:
    """The keys of a list, one a line. Raises Fault UNTRUSTED for what is no key."""
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        word, _, until = line.partition(" until ")
        name, _, rest = word.partition("+")
        key_id, _, material = rest.partition("+")
        public = _bytes(material)
        named = hashlib.sha256(name.encode() + b"\n" + (public or b"")).digest()[:4]
        is_one = public is not None and (len(public), public[:1], named.hex()) == (33, b"\1", key_id)
        if public is None or not is_one or not NUMBER.fullmatch(until or "0"):
            raise Fault(UNTRUSTED, f"not a key: {line[:80]}")
        found.append(Key(name, named, public[1:], int(until) if until else None))
    return found


def read_note(data: bytes, what: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a signed note and its signatures, by name. Raises Fault."""
    text, gap, tail = _text(data, what).rpartition("\n\n")
    signatures = []
    for line in tail[:-1].split("\n") if gap and tail.endswith("\n") else [""]:
        dash, name, signature, *more = [*line.split(" "), "", ""]
        made = _bytes(signature)
        if dash != "—" or not name or made is None or len(made) != 68 or len(more) != 2:
            raise Fault(TAMPERED, f"{what} is no signed note")
        signatures.append((name, made))
    return text + "\n", signatures


def read_head(text: str, what: str) -> Head:
    """What a checkpoint says. Raises Fault."""
    lines = text.split("\n")
    if len(lines) != 4 or not NUMBER.fullmatch(lines[1]):
        raise Fault(TAMPERED, f"{what} is no checkpoint")
    return Head(lines[0], int(lines[1]), _hashes(lines[2:3], what)[0])


def _hashes(lines: Sequence[str], what: str) -> list[bytes]:
    found = [_bytes(line) or b"" for line in lines]
    if any(len(one) != 32 for one in found):
        raise Fault(TAMPERED, f"{what}: expected hashes in base64")
    return found


def _case(files: Files, case: str, said: Mapping[str, Any], head: Head) -> str:
    """One case from its first entry to the last that was put in."""
    folder = f"cases/{case}/"
    *lines, rest = _text(_need(files, f"{folder}entries.jsonl"), folder).split("\n")
    digest, first, before = "", None, -1
    for seq, line in enumerate(lines, 1):
        body = read_json(line.encode(), f"case {case}, entry {seq}")
        if (body.get("case"), body.get("seq")) != (case, seq):
            raise _changed(case, seq, "it says it is another entry")
        first = first or body
        digest = hashlib.sha256((digest + line).encode()).hexdigest()
        told = json.dumps({"case": case, "digest": digest, "seq": seq}, ensure_ascii=False, separators=TIGHT)
        leaf = hashlib.sha256(b"\0" + told.encode()).digest()
        proof = _text(_need(files, f"{folder}{seq:06}.tlog-proof"), folder)
        before = _included(proof, files[CHECKPOINT], leaf, before, (case, seq), head)
    if rest or said != {"definition": _definition(files, case, first), "entries": len(lines)}:
        raise Fault(INCOMPLETE, f"case {case}: the entries are not as many as were put in")
    return f"{case}: {len(lines)} entries"


def _included(proof: str, note: bytes, leaf: bytes, before: int, entry: tuple[str, int], head: Head) -> int:
    """The place of an entry among those of all cases, which its proof shows."""
    text, _, signed = proof.partition("\n\n")
    first, place, *path = text.split("\n") if "\n" in text else ("", "")
    number = place.partition(" ")[2]
    hashes = _hashes(path, "case {}, entry {}, its proof".format(*entry))
    if (first, place, signed.encode()) != (PROOF, f"index {number}", note) or not NUMBER.fullmatch(number):
        raise _changed(*entry, "its proof is none")
    if int(number) <= before or _root(leaf, int(number), head.size, hashes) != head.root:
        raise _changed(*entry, "it is not the entry that the checkpoint knows")
    return int(number)


def _definition(files: Files, case: str, first: Mapping[str, Any] | None) -> str:
    """The digest of drawings and tables that the first entry names, computed from the files."""
    data = (first or {}).get("data")
    if not isinstance(data, dict) or not {"process", "definition_digest"} <= {*data}:
        raise Fault(INCOMPLETE, f"case {case} has no first entry that starts it")
    for told in data.get("shared", {}).values():  # values that stand beside the journal, under their digest
        _need(files, f"contents/{told['digest']}")
    wanted = str(data["definition_digest"])
    total = hashlib.sha256(str(data["process"]).encode())
    for kind in ("bpmn", "dmn"):
        stem = f"definitions/{wanted}/{kind}/"
        for name in sorted(n[len(stem) : -len(kind) - 1] for n in files if n.startswith(stem)):
            for part in (kind.encode(), name.encode(), files[f"{stem}{name}.{kind}"]):
                total.update(len(part).to_bytes(8, "big") + part)
    if total.hexdigest() != wanted:
        raise _changed(case, 1, "the drawings and tables are not those it was started with")
    return wanted


def _changed(case: str, seq: int, why: str) -> Fault:
    return Fault(TAMPERED, f"case {case}, entry {seq}: {why}")


def _older(files: Files, name: str, head: Head) -> str:
    """A checkpoint of earlier that the bundle brings along, with the proof that today's begins with it."""
    text, _, note = _text(files[name], name).partition("\n\n")
    size, *path = text.split("\n")
    old = read_head(read_note(note.encode(), name)[0], name)
    is_one = (size, name) == (f"old {old.size}", f"since/{old.size}.txt")
    if not (is_one and _is_consistent(old, head, _hashes(path, name))):
        raise Fault(TAMPERED, f"{name}: the journal does not begin with what this checkpoint knew")
    return f"the journal begins with the {old.size} entries of an earlier checkpoint"


def _held(files: Files, note: str, head: Head, keys: Sequence[Key]) -> str:
    """A checkpoint that the asker kept: today's must begin with it, and the bundle must show that."""
    what = "the checkpoint you kept"
    text, signatures = read_note(note.encode(), what)
    old = read_head(text, what)
    _by_one_of([key for key in keys if key.name == old.origin], text, signatures, what, old.size)
    if old.size > head.size:
        raise Fault(TAMPERED, f"{what} knows {old.size} entries, the bundle's only {head.size}: it is older")
    if old.size == head.size and old.root != head.root:
        raise Fault(TAMPERED, f"{what} and the bundle's have {old.size} entries and different roots")
    if old.size < head.size and f"\n\n{text}\n".encode() not in _need(files, f"since/{old.size}.txt"):
        raise Fault(TAMPERED, f"{what} is another one than the bundle has of {old.size} entries")
    return f"{what}, of {old.size} entries, is extended by the bundle's"


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _root(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root an inclusion proof leads to; None if it leads nowhere."""
    if index >= size or (size == 1) != (not path):
        return None
    if size == 1:
        return leaf
    (*rest, top), middle = path, 1 << (size - 1).bit_length() - 1
    if index < middle:
        return (below := _root(leaf, index, middle, rest)) and _node(below, top)
    return (below := _root(leaf, index - middle, size - middle, rest)) and _node(top, below)


def _roots(old: int, size: int, path: Sequence[bytes], known: bytes | None) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency proof leads to; `known` is the old one while it fills the left."""
    if old == size or not path:
        found = [*path] if known is None else [*path, known]
        return (found[0], found[0]) if (old, len(found)) == (size, 1) else None
    (*rest, top), middle = path, 1 << (size - 1).bit_length() - 1
    if old <= middle:
        return (pair := _roots(old, middle, rest, known)) and (pair[0], _node(pair[1], top))
    pair = _roots(old - middle, size - middle, rest, None)
    return pair and (_node(top, pair[0]), _node(top, pair[1]))


def _is_consistent(old: Head, new: Head, path: Sequence[bytes]) -> bool:
    if old.size == 0:
        return not path and old.root == hashlib.sha256(b"").digest()
    return old.size <= new.size and _roots(old.size, new.size, path, old.root) == (old.root, new.root)


P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BX = 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A
BY = 0x6666666666666666666666666666666666666666666666666666666666666658
Point = tuple[int, int, int, int]


def is_signature(public: bytes, text: bytes, signature: bytes) -> bool:
    """Whether this is the Ed25519 signature of the key's owner under the text."""
    point, commitment = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if point is None or commitment is None or s >= ORDER or len(signature) != 64:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % ORDER
    left, right = _times(s, (BX, BY, 1, BX * BY % P)), _sum(commitment, _times(challenge, point))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


def _point(data: bytes) -> Point | None:
    y, sign = int.from_bytes(data, "little") & (2**255 - 1), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


def _sum(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    w, x, y, z = f - e, h - g, h + g, f + e
    return w * x % P, y * z % P, x * y % P, w * z % P


def _times(number: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = _sum(total, point)
        point, number = _sum(point, point), number >> 1
    return total


def read_json(data: bytes, what: str) -> dict[str, Any]:
    """An object in JSON that names nothing twice. Raises Fault."""
    try:
        found = json.loads(_text(data, what), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Fault(TAMPERED, f"{what} is not JSON: {error}") from None
    return found if isinstance(found, dict) else {}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name stands there twice")
    return dict(pairs)


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Fault(TAMPERED, f"{what} is no text") from None


def _bytes(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
