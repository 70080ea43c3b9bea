"""Every reason to say no has an HTTP row, and every code that is raised has its words."""

from __future__ import annotations

import ast
import re

import pytest

import engine.errors
from engine.errors import BadDefinition, Rejected, ReplayMismatch
from tests.house import tree
from web import problems
from web.codes import CODES


def _kinds(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(inner for sub in kind.__subclasses__() for inner in _kinds(sub))]


REFUSALS = [*_kinds(Rejected), BadDefinition, ReplayMismatch]


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refusal_has_its_own_http_row(kind):
    if kind.__module__.startswith(("engine.", "web.")):
        assert kind in problems.STATUS


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_no_refusal_is_a_fault_of_the_server(kind):
    status = next(problems.STATUS[k] for k in kind.__mro__ if k in problems.STATUS)

    assert 400 <= status < 500


CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def _codes() -> dict[str, str]:
    """Every code said while raising (`code="…"`) or refusing by policy (`no(rule, "…")`) → where."""
    said = {}
    for path in tree.modules():
        for node in ast.walk(tree.parsed(path)):
            for word in _words(node):
                if isinstance(word, ast.Constant) and CODE.fullmatch(str(word.value)):
                    said[word.value] = f"{tree.name(path)}:{word.lineno}"
    return said


def _words(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Raise(exc=ast.Call(keywords=keywords)):
            return [keyword.value for keyword in keywords if keyword.arg == "code"]
        case ast.Call(func=ast.Name(id="no"), args=[_, code, *_]):
            return [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
    return []


def test_every_code_that_is_raised_is_in_the_registry():
    unknown = {code: where for code, where in _codes().items() if code not in CODES}

    assert unknown == {}


def test_every_default_code_is_in_the_registry():
    codes = {kind.default_code for kind in _kinds(Rejected)}

    assert codes - CODES.keys() == set()
    assert engine.errors.Rejected.default_code in codes
