"""Bundles for the tests that change them: one that was handed out, ways to pack it again, its judges."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from engine.proof.notes import Signer
from tests.story import Story
from workflows.proof.bundle import verify
from workflows.proof.bundle.verify import SOUND, Fault, archived, judge, opened, read_keys
from workflows.proof.bundle.writing import Sources, make_bundle
from workflows.proof.checkpoints.keyring import Keyring
from workflows.proof.checkpoints.taking import Checkpoints
from workflows.proof.evidence import Store

ROUNDS = 18  # so that the case has some fifty entries
NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node") or "node"
PROGRAMS = {
    "verify.py": [sys.executable, "-I", verify.__file__],
    "verify.mjs": [NODE, "--no-warnings", str(Path(verify.__file__).with_name("verify.mjs"))],
}


@dataclass
class HandedOut:
    """A bundle about `case` and another one, the checkpoint the auditor kept, and one of a later day."""

    data: bytes
    plain: bytes  # about `case` alone, and without the checkpoint that was kept
    case: str
    entries: int
    kept: str
    kept_size: int
    newer: str
    signer: Signer
    tried: int = 0
    caught: int = 0
    parts: dict[str, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.parts = opened(self.data)

    @property
    def vkey(self) -> str:
        return self.signer.verifier.vkey

    @property
    def size(self) -> int:
        return int(self.parts["checkpoint.txt"].split(b"\n")[1])

    @property
    def lines(self) -> str:
        """The name of the part that holds the entries of `case`."""
        return f"cases/{self.case}/entries.jsonl"

    def proof(self, seq: int) -> str:
        """The name of the part that proves an entry of `case`."""
        return f"cases/{self.case}/{seq:06}.tlog-proof"

    def verdict(self, data, *, keys=None, since=()):
        """The exit code of verify.py and what it said."""
        self.tried += 1
        try:
            told = judge(data, read_keys(self.vkey) if keys is None else keys, since)
        except Fault as fault:
            self.caught += 1
            return fault.args
        return SOUND, "\n".join(told)

    def with_parts(self, **parts):
        """The parts with some exchanged, packed and signed again by somebody who has the key."""
        return self.resigned({**self.parts, **parts})

    def resigned(self, parts, **manifest):
        """As `repacked`, and signed with the stolen key: only what is proved can give the forger away."""
        whole = opened(repacked(parts, **manifest))
        text = f"{verify.FORMAT}\n{hashlib.sha256(whole['manifest.json']).hexdigest()}\n"
        return archived({**whole, "manifest.note": self.signer.sign(text).encode()})


def repacked(parts, **manifest):
    """The parts with a manifest that fits them, packed as they should be; nobody signs it again."""
    said = json.loads(parts["manifest.json"]) | manifest
    named = {name for name in parts if not name.startswith("manifest.")}
    said["files"] = {name: hashlib.sha256(parts[name]).hexdigest() for name in named}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return archived({**parts, "manifest.json": text})


def hand_out(story: Story, folder: Path, seed: bytes) -> HandedOut:
    """Two cases at work, a checkpoint between, a bundle about both, and a checkpoint of a later day."""
    taking = Checkpoints(story.database, Keyring(folder / "checkpoints"), clock=story.clock)
    taking.begin(seed, place="tidu.example.org")
    sources = Sources(
        database=story.database, library=story.catalog, files=Store(folder / "evidence"), checkpoints=taking
    )
    story.start(by="app02")
    for _ in range(ROUNDS):
        story.claim("check", "lz.officer").release("check", "lz.officer")
    story.do("check", "lz.officer", outcome="returned", opinion="缺报表")
    first, kept = story.case_id, taking.take()
    story.start().do("check", "lz.officer", outcome="accepted")
    plain = make_bundle(sources, [first]).data
    whole = make_bundle(sources, [first, story.case_id], since=[kept.note])
    assert make_bundle(sources, [story.case_id, first], since=[kept.note]).data == whole.data
    story.start(by="app03")
    return HandedOut(
        data=whole.data,
        plain=plain,
        case=first,
        entries=whole.entries[first],
        kept=kept.note,
        kept_size=kept.checkpoint.size,
        newer=taking.take().note,
        signer=taking.ring.signer(),
    )


def zip_tricks(data):
    """The same files, packed so that two readers may see two things."""
    end = len(data) - 22
    index = int.from_bytes(data[-6:-2], "little")
    yield "in front", b"\0" + data
    yield "behind", data + b"\0"
    yield "a comment", data[:-2] + b"\1\0x"
    yield "the first file twice in the index", (data[:index] + data[index:end] + data[index:end] + data[end:])
    yield "an index entry less counted", data[: end + 8] + bytes([data[end + 8] - 1]) + data[end + 9 :]
    yield "cut", data[: len(data) // 2]
    yield "another time", data[:10] + b"\1" + data[11:]
    yield "a flag for secrets", data[:6] + b"\1" + data[7:]
    yield "another way of packing", data[:8] + b"\x08" + data[9:]
    yield "a name in the file that the index does not have", data[:30] + b"X" + data[31:]
    yield "nothing", b""
    yield "only the end", data[-22:]
    yield "no archive", b"x" * 1000


def run(program, folder, data, *, key="", since=""):
    """A program as somebody starts it, in a process of its own."""
    (folder / "bundle.zip").write_bytes(data)
    words = [str(folder / "bundle.zip")]
    for option, text in (("--key", key), ("--since", since)):
        if text:
            (folder / option[2:]).write_text(text, encoding="utf-8")
            words += [option, str(folder / option[2:])]
    return subprocess.run([*PROGRAMS[program], *words], capture_output=True, text=True, timeout=300)


ASKING = """
import { readFileSync } from "node:fs";
const [, program, folder] = process.argv;
const { judge, readKeys } = await import(program);
for (const { file, keys, since } of JSON.parse(readFileSync(`${folder}/questions.json`, "utf-8"))) {
  try {
    const known = (await Promise.all(keys.map(readKeys))).flat();
    console.log(JSON.stringify([0, (await judge(readFileSync(file), known, since)).join("\\n")]));
  } catch (fault) {
    console.log(JSON.stringify([fault.code, fault.message]));
  }
}
"""


def asked_node(folder, questions):
    """What verify.mjs says to each question (bundle, keys, kept checkpoints), all in one process."""
    listed = []
    for number, (data, keys, since) in enumerate(questions):
        file = folder / f"{number}.zip"
        file.write_bytes(data)
        listed.append({"file": str(file), "keys": keys, "since": since})
    (folder / "questions.json").write_text(json.dumps(listed), encoding="utf-8")
    program = Path(PROGRAMS["verify.mjs"][-1]).as_uri()
    words = [NODE, "--no-warnings", "--input-type=module", "-e", ASKING, program, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=True)
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def b64(data):
    return base64.b64encode(data).decode()
