"""Rooms stay small, and each says at its door what it is for."""

from __future__ import annotations

import ast
import re
import statistics

import pytest

from tests.house import tree

LONGEST_MODULE = 400
MIGRATIONS = "workflows/migrations/versions/"
SENTENCE = re.compile(r"^[A-Z`\"].{10,300}?[.:;?!]", re.DOTALL)


@pytest.mark.parametrize("path", tree.modules(), ids=tree.name)
def test_a_module_opens_with_one_sentence(path):
    said = ast.get_docstring(tree.parsed(path)) or ""

    assert SENTENCE.match(said.split("\n\n")[0]), f"{tree.name(path)} opens with {said[:80]!r}"


@pytest.mark.parametrize("path", tree.modules(*tree.FLOORS, "tests", "scripts", "bench"), ids=tree.name)
def test_a_module_has_at_most_400_lines(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())

    assert lines <= LONGEST_MODULE, f"{tree.name(path)} has {lines} lines: make it a folder of rooms"


@pytest.mark.parametrize(
    "path", [path for path in tree.modules() if path.name == "__init__.py"], ids=tree.name
)
def test_an_init_file_holds_its_sentence_and_nothing_else(path):
    body = tree.parsed(path).body

    assert ast.get_docstring(tree.parsed(path)), f"{tree.name(path)} has no sentence"
    assert len(body) == 1, f"{tree.name(path)} holds more than its sentence"


def test_functions_are_short():
    lengths = sorted(tree.length(f) for path in tree.modules() for f in tree.functions(path))

    assert statistics.median(lengths) <= 8
    assert lengths[int(len(lengths) * 0.9)] <= 25


@pytest.mark.parametrize("path", tree.modules("engine", "workflows"), ids=tree.name)
def test_a_public_function_of_the_lower_floors_states_its_promise(path):
    silent = [
        f"{tree.name(path)}:{node.lineno} {node.name}"
        for node in tree.parsed(path).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and not tree.name(path).startswith(MIGRATIONS)
        and not node.decorator_list  # what a decorator registers is described by what it registers
        and ast.get_docstring(node) is None
        and tree.length(node) > 3
    ]

    assert silent == [], "no docstring"


@pytest.mark.parametrize("path", tree.modules(), ids=tree.name)
def test_names_say_what_a_thing_is(path):
    vague = re.compile(r"(manager|service|helper|utils?)$", re.IGNORECASE)
    named = [node.name for node in ast.walk(tree.parsed(path)) if isinstance(node, ast.ClassDef)]
    own = {"Service"}  # DMN calls it so

    assert [n for n in [path.stem, *named] if vague.search(n) and n not in own] == []
