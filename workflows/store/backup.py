"""A consistent copy of the database and the evidence files in one zip, and the way back from it."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
import sqlalchemy as sa

from engine.errors import InvalidInput, WrongState
from engine.temporal import moment
from workflows.store.tables import migrate, reading

FORMAT = 1
BATCH = 500
VERSION_TABLE = "alembic_version"
MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup says about itself: rows per table, and the SHA-256 of each part in `files`."""

    format: int
    made_at: str
    schema: str
    rows: dict[str, int]
    files: dict[str, str]


def write_backup(database: sa.Engine, evidence: Path, target: Path, *, at: datetime) -> Manifest:
    """Copy everything into the zip `target`, which appears only when it is complete.

    The database is read in one transaction; evidence files are named by their content and never change,
    so copying them afterwards loses none that the database knows. The key that signs cookies stays out.
    """
    draft = target.with_name(target.name + ".part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        rows, files, schema = _write_tables(database, archive)
        files |= dict(_write_evidence(evidence, archive))
        manifest = Manifest(format=FORMAT, made_at=moment(at), schema=schema, rows=rows, files=files)
        archive.writestr(MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    with draft.open("rb+") as whole:
        os.fsync(whole.fileno())
    os.replace(draft, target)
    return manifest


def read_backup(database: sa.Engine, evidence: Path, source: Path) -> Manifest:
    """Put a backup back into an empty database, all of it or nothing.

    Raises InvalidInput for a damaged or foreign file, WrongState for a database that holds cases or a
    backup of another schema.
    """
    with _opened(source) as archive:
        manifest = _checked_manifest(archive)
        migrate(database)
        with database.begin() as connection:
            _require_fit(connection, manifest)
            _read_evidence(evidence, archive, manifest)
            _read_tables(connection, archive, manifest)
    return manifest


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """The tables as the database has them, referenced ones first; raw columns, no types of ours."""
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != VERSION_TABLE]


def _write_tables(
    database: sa.Engine, archive: zipfile.ZipFile
) -> tuple[dict[str, int], dict[str, str], str]:
    rows, files = {}, {}
    with _snapshot(database) as connection:
        for table in _tables(connection):
            name = f"tables/{table.name}.jsonl"
            rows[str(table.name)], files[name] = _write_table(connection, table, archive, name)
        return rows, files, _schema(connection)


def _snapshot(database: sa.Engine) -> sa.Connection:
    connection = reading(database)
    if database.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _write_table(
    connection: sa.Connection, table: sa.Table, archive: zipfile.ZipFile, name: str
) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    query = sa.select(table).order_by(*table.primary_key.columns)
    with archive.open(name, "w", force_zip64=True) as file:
        for row in connection.execute(query, execution_options={"yield_per": BATCH}):
            line = orjson.dumps({str(key): _stored(value) for key, value in row._mapping.items()}) + b"\n"
            digest.update(line)
            file.write(line)
            count += 1
    return count, digest.hexdigest()


def _write_evidence(folder: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Kept files only, each in a folder of its first letters: what still arrives lies beside those."""
    for path in sorted(folder.glob("*/*")):
        name = "evidence/" + path.relative_to(folder).as_posix()
        content = path.read_bytes()
        archive.writestr(zipfile.ZipInfo.from_file(path, name), content, zipfile.ZIP_DEFLATED)
        yield name, hashlib.sha256(content).hexdigest()


def _opened(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{source} is not a backup: {error}", code="BACKUP_UNREADABLE") from error


def _checked_manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        manifest = Manifest(**orjson.loads(archive.read(MANIFEST)))
        wrong = [name for name, digest in manifest.files.items() if _digest(archive, name) != digest]
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"not a whole backup: {error}", code="BACKUP_UNREADABLE") from error
    if wrong or manifest.format != FORMAT or not all(map(_is_ours, manifest.files)):
        raise InvalidInput(f"damaged parts: {', '.join(wrong) or 'manifest'}", code="BACKUP_UNREADABLE")
    return manifest


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parts[0] in ("tables", "evidence") and ".." not in path.parts and not path.is_absolute()


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _require_fit(connection: sa.Connection, manifest: Manifest) -> None:
    held = connection.execute(sa.text("SELECT count(*) FROM journal")).scalar_one()
    if held:
        raise WrongState(f"the database holds {held} journal entries already", code="DATABASE_NOT_EMPTY")
    if manifest.schema != (here := _schema(connection)):
        raise WrongState(
            f"the backup has schema {manifest.schema}, this release has {here}", code="BACKUP_OTHER_SCHEMA"
        )


def _read_tables(connection: sa.Connection, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    tables = _tables(connection)
    for table in reversed(tables):  # what set-up may have put there, such as the library
        connection.execute(sa.delete(table))
    for table in tables:
        for rows in _batches(archive, table, manifest):
            connection.execute(sa.insert(table), rows)
        _continue_counting(connection, table)


def _batches(archive: zipfile.ZipFile, table: sa.Table, manifest: Manifest) -> Iterator[list[dict[str, Any]]]:
    name = f"tables/{table.name}.jsonl"
    if name not in manifest.files:
        return
    rows: list[dict[str, Any]] = []
    with archive.open(name) as file:
        for line in file:
            rows.append({key: _loaded(value, table.c[key]) for key, value in orjson.loads(line).items()})
            if len(rows) == BATCH:
                yield rows
                rows = []
    if rows:
        yield rows


def _continue_counting(connection: sa.Connection, table: sa.Table) -> None:
    """PostgreSQL counts apart from the rows: its counters go on behind the highest number put back."""
    column = table.autoincrement_column
    if connection.dialect.name != "postgresql" or column is None:
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    highest = connection.execute(sa.select(sa.func.max(column))).scalar_one()
    if highest is not None:
        connection.execute(sa.select(sa.func.setval(sequence, highest)))


def _read_evidence(folder: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    for name in manifest.files:
        if name.startswith("evidence/"):
            target = folder / name.removeprefix("evidence/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # kept files are read-only, those of a restore that died too
            _write_durably(target, archive.read(name))


def _write_durably(target: Path, content: bytes) -> None:
    with target.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _schema(connection: sa.Connection) -> str:
    return str(connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one())


def _stored(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def _loaded(value: Any, column: sa.Column[Any]) -> Any:
    if isinstance(column.type, sa.Date) and value is not None:
        return date.fromisoformat(value)
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value
