"""User tasks, scripts, decisions, jobs: the single steps of a process."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from SpiffWorkflow.bpmn.specs import defaults as spiff

from engine.definition.formulas import Formula
from engine.definition.nodes.base import Mishap, Node, Token, stored
from engine.definition.shapes import DELIVERIES, Shape
from engine.values import Value


class PassingTask(Node, spiff.NoneTask):
    """A task without an executor, or one done outside of the system: the token only passes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manual = False

    def work(self, token: Token) -> None:
        self.read_inputs(token)
        self.keep(token, {}, None)


class UserTask(Node, spiff.UserTask):
    """Waits for a person; SpiffWorkflow's state for that is READY and manual."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manual = True

    def arrive(self, token: Token) -> bool:
        self.read_inputs(token)
        who = self.shape.assignment
        due_at, days, provisional = self.deadline(token)
        token.workflow.person_awaited(
            token,
            groups=self.names(token, who.groups, "candidateGroups"),
            users=self.names(token, who.users, "candidateUsers"),
            assignee=self.person(token),
            due_at=due_at,
            due_days=days,
            provisional=provisional,
            priority=self.priority(token),
        )
        token.workflow.listen(token)
        return True

    def work(self, token: Token) -> None:
        rules = self.shape.task
        self.keep(token, token.brought or {}, rules.result if rules else None)

    def names(self, token: Token, formula: Formula | None, what: str) -> tuple[str, ...]:
        """A list of texts, or one text with commas."""
        if formula is None:
            return ()
        value = token.workflow.ask(formula, token)
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            why = token.workflow.warnings() or f"found {value!r:.60}"
            raise Mishap("ASSIGNMENT", f"{what} of {self.element} must be a list of texts: {why}")
        return tuple(dict.fromkeys(value))

    def person(self, token: Token) -> str | None:
        """The drawn assignee; none if the expression gives null."""
        formula = self.shape.assignment.assignee
        value = None if formula is None else token.workflow.ask(formula, token)
        if value is not None and not isinstance(value, str):
            raise Mishap("ASSIGNMENT", f"assignee of {self.element} must be a text, found {value!r:.60}")
        return value or None

    def priority(self, token: Token) -> int:
        """0 to 100, 50 if nothing is drawn."""
        formula = self.shape.assignment.priority
        return 50 if formula is None else whole(token, formula, "priority")

    def deadline(self, token: Token) -> tuple[datetime | None, int | None, bool]:
        """The end of the n-th working day after today, n, and whether the calendar was only provisional."""
        formula = self.shape.assignment.deadline
        if formula is None:
            return None, None, False
        days = whole(token, formula, "workingDays")
        due_at, provisional = token.workflow.working_days(days)
        return due_at, days, provisional


class ScriptTask(Node, spiff.NoneTask):
    """Sets one variable to the value of an expression."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manual = False

    def work(self, token: Token) -> None:
        self.read_inputs(token)
        work = self.shape.work
        value = None if work.script is None else token.workflow.ask(work.script, token)
        self.keep(token, {work.result: stored(value)} if work.result else {}, None)


class BusinessRuleTask(Node, spiff.NoneTask):
    """Asks a decision; `decisions` is the parsed model it stands in."""

    def __init__(self, *args: Any, decisions: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manual = False
        self.decisions = decisions

    def work(self, token: Token) -> None:
        self.read_inputs(token)
        work = self.shape.work
        value = token.workflow.decide(token, work.decision, self.decisions[work.decision or ""])
        self.keep(token, {work.result: stored(value)} if work.result else {}, None)


class JobTask(Node, spiff.ServiceTask):
    """A service or send task: waits until a worker has done the job."""

    def arrive(self, token: Token) -> bool:
        self.read_inputs(token)
        ask_for_job(token)
        token.workflow.listen(token)
        return False

    def work(self, token: Token) -> None:
        answered = token.brought or {} if self.shape.work.job else {}  # a delivery answers whom it reached
        self.keep(token, answered, self.shape.work.result)


def ask_for_job(token: Token) -> None:
    """Want a worker: for the drawn job type, or to deliver a message that has none.

    Raises Mishap, ExpressionError.
    """
    shape: Shape = token.shape
    if shape.work.job is None:
        token.workflow.send_message(token, shape.triggers[token.which or 0])
        return
    kind = token.workflow.ask(shape.work.job, token)
    if not isinstance(kind, str) or not kind or kind in DELIVERIES:
        raise Mishap("JOB", f"the job type of {shape.id} must be a text of its own, found {kind!r:.60}")
    retries = 3 if shape.work.retries is None else whole(token, shape.work.retries, "retries")
    token.workflow.job_awaited(token, kind=kind, retries=retries)


def whole(token: Token, formula: Formula, what: str) -> int:
    """A whole number from 0 to 999999. Raises Mishap for anything else."""
    value: Value = token.workflow.ask(formula, token)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 7:
        return int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value() and 0 <= value < 1_000_000:
        return int(value)
    why = token.workflow.warnings() or f"found {value!r:.60}"
    raise Mishap(
        "NUMBER", f"{what} of {token.task_spec.element} must be a whole number from 0 to 999999: {why}"
    )
