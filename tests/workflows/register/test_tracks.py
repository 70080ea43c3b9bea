"""Tracks are data: a sixth is a row."""

from __future__ import annotations

import json

import pytest

from engine.errors import NotFound
from tests.workflows.register.parts import BPMN
from workflows.register import tracks
from workflows.register.rules import load_rules


def test_five_tracks_and_three_levels_in_two_languages():
    assert [*tracks.tracks()] == ["gf", "sc", "gp", "we", "wp"]
    assert [*tracks.levels()] == ["municipal", "provincial", "national"]
    for named in (*tracks.tracks().values(), *tracks.levels().values()):
        assert named.name("en").isascii()
        assert not named.name("zh").isascii()


def test_a_title_has_a_name_at_each_of_its_levels():
    factory, water = tracks.find_track("gf"), tracks.find_track("we")

    assert (factory.title("national"), factory.title("municipal", "en")) == (
        "国家级绿色工厂",
        "Municipal green factory",
    )
    assert water.levels == ("municipal", "provincial")
    with pytest.raises(NotFound):
        water.title("national")
    with pytest.raises(NotFound):
        tracks.find_track("zc")


def test_what_a_rule_set_opens_is_a_level_of_the_track():
    rules = load_rules()

    for level in tracks.levels():
        for track in rules.value(f"tracks.{level}"):
            assert level in tracks.find_track(track).levels


def test_the_highest_of_some_levels():
    assert tracks.highest([]) == "none"
    assert tracks.highest(["provincial", "municipal"]) == "provincial"


def test_a_sixth_track_needs_a_row_and_no_python(tmp_path, monkeypatch):
    content = json.loads(tracks.FILE.read_bytes())
    titles = {"provincial": {"zh": "省级零碳工厂", "en": "Provincial zero-carbon factory"}}
    names = {"id": "zc", "process": "zero_carbon", "zh": "零碳工厂", "en": "zero-carbon factory"}
    content["tracks"].append(names | {"titles": titles})
    (tmp_path / "tracks.json").write_text(json.dumps(content), "utf-8")
    rules = json.loads((BPMN / "rules" / "gansu-2026.json").read_bytes())
    rules["parameters"]["tracks.provincial"]["value"].append("zc")
    path = tmp_path / "sixth.json"
    path.write_text(json.dumps(rules), "utf-8")

    monkeypatch.setattr(tracks, "FILE", tmp_path / "tracks.json")
    tracks.tracks.cache_clear()
    try:
        assert "zc" in load_rules(path).context["tracks"]["provincial"]
        assert tracks.find_track("zc").title("provincial") == "省级零碳工厂"
    finally:
        tracks.tracks.cache_clear()
