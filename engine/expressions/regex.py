"""XPath regular expressions, run by an engine whose time grows only with the text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from engine.expressions.budget import ExpressionError

MAX_PATTERN = 2_000
MAX_MEMORY = 16 << 20

_OUTSIDE = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": r"[\p{L}\p{M}\p{N}\p{S}]", "W": r"[\p{P}\p{Z}\p{C}]"}
_INSIDE = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": r"\p{L}\p{M}\p{N}\p{S}", "W": r"\p{P}\p{Z}\p{C}"}
_OUTSIDE |= {"s": r"[ \t\n\r]", "S": r"[^ \t\n\r]", "i": r"[\p{L}_:]", "c": r"[\p{L}\p{M}\p{N}_:.\-]"}
_OUTSIDE |= {"I": r"[^\p{L}_:]", "C": r"[^\p{L}\p{M}\p{N}_:.\-]"}
_INSIDE |= {"s": r" \t\n\r", "i": r"\p{L}_:", "c": r"\p{L}\p{M}\p{N}_:.\-"}


class BadPattern(ValueError):
    """The pattern, its flags or its replacement is not one that can be run."""


def _unsupported(what: str) -> ExpressionError:
    return ExpressionError("regex.unsupported", f"{what} cannot be matched in bounded time")


@lru_cache(maxsize=256)
def compiled(pattern: str, flags: str) -> Any:
    """The pattern, ready to run. Raises BadPattern; ExpressionError regex.unsupported for what XPath has
    and this engine has not: back references, subtracted classes, named blocks."""
    if set(flags) - set("smixq") or len(pattern) > MAX_PATTERN:
        raise BadPattern(f"unknown flags {flags[:10]!r} or a pattern too long")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    options.never_capture = False
    options.literal = "q" in flags
    options.dot_nl = "s" in flags
    options.case_sensitive = "i" not in flags
    text = pattern if "q" in flags else _translated(pattern, is_spaced="x" in flags)
    try:
        return re2.compile(f"(?m:{text})" if "m" in flags and "q" not in flags else text, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise BadPattern(f"the pattern cannot be run: {error}") from None


def replacement(text: str, groups: int, *, is_literal: bool) -> str:
    """XPath's `$1` as the engine's group reference. Raises BadPattern."""
    if is_literal:
        return text.replace("\\", "\\\\")
    out, at = [], 0
    while at < len(text):
        mark, following = text[at], text[at + 1 : at + 2]
        if mark == "\\":
            if following not in ("\\", "$") or not following:
                raise BadPattern("a backslash in a replacement stands before \\ or $")
            out.append("\\\\" if following == "\\" else "$")
            at += 2
        elif mark == "$":
            if not (following.isascii() and following.isdigit()):
                raise BadPattern("a $ in a replacement stands before a digit")
            out.append(f"\\g<{following}>" if int(following) <= groups else "")
            at += 2
        else:
            out.append(mark)
            at += 1
    return "".join(out)


def _translated(pattern: str, *, is_spaced: bool) -> str:
    """XPath spelling in the engine's: character classes and, with flag x, spaces that do not count."""
    out: list[str] = []
    at, depth = 0, 0
    while at < len(pattern):
        mark = pattern[at]
        if pattern.startswith(("\\p{Is", "\\P{Is"), at):
            raise _unsupported("a named block")
        if mark == "\\":
            out.append(_escape(pattern[at + 1 : at + 2], inside=depth > 0))
            at += 1
        elif mark == "[":
            if depth:
                raise _unsupported("a class subtracted from a class")
            depth += 1
            out.append(mark)
        elif mark == "]":
            depth = max(0, depth - 1)
            out.append(mark)
        elif mark == "(" and pattern.startswith("(?", at) and not pattern.startswith("(?:", at) and not depth:
            raise BadPattern("XPath has no (?…) but (?:…)")
        elif not (is_spaced and not depth and mark in " \t\n\r"):
            out.append(mark)
        at += 1
    return "".join(out)


def _escape(letter: str, *, inside: bool) -> str:
    if letter.isascii() and letter.isdigit():
        raise _unsupported("a back reference")
    table = _INSIDE if inside else _OUTSIDE
    if letter in table:
        return table[letter]
    if not letter or letter not in "nrtpP\\|.?*+(){}[]^$-":
        raise BadPattern(f"unknown escape \\{letter}")
    return f"\\{letter}"
