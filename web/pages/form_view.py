"""A form as a tree of things to draw: what stands in each input, what is wrong with it, what is hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup

from engine.errors import FieldError
from web import words
from web.form_names import html_id, raw
from web.pages import markdown
from workflows.library.forms.fields import MANY, Field, Option
from workflows.library.forms.form import Form
from workflows.library.forms.html import html_name

ROW_LIMIT = 500
WIDEST_TABLE = 14
MOST_INPUTS = 6
BROAD = ("textarea", "text", "filepicker", "radio", "checklist")
INPUT_TYPES = {"date": "date", "time": "time", "datetime": "datetime-local", "": "date"}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One option of a select, a radio group or a checklist."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Node:
    """One thing of a form to draw. `name` is the input's name, `pointer` where its value stands."""

    kind: str
    id: str = ""
    name: str = ""
    label: str = ""
    help: str = ""
    value: str = ""
    values: tuple[str, ...] = ()
    checked: bool = False
    choices: tuple[Choice, ...] = ()
    required: bool = False
    readonly: bool = False
    errors: tuple[str, ...] = ()
    prefix: str = ""
    suffix: str = ""
    input_type: str = "text"
    max_length: int | None = None
    multiple: bool = False
    accept: str = ""
    width: int = 12
    text: str | Markup = ""
    children: tuple[Node, ...] = ()
    rows: tuple[tuple[Node, ...], ...] = ()
    as_table: bool = False
    is_fixed: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def described_by(self) -> str:
        """The ids of help and error texts, for `aria-describedby`."""
        told = [f"{self.id}-help"] * bool(self.help) + [f"{self.id}-error"] * bool(self.errors)
        return " ".join(told)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What drawing one form needs besides the form."""

    values: Mapping[str, Any]
    context: Mapping[str, Any]
    hidden: frozenset[str]
    errors: Mapping[str, tuple[str, ...]]
    options: Callable[[Field], tuple[Option, ...]]
    frozen: bool = False


def draw(
    form: Form,
    values: Mapping[str, Any],
    *,
    context: Mapping[str, Any],
    errors: tuple[FieldError, ...] = (),
    frozen: bool = False,
    now: datetime | None = None,
) -> tuple[Node, ...]:
    """The form filled with `values` (as `check` takes them), conditions and computed fields worked out.

    `frozen` shows it without inputs. `errors` stand beside the fields they name.
    """
    if not frozen:
        values = _with_rows(form.fields, values, lambda rules: _begun_rows(form, rules, context, now))
    computed = form.compute(values, context, now=now, language=words.language())
    told: dict[str, tuple[str, ...]] = {}
    for error in errors:
        sentence = words.pick(error.message_zh, error.message)
        told[error.pointer] = (*told.get(error.pointer, ()), sentence)
    plan = Drawing(
        values=values,
        context={**context, **_computed_only(form.fields, computed)},
        hidden=form.hidden(values, context, now=now),
        errors=told,
        options=lambda rules: form.options(rules, context, now=now),
        frozen=frozen,
    )
    return _level(form.fields, plan, values, computed, "")


def has_conditions(form: Form) -> bool:
    """Whether filling the form changes what it shows, so that redrawing it is of use."""
    return any(rules.hide or rules.kind == "expression" for rules in form.walk())


def _computed_only(fields: tuple[Field, ...], computed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        rules.key: computed.get(rules.key) for rules in fields if rules.kind == "expression" and rules.key
    }


def _level(fields: tuple[Field, ...], plan: Drawing, values: Any, computed: Any, at: str) -> tuple[Node, ...]:
    drawn = (_node(rules, plan, values, computed, at) for rules in fields)
    return tuple(node for node in drawn if node is not None)


def _node(rules: Field, plan: Drawing, values: Any, computed: Any, at: str) -> Node | None:
    here = f"{at}/{rules.key}" if rules.key else at
    if (here in plan.hidden and rules.key) or f"{at}/#{rules.id}" in plan.hidden:
        return None
    match rules.kind:
        case "group":
            return _group(rules, plan, values, computed, at)
        case "dynamiclist":
            return _list(rules, plan, values, computed, here)
        case "text":
            told = markdown.render(rules.text(words.language()))
            return Node(kind="text", text=told, width=_width(rules), properties=rules.properties)
        case "separator" | "spacer":
            return Node(kind=rules.kind)
        case "table":
            return _table(rules, plan)
        case "button":
            return None
    return _input(rules, plan, _at(values, rules.key), _at(computed, rules.key), here)


def _group(rules: Field, plan: Drawing, values: Any, computed: Any, at: str) -> Node:
    here = f"{at}/{rules.key}" if rules.key else at
    inner, inner_computed = (
        (_at(values, rules.key), _at(computed, rules.key)) if rules.key else (values, computed)
    )
    children = _level(rules.children, plan, inner, inner_computed, here)
    return Node(
        kind="group",
        id=html_id(f"{at}/{rules.key or rules.id}"),
        label=rules.label(words.language()),
        help=rules.description(words.language()),
        children=children,
        width=_width(rules),
        properties=rules.properties,
    )


def _list(rules: Field, plan: Drawing, values: Any, computed: Any, here: str) -> Node:
    rows = _at(values, rules.key) or []
    settled = _at(computed, rules.key) or []
    drawn = tuple(
        _level(rules.children, plan, row, settled[n] if n < len(settled) else {}, f"{here}/{n}")
        for n, row in enumerate(rows[:ROW_LIMIT])
    )
    return Node(
        kind="list",
        id=html_id(here),
        name=html_name(here),
        label=rules.label(words.language()),
        help=rules.description(words.language()),
        errors=plan.errors.get(here, ()),
        rows=drawn,
        children=_level(rules.children, plan, {}, {}, f"{here}/0"),
        as_table=_fits_a_table(rules),
        is_fixed=rules.is_fixed_list or plan.frozen,
        readonly=plan.frozen,
        properties=rules.properties,
    )


def _with_rows(
    fields: tuple[Field, ...], values: Mapping[str, Any], begun: Callable[[Field], list[Any]]
) -> dict[str, Any]:
    """The values with the rows that a list shows before anybody has filled it."""
    filled = dict(values)
    for rules in fields:
        if rules.kind == "group" and not rules.key:
            filled |= _with_rows(rules.children, filled, begun)
        elif rules.kind == "group" and isinstance(filled.get(rules.key) or {}, Mapping):
            filled[rules.key] = _with_rows(rules.children, filled.get(rules.key) or {}, begun)
        elif rules.kind == "dynamiclist" and not filled.get(rules.key):
            filled[rules.key] = begun(rules)
    return filled


def _begun_rows(form: Form, rules: Field, context: Mapping[str, Any], now: datetime | None) -> list[Any]:
    """Blank rows; of a list that stands for another, one for each item, and what the task gives them."""
    if not rules.rows_of:
        return [{} for _ in range(rules.repetitions)]
    due = form.rows_due(rules, context, now=now)
    given = context.get(rules.key)
    if not isinstance(given, list) or len(given) != due:
        return [{} for _ in range(due)]
    asked = [child.key for child in rules.children if child.has_data]
    return [{key: raw(_at(row, key)) for key in asked if _at(row, key) is not None} for row in given]


def _fits_a_table(rules: Field) -> bool:
    """A list is a table when a row is a row of single inputs, and few enough to be read side by side."""
    inputs = sum(child.has_data for child in rules.children)
    simple = all(not child.children and child.kind not in BROAD for child in rules.children)
    return simple and inputs <= MOST_INPUTS and 1 < len(rules.children) <= WIDEST_TABLE


def _table(rules: Field, plan: Drawing) -> Node:
    """A table that only shows rows of the case's data."""
    found = plan.context.get(rules.source) if rules.source else None
    rows = found if isinstance(found, list) else []
    heads = tuple(Node(kind="head", label=column.label(words.language())) for column in rules.columns_shown)
    cells = tuple(
        tuple(Node(kind="cell", value=words.shown(_at(row, column.value))) for column in rules.columns_shown)
        for row in rows[:ROW_LIMIT]
    )
    return Node(kind="table", label=rules.label(words.language()), children=heads, rows=cells)


def _input(rules: Field, plan: Drawing, value: Any, computed: Any, here: str) -> Node:
    readonly = plan.frozen or rules.readonly or rules.kind == "expression"
    if readonly and (value is None or (_speaks(rules) and computed is not None)):
        value = computed
    if rules.readonly and value is None and here.count("/") == 1:
        value = plan.context.get(rules.key)  # shown from the case; a row shows only its own
    if value is None and not readonly:
        value = rules.default
    chosen = {str(item) for item in value} if isinstance(value, list) else {raw(value)}
    choices = tuple(
        Choice(value=option.value, label=option.label(words.language()), chosen=option.value in chosen)
        for option in plan.options(rules)
    )
    return Node(
        kind=rules.kind,
        id=html_id(here),
        name=html_name(here),
        label=rules.label(words.language()),
        help=rules.description(words.language()),
        value=_shown(value, choices) if readonly else str(raw(value)) if not isinstance(value, list) else "",
        values=tuple(map(str, value)) if isinstance(value, list) else (),
        checked=value is True or value == "true",
        choices=choices,
        required=rules.required and not readonly,
        readonly=readonly,
        errors=plan.errors.get(here, ()),
        prefix=rules.prefix,
        suffix=rules.suffix,
        input_type=_input_type(rules),
        max_length=rules.max_length,
        multiple=rules.multiple or rules.kind in MANY,
        accept=rules.accept,
        width=_width(rules),
        properties=rules.properties,
    )


def _speaks(rules: Field) -> bool:
    """Whether what is shown in this language is another than what is kept."""
    return words.language() == "en" and bool(rules.expression_en)


def _input_type(rules: Field) -> str:
    if rules.kind == "datetime":
        return INPUT_TYPES.get(rules.subtype, "date")
    return {"email": "email", "phone": "tel"}.get(rules.validation, "text")


def _shown(value: Any, choices: tuple[Choice, ...]) -> str:
    """A read-only value in words: of a choice its label."""
    labels = [choice.label for choice in choices if choice.chosen]
    return "、".join(labels) if labels else words.shown(value)


def _width(rules: Field) -> int:
    """form-js counts 16 columns, the page 12."""
    return max(2, round(rules.columns * 12 / 16)) if rules.columns else 12


def _at(values: Any, key: str) -> Any:
    return values.get(key) if isinstance(values, Mapping) else None


def told(errors: tuple[FieldError, ...], nodes: tuple[Node, ...]) -> list[dict[str, str]]:
    """The error summary: each with the label of its field and the id to jump to, where it is drawn."""
    labels = dict(_labels(nodes))
    return [
        {
            "id": html_id(error.pointer) if html_id(error.pointer) in labels else "",
            "label": labels.get(html_id(error.pointer), error.pointer.strip("/")),
            "message": words.pick(error.message_zh, error.message),
        }
        for error in errors
    ]


def _labels(nodes: tuple[Node, ...]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if node.id:
            yield node.id, node.label
        yield from _labels(node.children)
        for number, row in enumerate(node.rows, 1):
            for id_, label in _labels(row):
                yield id_, f"{node.label} {number} · {label}"
