"""Form files as facts: the fields of a form-js schema, in two languages, for checking and for rendering."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import BadDefinition, Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 12

TEXTS = frozenset({"textfield", "textarea"})
CHOICES = frozenset({"select", "radio"})
MANY = frozenset({"checklist", "taglist"})
DATA = TEXTS | CHOICES | MANY | {"number", "checkbox", "datetime", "filepicker"}
NESTS = frozenset({"group", "dynamiclist"})
SHOWN = frozenset({"text", "table", "separator", "spacer", "button"})
COMPUTED = "expression"
KINDS = DATA | NESTS | SHOWN | {COMPUTED}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One choice: the value that is stored, and what a person reads."""

    value: str
    label_zh: str
    label_en: str

    def label(self, language: str = "zh") -> str:
        """What to show in `zh` or `en`."""
        return self.label_en if language == "en" and self.label_en else self.label_zh


@dataclass(frozen=True, kw_only=True)
class Field:
    """One component of a form. `key` is its name among the values of its level, empty if it has none.

    FEEL texts (`hide`, `required_if`, `expression`, `options_from`, a bound that starts with `=`) stand
    without the leading `=`. `expression_en` is what English pages show instead; it is never a value.
    `row` and `columns` (of 16) are the layout; `properties` are the file's own.
    """

    id: str
    kind: str
    key: str = ""
    label_zh: str = ""
    label_en: str = ""
    description_zh: str = ""
    description_en: str = ""
    text_zh: str = ""
    text_en: str = ""
    prefix: str = ""
    suffix: str = ""
    subtype: str = ""
    required: bool = False
    required_if: str = ""
    readonly: bool = False
    hide: str = ""
    expression: str = ""
    expression_en: str = ""
    options: tuple[Option, ...] = ()
    options_key: str = ""
    options_from: str = ""
    columns_shown: tuple[Option, ...] = ()
    source: str = ""
    minimum: Any = None
    maximum: Any = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    validation: str = ""
    message_zh: str = ""
    message_en: str = ""
    decimals: int | None = None
    multiple: bool = False
    accept: str = ""
    default: Any = None
    row: str = ""
    columns: int | None = None
    repetitions: int = 1
    rows_of: str = ""
    children: tuple[Field, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)

    def label(self, language: str = "zh") -> str:
        """The label in `zh` or `en`; the other language where one is missing."""
        return self.label_en if language == "en" and self.label_en else self.label_zh or self.label_en

    def description(self, language: str = "zh") -> str:
        """The help text in `zh` or `en`."""
        return self.description_en if language == "en" and self.description_en else self.description_zh

    def text(self, language: str = "zh") -> str:
        """What a text component says (Markdown) in `zh` or `en`."""
        return self.text_en if language == "en" and self.text_en else self.text_zh

    def computed(self, language: str = "zh") -> str:
        """The FEEL text of what is shown in `zh` or `en`."""
        return self.expression_en if language == "en" and self.expression_en else self.expression

    @property
    def is_fixed_list(self) -> bool:
        """Whether no row of a repeating group comes or goes: a number says how many there are, or a list."""
        counted = bool(self.min_length) and self.min_length == self.max_length
        return self.kind == "dynamiclist" and (counted or bool(self.rows_of))

    @property
    def has_data(self) -> bool:
        """Whether a person fills it: it has a key, is not computed and not read-only."""
        return self.kind in DATA and bool(self.key) and not self.readonly

    def walk(self) -> Iterator[Field]:
        """This field and all fields in it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_fields(data: bytes) -> tuple[str, tuple[Field, ...]]:
    """The id and the fields of a form file. Raises BadDefinition if it is not a form-js schema at all."""
    if len(data) > MAX_BYTES:
        raise _refused(f"more than {MAX_BYTES} bytes", "文件过大")
    try:
        content = json.loads(data)
        components = content["components"]
        if not isinstance(components, list):
            raise TypeError("components is no list")
        return str(content.get("id", "")), tuple(_field(row, MAX_DEPTH) for row in components)
    except RecursionError:
        raise _refused("nested too deep", "嵌套过深") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(f"not a form: {type(error).__name__} {error}", "不是有效的表单文件") from None


def _refused(message: str, message_zh: str) -> BadDefinition:
    problem = Problem(
        element="", rule="form.schema", severity="error", message=message, message_zh=message_zh
    )
    return BadDefinition((problem,))


def _field(row: Mapping[str, Any], depth: int) -> Field:
    if depth == 0:
        raise ValueError("nested too deep")
    kind = str(row["type"])
    own: Mapping[str, Any] = row.get("properties") or {}
    return Field(
        id=str(row.get("id") or row.get("key") or ""),
        kind=kind,
        key=str(row.get("path" if kind in NESTS else "key") or ""),
        readonly=bool(row.get("readonly") or row.get("disabled")),
        hide=_feel((row.get("conditional") or {}).get("hide")),
        expression=_feel(row.get("expression")),
        expression_en=_feel(own.get("expressionEn")),
        required_if=_feel(own.get("requiredIf")),
        rows_of=_feel(own.get("rowsOf")),
        default=row.get("defaultValue"),
        children=tuple(_field(child, depth - 1) for child in row.get("components") or ()),
        properties=own,
        **_words(row, own),
        **_rules(row),
        **_choices(row),
        **_layout(row),
    )


def _words(row: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    adorned = row.get("appearance") or {}
    return {
        "label_zh": str(row.get("label") or row.get("dateLabel") or row.get("timeLabel") or ""),
        "label_en": str(own.get("labelEn") or ""),
        "description_zh": str(row.get("description") or ""),
        "description_en": str(own.get("descriptionEn") or ""),
        "text_zh": str(row.get("text") or ""),
        "text_en": str(own.get("textEn") or ""),
        "prefix": str(adorned.get("prefixAdorner") or ""),
        "suffix": str(adorned.get("suffixAdorner") or ""),
        "message_zh": str(own.get("message") or ""),
        "message_en": str(own.get("messageEn") or ""),
    }


def _rules(row: Mapping[str, Any]) -> dict[str, Any]:
    rules: Mapping[str, Any] = row.get("validate") or {}
    return {
        "required": rules.get("required") is True,
        "minimum": rules.get("min"),
        "maximum": rules.get("max"),
        "min_length": _whole(rules.get("minLength")),
        "max_length": _whole(rules.get("maxLength")),
        "pattern": str(rules.get("pattern") or ""),
        "validation": str(rules.get("validationType") or ""),
        "decimals": _whole(row.get("decimalDigits")),
        "multiple": row.get("multiple") in (True, "true"),
        "accept": str(row.get("accept") or ""),
        "subtype": str(row.get("subtype") or ""),
    }


def _choices(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = row.get("columns")
    return {
        "options": tuple(_option(value, "value") for value in row.get("values") or ()),
        "options_key": str(row.get("valuesKey") or ""),
        "options_from": _feel(row.get("valuesExpression")),
        "columns_shown": tuple(_option(column, "key") for column in shown or ()),
        "source": _feel(row.get("dataSource")),
    }


def _option(row: Mapping[str, Any], name: str) -> Option:
    value = str(row[name])
    return Option(
        value=value, label_zh=str(row.get("label") or value), label_en=str(row.get("labelEn") or "")
    )


def _layout(row: Mapping[str, Any]) -> dict[str, Any]:
    layout: Mapping[str, Any] = row.get("layout") or {}
    return {
        "row": str(layout.get("row") or ""),
        "columns": _whole(layout.get("columns")),
        "repetitions": _whole(row.get("defaultRepetitions")) or 1,
    }


def _feel(text: Any) -> str:
    return str(text or "").strip().removeprefix("=").strip()


def _whole(value: Any) -> int | None:
    """Whole numbers as form-js writes them: as numbers, or as text from an input of its editor."""
    if value is None or value == "" or (isinstance(value, str) and value.startswith("=")):
        return None
    return int(value)
