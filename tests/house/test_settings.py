"""Every setting is documented, and every documented setting exists."""

from __future__ import annotations

import dataclasses
import re

from tests.house import tree
from web.settings import Settings, read_settings

DOCUMENT = (tree.ROOT / "docs/settings.md").read_text(encoding="utf-8")


def _variables(text: str) -> set[str]:
    return set(re.findall(r"\bTIDU_[A-Z_]+\b", text))


def test_every_variable_that_is_read_is_documented_and_the_other_way_round():
    read = (tree.ROOT / "web/settings.py").read_text(encoding="utf-8")

    assert _variables(DOCUMENT) == _variables(read)


def test_every_field_of_the_settings_has_its_row():
    fields = {field.name for field in dataclasses.fields(Settings)}
    rows = set(re.findall(r"^\| `TIDU_([A-Z_]+)` \|", DOCUMENT, re.MULTILINE))

    assert {name.upper() for name in fields} == rows


def test_the_environment_is_read_once_and_explicitly(tmp_path):
    settings = read_settings({"TIDU_DATA_DIR": str(tmp_path), "TIDU_PORT": "9000"})

    assert settings.port == 9000
    assert settings.data_dir == tmp_path
