"""How the two sides of a trial speak: JSON texts, each behind its length in four bytes."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import IO, Any

HEAD = 4
Message = dict[str, Any]


def send(stream: IO[bytes], message: Message) -> None:
    """Write one message, all of it. Raises OSError if nobody listens any more."""
    text = json.dumps(message, ensure_ascii=True).encode()
    stream.write(len(text).to_bytes(HEAD, "big") + text)
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """The next message; None if the other side is gone."""
    size = stream.read(HEAD)
    text = stream.read(int.from_bytes(size, "big")) if len(size) == HEAD else b""
    return json.loads(text) if text and len(text) == int.from_bytes(size, "big") else None


def packed(files: Mapping[str, bytes]) -> dict[str, str]:
    """Files as JSON can carry them."""
    return {name: b64encode(data).decode("ascii") for name, data in files.items()}


def unpacked(files: Mapping[str, str]) -> dict[str, bytes]:
    """The files that were `packed`."""
    return {name: b64decode(data) for name, data in files.items()}
