"""Data directories for the command line: bare, set up, and with a small season played."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.cli.teller import Tidu, copied

APPLICATIONS = 4
CASES = APPLICATIONS + 3
"""With those of the two batches that the province leads."""


def prepared(folder: Path, *lines: str) -> Path:
    """A data directory after these commands, run as a person would."""
    with pytest.MonkeyPatch.context() as patch:
        tidu = Tidu(folder, None, patch)
        for line in lines:
            assert tidu(line)[0] == 0
    return folder


@pytest.fixture(scope="session")
def set_up(tmp_path_factory) -> Path:
    return prepared(tmp_path_factory.mktemp("set-up") / "data", "init")


@pytest.fixture(scope="session")
def played(tmp_path_factory) -> Path:
    return prepared(tmp_path_factory.mktemp("played") / "data", f"demo --cases {APPLICATIONS} --seed 7")


@pytest.fixture
def tidu_bare(tmp_path, capsys, monkeypatch) -> Tidu:
    """The command line where nothing was set up yet."""
    return Tidu(tmp_path / "bare", capsys, monkeypatch)


@pytest.fixture
def tidu(tmp_path, set_up, capsys, monkeypatch) -> Tidu:
    """The command line over a database that was set up, without people and cases."""
    return Tidu(copied(set_up, tmp_path / "data"), capsys, monkeypatch)


@pytest.fixture
def season(tmp_path, played, capsys, monkeypatch) -> Tidu:
    """The command line over a small season."""
    return Tidu(copied(played, tmp_path / "data"), capsys, monkeypatch)
