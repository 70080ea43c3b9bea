"""Form files in a few words, and the faults of what was filled in."""

from __future__ import annotations

import json
from datetime import timedelta, timezone

import pytest

from engine.errors import InvalidInput
from workflows.library.forms.form import read_form

CHINA = timezone(timedelta(hours=8))


def form(*components, **facts):
    return read_form(json.dumps({"type": "default", "components": list(components)} | facts).encode())


def text(key="name", **more):
    return {"type": "textfield", "id": f"F_{key}", "key": key, "label": "名称"} | more


def number(key="amount", **more):
    return {"type": "number", "id": f"F_{key}", "key": key, "label": "数量"} | more


def box(key="agreed", **more):
    return {"type": "checkbox", "id": f"F_{key}", "key": key, "label": "同意"} | more


def choice(*values, key="mode", kind="select", **more):
    options = [{"value": value, "label": value.upper(), "labelEn": value} for value in values]
    return {"type": kind, "id": f"F_{key}", "key": key, "label": "方式", "values": options} | more


def rows(*components, path="rows", **more):
    return {"type": "dynamiclist", "id": f"F_{path}", "path": path, "components": list(components)} | more


def faults(made, values, **more):
    with pytest.raises(InvalidInput) as refused:
        made.check(values, **more)
    return {field.pointer: field.code for field in refused.value.fields}
