"""The values a case may hold, and their one JSON form."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Clamped, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from engine.errors import FieldError, InvalidInput
from engine.temporal import (
    YearsMonths,
    date_text,
    datetime_text,
    days_text,
    months_text,
    parse_date,
    parse_datetime,
    parse_duration,
    parse_time,
    time_text,
)

Value = Any
"""None, bool, Decimal, str, date, time, datetime, timedelta, YearsMonths, list, dict; while an
expression runs also a range or a function, which cannot be stored."""

DIGITS = 34
MAX_EXPONENT = 6144
MAX_DEPTH = 64
MAX_SIZE = 10_000_000
EXACT_INT = 2**53
SHORT = 15
"""Whole numbers of so many digits are below EXACT_INT."""

ONE = Decimal(1)
_NESTS = (dict, list)

CONTEXT = Context(
    prec=DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=MAX_EXPONENT,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
_READING = Context(prec=DIGITS + 40, Emin=-999999, Emax=999999, traps=[InvalidOperation, Clamped])


def to_json(value: Value) -> Any:
    """JSON-native form: equal values give equal JSON, and `from_json` gives the value back.

    Whole numbers below 2**53 stay JSON integers, every other number is `{"@number": "12.5"}`; dates,
    times and durations are tagged `@date`, `@time`, `@datetime`, `@duration`, `@months`.  Raises
    InvalidInput for what cannot be stored: ranges, functions, floats, NaN, half characters, NUL,
    names that are not text, more than 64 levels or 10 MB.
    """
    return _Writer().write(value, (), MAX_DEPTH)


def from_json(obj: Any) -> Value:
    """The value of a JSON form, tagged or as people write it: floats become exact decimals.

    Raises InvalidInput with a JSON pointer for everything `to_json` refuses, and for a wrong tag.
    """
    return _Reader().read(obj, (), MAX_DEPTH)


def ordered(value: Value) -> Value:
    """The same value with the names of every context in the order in which the journal gives them back:
    by their UTF-16 units (RFC 8785)."""
    if isinstance(value, dict):
        return in_order({k: ordered(item) if isinstance(item, _NESTS) else item for k, item in value.items()})
    if isinstance(value, list):
        return [ordered(item) if isinstance(item, _NESTS) else item for item in value]
    return value


def in_order(context: dict[str, Value]) -> dict[str, Value]:
    """The same context with its names in that order, those of contexts within it left as they are."""
    return {
        name: context[name] for name in sorted(context, key=None if "".join(context).isascii() else _utf16)
    }


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def to_plain(value: Value) -> Any:
    """Friendly JSON without tags: numbers as int or float where 15 digits suffice, else text; dates as
    ISO text; what only lives while an expression runs, as its text."""
    match value:
        case None | bool() | str():
            return value
        case Decimal() | int():
            return _plain_number(Decimal(value))
        case list() | tuple():
            return [to_plain(item) for item in value]
        case dict():
            return {str(key): to_plain(item) for key, item in value.items()}
        case _:
            return temporal_text(value) or str(value)


def number_text(value: Decimal) -> str:
    """One text for one number: no trailing zeros, an exponent only beyond 40 places."""
    if not value:
        return "0"
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("not a number")
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    exponent += len(text) - len(short)
    minus = "-" * sign
    if not -40 <= exponent <= 40:
        return f"{minus}{short}E{exponent}"
    if exponent >= 0:
        return minus + short + "0" * exponent
    padded = short.rjust(1 - exponent, "0")
    return f"{minus}{padded[:exponent]}.{padded[exponent:]}"


def temporal_text(value: Value) -> str:
    """FEEL's text of a date, time or duration; empty for every other value."""
    form = _tagged(value)
    return form[1] if form else ""


def _tagged(value: Value) -> tuple[str, str] | None:
    match value:
        case datetime():
            return "@datetime", datetime_text(value)
        case date():
            return "@date", date_text(value)
        case time():
            return "@time", time_text(value)
        case timedelta():
            return "@duration", days_text(value)
        case YearsMonths():
            return "@months", months_text(value)
    return None


def _plain_number(value: Decimal) -> int | float | str:
    text = number_text(value)
    if value == value.to_integral_value():
        return int(value) if abs(value) < EXACT_INT else text
    near = float(text)
    if (
        math.isfinite(near)
        and Decimal(repr(near)) == value
        and len(value.normalize().as_tuple().digits) <= 15
    ):
        return near
    return text


Path = tuple[Any, ...]


def _refusal(path: Path, code: str, message: str) -> InvalidInput:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in _unfold(path)]
    pointer = "".join(f"/{part}" for part in parts).encode("utf-8", "replace").decode()
    field = FieldError(pointer=pointer, code=code, message=message, message_zh=ZH.get(code, "值无效"))
    return InvalidInput(f"{pointer or 'the value'}: {message}", fields=(field,))


def _unfold(path: Path) -> Iterator[Any]:
    if path:
        yield from _unfold(path[0])
        yield path[1]


ZH = {
    "size": "数据过大",
    "depth": "嵌套过深",
    "text": "文本含有非法字符",
    "number": "数字无效或过长",
    "name": "字段名必须是文本",
    "type": "此类值不能保存",
    "tag": "日期、时间或时长的写法不正确",
}


class _Meter:
    """Counts what has passed, so that neither direction can be made to swallow a huge value."""

    def __init__(self) -> None:
        self.size = 0

    def count(self, amount: int, path: Path) -> None:
        self.size += amount
        if self.size > MAX_SIZE:
            raise _refusal(path, "size", f"more than {MAX_SIZE} bytes")

    def text(self, value: str, path: Path) -> str:
        if "\0" in value:
            raise _refusal(path, "text", "the text contains a NUL character")
        try:  # as most names are ASCII: no bytes to make for their number
            self.size += 2 + (len(value) if value.isascii() else len(value.encode("utf-8")))
        except UnicodeEncodeError:
            raise _refusal(path, "text", "the text contains half a character") from None
        if self.size > MAX_SIZE:
            self.count(0, path)
        return value

    def name(self, value: Any, path: Path) -> str:
        if not isinstance(value, str):
            raise _refusal(path, "name", f"a name must be text, found {type(value).__name__}")
        return self.text(value, (path, value))


def _number(value: Decimal, path: Path) -> Decimal:
    if not value.is_finite():
        raise _refusal(path, "number", "expected a finite number")
    if not value:
        return Decimal(0)
    if len(value.as_tuple().digits) > DIGITS:
        value = _READING.normalize(value) if len(value.as_tuple().digits) <= DIGITS + 40 else value
    if len(value.as_tuple().digits) > DIGITS or abs(value.adjusted()) >= MAX_EXPONENT:
        raise _refusal(path, "number", f"a number has at most {DIGITS} digits")
    return value


class _Writer(_Meter):
    def write(self, value: Value, path: Path, depth: int) -> Any:
        if type(value) is str:  # as most are
            self.size += 1
            return self.text(value, path)
        self.count(1, path)
        match value:
            case str():
                return self.text(value, path)
            case None | bool():
                return value
            case Decimal():
                return self._number(value, path)
            case dict():
                return self._context(value, path, _deeper(depth, path))
            case list() | tuple():
                deeper = _deeper(depth, path) if value else depth
                return [self.write(v, (path, i), deeper) for i, v in enumerate(value)]
            case int():
                return self._number(Decimal(value), path)
        if tagged := _tagged(value):
            self.count(len(tagged[1]), path)
            return {tagged[0]: tagged[1]}
        raise _refusal(path, "type", f"a {type(value).__name__} cannot be stored")

    def _number(self, value: Decimal, path: Path) -> Any:
        if value.same_quantum(ONE) and value.adjusted() < SHORT:  # most numbers: written as 12, not 12.50
            return int(value)
        value = _number(value, path)
        if abs(value) < EXACT_INT and value == value.to_integral_value():
            return int(value)
        text = number_text(value)
        self.count(len(text), path)
        return {"@number": text}

    def _context(self, value: Mapping[Any, Value], path: Path, depth: int) -> Any:
        entries = {self.name(k, path): self.write(v, (path, k), depth) for k, v in value.items()}
        return {"@context": entries} if _looks_tagged(entries) else entries


class _Reader(_Meter):
    def read(self, obj: Any, path: Path, depth: int) -> Value:
        if type(obj) is str:  # as most are
            self.size += 1
            return self.text(obj, path)
        self.count(1, path)
        match obj:
            case None | bool():
                return obj
            case str():
                return self.text(obj, path)
            case int() | Decimal():
                return self._whole(obj, path)
            case float():
                return _number(Decimal(repr(obj)), path)
            case list() | tuple():
                deeper = _deeper(depth, path) if obj else depth
                return [self.read(item, (path, i), deeper) for i, item in enumerate(obj)]
            case dict():
                return self._context(obj, path, depth)
        raise _refusal(path, "type", f"a {type(obj).__name__} is not JSON")

    def _whole(self, value: int | Decimal, path: Path) -> Decimal:
        if isinstance(value, int) and -EXACT_INT < value < EXACT_INT:
            return Decimal(value)
        if isinstance(value, int) and value.bit_length() > 400:
            raise _refusal(path, "number", f"a number has at most {DIGITS} digits")
        return _number(Decimal(value), path)

    def _context(self, obj: Mapping[Any, Any], path: Path, depth: int) -> Value:
        if not _looks_tagged(obj):
            return self._entries(obj, path, _deeper(depth, path))
        ((tag, content),) = obj.items()
        if tag == "@context" and isinstance(content, dict):
            return self._entries(content, path, _deeper(depth, path))
        return self._tagged(tag, content, path)

    def _entries(self, obj: Mapping[Any, Any], path: Path, depth: int) -> dict[str, Value]:
        return {self.name(key, path): self.read(item, (path, key), depth) for key, item in obj.items()}

    def _tagged(self, tag: str, content: Any, path: Path) -> Value:
        if tag not in _READERS or not isinstance(content, str) or len(content) > 7000:
            raise _refusal(path, "tag", f"{tag} does not mark a value")
        self.text(content, path)
        try:
            value = _READERS[tag](content)
        except (ValueError, InvalidOperation):
            raise _refusal(path, "tag", f"{content[:60]!r} is not a {tag[1:]}") from None
        return _number(value, path) if isinstance(value, Decimal) else value


def _days(text: str) -> timedelta:
    value = parse_duration(text)
    if not isinstance(value, timedelta):
        raise ValueError("years and months are tagged @months")
    return value


def _months(text: str) -> YearsMonths:
    value = parse_duration(text)
    if not isinstance(value, YearsMonths):
        raise ValueError("days and times are tagged @duration")
    return value


def _decimal(text: str) -> Decimal:
    if not text.isascii() or any(mark in text for mark in "_ \t\n"):
        raise ValueError("not a number")
    return Decimal(text)


_READERS = {
    "@number": _decimal,
    "@date": parse_date,
    "@time": parse_time,
    "@datetime": parse_datetime,
    "@duration": _days,
    "@months": _months,
}


def _looks_tagged(obj: Mapping[Any, Any]) -> bool:
    return len(obj) == 1 and str(next(iter(obj))).startswith("@")


def _deeper(depth: int, path: Path) -> int:
    if depth == 0:
        raise _refusal(path, "depth", f"nested more than {MAX_DEPTH} levels deep")
    return depth - 1
