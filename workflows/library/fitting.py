"""Whether the drawing and the forms of a package fit together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from lark import Tree

from engine.definition.checks.branches import check_branches
from engine.definition.checks.finding import warning
from engine.definition.checks.formulas import formulas_of
from engine.definition.checks.people import is_decision
from engine.definition.checks.unwritten import check_unwritten
from engine.definition.checks.usage import Reading, Usage
from engine.definition.formulas import Formula, feel
from engine.definition.model import Definition, Element
from engine.definition.shapes import Shape
from engine.errors import BadDefinition, Problem
from workflows.library.forms.fields import CHOICES, COMPUTED, DATA, NESTS, Field
from workflows.library.forms.form import Form, read_form
from workflows.library.forms.problems import check_form
from workflows.library.packages import place_of

GIVEN = frozenset({"case", "unit", "batch", "rules", "applicant", "today"})
"""What every case starts with beside its start form."""
IN_ROWS = frozenset({"this", "parent", "i"})
"""What an expression in a row of a list sees beside the fields."""
RECORD = "record"
"""The property by which a choice says that it is only kept for people to read."""


def broken_forms(forms: Mapping[str, bytes]) -> Iterator[Problem]:
    """What is wrong with each form (path → content) by itself."""
    for path, data in forms.items():
        yield from _problems_in(path, data)


def misfits(definition: Definition, forms: Mapping[str, bytes]) -> Iterator[Problem]:
    """Everything that only shows when a sound drawing and its forms are read together.

    User tasks without a form (an error where the drawing names it); outcomes that are asked for and cannot
    be given; fields that nobody reads; variables that two branches write, or that are read before anything
    can have written them. A task without a form takes whatever is handed in.
    """
    yield from _missing(definition, forms)
    fit = _Fit(definition, forms)
    yield from fit.outcomes()
    yield from fit.unread()
    yield from fit.data()


def _problems_in(path: str, data: bytes) -> Iterable[Problem]:
    try:
        found = check_form(read_form(data))
    except BadDefinition as error:
        found = error.problems
    return [replace(problem, element=f"{path} {problem.element}".strip()) for problem in found]


def _missing(definition: Definition, forms: Mapping[str, bytes]) -> Iterator[Problem]:
    for element in _tasks(definition):
        form_id = element.task.form if element.task else ""
        if place_of(form_id) not in forms:
            yield Problem(
                element=element.id,
                rule="form.missing",
                severity="warning" if form_id == element.id else "error",
                message=f"there is no forms/{form_id}.form",
                message_zh=f"缺少表单 forms/{form_id}.form",
            )


def _tasks(definition: Definition) -> Iterator[Element]:
    for element in definition.elements.values():
        if element.process_id == definition.process_id and element.task is not None:
            yield element


@dataclass
class _Fit:
    """A drawing with its forms as far as they can be read."""

    definition: Definition
    files: Mapping[str, bytes]

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Everything drawn in this package, the shared tasks of its file included."""
        own = self.definition.process_id
        drawings = self.definition.drawings.values()
        here = (drawing for drawing in drawings if (drawing.file or drawing.process) == own)
        return tuple(shape for drawing in here for shape in drawing.shapes)

    @cached_property
    def forms(self) -> Mapping[str, Form]:
        """The form of each user task of this package that has a readable one."""
        found = {}
        for shape in self.shapes:
            form = self._form(shape.task.form) if shape.task else None
            if form is not None:
                found[shape.id] = form
        return found

    def _form(self, form_id: str) -> Form | None:
        data = self.files.get(place_of(form_id))
        try:
            return read_form(data) if data else None
        except BadDefinition:
            return None

    # --- outcomes -------------------------------------------------------------------------------------

    def outcomes(self) -> Iterator[Problem]:
        """Flows that ask for an entry of a task's result that neither its form nor its buttons can give."""
        writers: dict[str, list[Shape]] = {}
        for shape in self.shapes:
            if shape.task is not None and shape.task.result:
                writers.setdefault(shape.task.result, []).append(shape)
        others = {s.work.result for s in self.shapes if s.work.result}
        others |= {s.loop.results for s in self.shapes if s.loop and s.loop.results}
        others |= {item.target.partition(".")[0] for s in self.shapes for item in s.outputs}
        for flow in self.definition.drawing.flows:
            for name, entry in sorted(_paths(flow.condition)):
                tasks = writers.get(name, [])
                known = bool(tasks) and all(task.id in self.forms for task in tasks) and name not in others
                if known and not any(entry in self._entries(task) for task in tasks):
                    yield _no_outcome(tasks[0].id, flow.id, entry)

    def _entries(self, shape: Shape) -> frozenset[str]:
        """What the result of a task can hold."""
        has_outcome = shape.task is not None and bool(shape.task.outcomes)
        return _keys(self.forms[shape.id]) | (frozenset({"outcome"}) if has_outcome else frozenset())

    # --- fields nobody reads --------------------------------------------------------------------------

    def unread(self) -> Iterator[Problem]:
        """Choices at the head of a form, in a task without outcomes, that nothing ever looks at.

        Of a decision the outcome has the effect, and its other fields are the record of why; texts,
        numbers, ticks, dates, files and what stands in groups and lists are facts for people to read.
        But a choice that decides nothing was forgotten somewhere.
        """
        for shape in self.shapes:
            if shape.id not in self.forms or is_decision(shape) or self._is_read_whole(shape):
                continue
            for rules in self.forms[shape.id].fields:
                chosen = rules.kind in CHOICES and rules.has_data and not rules.properties.get(RECORD)
                if chosen and not self._is_read(rules.key):
                    yield _unread(shape.id, rules.key)

    def _is_read_whole(self, shape: Shape) -> bool:
        """Whether a task's result is handed on as a whole somewhere."""
        result = shape.task.result if shape.task else None
        return any(result in _bare(formula) for formula in self._formulas) if result else False

    def _is_read(self, key: str) -> bool:
        """Whether the name stands as a word in any expression, decision or form of the case."""
        return re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", self._texts) is not None

    @cached_property
    def _formulas(self) -> tuple[Formula, ...]:
        drawings = self.definition.drawings.values()
        found = [f for drawing in drawings for shape in drawing.shapes for f in formulas_of(shape)]
        found += [flow.condition for drawing in drawings for flow in drawing.flows if flow.condition]
        return tuple(formula for formula in found if formula.expression is not None)

    @cached_property
    def _texts(self) -> str:
        """Every expression of the case in one text."""
        texts = [formula.text for formula in self._formulas]
        texts += [data.decode("utf-8", "replace") for data in self.definition.sources.dmn.values()]
        for form in self.forms.values():
            texts += [text for rules in form.walk() for text in _texts_of(rules)]
        return "\n".join(texts)

    # --- data along the flow --------------------------------------------------------------------------

    def data(self) -> Iterator[Problem]:
        """What the engine can say about variables once the fields of the forms are known."""
        filled = {shape.id: self._entries(shape) for shape in self.shapes if shape.id in self.forms}
        shown = {own: _shown(form) for own, form in self.forms.items()}
        usage = Usage(self.definition.drawings, filled, shown)
        known = set(check_branches(Usage(self.definition.drawings), self.definition.process_id))
        yield from (p for p in check_branches(usage, self.definition.process_id) if p not in known)
        start = self._form("start")
        is_called = self.definition.drawing.properties.get("started_by") == "none"
        if start is not None and not is_called:
            yield from check_unwritten(usage, self.definition.process_id, _keys(start) | GIVEN)
        elif not is_called:
            yield from check_unwritten(usage, self.definition.process_id, None)


def _keys(form: Form) -> frozenset[str]:
    """The names a form's values can have."""
    kinds = DATA | NESTS | {COMPUTED}
    return frozenset(rules.key for rules in form.walk() if rules.key and rules.kind in kinds)


def _texts_of(rules: Field) -> list[str]:
    """The expressions that stand at a field."""
    bounds = [b[1:] for b in (rules.minimum, rules.maximum) if isinstance(b, str) and b.startswith("=")]
    texts = (rules.hide, rules.required_if, rules.expression, rules.options_from, rules.source, *bounds)
    return [text for text in texts if text]


def _shown(form: Form) -> tuple[Reading, ...]:
    """What the expressions of a form read beside its own fields."""
    own = _keys(form) | IN_ROWS
    texts = (text for rules in form.walk() for text in _texts_of(rules))
    return tuple(Reading(feel(text), is_shown=True, local=own) for text in dict.fromkeys(texts))


def _paths(formula: Formula | None) -> set[tuple[str, str]]:
    """(variable, entry) for each `variable.entry` in an expression."""
    if formula is None or formula.expression is None:
        return set()
    found = set()
    for node in formula.expression.tree.iter_subtrees():
        base = node.children[0] if node.data == "path" else None
        if isinstance(base, Tree) and base.data == "name":
            found.add((str(base.children[0]), str(node.children[1])))
    return found & {pair for pair in found if pair[0] in formula.expression.names}


def _bare(formula: Formula) -> frozenset[str]:
    """The variables an expression reads as a whole and not only by their entries."""
    found: set[str] = set()
    if formula.expression is not None:
        _bare_names(formula.expression.tree, found)
    return frozenset(found)


def _bare_names(node: Any, found: set[str]) -> None:
    if not isinstance(node, Tree):
        return
    if node.data == "name":
        found.add(str(node.children[0]))
    is_entry = node.data == "path" and isinstance(node.children[0], Tree) and node.children[0].data == "name"
    is_test = node.data == "compare" and any(isinstance(c, Tree) and c.data == "null" for c in node.children)
    for child in () if is_entry or is_test else node.children:
        _bare_names(child, found)


def _no_outcome(task: str, flow: str, entry: str) -> Problem:
    return warning(
        task,
        "task.no_outcome",
        f"{flow} asks for {entry}, which neither the form nor the outcomes of {task} can give",
        f"{flow} 需要 {entry}，但任务 {task} 的表单和结果选项都不提供",
    )


def _unread(task: str, key: str) -> Problem:
    return warning(
        task,
        "form.unread",
        f"{task} asks people to choose {key}, but nothing ever looks at the answer",
        f"{task} 要求填写 {key}，但没有任何步骤使用该结果",
    )
