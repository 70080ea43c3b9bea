"""What the documents point at is there, and what they promise is kept short."""

from __future__ import annotations

import re

import pytest

from tests.house import tree
from web.cli.table import COMMANDS

DOCUMENTS = [path for path in tree.in_git() if path.suffix == ".md"]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("path", DOCUMENTS, ids=tree.name)
def test_every_link_leads_somewhere(path):
    targets = LINK.findall(path.read_text(encoding="utf-8"))

    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_every_promise_names_tests_that_are_there():
    text = (tree.ROOT / "docs/promises.md").read_text(encoding="utf-8")
    promises = [line for line in text.splitlines() if re.match(r"\| P\d", line)]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", line) for line in promises]

    assert len(promises) == 9
    assert all(named)
    for file, test in (pair for pairs in named for pair in pairs):
        assert f"def {test}(" in (tree.ROOT / file).read_text(encoding="utf-8")


def test_the_readme_opens_with_the_two_commands_and_follows_one_task():
    text = (tree.ROOT / "README.md").read_text(encoding="utf-8")
    story = text[text.index("## Follow one task") : text.index("## Map")]

    assert text.index("make run") < text.index("make test") < text.index("## Map")
    assert len(LINK.findall(story)) == 6


def test_the_architecture_fits_on_two_pages():
    words = (tree.ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split()

    assert len(words) <= 1100


@pytest.mark.parametrize("path", sorted((tree.ROOT / "docs/adr").glob("0*.md")), ids=tree.name)
def test_a_decision_fits_on_one_page_and_is_listed(path):
    text = path.read_text(encoding="utf-8")

    assert len(text.split()) <= 500
    assert path.name in (path.parent / "README.md").read_text(encoding="utf-8")
    assert all(f"## {part}" in text for part in ("Context", "Decision", "What else was possible"))


def test_commands_that_documents_name_exist():
    names = {command.name for command in COMMANDS}
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)

    assert set(re.findall(r"`?\btidu ([a-z]+)\b", text)) - names - {"is", "runs"} == set()
