"""What a plain HTML form posts, as the values it means: names with dots and indexes, boxes, blank rows."""

from __future__ import annotations

import re
from typing import Any

from engine.errors import FieldError, InvalidInput
from workflows.library.forms.fields import MANY, Field
from workflows.library.forms.values import is_blank

MAX_NAMES = 5000
MAX_ROWS = 1000
PART = re.compile(r"([^.\[\]]+)(?:\[([0-9]{1,4})\])?")
MARK = "_"
"""`list[2]._` says that a row was shown, even if no box in it is ticked."""

Tree = dict[str, Any]


def html_values(fields: tuple[Field, ...], posted: Any, ignore: tuple[str, ...]) -> Tree:
    """The values of `posted`, a multi-dict with `getlist`, by the fields of a form.

    Blank rows are dropped, absent boxes are false, names that fit no field are kept. Raises InvalidInput
    for names that cannot be read.
    """
    tree: Tree = {}
    names = [name for name in dict.fromkeys(posted) if name not in ignore]
    if len(names) > MAX_NAMES:
        raise _refused("", f"more than {MAX_NAMES} fields", "字段过多")
    for name in names:
        _plant(tree, name, list(posted.getlist(name)))
    return _level(fields, tree)


def html_name(pointer: str) -> str:
    """The HTML name of a JSON pointer: `/list/0/key` is `list[0].key`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts).removeprefix(".")


def _plant(tree: Tree, name: str, values: list[str]) -> None:
    here: Any = tree
    parts = name.split(".")
    for index, part in enumerate(parts):
        found = PART.fullmatch(part)
        if not found or len(parts) > 12 or not isinstance(here, dict):
            raise _refused(name, f"{name[:60]!r} is no name of a field", "字段名无效")
        key, row = found.groups()
        last = index == len(parts) - 1
        if row is not None:
            rows = here.setdefault(key, {})
            here = _row(rows, int(row), name)
        elif last:
            here[key] = values
        else:
            here = here.setdefault(key, {})


def _row(rows: Any, index: int, name: str) -> Tree:
    if not isinstance(rows, dict) or index >= MAX_ROWS:
        raise _refused(name, f"{name[:60]!r} is no name of a field", "字段名无效")
    row: Tree = rows.setdefault(index, {})
    return row


def _level(fields: tuple[Field, ...], tree: Tree) -> Tree:
    values: Tree = {}
    known: set[str] = set()
    for rules in _flattened(fields):
        known.add(rules.key)
        planted = tree.get(rules.key)
        if rules.kind == "group":
            values[rules.key] = _level(rules.children, planted if isinstance(planted, dict) else {})
        elif rules.kind == "dynamiclist":
            values[rules.key] = _rows(rules, planted if isinstance(planted, dict) else {})
        elif rules.has_data:
            _leaf(rules, planted, values)
    return values | {key: _strange(value) for key, value in tree.items() if key not in known}


def _flattened(fields: tuple[Field, ...]) -> list[Field]:
    found: list[Field] = []
    for rules in fields:
        if rules.kind == "group" and not rules.key:
            found.extend(_flattened(rules.children))
        elif rules.key:
            found.append(rules)
    return found


def _leaf(rules: Field, planted: Any, values: Tree) -> None:
    if planted is None:
        if rules.kind == "checkbox":
            values[rules.key] = False
        return
    if isinstance(planted, dict):
        values[rules.key] = _strange(planted)
    elif rules.kind in MANY or rules.kind == "filepicker":
        values[rules.key] = [value for value in planted if not is_blank(value)]
    elif rules.kind == "checkbox":
        values[rules.key] = _box(planted[-1])
    else:
        values[rules.key] = planted[-1].strip() if len(planted) == 1 else planted


def _box(text: str) -> bool | str:
    return {"on": True, "true": True, "1": True, "false": False, "0": False, "": False}.get(text, text)


def _rows(rules: Field, planted: Tree) -> list[Tree]:
    rows = [{k: v for k, v in planted[index].items() if k != MARK} for index in sorted(planted)]
    values = [_level(rules.children, row) for row in rows if isinstance(row, dict)]
    if rules.is_fixed_list:
        return values  # the rows stand for something by their number: a blank one keeps its place
    return [row for row in values if not _is_blank_row(row)]


def _is_blank_row(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_blank_row, value.values()))
    return value is False or is_blank(value)


def _strange(value: Any) -> Any:
    """A name no field has, kept as it came so that the check can refuse it."""
    if isinstance(value, dict):
        return {str(key): _strange(inner) for key, inner in value.items()}
    return value[-1] if isinstance(value, list) and len(value) == 1 else value


def _refused(name: str, message: str, message_zh: str) -> InvalidInput:
    field = FieldError(pointer=f"/{name[:60]}", code="name", message=message, message_zh=message_zh)
    return InvalidInput(message, fields=(field,))
