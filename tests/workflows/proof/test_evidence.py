"""Evidence: kept by content, durable before it is recorded, never reachable by a name."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, NotFound
from engine.tables import metadata
from workflows.proof.evidence import (
    SHEET,
    WORD,
    Paper,
    Store,
    attach,
    evidence,
    evidence_of,
    find_evidence,
    judge,
    store,
    unsound,
)
from workflows.store.tables import open_database

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20


@pytest.fixture
def files(tmp_path):
    return Store(tmp_path / "data" / "evidence", largest=100_000)


@pytest.fixture
def connection(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'evidence.sqlite'}")
    with database.begin() as connection:
        metadata.create_all(connection)
    with database.connect() as connection:
        yield connection
    database.dispose()


def put(connection, files, data=PDF, *, name="能源审计报告.pdf", number="e1", by="app01", **paper):
    told = Paper(name=name, **paper)
    return store(connection, files, io.BytesIO(data), told, evidence_id=number, by=by, now=NOW)


def archive(*names):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for name in names:
            made.writestr(name, b"x")
    return data.getvalue()


def fault(connection, files, *args, **more):
    with pytest.raises(InvalidInput) as refused:
        put(connection, files, *args, **more)
    (field,) = refused.value.fields
    assert field.message
    assert field.message_zh
    return field.code


def everything(files):
    return [path for path in files.folder.rglob("*") if path.is_file()] if files.folder.exists() else []


def test_a_file_is_kept_by_its_content_and_read_back(connection, files):
    kept = put(connection, files, issuer="甘肃省节能监察中心", issued_on=date(2026, 1, 5), pages="3-5,9")

    digest = hashlib.sha256(PDF).hexdigest()
    assert (kept.digest, kept.size, kept.type) == (digest, len(PDF), "application/pdf")
    assert (kept.name, kept.status, kept.pages) == ("能源审计报告.pdf", "unverified", "3-5,9")
    assert everything(files) == [files.folder / digest[:2] / digest[2:]]
    with files.open(digest) as file:
        assert file.read() == PDF


def test_the_file_and_its_folder_are_on_disk_before_the_record(connection, files, monkeypatch):
    written = []
    real = os.fsync

    def watch(handle):
        rows = connection.execute(sa.select(sa.func.count()).select_from(evidence)).scalar_one()
        written.append((os.path.realpath(f"/proc/self/fd/{handle}"), rows))
        real(handle)

    monkeypatch.setattr(os, "fsync", watch)
    kept = put(connection, files)

    paths = [path for path, _ in written]
    assert any("incoming-" in path for path in paths)
    assert str(files.folder / kept.digest[:2]) in paths
    assert str(files.folder) in paths
    assert {rows for _, rows in written} == {0}


def test_equal_files_are_one_file_and_two_records(connection, files):
    first, second = put(connection, files), put(connection, files, number="e2", name="副本.pdf")

    assert first.digest == second.digest
    assert len(everything(files)) == 1


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (PNG, "照片.PNG", "image/png"),
        (JPEG, "照片.jpeg", "image/jpeg"),
        (archive("[Content_Types].xml", "word/document.xml"), "报告.docx", WORD),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "台账.xlsx", SHEET),
        (archive("a.txt"), "附件.zip", "application/zip"),
    ],
)
def test_the_kind_is_read_from_the_content(connection, files, data, name, kind):
    assert put(connection, files, data, name=name).type == kind


@pytest.mark.parametrize(
    "data",
    [
        b"MZ\x90\0",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html>",
        b"#!/bin/sh",
        b" %PDF-1.7",
        b"\x89PNG",
    ],
)
def test_other_kinds_are_refused_and_leave_nothing(connection, files, data):
    assert fault(connection, files, data, name="x.pdf") == "type"
    assert everything(files) == []


def test_a_name_that_lies_about_the_kind_is_refused(connection, files):
    assert fault(connection, files, PDF, name="setup.exe") == "ending"
    assert fault(connection, files, PDF, name="表.xlsx") == "ending"
    assert fault(connection, files, PDF, name="pdf_") == "ending"
    assert everything(files) == []


def test_documents_with_macros_and_broken_archives_are_refused(connection, files):
    macro = archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")

    assert fault(connection, files, macro, name="a.docx") == "macro"
    assert fault(connection, files, b"PK\x03\x04" + b"\0" * 40, name="a.zip") == "zip"
    assert fault(connection, files, archive(*map(str, range(5001))), name="a.zip") in ("zip", "size")


def test_a_file_is_neither_empty_nor_too_large(connection, files):
    assert fault(connection, files, b"") == "empty"
    assert fault(connection, files, PDF + b"\0" * 100_000) == "size"
    assert everything(files) == []


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.pdf",
        "..\\..\\x.pdf",
        "/abs.pdf",
        "CON.pdf",
        ".htaccess.pdf",
        "𠮷野.pdf",
        "a b.pdf",
        "😀.pdf",
    ],
)
def test_a_strange_name_is_only_text(connection, files, name):
    kept = put(connection, files, name=name)

    assert kept.name == name
    assert everything(files) == [files.path(kept.digest)]


@pytest.mark.parametrize("name", ["a\0.pdf", "\u202efdp.exe.pdf", "a\n.pdf", "\x1b[2J.pdf", "a\ud800.pdf"])
def test_a_name_that_deceives_is_refused(connection, files, name):
    assert fault(connection, files, name=name) == "characters"
    assert everything(files) == []


def test_a_name_is_composed_and_of_sensible_length(connection, files):
    assert put(connection, files, name="e\u0301.pdf").name == "é.pdf"
    assert fault(connection, files, name="长" * 197 + ".pdf", number="e2") == "length"
    assert fault(connection, files, name="  ", number="e3") == "length"


@pytest.mark.parametrize(
    ("paper", "code"),
    [
        ({"pages": "0"}, "pages"),
        ({"pages": "3-"}, "pages"),
        ({"pages": "１"}, "pages"),
        ({"issued_on": date(2026, 2, 1), "valid_until": date(2026, 1, 1)}, "dates"),
        ({"issuer": "a\u202eb"}, "characters"),
    ],
)
def test_what_is_said_about_a_file_is_checked(connection, files, paper, code):
    assert fault(connection, files, **paper) == code


@pytest.mark.parametrize("number", ["", "../e1", "e 1", "é", "a" * 101])
def test_an_id_is_plain(connection, files, number):
    with pytest.raises(InvalidInput):
        put(connection, files, number=number)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64, "0" * 62 + "\0/"])
def test_what_is_no_digest_or_not_here_is_not_found(files, digest):
    with pytest.raises(NotFound):
        files.open(digest)
    assert files.verify("0" * 64) == "missing"


def test_a_changed_or_lost_file_is_found_out_and_mended_by_the_same_file(connection, files):
    kept = put(connection, files)
    other = put(connection, files, PNG, name="a.png", number="e2")
    path = files.path(kept.digest)
    path.chmod(0o600)
    path.write_bytes(PDF.replace(b"1.7", b"1.4"))
    files.path(other.digest).unlink()

    assert files.verify(kept.digest) == "damaged"
    assert dict(unsound(connection, files)) == {kept.digest: "damaged", other.digest: "missing"}
    put(connection, files, number="e3")
    assert files.verify(kept.digest) == "sound"


def test_a_form_takes_the_persons_own_files_into_the_case(connection, files):
    put(connection, files)
    put(connection, files, PNG, name="a.png", number="e2")

    taken = attach(connection, ["e1", "e2", "e1"], case_id="GF-2026-000001", field="licence", by="app01")

    assert [(row.evidence_id, row.case_id, row.field) for row in taken] == [
        ("e1", "GF-2026-000001", "licence"),
        ("e2", "GF-2026-000001", "licence"),
    ]
    assert [row.evidence_id for row in evidence_of(connection, "GF-2026-000001")] == ["e1", "e2"]
    assert attach(connection, ["e1"], case_id="GF-2026-000001", by="lz.officer")


def test_nobody_names_somebody_elses_file(connection, files):
    put(connection, files)
    put(connection, files, number="e2", by="app02")
    attach(connection, ["e2"], case_id="GF-2026-000002", by="app02")

    with pytest.raises(InvalidInput) as refused:
        attach(connection, ["e1", "e2", "nothing"], case_id="GF-2026-000003", field="proof", by="app03")

    assert [f.pointer for f in refused.value.fields] == ["/proof/0", "/proof/1", "/proof/2"]
    assert find_evidence(connection, "e1").case_id == ""


def test_a_check_of_evidence_is_recorded_with_who_and_when(connection, files):
    put(connection, files)

    judged = judge(connection, "e1", status="verified", by="lz.officer", now=NOW)

    assert (judged.status, judged.status_by, judged.status_at) == ("verified", "lz.officer", NOW)
    with pytest.raises(InvalidInput):
        judge(connection, "e1", status="fine", by="lz.officer", now=NOW)
    with pytest.raises(NotFound):
        judge(connection, "e9", status="verified", by="lz.officer", now=NOW)
