"""Text functions; lengths and positions count characters, patterns are XPath's."""

from __future__ import annotations

import re
from decimal import Decimal

from engine.expressions.builtins.registry import builtin
from engine.expressions.regex import compiled, replacement
from engine.expressions.scope import NullResult, Run, text_of
from engine.values import CONTEXT, Value

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?")


@builtin("string", "from: any")
def _string(run: Run, value: Value) -> Value:
    return None if value is None else text_of(value, run)


@builtin("number", "from: string|number")
def _number(_run: Run, source: str | Decimal) -> Value:
    return source if isinstance(source, Decimal) else _read_number(source)


@builtin("number", "from: string, grouping separator: string?, decimal separator: string?")
def _number_as_written(_run: Run, source: str, grouping: str | None, point: str | None) -> Value:
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", "."):
        raise NullResult("separators are a space, a comma or a point")
    if grouping is not None and grouping == point:
        raise NullResult("the two separators must differ")
    if grouping:
        source = source.replace(grouping, "")
    return _read_number(source.replace(point, ".") if point else source)


def _read_number(source: str) -> Decimal:
    if len(source) > 7000 or not _NUMBER.fullmatch(source):
        raise NullResult("the text is not a number")
    return CONTEXT.create_decimal(source)


@builtin("string length", "string: string")
def _string_length(_run: Run, text: str) -> Value:
    return Decimal(len(text))


@builtin("upper case", "string: string")
def _upper_case(run: Run, text: str) -> Value:
    run.budget.check_text(len(text))
    return text.upper()


@builtin("lower case", "string: string")
def _lower_case(run: Run, text: str) -> Value:
    run.budget.check_text(len(text))
    return text.lower()


@builtin("substring", "string: string, start position: number, length?: number?")
def _substring(run: Run, text: str, start: Decimal, length: Decimal | None = None) -> Value:
    run.budget.check_text(len(text))
    first = int(start) if abs(start) <= len(text) else 0
    if first == 0:
        raise NullResult("the position is outside the text")
    first = first - 1 if first > 0 else len(text) + first
    if length is None:
        return text[first:]
    if length < 1:
        raise NullResult("the length must be at least 1")
    return text[first : first + int(length)]


@builtin("substring before", "string: string, match: string")
def _substring_before(run: Run, text: str, match: str) -> Value:
    run.budget.check_text(len(text))
    place = text.find(match)
    return text[:place] if place > 0 else ""


@builtin("substring after", "string: string, match: string")
def _substring_after(run: Run, text: str, match: str) -> Value:
    run.budget.check_text(len(text))
    place = text.find(match)
    return text[place + len(match) :] if place >= 0 else ""


@builtin("contains", "string: string, match: string")
def _contains(run: Run, text: str, match: str) -> Value:
    run.budget.check_text(len(text))
    return match in text


@builtin("starts with", "string: string, match: string")
def _starts_with(_run: Run, text: str, match: str) -> Value:
    return text.startswith(match)


@builtin("ends with", "string: string, match: string")
def _ends_with(_run: Run, text: str, match: str) -> Value:
    return text.endswith(match)


@builtin("matches", "input: string, pattern: string, flags?: string?")
def _matches(run: Run, text: str, pattern: str, flags: str | None = None) -> Value:
    run.budget.check_text(len(text) * 10)
    return compiled(pattern, flags or "").search(text) is not None


@builtin("replace", "input: string, pattern: string, replacement: string, flags?: string?")
def _replace(run: Run, text: str, pattern: str, by: str, flags: str | None = None) -> Value:
    flags = flags or ""
    found = compiled(pattern, flags)
    if found.search("") is not None:
        raise NullResult("the pattern matches nothing at all")
    run.budget.check_text((len(text) + 1) * (len(by) + 1))
    result: str = found.sub(replacement(by, found.groups, is_literal="q" in flags), text)
    return result


@builtin("split", "string: string, delimiter: string")
def _split(run: Run, text: str, delimiter: str) -> Value:
    run.budget.check_text(len(text) * 10)
    pattern, parts, start = compiled(delimiter, ""), [], 0
    if pattern.search("") is not None:
        raise NullResult("the delimiter matches nothing at all")
    for found in pattern.finditer(text):
        parts.append(text[start : found.start()])
        start = found.end()
    run.budget.check_list(len(parts) + 1)
    return [*parts, text[start:]]


@builtin("string join", "list: list, delimiter?: string?")
def _string_join(run: Run, items: list[Value], delimiter: str | None = None) -> Value:
    texts = [item for item in items if item is not None]
    if not all(isinstance(item, str) for item in texts):
        raise NullResult("only texts can be joined")
    run.budget.check_text(sum(map(len, texts)) + len(texts) * len(delimiter or ""))
    return (delimiter or "").join(texts)
