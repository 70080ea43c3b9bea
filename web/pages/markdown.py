"""The little Markdown that form texts use, as safe HTML: everything else is shown as it was written."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

HEADING = re.compile(r"(#{1,4})\s+(.*)")
ITEM = re.compile(r"(?:[-*]|\d+[.)])\s+(.*)")
STRONG = re.compile(r"\*\*(.+?)\*\*")


def render(text: str) -> Markup:
    """Headings, lists, paragraphs and strong words; no links, no images, no HTML."""
    return Markup("\n").join(_block(block) for block in re.split(r"\n\s*\n", text.strip()) if block)


def _block(block: str) -> Markup:
    lines = [line.strip() for line in block.splitlines()]
    if len(lines) == 1 and (heading := HEADING.fullmatch(lines[0])):
        size = min(6, len(heading[1]) + 2)
        return Markup("<p class='h{}'>{}</p>").format(size, _strong(heading[2]))
    items = [ITEM.fullmatch(line) for line in lines]
    if all(items):
        told = Markup("").join(Markup("<li>{}</li>").format(_strong(item[1])) for item in items if item)
        return Markup("<ul>{}</ul>").format(told)
    return Markup("<p>{}</p>").format(Markup("<br>").join(_strong(line) for line in lines))


def _strong(text: str) -> Markup:
    return Markup(STRONG.sub(r"<strong>\1</strong>", str(escape(text))))
