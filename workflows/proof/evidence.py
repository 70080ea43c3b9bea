"""Evidence files: kept by what is in them, never by their name, and on disk before the record says so."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO

import marshmallow as ma
import sqlalchemy as sa

from engine.errors import FieldError, InvalidInput, NotFound
from engine.tables import metadata
from workflows.library.forms.values import FILE_ID, clean_text
from workflows.store.columns import Moment

LARGEST = 50 * 1024 * 1024
CHUNK = 1024 * 1024
LONGEST_NAME = 200
ENTRIES = 5000
DIGEST = re.compile(r"[0-9a-f]{64}")
PAGES = re.compile(r"[1-9][0-9]{0,4}(?:-[1-9][0-9]{0,4})?(?:,[1-9][0-9]{0,4}(?:-[1-9][0-9]{0,4})?){0,20}")
STATUSES = ("unverified", "verified", "conflicting", "expired")
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENDINGS = {
    "application/pdf": ("pdf",),
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    WORD: ("docx",),
    SHEET: ("xlsx",),
    "application/zip": ("zip",),
}
"""The kinds that are taken, and how a name of each may end."""

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("evidence_id", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("case_id", sa.Text, nullable=False),  # empty until a form names the file
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("issued_on", sa.Date),
    sa.Column("valid_until", sa.Date),
    sa.Column("pages", sa.Text, nullable=False),
    sa.Column("uploaded_by", sa.Text, nullable=False),
    sa.Column("uploaded_at", Moment, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("status_by", sa.Text),
    sa.Column("status_at", Moment),
    sa.Index(None, "case_id"),
    sa.Index(None, "digest"),
    sa.Index(None, "uploaded_by"),
)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file as it lies in the store: sha-256 of its content, bytes, what kind it really is."""

    digest: str
    size: int
    type: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One piece of evidence. `name` is what the person's file was called: text to show, nothing more."""

    evidence_id: str
    digest: str
    size: int
    type: str
    name: str
    case_id: str
    field: str
    issuer: str
    issued_on: date | None
    valid_until: date | None
    pages: str
    uploaded_by: str
    uploaded_at: datetime
    status: str
    status_by: str | None
    status_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What a person says about a file: its name, the form field, who issued it, when, which pages."""

    name: str
    field: str = ""
    issuer: str = ""
    issued_on: date | None = None
    valid_until: date | None = None
    pages: str = ""


class Store:
    """A folder of files named by their sha-256. Two equal files are one; nothing is ever overwritten."""

    def __init__(self, folder: Path, *, largest: int = LARGEST) -> None:
        self.folder = folder
        self.largest = largest

    def keep(self, stream: IO[bytes], *, name: str = "") -> Kept:
        """Take a file in: when this returns it survives a power cut. A `name` must end as its kind does.

        Raises InvalidInput (`size`, `empty`, `type`, `ending`, `macro`, `zip`) and leaves nothing then.
        """
        _make_folder(self.folder)
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="incoming-", delete=False) as arriving:
            incoming = Path(arriving.name)
            try:
                digest, size = self._copy(stream, arriving)
                kept = Kept(digest=digest, size=size, type=_kind_of(incoming))
                _fits_name(name, kept.type)
                self._settle(incoming, digest)
            finally:
                incoming.unlink(missing_ok=True)
        return kept

    def open(self, digest: str) -> io.BufferedReader:
        """The file, to read. Raises NotFound for a digest that is none or not here."""
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            raise NotFound(f"there is no file {digest}", digest=digest) from None

    def verify(self, digest: str) -> str:
        """`sound`, `damaged` or `missing`, by reading the whole file again."""
        try:
            with self.open(digest) as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except NotFound:
            return "missing"
        return "sound" if found == digest else "damaged"

    def path(self, digest: str) -> Path:
        """Where a file lies. Raises NotFound for what is no digest, so that no name ever becomes a path."""
        if not DIGEST.fullmatch(digest):
            raise NotFound("that is no digest of a file")
        return self.folder / digest[:2] / digest[2:]

    def _copy(self, stream: IO[bytes], arriving: IO[bytes]) -> tuple[str, int]:
        sum_, size = hashlib.sha256(), 0
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > self.largest:
                most = self.largest // (1024 * 1024)
                raise refused("size", f"a file has at most {most} MB", f"文件不得超过{most}MB")
            sum_.update(chunk)
            arriving.write(chunk)
        if not size:
            raise refused("empty", "the file is empty", "文件为空")
        arriving.flush()
        os.fsync(arriving.fileno())
        return sum_.hexdigest(), size

    def _settle(self, incoming: Path, digest: str) -> None:
        place = self.path(digest)
        _make_folder(place.parent)
        if self.verify(digest) != "sound":  # a new file, or the chance to mend a damaged one
            incoming.chmod(0o440)
            incoming.replace(place)
        _sync_folder(place.parent)


def store(
    connection: sa.Connection,
    files: Store,
    stream: IO[bytes],
    paper: Paper,
    *,
    evidence_id: str,
    case_id: str = "",
    by: str,
    now: datetime,
) -> Evidence:
    """Keep a file and enter it as evidence, in this order. Raises InvalidInput naming every fault."""
    if not FILE_ID.fullmatch(evidence_id):
        raise InvalidInput(f"{evidence_id[:60]!r} cannot be the id of evidence")
    told = _checked(paper)
    kept = files.keep(stream, name=told.name)
    row = {"evidence_id": evidence_id, "case_id": case_id, "uploaded_by": by, "uploaded_at": now}
    facts = {**vars(told), **vars(kept), "status": "unverified"}
    connection.execute(sa.insert(evidence).values(**row, **facts))
    return find_evidence(connection, evidence_id)


def find_evidence(connection: sa.Connection, evidence_id: str) -> Evidence:
    """One piece of evidence. Raises NotFound. Whether the asker may see it, the caller decides."""
    query = sa.select(evidence).where(evidence.c.evidence_id == evidence_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no evidence {evidence_id!r}", evidence=evidence_id)
    return Evidence(**row)


def evidence_of(connection: sa.Connection, case_id: str) -> tuple[Evidence, ...]:
    """All evidence of a case, oldest first."""
    query = sa.select(evidence).where(evidence.c.case_id == case_id)
    order = query.order_by(evidence.c.uploaded_at, evidence.c.evidence_id)
    return tuple(Evidence(**row) for row in connection.execute(order).mappings())


def attach(
    connection: sa.Connection, ids: Iterable[str], *, case_id: str, field: str = "", by: str
) -> tuple[Evidence, ...]:
    """Make files part of a case, as a form that names them is handed in.

    A file must be there already: in this case, or uploaded by the same person and in no case yet. Raises
    InvalidInput naming every other id, so that nobody can name somebody else's file.
    """
    wanted = tuple(dict.fromkeys(ids))
    c = evidence.c
    free = (c.case_id == case_id) | ((c.case_id == "") & (c.uploaded_by == by))
    mine = c.evidence_id.in_(wanted) & free
    there = set(connection.execute(sa.select(c.evidence_id).where(mine)).scalars())
    if strange := [place for place, name in enumerate(wanted) if name not in there]:
        raise _strangers(strange, field)
    new = sa.update(evidence).where(mine, c.case_id == "")
    connection.execute(new.values(case_id=case_id, **({"field": field} if field else {})))
    return tuple(find_evidence(connection, name) for name in wanted)


def judge(connection: sa.Connection, evidence_id: str, *, status: str, by: str, now: datetime) -> Evidence:
    """Say what a check of the evidence showed: one of STATUSES. Raises NotFound, InvalidInput."""
    if status not in STATUSES:
        raise InvalidInput(f"expected one of {', '.join(STATUSES)}, found {status[:40]!r}")
    mine = evidence.c.evidence_id == evidence_id
    connection.execute(sa.update(evidence).where(mine).values(status=status, status_by=by, status_at=now))
    return find_evidence(connection, evidence_id)


def unsound(connection: sa.Connection, files: Store) -> tuple[tuple[str, str], ...]:
    """Digests of files that are `damaged` or `missing` although evidence names them, for auditors."""
    digests = connection.execute(sa.select(evidence.c.digest).distinct().order_by(evidence.c.digest))
    found = ((digest, files.verify(digest)) for digest in digests.scalars())
    return tuple((digest, state) for digest, state in found if state != "sound")


def refused(code: str, message: str, message_zh: str, pointer: str = "/file") -> InvalidInput:
    """The refusal of a file or of what is said about it."""
    field = FieldError(pointer=pointer, code=code, message=message, message_zh=message_zh)
    return InvalidInput(message, fields=(field,))


def _strangers(places: list[int], field: str) -> InvalidInput:
    told = {"code": "file", "message": "there is no such file of yours", "message_zh": "没有此材料"}
    stem = f"/{field}" if field else ""
    fields = tuple(FieldError(pointer=f"{stem}/{place}", **told) for place in places)
    return InvalidInput(f"{len(places)} files are not there", fields=fields)


def _checked(paper: Paper) -> Paper:
    if paper.pages and not PAGES.fullmatch(paper.pages):
        raise refused("pages", "expected pages such as 3-5,9", "页码格式应如3-5,9", "/pages")
    if paper.issued_on and paper.valid_until and paper.valid_until < paper.issued_on:
        raise refused("dates", "it ends before it was issued", "有效期早于签发日期", "/valid_until")
    return Paper(
        name=_line(paper.name, "name", least=1),
        field=_line(paper.field, "field"),
        issuer=_line(paper.issuer, "issuer"),
        issued_on=paper.issued_on,
        valid_until=paper.valid_until,
        pages=paper.pages,
    )


def _line(text: str, what: str, *, least: int = 0) -> str:
    try:
        line = clean_text(text)
    except ma.ValidationError:
        raise refused(
            "characters", f"the {what} holds forbidden characters", "含有不允许的字符", f"/{what}"
        ) from None
    if not least <= len(line) <= LONGEST_NAME:
        raise refused(
            "length", f"the {what} has {least} to {LONGEST_NAME} characters", "长度不符", f"/{what}"
        )
    return line


def _fits_name(name: str, kind: str) -> None:
    ending = name.rpartition(".")[2].lower()
    if name and ending not in ENDINGS[kind]:
        wanted = " / ".join(ENDINGS[kind])
        raise refused(
            "ending", f"it is a {wanted} file, its name says otherwise", f"文件实为{wanted}，与名称不符"
        )


def _kind_of(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    wanted = "PDF, PNG, JPEG, DOCX, XLSX, ZIP"
    raise refused("type", f"expected one of {wanted}", f"只接受{wanted}文件")


def _kind_of_zip(path: Path) -> str:
    """What a zip is by the names in it; nothing in it is unpacked."""
    try:
        _count_entries(path)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError):
        raise refused("zip", "the archive cannot be read", "压缩文件无法读取") from None
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise refused("macro", "a document with macros is not taken", "不接受含宏的文档")
    if "[Content_Types].xml" not in names:
        return "application/zip"
    return (
        WORD if "word/document.xml" in names else SHEET if "xl/workbook.xml" in names else "application/zip"
    )


def _count_entries(path: Path) -> None:
    """Refuse an archive whose list of names alone would fill the memory."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 66_000))
        tail = file.read()
    at = tail.rindex(b"PK\x05\x06")
    if struct.unpack_from("<H", tail, at + 10)[0] > ENTRIES:
        raise ValueError("too many entries")


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
