"""What one form field accepts: marshmallow fields that turn what was sent into FEEL values, strictly."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any

import marshmallow as ma
import re2

from engine.temporal import parse_date, parse_datetime, parse_time
from workflows.library.forms.fields import CHOICES, COMPUTED, DATA, MANY, TEXTS, Field

LINE, PARAGRAPHS = 500, 10_000
ITEMS, FILES = 500, 50
PATTERN_LENGTH = 300
NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?")
FILE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
EMAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
PHONE = re.compile(r"\+?[0-9][0-9 \-]{4,24}")
VALIDATIONS = {"email": EMAIL, "phone": PHONE}
BIDI = "\u202a-\u202e\u2066-\u2069\u061c\u200e\u200f\ufeff"
CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
FORBIDDEN_IN_LINES = re.compile(f"[{CONTROLS}{BIDI}]")
FORBIDDEN = re.compile(f"[{CONTROLS}{BIDI}\t\n]")
EARLIEST, LATEST = 1900, 2199


class Fault(str):
    """One thing wrong, in English; `zh` says the same, `code` is for programs."""

    __slots__ = ("code", "zh")

    def __new__(cls, code: str, english: str, chinese: str) -> Fault:
        fault = super().__new__(cls, english)
        fault.code, fault.zh = code, chinese
        return fault

    code: str
    zh: str


REQUIRED = Fault("required", "this is required", "此项必填")
UNKNOWN = Fault("unknown", "the form has no such field", "表单没有此字段")
SHAPE = Fault("type", "expected an object of fields", "应为字段对象")


def is_blank(value: Any) -> bool:
    """Whether nothing was filled in: null, empty or only spaces, an empty list."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def clean_text(value: Any, *, lines: bool = False) -> str:
    """`value` as NFC text; raises ValidationError for other types, half characters, control characters
    and characters that reverse the reading direction. `lines` allows line ends and tabs."""
    if not isinstance(value, str):
        raise ma.ValidationError([Fault("type", "expected text", "应为文本")])
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n") if lines else value)
    if (FORBIDDEN_IN_LINES if lines else FORBIDDEN).search(text):
        raise ma.ValidationError(
            [Fault("characters", "the text holds forbidden characters", "含有不允许的字符")]
        )
    return text.strip()


def read_number(value: Any) -> Decimal | None:
    """A finite number from JSON or plain ASCII digits, else None; never from true, `１２` or `1e9`."""
    if isinstance(value, str):
        return Decimal(value) if NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, int) and value.bit_length() > 64:
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() and _is_near(number) else None


def _is_near(number: Decimal) -> bool:
    """Within 18 digits before the point and 34 in all, so that arithmetic on it stays exact and small."""
    return not number or (-30 < number.adjusted() < 18 and len(number.as_tuple().digits) <= 34)


def _exponent(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


class _Valued(ma.fields.Field[Any]):
    """A field that knows its rules from the form file; blanks are null."""

    def __init__(self, rules: Field) -> None:
        super().__init__(required=False, allow_none=True)
        self.rules = rules

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        """As marshmallow does it; there is nothing beside `_deserialize` to be asked about what is there."""
        if value is ma.missing or is_blank(value):
            return super().deserialize(value if value is ma.missing else None, attr, data, **kwargs)
        return self._deserialize(value, attr, data, **kwargs)

    def fail(self, fault: Fault) -> None:
        raise ma.ValidationError([fault])


class Text(_Valued):
    """Text within its length and pattern; a line unless it is a textarea."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        rules = self.rules
        text = clean_text(value, lines=rules.kind == "textarea")
        most = rules.max_length or (PARAGRAPHS if rules.kind == "textarea" else LINE)
        if len(text) > most:
            self.fail(
                Fault(
                    "max_length",
                    f"at most {most} characters, found {len(text)}",
                    f"最多{most}字，现{len(text)}字",
                )
            )
        if rules.min_length and len(text) < rules.min_length:
            self.fail(
                Fault("min_length", f"at least {rules.min_length} characters", f"至少{rules.min_length}字")
            )
        self._matches(text)
        return text

    def _matches(self, text: str) -> None:
        rules = self.rules
        kind = VALIDATIONS.get(rules.validation) if rules.validation else None
        if kind and not kind.fullmatch(text):
            self.fail(Fault("format", f"expected a valid {rules.validation}", "格式不正确"))
        if rules.pattern and not pattern_of(rules.pattern).fullmatch(text):
            self.fail(
                Fault(
                    "pattern",
                    rules.message_en or "the text does not have the form expected",
                    rules.message_zh or "格式不正确",
                )
            )


@lru_cache(maxsize=512)
def pattern_of(text: str) -> Any:
    """A pattern of a form file, run in time linear in the text; the whole text must fit, as in HTML.

    Raises ValueError for a pattern that cannot be run: too long, or with look-around or back references.
    """
    if len(text) > PATTERN_LENGTH:
        raise ValueError(f"a pattern has at most {PATTERN_LENGTH} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(f"the pattern cannot be run: {error}") from None


class Number(_Valued):
    """A number as an exact decimal, within its bounds and digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        number = read_number(value.strip(" ") if isinstance(value, str) else value)
        if number is None:
            raise ma.ValidationError([Fault("number", "expected a number in plain digits", "应为普通数字")])
        digits = 12 if self.rules.decimals is None else self.rules.decimals
        if -_exponent(number) > digits:
            zh = f"最多{digits}位小数" if digits else "应为整数"
            en = f"at most {digits} decimals" if digits else "expected a whole number"
            self.fail(Fault("decimals", en, zh))
        for fault in bound_faults(number, read_number(self.rules.minimum), read_number(self.rules.maximum)):
            self.fail(fault)
        return number


def bound_faults(number: Decimal, least: Decimal | None, most: Decimal | None) -> list[Fault]:
    """What is wrong with `number` against its bounds; a bound that is None does not bind."""
    faults = []
    if least is not None and number < least:
        faults.append(
            Fault("min", f"at least {least:f}, found {number:f}", f"不小于{least:f}，现为{number:f}")
        )
    if most is not None and number > most:
        faults.append(Fault("max", f"at most {most:f}, found {number:f}", f"不大于{most:f}，现为{number:f}"))
    return faults


class Flag(_Valued):
    """True or false, nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ma.ValidationError([Fault("type", "expected true or false", "应为是或否")])
        return value


class Choice(_Valued):
    """One of the options, if they stand in the file; else text, checked when the case is known."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = clean_text(value)
        if len(text) > LINE or not is_offered(text, self.rules):
            raise ma.ValidationError([not_offered(text)])
        return text


class Choices(_Valued):
    """Some of the options, each once."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > ITEMS:
            raise ma.ValidationError([Fault("type", "expected a list of choices", "应为选项列表")])
        texts = [clean_text(item) for item in value]
        for text in texts:
            if not is_offered(text, self.rules):
                self.fail(not_offered(text))
        if len(set(texts)) < len(texts):
            self.fail(Fault("twice", "a choice stands twice", "选项重复"))
        return texts


def is_offered(value: str, rules: Field) -> bool:
    """Whether a static list of options holds `value`; true where the list is found out later."""
    dynamic = rules.options_key or rules.options_from
    return bool(dynamic) or value in {option.value for option in rules.options}


def not_offered(value: str) -> Fault:
    """The fault of choosing what is not among the options."""
    return Fault("choice", f"{value[:60]!r} is not among the choices", "不在可选范围内")


class Temporal(_Valued):
    """A date, a time, or a date and time with its zone, of the years 1900 to 2199."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date | time | datetime:
        try:
            return self._read(value)
        except ValueError:
            raise ma.ValidationError(
                [Fault("date", "expected a date or time in ISO form", "日期或时间格式不正确")]
            ) from None

    def _read(self, value: Any) -> date | time | datetime:
        found: Any = value
        if isinstance(value, str):
            found = _READERS[self.rules.subtype or "date"](value.strip())
        wanted: Any = {"time": time, "datetime": datetime}.get(self.rules.subtype, date)
        if type(found) is not wanted or (wanted is not time and not EARLIEST <= found.year <= LATEST):
            raise ValueError("another kind of moment")
        return found  # type: ignore[no-any-return]


def _clock(text: str) -> time:
    return parse_time(f"{text}:00" if len(text) == 5 else text)


def _moment(text: str) -> datetime:
    """A date and time; what a browser's input sends without zone is Shanghai's time."""
    day, _, clock = text.partition("T")
    if len(clock) == 5:
        clock += ":00"
    zoned = clock if clock[8:] else f"{clock}+08:00"
    return parse_datetime(f"{day}T{zoned}")


_READERS = {"date": parse_date, "time": _clock, "datetime": _moment}


class Files(_Valued):
    """Ids of evidence files, each once."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        ids = [value] if isinstance(value, str) else value
        if not isinstance(ids, list) or any(not isinstance(i, str) or not FILE_ID.fullmatch(i) for i in ids):
            raise ma.ValidationError([Fault("file", "expected ids of evidence files", "应为材料编号")])
        most = FILES if self.rules.multiple else 1
        if len(ids) > most:
            self.fail(Fault("files", f"at most {most} files", f"最多{most}个文件"))
        if len(set(ids)) < len(ids):
            self.fail(Fault("twice", "a file stands twice", "文件重复"))
        return list(ids)


class Ignored(ma.fields.Field[Any]):
    """Sent by a browser, but not the person's to decide: computed or read-only. It is dropped."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_none=True)

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return ma.missing


class _Level(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    error_messages = {"unknown": UNKNOWN, "type": SHAPE}


def schema_of(fields: tuple[Field, ...]) -> ma.Schema:
    """The marshmallow schema of one level of a form: types and static rules, nothing required yet."""
    level: type[ma.Schema] = type("FormLevel", (_Level,), dict(_members(fields)))
    return level()


def fields_alone(level: ma.Schema) -> Mapping[str, ma.fields.Field[Any]]:
    """The fields of a level whose values can be read one by one; none if some nest others.

    A schema that is loaded takes twice as long for what surrounds the fields as for the fields.
    """
    nests = any(isinstance(member, ma.fields.Nested | ma.fields.List) for member in level.fields.values())
    return {} if nests else level.fields


def _members(fields: tuple[Field, ...]) -> Mapping[str, ma.fields.Field[Any]]:
    members: dict[str, ma.fields.Field[Any]] = {}
    for rules in fields:
        if rules.kind == "group" and not rules.key:
            members.update(_members(rules.children))
        elif rules.key:
            members[rules.key] = _member(rules)
    return {key: member for key, member in members.items() if member is not None}


def _member(rules: Field) -> ma.fields.Field[Any]:
    if rules.kind == "group":
        return ma.fields.Nested(
            schema_of(rules.children), allow_none=True, error_messages={"type": SHAPE, "invalid": SHAPE}
        )
    if rules.kind == "dynamiclist":
        return _Rows(rules)
    if rules.kind == COMPUTED or rules.readonly or rules.kind not in DATA:
        return Ignored()
    return _class(rules)(rules)


class _Rows(ma.fields.List[Any]):
    """The rows of a repeating group."""

    def __init__(self, rules: Field) -> None:
        super().__init__(
            ma.fields.Nested(schema_of(rules.children)),
            allow_none=True,
            error_messages={"invalid": Fault("type", "expected a list of rows", "应为列表")},
        )
        self.most = rules.max_length or ITEMS

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list) and len(value) > self.most:
            raise ma.ValidationError([Fault("rows", f"at most {self.most} rows", f"最多{self.most}行")])
        return super()._deserialize(value, attr, data, **kwargs)


def _class(rules: Field) -> type[_Valued]:
    if rules.kind in TEXTS:
        return Text
    if rules.kind in CHOICES:
        return Choice
    if rules.kind in MANY:
        return Choices
    return {"number": Number, "checkbox": Flag, "datetime": Temporal, "filepicker": Files}[rules.kind]
