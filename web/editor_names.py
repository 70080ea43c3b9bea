"""What the editor's pages call things: people, files, versions, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from flask import url_for

from engine.errors import InvalidInput, Rejected
from web.context import rooms
from web.problems import refusal_of
from web.words import say
from workflows.transaction.facts import names_of
from workflows.workshop.drafts.draft import Draft, Overview

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
DMN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/" xmlns:dc="http://www.omg.org/spec/DMN/20180521/DC/" id="{name}_definitions" name="{name}" namespace="https://tidu.dev/dmn">
  <decision id="{name}" name="{name}">
    <decisionTable id="{name}_table" hitPolicy="UNIQUE">
      <input id="{name}_input"><inputExpression id="{name}_expression" typeRef="string"><text></text></inputExpression></input>
      <output id="{name}_output" name="result" typeRef="string"/>
    </decisionTable>
  </decision>
  <dmndi:DMNDI><dmndi:DMNDiagram><dmndi:DMNShape dmnElementRef="{name}"><dc:Bounds height="80" width="180" x="160" y="100"/></dmndi:DMNShape></dmndi:DMNDiagram></dmndi:DMNDI>
</definitions>
"""  # noqa: E501


def person(person_id: str | None) -> str:
    """The name of a person, or the id of a stranger."""
    if not person_id:
        return ""
    if person_id == "system":
        return say("系统")
    with rooms().reading() as connection:
        return names_of(connection, [person_id]).get(person_id, person_id)


def named(draft: Draft) -> dict[str, Any]:
    """A draft with the names of people."""
    return {
        **vars(draft),
        "changed_by": person(draft.changed_by),
        "changed_by_name": person(draft.changed_by),
    }


def version_lines(overview: Overview, notes: Mapping[int, str], now: datetime) -> list[dict[str, Any]]:
    """The versions of a process as lines of a table, newest first."""
    return [
        {
            "version": version.version,
            "shown_state": _state(version, overview, now),
            "effective_from": version.effective_from,
            "author": person(version.author),
            "approved_by": person(version.approved_by),
            "published_by": person(version.published_by),
            "published_at": version.published_at,
            "note": notes.get(version.version, ""),
            "running": overview.running.get(version.version, 0),
        }
        for version in overview.versions
    ]


def _state(version: Any, overview: Overview, now: datetime) -> str:
    if version.state == "retired":
        return "retired"
    if version.effective_from > now:
        return "future"
    return "live" if overview.live and version.version == overview.live.version else "superseded"


def called_pages(definition: Any) -> dict[str, str]:
    """Call activity → the page of the process it calls."""
    shapes = definition.drawings[definition.process_id].shapes
    return {shape.id: url_for("editor.process", key=shape.call.process) for shape in shapes if shape.call}


def files_of(key: str, draft: Draft, changed: Collection[str]) -> list[dict[str, Any]]:
    """The files beside the drawing; those with an editor of their own have an address."""
    lines = []
    for path in sorted(draft.files):
        stem, _, ending = path.rpartition(".")
        name = stem.rpartition("/")[2]
        kind = {"dmn": "decision", "form": "form"}.get(ending)
        if path == "process.bpmn":
            continue
        lines.append(
            {
                "path": path,
                "label": f"{say('决策表') if kind == 'decision' else say('表单')} {name}",
                "href": url_for(f"editor.{kind}", key=key, name=name) if kind else None,
                "is_changed": path in changed,
            }
        )
    return lines


def empty_file(kind: str, name: str) -> tuple[str, bytes]:
    """Path and content of a new form or decision table. Raises InvalidInput."""
    if not NAME.fullmatch(name) or kind not in {"form", "decision"}:
        raise InvalidInput(f"{name!r} is no name for a {kind or 'file'}", code="VALIDATION")
    if kind == "decision":
        return f"{name}.dmn", DMN.format(name=name).encode()
    schema = {"type": "default", "id": name, "schemaVersion": 18, "components": []}
    return f"forms/{name}.form", (json.dumps(schema, ensure_ascii=False, indent=2) + "\n").encode()


def refusal(refused: Rejected) -> str:
    """A refusal as one sentence in the reader's language."""
    told = refusal_of(refused)
    return f"{told.title}：{told.detail}" if told.detail else told.title
