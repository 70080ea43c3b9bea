"""Rules of ids: names that every program, page and address can carry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.definition.checks.finding import error
from engine.definition.checks.references import Names, bpmn_elements, owner_of
from engine.errors import Problem

NC_NAME = re.compile(r"[^\W\d][\w.\-]*")
LONGEST = 200


def check_ids(names: Names) -> Iterator[Problem]:
    """Every id of a file is a name as XML knows it, without colons, and no longer than 200 signs."""
    for element in bpmn_elements(names.root):
        own = element.get("id")
        if own is not None and (len(own) > LONGEST or not NC_NAME.fullmatch(own)):
            around = element.getparent()
            yield error(
                "" if around is None else owner_of(around)[:LONGEST],
                "id.name",
                f"{own[:40]!r} is no id: a letter or _, then letters, digits, _ . - (at most {LONGEST})",
                f"编号 {own[:40]!r} 不合规：字母或下划线开头，只含字母、数字、_ . -，最多 {LONGEST} 个",
            )
