"""DMN text becomes a decision model, or is refused with the ids of what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.decisions.boxes import Boxes
from engine.decisions.items import Item, Items
from engine.decisions.model import Decision, InputData, Knowledge, Model, ServedDecisions
from engine.decisions.tables import AGGREGATIONS, POLICIES
from engine.decisions.texts import (
    Element,
    Names,
    Texts,
    child,
    children,
    id_of,
    name_in,
    tag_of,
    text_in,
    type_ref,
)
from engine.errors import BadDefinition, Problem
from engine.expressions.types import ANY, Type, simple
from engine.xml import parse_xml

NAMED = ("decision", "inputData", "businessKnowledgeModel", "decisionService", "itemDefinition")
NAMERS = (*NAMED, "itemComponent", "variable", "formalParameter", "column", "parameter", "import", "output")


def parse_decisions(xml: bytes | str, *, others: Sequence[bytes] = ()) -> Model:
    """The model in a DMN 1.2–1.6 text; `others` are the models it may import, found by namespace.

    Raises BadDefinition for XML that is refused, another root, ids that are missing or not unique,
    references to nothing, requirements in a circle, tables whose rows and columns differ, unknown hit
    policies.  Texts that are not FEEL do not stop the reading: `check` reports them, and evaluating
    what needs them raises.
    """
    root = parse_xml(xml, what="decision model")
    if tag_of(root) != "definitions":
        raise BadDefinition((_problem("", "dmn.root", "the root element is not DMN's definitions"),))
    return _Reader(root, _imported(root, others)).model()


def _imported(root: Element, others: Sequence[bytes]) -> dict[str, Model]:
    """The models this one imports, each read with those that it may import itself."""
    wanted = {element.get("namespace") for element in children(root, "import")}
    found: dict[str, Model] = {}
    for other in others if wanted else ():
        space = _namespace(other)
        if space and space in wanted:
            rest = [one for one in others if one is not other]
            found[space] = parse_decisions(other, others=rest)
    return found


def _namespace(xml: bytes) -> str:
    """The namespace of a model that may be imported; empty for a text that nobody could import."""
    try:
        return parse_xml(xml, what="imported model").get("namespace") or ""
    except BadDefinition:
        return ""


def _problem(element: str, rule: str, message: str) -> Problem:
    return Problem(
        element=element, rule=rule, severity="error", message=message, message_zh=ZH.get(rule, message)
    )


ZH = {
    "dmn.root": "根元素不是 DMN 的 definitions",
    "dmn.id": "元素 id 缺失或重复",
    "dmn.reference": "引用的元素不存在",
    "dmn.cycle": "需求关系构成循环",
    "dmn.hit-policy": "命中策略未知",
    "dmn.table": "决策表的行列不一致",
    "dmn.import": "导入的模型不存在",
}


@dataclass(frozen=True)
class _Required:
    """What a decision or a knowledge model requires, by id."""

    inputs: tuple[str, ...]
    decisions: tuple[str, ...]
    knowledge: tuple[str, ...]


class _Reader:
    def __init__(self, root: Element, others: Mapping[str, Model]) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.imports = self._imports(others)
        self.elements = self._elements()
        names = frozenset(name_in(e) for e in root.iter("{*}*") if tag_of(e) in NAMERS)
        self.items = Items({})
        definitions = children(root, "itemDefinition")
        imported = {
            f"{alias}.{name}": item
            for alias, model in self.imports.items()
            for name, item in model.items.items.items()
        }
        self.texts = Texts(names, frozenset({*map(name_in, definitions), *imported}))
        self.items = Items(imported | {name_in(one): self._item(one) for one in definitions})
        self.boxes = Boxes(self.texts, self.items)

    def model(self) -> Model:
        self._check_tables()
        self._check_circles()
        if self.problems:
            raise BadDefinition(tuple(self.problems))
        decisions = [self._decision(one) for one in self._all("decision")]
        knowledge = [self._knowledge(one) for one in self._all("businessKnowledgeModel")]
        services = [self._service(one) for one in self._all("decisionService")]
        inputs = [self._input(one) for one in self._all("inputData")]
        return Model(
            id=self.root.get("id") or "",
            name=name_in(self.root),
            namespace=self.root.get("namespace") or "",
            decisions={d.name: d for d in decisions} | {d.id: d for d in decisions},
            inputs={data.id: data for data in inputs},
            knowledge={one.id: one for one in knowledge},
            services={s.name: s for s in services} | {s.id: s for s in services},
            items=self.items,
            tables=tuple(self.boxes.tables),
            texts=tuple(self.texts.read),
            problems=tuple(self.texts.problems),
            imports=self.imports,
        )

    def _all(self, tag: str) -> list[Element]:
        return [element for element in self.root if tag_of(element) == tag]

    def _imports(self, others: Mapping[str, Model]) -> dict[str, Model]:
        found: dict[str, Model] = {}
        for element in children(self.root, "import"):
            if "/DMN/" not in (element.get("importType") or ""):
                continue
            space = element.get("namespace") or ""
            if space in others:
                found[name_in(element)] = others[space]
            else:
                self.problems.append(_problem(id_of(element), "dmn.import", f"there is no model {space!r}"))
        return found

    def _elements(self) -> dict[str, Element]:
        found: dict[str, Element] = {}
        for element in self.root.iter("{*}*"):
            key = element.get("id")
            if not tag_of(element) or not key:
                continue
            if key in found:
                self.problems.append(_problem(key, "dmn.id", f"the id {key!r} is used twice"))
            found[key] = element
        for element in self.root:
            if tag_of(element) in NAMED[:4] and not (element.get("id") and name_in(element)):
                label = element.get("id") or name_in(element)
                self.problems.append(_problem(label, "dmn.id", f"a {tag_of(element)} needs an id and a name"))
        return found

    # Items

    def _item(self, element: Element) -> Item:
        reference = (type_ref(element) or "").removeprefix("feel:")
        base = simple(reference) if reference else None
        components = children(element, "itemComponent")
        values, constraint = child(element, "allowedValues"), child(element, "typeConstraint")
        function = child(element, "functionItem")
        if reference and base is None and reference not in self.texts.items:
            self.texts.item(element, reference)
        return Item(
            name=name_in(element),
            base=base or (None if reference else ANY) if function is None else self._function_type(function),
            refers_to="" if base or not reference else reference,
            fields=tuple((name_in(one), self._item(one)) for one in components) if components else None,
            is_list=element.get("isCollection") == "true",
            allowed=self.texts.tests(text_in(values), element, frozenset()) if text_in(values) else None,
            constraint=self.texts.tests(text_in(constraint), element, frozenset())
            if text_in(constraint)
            else None,
        )

    def _function_type(self, element: Element) -> Type:
        """A function of so many parameters; its result is seen when it is called."""
        kinds = [simple(type_ref(one) or "Any") or ANY for one in children(element, "parameters")]
        return Type("function", parameters=tuple(kinds))

    # Nodes of the requirement graph

    def _variable_item(self, element: Element) -> Item | None:
        return self.texts.item(element, type_ref(child(element, "variable")))

    def _input(self, element: Element) -> InputData:
        return InputData(id=id_of(element), name=name_in(element), item=self._variable_item(element))

    def _decision(self, element: Element) -> Decision:
        required = self._required(element)
        known = self._known(required)
        before, read = len(self.boxes.tables), len(self.texts.read)
        code = self.boxes.inside(element, known)
        texts = [text.expression for text in self.texts.read[read:]]
        has_table = child(element, "decisionTable") is not None
        return Decision(
            id=id_of(element),
            name=name_in(element),
            label=element.get("label") or "",
            item=self._variable_item(element),
            inputs=required.inputs,
            decisions=required.decisions,
            knowledge=required.knowledge,
            reads=frozenset(name for text in texts for name in text.names | text.filter_names | text.calls),
            code=code,
            table=self.boxes.tables[before] if has_table else None,
        )

    def _knowledge(self, element: Element) -> Knowledge:
        required = self._required(element)
        name = name_in(element)
        item = self._variable_item(element)
        logic = child(element, "encapsulatedLogic")
        result = None if item is None or self.items.type_of(item).name == "function" else item
        known = self._known(required) | {name}
        if logic is None:
            code = self.boxes.function(element, name, known, result)
        else:
            code = self.boxes.function(logic, name, known, result)
        return Knowledge(id=id_of(element), name=name, code=code, knowledge=required.knowledge)

    def _service(self, element: Element) -> ServedDecisions:
        def references(tag: str) -> tuple[str, ...]:
            return tuple(self._references(element, tag))

        return ServedDecisions(
            id=id_of(element),
            name=name_in(element),
            item=self._variable_item(element),
            outputs=references("outputDecision"),
            inputs=references("inputData"),
            given=references("inputDecision"),
        )

    def _required(self, element: Element) -> _Required:
        information = children(element, "informationRequirement")
        knowledge = children(element, "knowledgeRequirement")
        return _Required(
            tuple(r for one in information for r in self._references(one, "requiredInput")),
            tuple(r for one in information for r in self._references(one, "requiredDecision")),
            tuple(r for one in knowledge for r in self._references(one, "requiredKnowledge")),
        )

    def _references(self, element: Element, tag: str) -> Iterator[str]:
        for one in children(element, tag):
            space, _, key = (one.get("href") or "").rpartition("#")
            if space in ("", self.root.get("namespace")):
                yield key
            else:
                yield f"{space}#{key}"

    def _known(self, required: _Required) -> Names:
        keys = (*required.inputs, *required.decisions, *required.knowledge)
        local = {name_in(self.elements[key]) for key in keys if key in self.elements}
        return frozenset(local | set(self.imports))

    # Checks that refuse

    def _check_tables(self) -> None:
        for table in self._boxes_of("decisionTable"):
            policy = (table.get("hitPolicy") or "UNIQUE").upper()
            aggregation = (table.get("aggregation") or "").upper()
            if policy not in POLICIES or (aggregation and aggregation not in AGGREGATIONS):
                self.problems.append(
                    _problem(id_of(table), "dmn.hit-policy", f"unknown hit policy {policy} {aggregation}")
                )
            self._check_rows(table)

    def _check_rows(self, table: Element) -> None:
        shape = (len(children(table, "input")), len(children(table, "output")))
        for rule in children(table, "rule"):
            found = (len(children(rule, "inputEntry")), len(children(rule, "outputEntry")))
            if found != shape:
                self.problems.append(
                    _problem(
                        id_of(rule), "dmn.table", f"the rule has {found} cells, the table {shape} columns"
                    )
                )
        if not shape[1]:
            self.problems.append(_problem(id_of(table), "dmn.table", "the table has no output"))

    def _boxes_of(self, tag: str) -> Iterable[Element]:
        return (element for element in self.root.iter("{*}*") if tag_of(element) == tag)

    def _check_circles(self) -> None:
        graph = {id_of(e): self._edges(e) for e in self.root if tag_of(e) in NAMED[:4]}
        done: set[str] = set()
        for start in graph:
            path = _circle(start, graph, done)
            if path:
                message = f"requirements go round: {' → '.join(path)}"
                self.problems.append(_problem(path[0], "dmn.cycle", message))
                return

    def _edges(self, element: Element) -> list[str]:
        required = self._required(element)
        edges = [*required.inputs, *required.decisions, *required.knowledge]
        tags = ("outputDecision", "encapsulatedDecision", "inputDecision", "inputData")
        for reference in [*edges, *(r for tag in tags for r in self._references(element, tag))]:
            if not self._exists(reference):
                self.problems.append(
                    _problem(id_of(element), "dmn.reference", f"there is no element {reference!r}")
                )
        return edges

    def _exists(self, reference: str) -> bool:
        space, _, key = reference.rpartition("#")
        if not space:
            return key in self.elements
        for model in self.imports.values():
            if model.namespace == space:
                rooms = (model.decisions, model.inputs, model.knowledge, model.services)
                return any(key in room for room in rooms)
        return False


def _circle(start: str, graph: Mapping[str, Sequence[str]], done: set[str]) -> list[str]:
    """The first circle reachable from `start`, without recursion; what is finished is added to `done`."""
    path: list[str] = []
    todo: list[tuple[str, bool]] = [(start, False)]
    while todo:
        node, is_left = todo.pop()
        if is_left:
            path.pop()
            done.add(node)
        elif node in path:
            return [*path[path.index(node) :], node]
        elif node not in done:
            path.append(node)
            todo.append((node, True))
            todo.extend((other, False) for other in graph.get(node, ()))
    return []
