"""What comes over the wire is read strictly, and quickly even when it means harm."""

from decimal import Decimal

import pytest

from web.wire import Malformed, read_json


def test_fractions_keep_every_digit():
    assert read_json(b'{"a": 2.10, "n": 3}') == {"a": Decimal("2.10"), "n": 3}
    assert str(read_json(b"2.10")) == "2.10"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested deeper"),
        (b'{"a": NaN}', "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"1e999999", "too large"),
        (b"[1.0e1000000]", "too large"),
        (b"9" * 5_000, "too large"),
        (b'{"role": "officer", "role": "admin"}', "given twice"),
        (b'{"a": {"b": 1, "b": 1}}', "given twice"),
        (b'"\\u0000"', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'["\\ud800"]', "surrogate"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b"{'a': 1}", "not JSON"),
        (b"{} {}", "not JSON"),
    ],
)
def test_json_that_readers_would_understand_differently_is_refused(body, rule):
    with pytest.raises(Malformed, match=rule):
        read_json(body)


def test_brackets_inside_texts_are_no_depth():
    text = "[" * 500

    assert read_json(f'["{text}", "a\\"[[", "\\\\"]'.encode()) == [text, 'a"[[', "\\"]


def test_rare_characters_pass():
    assert read_json('"𠮷野家 😀"'.encode()) == "𠮷野家 😀"
