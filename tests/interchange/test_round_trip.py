"""What comes in goes out the same: untouched byte for byte, saved by the editor in meaning and in layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interchange.compare import differences
from tests.interchange.editing import Owner
from web.settings import CHECKOUT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAWINGS = Path(__file__).parent / "drawings"
OURS = sorted((CHECKOUT / "bpmn").glob("*/process.bpmn"))


@pytest.mark.parametrize(
    "path",
    [*sorted(DRAWINGS.glob("*.bpmn")), *OURS],
    ids=lambda path: path.parent.name if path in OURS else path.stem,
)
def test_a_drawing_comes_back_as_it_went(owner: Owner, path: Path) -> None:
    trip = owner.travel(path)

    assert trip.imported == path.read_bytes()
    assert trip.saved != trip.imported, "the editor saved nothing"
    assert differences(trip.imported, trip.saved) == []
    assert trip.told == ""


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16"])
def test_a_drawing_in_another_encoding_keeps_its_letters(owner: Owner, tmp_path: Path, encoding: str) -> None:
    text = (DRAWINGS / "rarities.bpmn").read_text("utf-8").replace('"UTF-8"', f'"{encoding}"')
    path = tmp_path / "letters.bpmn"
    path.write_text(text, encoding, newline="")

    trip = owner.travel(path)

    assert trip.imported == path.read_bytes()
    assert "Prüfung" in trip.saved.decode("utf-8")
    assert differences(trip.imported, trip.saved) == []


def test_what_is_drawn_into_a_folded_sub_process_leaves_the_rest_where_it_was(owner: Owner) -> None:
    address = owner.import_file(DRAWINGS / "rarities.bpmn")
    before = owner.download(address)
    owner.page.locator("#outline [data-element=inner_start]").click()

    owner.page.get_by_role("button", name="追加").click()
    owner.save()
    told = differences(before, owner.download(address))
    owner.discard(address)

    drawn = [line for line in told if line.startswith("BPMN")]
    assert len(drawn) == 2
    assert all(line.endswith("in diagram 1: is new") for line in drawn)
    assert sum(line.endswith(": is new") for line in told) == 4
    assert [line for line in told if not line.endswith(": is new")] == [
        next(line for line in told if line.startswith("inner_start: got <outgoing"))
    ]


def test_what_the_editor_cannot_keep_is_told_before_anything_is_saved(owner: Owner, tmp_path: Path) -> None:
    mixed = '<old:cell old:row="1">before <old:part/> after</old:cell>'
    text = (DRAWINGS / "rarities.bpmn").read_text("utf-8").replace('<old:cell old:row="1"/>', mixed)
    path = tmp_path / "mixed.bpmn"
    path.write_text(text, "utf-8")

    trip = owner.travel(path)

    assert differences(trip.imported, trip.saved) != []
    assert "1 处内容" in trip.told
    assert "before after" in trip.told
