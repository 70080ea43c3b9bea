"""Calls the command line in this process, over a data directory of its own."""

from __future__ import annotations

import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from web.cli import main as cli
from workflows.store.tables import open_database


class Tidu:
    """`tidu("verify --all --json")` answers the exit code and what stood on standard output."""

    def __init__(self, folder: Path, capsys, monkeypatch):
        self.folder = folder
        self.url = f"sqlite:///{folder / 'tidu.db'}"
        self.now = datetime.now(UTC)
        self.errors = ""
        self._capsys = capsys
        monkeypatch.setenv("TIDU_DATA_DIR", str(folder))
        monkeypatch.delenv("TIDU_DATABASE_URL", raising=False)

    def __call__(self, line):
        words = [str(word) for word in line] if isinstance(line, list) else line.split()
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            code = cli.main(words)
        finally:
            root.handlers[:], root.level = handlers, level
        if self._capsys is None:  # while a template is made nobody listens
            return code, ""
        told = self._capsys.readouterr()
        self.errors = told.err
        return code, json.loads(told.out) if "--json" in words else told.out

    def execute(self, statement, **values):
        database = open_database(self.url)
        with database.begin() as connection:
            found = connection.execute(sa.text(statement), values)
            rows = found.fetchall() if found.returns_rows else []
        database.dispose()
        return rows

    def count(self, table):
        return self.execute(f"SELECT count(*) FROM {table}")[0][0]

    def beside(self, folder: Path, monkeypatch):
        """The same command line over another, empty data directory."""
        return Tidu(folder, self._capsys, monkeypatch)


def copied(template: Path, folder: Path) -> Path:
    """A data directory like the template."""
    shutil.copytree(template, folder)
    return folder
