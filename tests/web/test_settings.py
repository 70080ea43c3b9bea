"""Settings are read once, have safe defaults and refuse nonsense."""

import re
import stat
from pathlib import Path

import pytest

from web import settings as room
from web.settings import read_settings


def test_everything_defaults_to_places_inside_the_data_directory(tmp_path):
    found = read_settings({"TIDU_DATA_DIR": str(tmp_path)})

    assert found.database_url == f"sqlite:///{tmp_path / 'tidu.db'}"
    assert found.base_url == "http://127.0.0.1:8080"
    assert not found.is_https


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    first = read_settings({"TIDU_DATA_DIR": str(tmp_path)})
    second = read_settings({"TIDU_DATA_DIR": str(tmp_path)})

    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= room.SHORTEST_KEY
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_short_secret_key_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="at least 32"):
        read_settings({"TIDU_DATA_DIR": str(tmp_path), "TIDU_SECRET_KEY": "dev"})


@pytest.mark.parametrize("port", ["-1", "0", "eighty", "８０"])
def test_a_port_that_is_no_positive_number_is_refused(tmp_path, port):
    with pytest.raises(SystemExit, match="TIDU_PORT"):
        read_settings({"TIDU_DATA_DIR": str(tmp_path), "TIDU_PORT": port})


def test_https_is_taken_from_the_public_address(tmp_path):
    found = read_settings({"TIDU_DATA_DIR": str(tmp_path), "TIDU_BASE_URL": "https://tidu.example/"})

    assert found.is_https
    assert found.base_url == "https://tidu.example"


def test_the_secret_key_is_not_shown_when_settings_are_printed(tmp_path):
    found = read_settings({"TIDU_DATA_DIR": str(tmp_path)})

    assert found.secret_key not in repr(found)


def test_every_setting_is_described():
    described = set(re.findall(r"`(TIDU_\w+)`", room.__doc__))
    source = Path(room.__file__).read_text(encoding="utf-8")
    used = set(re.findall(r'"(TIDU_\w+)"', source))

    assert used == described
