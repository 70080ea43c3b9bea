"""Time, chance and the environment come in with the command; nobody below asks for them."""

from __future__ import annotations

import ast

import pytest

from tests.house import tree

ALLOWED = {"web/app.py", "web/settings.py"}
CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid4",
    "os.getenv",
    "os.environ",
    "os.urandom",
}
MODULES = {"random"}
ONLY_THESE_GO_ON = {
    "workflows.work.worker",
    "workflows.work.postman",
    "workflows.transaction.commits",
    "web.app",
}


def _dotted(node: ast.AST) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{_dotted(node.value)}.{node.attr}"
    return ""


def offences(source: ast.Module) -> list[str]:
    """Every place of `source` that asks the world, as "line: what"."""
    found = []
    for node in ast.walk(source):
        match node:
            case ast.Attribute() | ast.Name():
                said = _dotted(node)
                if said in CALLS or ".".join(said.split(".")[-2:]) in CALLS:
                    found.append(f"{node.lineno}: {said}")
            case ast.Import():
                found += [f"{node.lineno}: import {a.name}" for a in node.names if a.name in MODULES]
            case ast.ImportFrom() if node.module in MODULES:
                found.append(f"{node.lineno}: from {node.module}")
    return found


@pytest.mark.parametrize("path", tree.modules(), ids=tree.name)
def test_no_room_asks_the_world_for_time_or_chance(path):
    if tree.name(path) in ALLOWED:
        return
    assert offences(tree.parsed(path)) == []


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "time.time()",
        "uuid.uuid4()",
        "import random",
        "from random import choice",
        "os.environ['X']",
        "date.today()",
    ],
)
def test_the_ban_bites(line):
    assert offences(ast.parse(line)) != []


@pytest.mark.parametrize("path", tree.modules(), ids=tree.name)
def test_only_three_rooms_survive_any_failure(path):
    """`except Exception` hides faults. One bad case must not stop the worker, nor one bad receiver the
    postman; what goes wrong with one command of a commit is handed to whoever asked for it; what goes wrong
    behind an answer must not take it back; nobody else has such an excuse."""
    broad = [
        f"{tree.name(path)}:{node.lineno}"
        for node in ast.walk(tree.parsed(path))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or _dotted(node.type) == "Exception")
    ]
    if tree.dotted(path) not in ONLY_THESE_GO_ON:
        assert broad == []
