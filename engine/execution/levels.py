"""A level of a running case, process or sub-process: where its tokens stand and how they move."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.definition.formulas import Formula
from engine.definition.moments import NoMoment
from engine.definition.nodes.base import Exit, Mishap
from engine.errors import EngineError
from engine.execution.branches import Part, forked, fresh, merge, pruned
from engine.execution.catching import Catching
from engine.execution.compensating import Compensating, Done
from engine.execution.joining import Joining
from engine.execution.signals import Decided, Ended, Failed, Job, Passed, Skipped, Waits, Withdrawn
from engine.execution.throwing import Throwing
from engine.execution.token import LEVEL, Token
from engine.values import Value

MOST_LEVELS = 50


class Level(Catching, Throwing, Joining, Compensating):
    """What both the case's own process and an inner level can do. SpiffWorkflow's classes stand beside
    it in the base list of its two kinds."""

    top_workflow: Any
    spec: Any
    tasks: dict[int, Token]

    def set_up(self, data: Mapping[str, Value], depth: int) -> None:
        """An empty level with its root token."""
        self.depth_here = depth
        self.ended: dict[str, Part] = {}
        self.spent: dict[str, set[str]] = {}
        self.done: list[Done] = []
        self.start_data = dict(data)
        self.task_tree = Token(self, self.spec.start, None, TaskState.COMPLETED, LEVEL)
        self.task_tree.host = -1

    # --- coming ---------------------------------------------------------------------------------------

    def begin(self, brought: dict[str, Value] | None = None, first: str | None = None) -> None:
        """Let the event sub-processes listen and put a token wherever the level begins, or at `first`."""
        for name in self.spec.event_levels:
            self.place(name, self.start_data, host=LEVEL)
        firsts = (first,) if first else self.spec.firsts
        frames = forked((), self.top_workflow.next_fork()) if len(firsts) > 1 else ()
        for name in firsts:
            self.place(name, self.start_data, brought=brought, frames=frames)

    def place(
        self,
        name: str,
        data: Mapping[str, Value],
        *,
        way: Exit | None = None,
        **facts: Any,
    ) -> Token:
        """A new token at node `name`; `facts` are set on it before it arrives."""
        spec = self.spec.task_specs[name]
        token = Token(self, spec, self.task_tree)
        token.data = data if isinstance(data, dict) else dict(data)
        token.flow = way.flow if way else None
        for key, value in facts.items():
            setattr(token, key, value)
        self.top_workflow.numbers[token.id] = token
        spec._update(token)
        return token

    def attempt(self, token: Token, step: Callable[[Token], Any]) -> Any:
        """Do one step of the model; what goes wrong in it becomes a failure of the token."""
        try:
            done = step(token)
        except Mishap as error:
            return self.fail(token, error.code, error.message)
        except NoMoment as error:
            return self.fail(token, "TIMER", str(error))
        except EngineError as error:
            return self.fail(token, "EXPRESSION", str(error))
        token.entered = True
        return done

    def fail(self, token: Token, code: str, message: str) -> None:
        """The token stops here until somebody mends it."""
        token._set_state(TaskState.ERROR)
        token.awaits = ""
        self.top_workflow.tell(Failed(n=token.id, element=token.element, code=code, message=message))

    # --- asking ---------------------------------------------------------------------------------------

    def ask(self, formula: Formula, token: Token, context: Mapping[str, Value] | None = None) -> Value:
        """The value of a formula as the token sees it."""
        return self.top_workflow.asker.ask(formula, token.visible() if context is None else context)

    def warnings(self) -> str:
        """Why the last value became null."""
        text: str = self.top_workflow.asker.warnings()
        return text

    def working_days(self, days: int) -> tuple[datetime, bool]:
        """The end of the n-th working day after today."""
        term: tuple[datetime, bool] = self.top_workflow.asker.count(days)
        return term

    def decide(self, token: Token, name: str | None, decisions: Any) -> Value:
        """Make a decision and tell how. Raises ExpressionError, as for two matching rows of UNIQUE."""
        asker = self.top_workflow.asker
        budget = asker.lend()
        try:
            evaluation = decisions.evaluate(
                name, token.visible(), functions=asker.functions, now=asker.now, budget=budget
            )
        finally:
            asker.take_back(budget)
        self.top_workflow.tell(
            Decided(n=token.id, element=token.element, decision=name or "", evaluation=evaluation)
        )
        return evaluation.value

    # --- waiting --------------------------------------------------------------------------------------

    def person_awaited(self, token: Token, **facts: Any) -> None:
        """A user task waits."""
        token.awaits = "person"
        token.round = self.round_of(token)
        item = token.local.get(self.item_name(token)) if token.index is not None else None
        self.top_workflow.tell(
            Waits(n=token.id, element=token.element, round=token.round, item=fresh(item), **facts)
        )

    def round_of(self, token: Token) -> int:
        """The how-manyth visit this is; the instances of one activity share theirs."""
        if token.index is not None and token.host is not None:
            return self.tasks[token.host].round
        rounds = self.top_workflow.rounds
        rounds[token.element] = rounds.get(token.element, 0) + 1
        return int(rounds[token.element])

    def item_name(self, token: Token) -> str:
        """The variable that holds an instance's item."""
        loop = token.shape.loop
        return (loop.item if loop else None) or ""

    def job_awaited(
        self, token: Token, *, kind: str, retries: int, inputs: Mapping[str, Value] | None = None
    ) -> None:
        """A worker is wanted; without other `inputs` the job is given what the token sees."""
        token.awaits = "job"
        token._set_state(TaskState.WAITING)
        given = self.job_inputs(token) if inputs is None else inputs
        self.top_workflow.tell(
            Job(n=token.id, element=token.element, type=kind, retries=retries, inputs=given)
        )

    def job_inputs(self, token: Token) -> dict[str, Value]:
        """The headers of a job, and the mapped variables or all."""
        inputs = {k: fresh(v) for k, v in token.local.items()} if token.shape.inputs else fresh(token.data)
        headers = {k: v for k, v in token.shape.work.headers.items() if k != "result"}
        return {**headers, **inputs}

    def listen(self, token: Token) -> None:
        """Put a listener on every boundary event of an activity that has just been entered."""
        names = token.task_spec.listeners
        if names and not any(t.host == token.id and t.index is None for t in self.tasks.values()):
            for name in names:
                self.place(name, token.data, host=token.id, local=token.local)

    def race(self, gateway: Token, exits: tuple[Exit, ...]) -> None:
        """Wait for several events at once."""
        gateway.awaits = "race"
        gateway._set_state(TaskState.STARTED)
        for way in exits:
            self.place(way.target, gateway.data, way=way, host=gateway.id, frames=gateway.frames)

    def begins(self, token: Token) -> bool:
        """Whether a token that came may begin its work now; only an ad-hoc level makes it wait."""
        return True

    # --- leaving --------------------------------------------------------------------------------------

    def weigh(self, token: Token) -> None:
        """The work of a token is done; only an ad-hoc level asks whether that is enough."""

    def leave(self, token: Token) -> None:
        """The work at a node is done: on to the next ones."""
        if token.index is not None:
            self.leave_instance(token)
        elif token.shape.for_compensation:
            self.leave_handler(token)
        else:
            self.tell_passed(token)
            self.move(token)

    def tell_passed(self, token: Token, taken: tuple[Exit, ...] | None = None) -> None:
        """Tell which way a token went."""
        ways = token.taken if taken is None else taken
        flows = tuple(way.flow for way in ways if way.flow)
        told = Skipped if token.many and not token.many["done"] else Passed
        self.top_workflow.tell(told(n=token.id, element=token.element, flows=flows))

    def move(self, token: Token) -> None:
        """Replace the token by one on each way it takes."""
        if token.task_spec.listeners:
            self.withdraw_hosted(token)
        self.drop(token)
        if not token.many:
            self.remember_done(token, token.task_spec.compensator)
        if not token.taken:
            self.end_here(token)
            return
        ways = token.taken * token.shape.completion_quantity
        frames = self.fork(token) if len(ways) > 1 else token.frames
        for way in ways:
            self.place(way.target, token.data, way=way, frames=frames)

    def fork(self, token: Token) -> Any:
        """The frames of branches that begin at this token."""
        own = {n for n, _ in token.frames}
        alone = set(own)
        for other in self.others(token) if own else ():
            alone.difference_update(n for n, _ in other.frames)
            if not alone:
                break
        return forked(pruned(token.frames, own - alone), self.top_workflow.next_fork())

    def others(self, token: Token) -> Iterator[Token | Part]:
        """Whoever may share a fork with a token. Its nearest relatives are the oldest and the youngest, so
        all are told from both ends, and some twice."""
        yield from self.ended.values()
        for old, young in zip(self.tasks.values(), reversed(self.tasks.values()), strict=True):
            yield from (one for one in (old, young) if one is not token and one.host is None)

    def leave_instance(self, token: Token) -> None:
        """One of several instances is done: collect its result, open the next, or finish them all."""
        container = self.tasks[token.host or 0]
        verdict = self.attempt(token, lambda one: container.task_spec.instance_done(container, one))
        if not verdict:
            return
        self.drop(token)
        self.remember_done(token, container.task_spec.compensator)
        self.throw_for_instance(container)
        if verdict != "done" or container.id not in self.tasks:
            self.tell_passed(token, ())
            if verdict == "next" and container.id in self.tasks:
                container.task_spec.open_next(container)
            return
        self.withdraw_hosted(container)
        if not self.attempt(container, container.task_spec._run_hook):
            self.tell_passed(token, ())
        elif container.shape.for_compensation:
            self.tell_passed(token, ())
            self.handled(container)
        else:
            self.tell_passed(token, container.taken)
            self.move(container)

    def open_instance(self, container: Token, inner: str, index: int, local: dict[str, Value]) -> None:
        """One instance of an activity."""
        if not container.awaits:
            container.awaits = "instances"
            container._set_state(TaskState.STARTED)
            container.round = self.round_of(container)
        self.place(inner, container.data, host=container.id, index=index, local=local, frames=())

    # --- ending ---------------------------------------------------------------------------------------

    def end_here(self, token: Token) -> None:
        """The token's path ends where no flow goes on."""
        if self.depth_here == 0 and not token.shape.by_event:
            self.top_workflow.tell(Ended(element=token.element))
        self.end(token)

    def end(self, token: Token) -> None:
        """The token is gone: keep what it brings, and close the level if it was the last."""
        before = self.ended.get(token.element)
        self.ended[token.element] = merge([before, token.part]) if before else token.part
        self.settle()

    def settle(self) -> None:
        """Close the level if nothing moves in it any more."""
        if any(True for _ in self.moving()):
            return
        self.clear()
        self.data = dict(self.final().data)
        self.close()

    def final(self) -> Part:
        """What the level leaves behind: its ends, in the order they stand in the file."""
        order = self.spec.task_specs
        parts = sorted(self.ended.items(), key=lambda item: order[item[0]].shape.order)
        return merge([part for _, part in parts]) if parts else Part(self.start_data)

    def view(self) -> Part:
        """The variables as they are now, all branches together."""
        parts = [part for _, part in sorted(self.ended.items())]
        parts += [self.part_of(token) for token in self.moving()]
        return merge(parts) if parts else Part(self.start_data)

    def part_of(self, token: Token) -> Part:
        """A token's branch, with what its inner level has written so far."""
        inner = self.top_workflow.subprocesses.get(token.id)
        if inner is None or not inner.is_embedded:
            return token.part
        return token.seeing(inner.view().data)

    def close(self) -> None:
        """Nothing moves here any more."""
        raise NotImplementedError

    # --- taking away ----------------------------------------------------------------------------------

    def clear(self) -> None:
        """Withdraw everything on this level."""
        for token in list(self.tasks.values()):
            if token.id != LEVEL:
                self.withdraw(token)

    def withdraw(self, token: Token) -> None:
        """Take away a token with everything that hangs on it."""
        if token.id not in self.tasks:
            return
        self.withdraw_hosted(token)
        inner = self.top_workflow.subprocesses.pop(token.id, None)
        if inner is not None:
            inner.clear()
        if token.awaits in AWAITED or token.state == TaskState.ERROR:
            self.top_workflow.tell(Withdrawn(n=token.id))
        token._set_state(TaskState.CANCELLED)
        self.drop(token)

    def withdraw_hosted(self, token: Token) -> None:
        """Withdraw the listeners, instances and racing events of a token."""
        for other in [t for t in self.tasks.values() if t.host == token.id]:
            self.withdraw(other)

    def drop(self, token: Token) -> None:
        """The token no longer exists."""
        self.tasks.pop(token.id, None)
        self.top_workflow.numbers.pop(token.id, None)
        self.top_workflow.joining.pop(token.id, None)
        self.top_workflow.watching.pop(token.id, None)
        self.top_workflow.turns.pop(token.id, None)


AWAITED = frozenset({"person", "job", "timer", "message", "signal"})
