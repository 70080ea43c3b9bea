"""What a clone holds: our own text only, and nothing that ties it to one machine."""

from __future__ import annotations

import re

import pytest

from tests.house import tree

BINARY = {".png", ".jpg", ".ico", ".woff2", ".pdf", ".mo", ".gz", ".xz", ".zip"}
FILES = [path for path in tree.in_git() if path.suffix not in BINARY]
REGISTRIES = re.compile(r"registry\.npm|pypi\.[o]rg|files\.python[h]osted|[i]ndex-url\s*=|[e]xtra-index")
MACHINE = re.compile(r"(?<![\w.:/-])/(?:work|home|root|Users|farm)/[A-Za-z]")
OURS = ("web/frontend/", "workflows/proof/bundle/verify.mjs")


@pytest.mark.parametrize("path", FILES, ids=tree.name)
def test_no_file_names_a_registry_or_a_path_of_one_machine(path):
    text = path.read_text(encoding="utf-8")

    found = [m.group() for pattern in (REGISTRIES, MACHINE) for m in pattern.finditer(text)]

    assert found == []


def test_the_ban_on_machine_paths_bites():
    assert MACHINE.search("open('/" + "home/ana/x')")
    assert not MACHINE.search("https://example.org/work/list")


def test_no_third_party_javascript_is_committed():
    scripts = {".js", ".mjs", ".cjs", ".css"}
    strays = [n for p in tree.in_git() if p.suffix in scripts and not (n := tree.name(p)).startswith(OURS)]

    assert strays == []


def test_our_own_scripts_are_written_by_hand():
    packed = [
        tree.name(path)
        for path in tree.in_git()
        if tree.name(path).startswith(OURS)
        and path.suffix in {".js", ".mjs", ".css"}
        and max(map(len, path.read_text(encoding="utf-8").splitlines()), default=0) > 500
    ]

    assert packed == []


def test_pins_are_exact():
    pins = (tree.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    loose = [line for line in pins if line and not line.startswith("#") and "==" not in line]

    assert len(pins) > 50
    assert loose == []


def test_make_help_lists_every_target():
    text = (tree.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):(?!=)", text, re.MULTILINE))
    told = set(re.findall(r"^([a-z]+):.*## \S", text, re.MULTILINE))

    assert targets == told >= {"help", "setup", "run", "test", "check", "bench", "demo", "clean"}
