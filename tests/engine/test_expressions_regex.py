"""Patterns as XPath and XML Schema write them: classes, blocks, flags."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions.charsets import ClassReader, complement, named, union
from engine.expressions.feel import parse
from engine.expressions.scope import text_of

MATCHES: dict[tuple[str, str, str], str] = {
    ("h", r"^[a-z-[aeiou]]$", ""): "true",
    ("a", r"^[a-z-[aeiou]]$", ""): "false",
    ("b", r"^[a-z-[a-y-[b]]]+$", ""): "true",
    ("ab-c", r"^[\i-[:]][\c-[:]]*$", ""): "true",
    ("a:b", r"^[\i-[:]][\c-[:]]*$", ""): "false",
    ("a", r"[a-c-[b]d]", ""): "null",
    ("é", r"^\p{IsBasicLatin}$", ""): "false",
    ("é", r"^\P{IsBasicLatin}$", ""): "true",
    ("é", r"^[\p{IsLatin-1Supplement}a]+$", ""): "true",
    ("兰州", r"^\p{IsCJKUnifiedIdeographs}+$", ""): "true",
    ("兰州", r"^[\p{Lo}-[州]]+$", ""): "false",
    ("a", r"\p{IsNowhere}", ""): "null",
    ("a", r"[\p{Nothing}]", ""): "null",
    ("5", r"^[\d]$", ""): "true",
    ("x", r"^[\D\d]$", ""): "true",
    ("x_1", r"^[\w]+$", ""): "false",
    ("-", r"^[-a]$", ""): "true",
    ("-", r"^[a-]$", ""): "true",
    ("]", r"^[\]]$", ""): "true",
    ("^", r"^[a^]$", ""): "true",
    ("b", r"^[^a]$", ""): "true",
    ("a", r"[]", ""): "null",
    ("a", r"[z-a]", ""): "null",
    ("a", r"[a", ""): "null",
    ("a", r"[a[b]]", ""): "null",
    ("abcd", r"(abcd)[\1]", ""): "null",
    ("K", r"^[a-z]$", "i"): "true",
    ("helloworld", "hello world", "x"): "true",
    ("hello world", "hello[ ]world", "x"): "true",
    ("helloworld", "hello[ ]world", "x"): "false",
    ("hello world", r"hello\ sworld", "x"): "true",
    ("a b", r"a[\] ]b", "x"): "true",
    ("a", "a", "z"): "null",
    ("a.b", "a.b", "q"): "true",
    ("axb", "a.b", "q"): "false",
    ("a\nb", "a.b", ""): "false",
    ("a\rb", "a.b", ""): "false",
    ("a\nb", "a.b", "s"): "true",
    ("a\nb", "^b$", "m"): "true",
    ("a\nb", "^b$", ""): "false",
    ("a", "(?i)a", ""): "null",
    ("ab", "(?:a)b", ""): "true",
}


@pytest.mark.parametrize("case", MATCHES, ids=lambda case: "/".join(case))
def test_a_pattern_matches_as_xpath_says(case: tuple[str, str, str]) -> None:
    text, pattern, flags = case
    names = {"text": text, "pattern": pattern, "flags": flags}

    assert text_of(parse("matches(text, pattern, flags)").evaluate(names)) == MATCHES[case]


def test_a_category_is_the_characters_unicode_puts_there() -> None:
    letters = named("L")

    assert all(unicodedata.category(chr(low))[0] == "L" for low, _ in letters)
    assert complement(complement(letters)) == letters
    assert union([letters, complement(letters)]) == ((0, 0x10FFFF),)


PARTS = st.sampled_from(["a", "b-f", "x-z", "0-9", "é", r"\-", r"\^"])


@given(st.lists(PARTS, min_size=1), st.booleans(), st.lists(PARTS), st.characters(max_codepoint=300))
def test_a_class_less_another_holds_what_is_in_the_one_alone(
    parts: list[str], is_negated: bool, less: list[str], character: str
) -> None:
    one, other = f"[{'^' * is_negated}{''.join(parts)}", "".join(less)
    found = ClassReader(f"{one}-[{other}]]" if less else f"{one}]", 0).read()
    is_in = bool(re.match(f"{one}]", character)) and not (less and re.match(f"[{other}]", character))

    assert any(low <= ord(character) <= high for low, high in found) == is_in
