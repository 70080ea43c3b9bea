"""A decision model that has been read: what it decides, from what, and the record of each evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine.decisions.items import Item, Items
from engine.decisions.tables import Code, DecisionRun, Table
from engine.decisions.texts import Text
from engine.errors import Problem
from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.feel import NO_FUNCTIONS
from engine.expressions.scope import Function, Run, Scope
from engine.expressions.types import ANY
from engine.temporal import Unrepresentable
from engine.values import Value


def _too_deep() -> ExpressionError:
    return ExpressionError("budget.depth", "the decision is nested too deeply")


@dataclass(frozen=True, kw_only=True)
class InputData:
    """A value the model is given."""

    id: str
    name: str
    item: Item | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One decision: the ids of what it requires, and how it is made; `table` if by a table."""

    id: str
    name: str
    label: str = ""
    item: Item | None = None
    inputs: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    knowledge: tuple[str, ...] = ()
    reads: frozenset[str] = frozenset()
    code: Code | None = None
    table: Table | None = None


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """A business knowledge model: a function that decisions may call."""

    id: str
    name: str
    code: Code
    knowledge: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ServedDecisions:
    """A decision service: some decisions as one function."""

    id: str
    name: str
    item: Item | None = None
    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """What was decided and why: the inputs, the rules that matched in table order, and the evaluations of
    what was required or called."""

    decision: str
    inputs: dict[str, Value]
    matched: tuple[str, ...]
    value: Value
    required: tuple[Evaluation, ...] = ()


@dataclass(frozen=True)
class Model:
    """A decision model. `decisions` are found by id and by name."""

    id: str
    name: str
    namespace: str
    decisions: Mapping[str, Decision]
    inputs: Mapping[str, InputData]
    knowledge: Mapping[str, Knowledge]
    services: Mapping[str, ServedDecisions]
    items: Items
    tables: tuple[Table, ...] = ()
    texts: tuple[Text, ...] = ()
    problems: tuple[Problem, ...] = ()
    imports: Mapping[str, Model] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """A model without input data: its decisions read the variables they are given directly."""
        return not self.inputs

    def evaluate(
        self,
        decision: str,
        inputs: Mapping[str, Value],
        *,
        functions: Mapping[str, Callable[..., Value]] = NO_FUNCTIONS,
        now: datetime | None = None,
        budget: Budget | None = None,
    ) -> Evaluation:
        """Make a decision, by id or name, from inputs by name; missing inputs are null.  The name of a
        decision service is good as well: see `evaluate_service`.

        A decision sees the input data it requires and nothing else; in a model that draws no input data
        it sees every input, and the evaluation records those it reads.

        Raises ExpressionError: unknown decision (`decision.unknown`), hit-policy.unique and
        hit-policy.any with the rule ids, decision.input, syntax and the budget's.
        """
        if decision in self.services and decision not in self.decisions:
            return self.evaluate_service(decision, inputs, functions=functions, now=now, budget=budget)
        if decision not in self.decisions:
            raise ExpressionError("decision.unknown", f"there is no decision {decision!r}")
        session = _Session(self, inputs, self._run(functions, now, budget))
        try:
            return session.decide(self.decisions[decision])
        except RecursionError:
            raise _too_deep() from None

    def evaluate_service(
        self,
        service: str,
        inputs: Mapping[str, Value],
        *,
        functions: Mapping[str, Callable[..., Value]] = NO_FUNCTIONS,
        now: datetime | None = None,
        budget: Budget | None = None,
    ) -> Evaluation:
        """Ask a decision service, by id or name, with its input data and input decisions by name.

        The value is that of its output decision, or a context of several; `required` tells how the output
        decisions were made.  Raises ExpressionError as `evaluate` does.
        """
        if service not in self.services:
            raise ExpressionError("decision.unknown", f"there is no decision service {service!r}")
        session = _Session(self, inputs, self._run(functions, now, budget))
        try:
            return session.serve(self.services[service], inputs)
        except RecursionError:
            raise _too_deep() from None

    def _run(
        self, functions: Mapping[str, Callable[..., Value]], now: datetime | None, budget: Budget | None
    ) -> DecisionRun:
        run = DecisionRun(budget or Budget(), functions, now, self.items.types)
        run.matched, run.called = [], []
        return run


class _Session:
    """One evaluation of a model: every decision is made at most once."""

    def __init__(self, model: Model, inputs: Mapping[str, Value], run: DecisionRun) -> None:
        self.model = model
        self.inputs = inputs
        self.run = run
        self.done: dict[str, Evaluation] = {}
        self.given: dict[str, Value] = {}
        self.known: dict[str, Value] = {}
        self.lent: dict[str, _Session] = {}

    def decide(self, decision: Decision) -> Evaluation:
        if decision.id not in self.done:
            self.done[decision.id] = self._made(decision)
        return self.done[decision.id]

    def _made(self, decision: Decision) -> Evaluation:
        required = [self._required(one) for one in decision.decisions]
        names = {name: value for one in decision.inputs for name, value in [self._input(one)]}
        names |= {name: value for name, value, _ in required}
        if self.model.is_open:
            reads = decision.reads - self.model.imports.keys()
            names = {n: value for n, value in self.inputs.items() if n in reads} | names
        scope = Scope({**self._imported(), **self.functions(decision.knowledge), **names}, None, self.run)
        run = self.run
        outer, (run.matched, run.called) = (run.matched, run.called), ([], [])
        try:
            value = self._value(decision, scope)
            matched, called = tuple(run.matched), run.called
        finally:
            run.matched, run.called = outer
        made = [evaluation for _, _, evaluation in required if evaluation]
        return Evaluation(decision.id, names, matched, value, (*made, *called))

    def _value(self, decision: Decision, scope: Scope) -> Value:
        if decision.code is None:
            return self.run.null(f"decision {decision.name!r} has no logic")
        try:
            value = decision.code(scope)
        except Unrepresentable as error:
            raise ExpressionError("temporal.range", str(error)) from None
        return self._fitted(value, decision.item, f"decision {decision.name!r}")

    def _fitted(self, value: Value, item: Item | None, what: str, *, is_input: bool = False) -> Value:
        fits, fitted = self.model.items.fit(value, item, self.run, is_input=is_input)
        return fitted if fits else self.run.null(f"{what} has a value that its type does not allow")

    def _required(self, reference: str) -> tuple[str, Value, Evaluation | None]:
        """A required decision: its name, its value, and how it was made unless it was given."""
        space, _, name = reference.rpartition("#")
        if space:
            return self._required_elsewhere(space, name)
        decision = self.model.decisions[reference]
        if reference in self.given:
            return decision.name, self.given[reference], None
        evaluation = self.decide(decision)
        return decision.name, evaluation.value, evaluation

    def _required_elsewhere(self, space: str, name: str) -> tuple[str, Value, Evaluation | None]:
        alias, session = self._elsewhere(space)
        decision = session.model.decisions[name]
        evaluation = session.decide(decision)
        return f"{alias}.{decision.name}", evaluation.value, evaluation

    def _elsewhere(self, space: str) -> tuple[str, _Session]:
        """The imported model of that namespace; its inputs are those under its alias, if there are any."""
        alias = next(alias for alias, model in self.model.imports.items() if model.namespace == space)
        if alias not in self.lent:
            inputs = self.inputs.get(alias)
            given = inputs if isinstance(inputs, dict) else self.inputs
            self.lent[alias] = _Session(self.model.imports[alias], given, self.run)
        return alias, self.lent[alias]

    def _input(self, reference: str) -> tuple[str, Value]:
        """The name and the value of input data, of this model or of an imported one."""
        space, _, key = reference.rpartition("#")
        if space:
            alias, session = self._elsewhere(space)
            name, value = session._input(key)
            return f"{alias}.{name}", value
        data = self.model.inputs[key]
        return data.name, self._input_value(data)

    def _input_value(self, data: InputData) -> Value:
        if data.id in self.given:
            return self.given[data.id]
        value = self.inputs.get(data.name, self.inputs.get(data.id))
        return self._fitted(value, data.item, f"input {data.name!r}", is_input=True)

    def functions(self, references: Sequence[str]) -> dict[str, Value]:
        """The functions a decision requires, by name."""
        found: dict[str, Value] = {}
        for reference in references:
            if reference in self.model.knowledge:
                knowledge = self.model.knowledge[reference]
                found[knowledge.name] = self._knowledge(knowledge)
            elif reference in self.model.services:
                service = self.model.services[reference]
                found[service.name] = self._service_function(service)
        return found

    def _knowledge(self, knowledge: Knowledge) -> Value:
        """A knowledge model sees those it requires, and itself; each is made once."""
        if knowledge.id not in self.known:
            inner = {**self._imported(), **self.functions(knowledge.knowledge)}
            self.known[knowledge.id] = knowledge.code(Scope(inner, None, self.run))
            inner[knowledge.name] = self.known[knowledge.id]
        return self.known[knowledge.id]

    def _imported(self) -> dict[str, Value]:
        """Imported models as contexts of their functions, their inputs and the decisions made there."""
        found: dict[str, Value] = {}
        for alias, model in self.model.imports.items():
            _, session = self._elsewhere(model.namespace)
            entries = session.functions([*model.knowledge, *(one.id for one in model.services.values())])
            entries |= dict(map(session._input, model.inputs))
            done = [(model.decisions[key].name, made.value) for key, made in session.done.items()]
            found[alias] = {**entries, **dict(done)}
        return found

    def _service_function(self, service: ServedDecisions) -> Function:
        wanted = [self._parameter(one) for one in (*service.inputs, *service.given)]
        names = tuple(one.name for one in wanted)
        types = tuple(self.model.items.type_of(one.item) if one.item else ANY for one in wanted)

        def call(arguments: Sequence[Value], run: Run) -> Value:
            given = dict(zip(names, arguments, strict=True))
            made = _Session(self.model, {}, self.run).serve(service, given)
            self.run.called.append(made)
            return made.value

        gives = self.model.items.type_of(service.item) if service.item else None
        return Function(service.name, names, call, types, gives)

    def _parameter(self, reference: str) -> InputData | Decision:
        """The input data or the decision that a service is given or gives."""
        space, _, name = reference.rpartition("#")
        model = self._elsewhere(space)[1].model if space else self.model
        return model.inputs.get(name) or model.decisions[name]

    def serve(self, service: ServedDecisions, inputs: Mapping[str, Value]) -> Evaluation:
        """The decisions of a service from its own inputs and the decisions it is given."""
        given: dict[str, Value] = {}
        for reference in (*service.inputs, *service.given):
            wanted = self._parameter(reference)
            given[wanted.name] = self._fitted(inputs.get(wanted.name), wanted.item, wanted.name)
            self.given[reference] = given[wanted.name]
        made = [self._required(one) for one in service.outputs]
        names = [self._parameter(one).name for one in service.outputs]
        values = {name: value for name, (_, value, _) in zip(names, made, strict=True)}
        value = next(iter(values.values())) if len(values) == 1 else values
        value = self._fitted(value, service.item, f"service {service.name!r}")
        evaluations = tuple(evaluation for _, _, evaluation in made if evaluation)
        return Evaluation(service.id, given, (), value, evaluations)
