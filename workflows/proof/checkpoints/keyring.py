"""The keys that sign checkpoints and the newest of these: files of their own, so that no database holds them.

`key` is the secret, for nobody else to read; `keys` lists the public ones, those that were retired too, to be
handed to whoever verifies; `latest` is the newest checkpoint, by which a database is recognised that went
back.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from engine.errors import WrongState
from engine.proof.notes import Checkpoint, Signer, Verifier, read_checkpoint, read_signer, read_verifiers

PRIVATE, SHOWN = 0o600, 0o644


class Keyring:
    """A folder with these three files; without a key in it nothing is signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def can_sign(self) -> bool:
        return os.access(self.folder / "key", os.R_OK)

    def signer(self) -> Signer:
        """The key that signs now. Raises WrongState NO_KEY."""
        if not self.can_sign:
            raise WrongState(
                f"there is no key in {self.folder} that signs checkpoints: run `tidu init`", code="NO_KEY"
            )
        return read_signer((self.folder / "key").read_text(encoding="utf-8"))

    def verifiers(self) -> tuple[Verifier, ...]:
        """All public keys, the newest last."""
        path = self.folder / "keys"
        return read_verifiers(path.read_text(encoding="utf-8")) if path.is_file() else ()

    def latest(self) -> str | None:
        """The newest checkpoint signed with this folder's keys, as a note."""
        path = self.folder / "latest"
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def last(self) -> Checkpoint | None:
        """What the newest checkpoint says. Raises InvalidInput if somebody has changed it."""
        note = self.latest()
        return read_checkpoint(note, self.verifiers()) if note is not None else None

    def begin(self, signer: Signer) -> bool:
        """Take this key if there is none; answers whether it was taken. Of two who begin at once one does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self._draft(f"key.{signer.name.rpartition('/')[2]}", signer.secret + "\n", PRIVATE)
        try:
            os.link(draft, self.folder / "key")
            is_first = True
        except FileExistsError:
            is_first = False
        finally:
            draft.unlink()
        if (mine := self.signer().verifier) not in self.verifiers():
            self._show((*self.verifiers(), mine))
        return is_first

    def renew(self, signer: Signer, *, until: int) -> None:
        """Take this key in place of the present one, which is good for checkpoints up to `until` entries."""
        *before, present = self.verifiers()
        self._show((*before, replace(present, until=until), signer.verifier))
        (self.folder / "latest").unlink(missing_ok=True)
        self._write("key", signer.secret + "\n", PRIVATE)

    def remember(self, note: str) -> None:
        """This is the newest checkpoint: on disk when this returns."""
        self._write("latest", note, SHOWN)

    def _show(self, keys: tuple[Verifier, ...]) -> None:
        self._write("keys", "".join(f"{key.line}\n" for key in keys), SHOWN)

    def _write(self, name: str, text: str, mode: int) -> None:
        """All of it or nothing, whatever happens meanwhile."""
        os.replace(self._draft(f"{name}.new", text, mode), self.folder / name)
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _draft(self, name: str, text: str, mode: int) -> Path:
        draft = self.folder / name
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return draft
