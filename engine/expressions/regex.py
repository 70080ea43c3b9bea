"""XPath regular expressions, run by an engine whose time grows only with the text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from engine.expressions.budget import ExpressionError
from engine.expressions.charsets import ClassReader, NoSet, complement, named, written

MAX_PATTERN = 2_000
MAX_MEMORY = 16 << 20

_SHORT = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": r"[\p{L}\p{M}\p{N}\p{S}]", "W": r"[\p{P}\p{Z}\p{C}]"}
_SHORT |= {"s": r"[ \t\n\r]", "S": r"[^ \t\n\r]", "i": r"[\p{L}_:]", "c": r"[\p{L}\p{M}\p{N}_:.\-]"}
_SHORT |= {"I": r"[^\p{L}_:]", "C": r"[^\p{L}\p{M}\p{N}_:.\-]"}
_SPACES = " \t\n\r"


class BadPattern(ValueError):
    """The pattern, its flags or its replacement is not one that can be run."""


def _unsupported(what: str) -> ExpressionError:
    return ExpressionError("regex.unsupported", f"{what} cannot be matched in bounded time")


@lru_cache(maxsize=256)
def compiled(pattern: str, flags: str) -> Any:
    """The pattern, ready to run. Raises BadPattern; ExpressionError regex.unsupported for the one thing that
    XPath has and this engine has not: back references."""
    if set(flags) - set("smixq") or len(pattern) > MAX_PATTERN:
        raise BadPattern(f"unknown flags {flags[:10]!r} or a pattern too long")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    options.never_capture = False
    options.literal = "q" in flags
    options.dot_nl = "s" in flags
    options.case_sensitive = "i" not in flags
    text = pattern if "q" in flags else _translated(_unspaced(pattern) if "x" in flags else pattern, flags)
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


def _unspaced(pattern: str) -> str:
    """Without the spaces that flag x ignores: all but those in a class."""
    out: list[str] = []
    depth, is_escaped = 0, False
    for mark in pattern:
        if mark in _SPACES and not depth:
            continue
        out.append(mark)
        if not is_escaped:
            depth = max(0, depth + {"[": 1, "]": -1}.get(mark, 0))
        is_escaped = mark == "\\" and not is_escaped
    return "".join(out)


def _translated(pattern: str, flags: str) -> str:
    """XPath's spelling in the engine's: classes, escapes, and a dot that stops at ends of lines."""
    out: list[str] = []
    at = 0
    try:
        while at < len(pattern):
            mark = pattern[at]
            if mark == "[":
                reader = ClassReader(pattern, at)
                out.append(written(reader.read()))
                at = reader.at
                continue
            if mark == "(" and pattern.startswith("(?", at) and not pattern.startswith("(?:", at):
                raise BadPattern("XPath has no (?…) but (?:…)")
            size, text = _escape(pattern, at) if mark == "\\" else (1, mark)
            out.append("[^\\n\\r]" if mark == "." and "s" not in flags else text)
            at += size
    except NoSet as error:
        raise BadPattern(str(error)) from None
    return "".join(out)


def _escape(pattern: str, at: int) -> tuple[int, str]:
    """How long the escape is, and how the engine spells it."""
    letter = pattern[at + 1 : at + 2]
    if letter.isascii() and letter.isdigit():
        raise _unsupported("a back reference")
    if letter in _SHORT:
        return 2, _SHORT[letter]
    if pattern.startswith("{Is", at + 2) and letter in ("p", "P"):
        end = pattern.find("}", at)
        found = named(pattern[at + 3 : end])
        return end + 1 - at, written(complement(found) if letter == "P" else found)
    if not letter or letter not in "nrtpP\\|.?*+(){}[]^$-":
        raise BadPattern(f"unknown escape \\{letter}")
    return 2, f"\\{letter}"
