"""What one CPU second buys: completions, our execution against SpiffWorkflow as it comes, and conditions.

Both run the same small drawing (submit, correct once, three consultations in parallel with a deadline
each, a script, designation), then the green factory with all it calls, all the way to the national title.
Then what a completion costs after 600 rounds of rework against 6, and a FEEL condition against Python's
`eval`. Rounds alternate, so that a busy machine slows both. Prints one JSON document:
`python -m bench.engine [--rounds N] [--cases N]`.

On the small drawing SpiffWorkflow evaluates Python with its own script engine. The green factory is
written in FEEL and DMN, which it cannot read: there its script engine asks our FEEL and our decisions
(`bench/stock.py`), read once and kept, exactly as our execution does. What that borrowed part takes of
either side's time is measured as well, and `ratio_alone` is the ratio without it. Ours does more: it works
out who may do a task and by when, what a job is given, why a decision was made, and tells each step.
Both are given the same values, copy them, and learn after each step what waits.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.util.task import TaskState

from bench.stock import StockCase, hand_clock
from engine.decisions.model import Model
from engine.definition.model import Definition, Sources, read_definition
from engine.execution.asking import Asker
from engine.execution.execution import Execution
from engine.execution.signals import Waits
from engine.expressions.feel import parse
from tests.engine.packages import CALENDAR, SECOND, Step, definition, history, reading
from workflows.register.calendar import load_calendar

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FORM = {f"field_{i}": "绿色工厂申报材料 " * 8 for i in range(12)}
FORMAL = 'xsi:type="bpmn:tFormalExpression"'
Figures = dict[str, float]
WINDOW = 10
CONSULTED = ("ecology", "emergency", "market")


class NoCalendar:
    """The model counts no working days."""

    id = "none"

    def add(self, start: datetime, days: int) -> tuple[datetime, bool]:
        return start, False

    def between(self, start: date, end: date) -> int:
        return 0

    def is_working(self, day: date) -> bool:
        return True


def drawing() -> bytes:
    """The file both engines read."""
    late = (
        f'<bpmn:timerEventDefinition><bpmn:timeDuration {FORMAL}>"P14D"</bpmn:timeDuration>'
        "</bpmn:timerEventDefinition>"
    )
    consults = "".join(
        f'<bpmn:userTask id="{c}"/><bpmn:boundaryEvent id="{c}_late" attachedToRef="{c}">{late}'
        f'</bpmn:boundaryEvent><bpmn:exclusiveGateway id="{c}_done"/>'
        + flow("fork", c)
        + flow(c, f"{c}_done")
        + flow(f"{c}_late", f"{c}_done")
        + flow(f"{c}_done", "join")
        for c in CONSULTED
    )
    score = (
        '<bpmn:scriptTask id="score"><bpmn:extensionElements>'
        '<zeebe:script expression="=points + 1" resultVariable="score"/></bpmn:extensionElements>'
        "<bpmn:script>score = points + 1</bpmn:script></bpmn:scriptTask>"
    )
    nodes = (
        '<bpmn:startEvent id="start"/><bpmn:userTask id="submit"/><bpmn:exclusiveGateway id="complete"/>'
        '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>'
        '<bpmn:userTask id="designate"/><bpmn:endEvent id="end"/>'
    )
    flows = [("start", "submit"), ("submit", "complete"), ("join", "score"), ("score", "designate")]
    return (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="b" id="d" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<bpmn:process id="bench" isExecutable="true">{nodes}{score}{consults}'
        + "".join(flow(a, b) for a, b in [*flows, ("designate", "end")])
        + flow("complete", "submit", "points &lt; 50")
        + flow("complete", "fork", "points > 49")
        + "</bpmn:process></bpmn:definitions>"
    ).encode()


def flow(source: str, target: str, condition: str = "") -> str:
    """A sequence flow."""
    body = f"<bpmn:conditionExpression {FORMAL}>{condition}</bpmn:conditionExpression>" if condition else ""
    own = f'id="{source}__{target}" sourceRef="{source}" targetRef="{target}"'
    return f"<bpmn:sequenceFlow {own}>{body}</bpmn:sequenceFlow>"


def ours(xml: bytes) -> Callable[[], int]:
    """One case by our execution; gives the number of completions."""
    definition = read_definition(Sources(process_id="bench", bpmn={"bench": xml}, dmn={}))
    calendar = NoCalendar()

    def case() -> int:
        execution = Execution.start(definition, {}, calendar=calendar, now=NOW)
        waits = [s for s in execution.drain() if isinstance(s, Waits)]
        done = 0
        while waits:
            wait = waits.pop(0)
            points = 80 if wait.round > 1 or wait.element != "submit" else 20
            values = FORM if wait.element == "submit" else {f"opinion_{wait.element}": "同意"}
            execution.complete(wait.n, {**values, "points": Decimal(points)}, now=NOW)
            waits += [s for s in execution.drain() if isinstance(s, Waits)]
            done += 1
        if execution.status != "completed":
            raise RuntimeError("the case did not end")
        return done

    return case


def stock(xml: bytes) -> Callable[[], int]:
    """One case by SpiffWorkflow as it comes."""
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(xml))
    spec, specs = parser.get_spec("bench"), parser.get_subprocess_specs("bench")

    def case() -> int:
        workflow = BpmnWorkflow(spec, specs)
        workflow.do_engine_steps()
        done = 0
        while ready := workflow.get_tasks(state=TaskState.READY, manual=True):
            task = ready[0]
            submit = task.task_spec.name == "submit"
            points = 20 if submit and done == 0 else 80
            task.data.update(
                {**(FORM if submit else {f"opinion_{task.task_spec.name}": "同意"}), "points": points}
            )
            task.run()
            workflow.do_engine_steps()
            done += 1
        if not workflow.is_completed():
            raise RuntimeError("the case did not end")
        return done

    return case


def rate(case: Callable[[], int], cases: int) -> float:
    """Completions per CPU second over so many cases."""
    begin = time.process_time()
    done = sum(case() for _ in range(cases))
    return done / (time.process_time() - begin)


def compare(run_ours: Callable[[], int], run_stock: Callable[[], int], rounds: int, cases: int) -> Figures:
    """Median rates of alternating rounds, and their ratio."""
    run_ours(), run_stock()
    pairs = [(rate(run_ours, cases), rate(run_stock, max(1, cases // 10))) for _ in range(rounds)]
    fast, slow = median(a for a, _ in pairs), median(b for _, b in pairs)
    return {
        "ours_per_cpu_second": round(fast),
        "stock_per_cpu_second": round(slow),
        "ratio": round(fast / slow, 1),
    }


def small(rounds: int, cases: int) -> Figures:
    """The small drawing."""
    xml = drawing()
    return compare(ours(xml), stock(xml), rounds, cases)


# --- the green factory --------------------------------------------------------------------------------


def package(rounds: int, cases: int) -> Figures:
    """The green factory to its national title: people and workers answer the same in both."""
    steps = history("green_factory", "straight_to_national")
    drawn, read, calendar = definition("green_factory"), reading("green_factory"), load_calendar(CALENDAR)
    start, *later = steps
    hand_clock()

    def ours() -> int:
        execution = Execution.start(drawn, start.values, calendar=calendar, now=start.at)
        for step in later:
            if step.kind == "time":
                execution.fire(step.n, now=step.at)
            elif step.kind == "person":
                execution.complete(step.n, step.values, now=step.at)
            elif step.kind == "message":
                execution.receive(step.message, step.values, correlation=step.key, now=step.at)
            else:
                execution.finish(step.n, step.values, now=step.at)
            execution.drain()
        return finished(execution.status == "completed", later)

    def stock() -> int:
        case = StockCase(read, start.values, calendar, start.at)
        for step in later:
            if step.kind == "time":
                case.pass_time(step.at + SECOND)
            elif step.kind == "message":
                case.receive(step.message, step.place[-1][0], step.values, step.at)
            else:
                case.complete(step.place, step.values, step.at)
        return finished(case.is_done, later)

    figures = compare(ours, stock, rounds, cases)
    shares = {"ours": borrowed(ours, max(1, cases // 2)), "stock": borrowed(stock, max(1, cases // 10))}
    left = {side: 1 - sum(parts.values()) for side, parts in shares.items()}
    told = {
        f"{side}_{part}": round(share, 2) for side, parts in shares.items() for part, share in parts.items()
    }
    return {**figures, **told, "ratio_alone": round(figures["ratio"] * left["stock"] / left["ours"], 1)}


def borrowed(case: Callable[[], int], cases: int) -> Figures:
    """Which shares of its CPU time a case spends in formulas and in decisions."""
    spent = {"formulas": 0.0, "decisions": 0.0}
    with clocked(Asker, "ask", spent, "formulas"), clocked(Model, "evaluate", spent, "decisions"):
        begin = time.process_time()
        for _ in range(cases):
            case()
        total = time.process_time() - begin
    return {part: took / total for part, took in spent.items()}


@contextmanager
def clocked(owner: type, name: str, spent: Figures, part: str) -> Iterator[None]:
    """For a while, what a method takes is added up."""
    asked = getattr(owner, name)

    def timed(*values: Any, **named: Any) -> Any:
        begin = time.process_time()
        try:
            return asked(*values, **named)
        finally:
            spent[part] += time.process_time() - begin

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, asked)


def finished(is_done: bool, steps: list[Step]) -> int:
    """The number of completions of a case that must have ended."""
    if not is_done:
        raise RuntimeError("the case did not end")
    return sum(step.kind != "time" for step in steps)


# --- rework -------------------------------------------------------------------------------------------


def rework(rounds: int, cases: int) -> Figures:
    """Microseconds of CPU for a completion around round 6 and around round 600 of the same case: the
    least of the cases of a round, for a window that is interrupted finds its caches cold."""
    drawn = read_definition(Sources(process_id="bench", bpmn={"bench": drawing()}, dmn={}))
    early, late = [], []
    for _ in range(rounds):
        pairs = [_rework(drawn) for _ in range(max(1, cases // 5))]
        early.append(min(a for a, _ in pairs))
        late.append(min(b for _, b in pairs))
    return {
        "round_6_us": round(median(early), 1),
        "round_600_us": round(median(late), 1),
        "ratio": round(median(late) / median(early), 2),
    }


def _rework(drawn: Definition) -> tuple[float, float]:
    execution = Execution.start(drawn, {}, calendar=NoCalendar(), now=NOW)
    execution.drain()
    _corrected(execution, 6 - WINDOW // 2)
    early = _timed(execution)
    _corrected(execution, 600 - 6 - WINDOW)
    return early, _timed(execution)


def _timed(execution: Execution) -> float:
    gc.disable()  # as timeit does: a collection falls into every case's same window, or into none
    begin = time.process_time()
    _corrected(execution, WINDOW)
    spent = time.process_time() - begin
    gc.enable()
    return spent / WINDOW * 1e6


def _corrected(execution: Execution, times: int) -> None:
    """Submit something that is sent back."""
    for _ in range(times):
        n = execution._workflow.last_number
        execution.complete(n, {**FORM, "points": Decimal(20)}, now=NOW)
        execution.drain()


# --- FEEL ---------------------------------------------------------------------------------------------


def condition(rounds: int, cases: int) -> Figures:
    """Microseconds of CPU for a typical condition that was read before, and Python's `eval` of the same."""
    values = {"score": Decimal(85), "age": Decimal(30), "grade": "B"}
    ready = parse('score >= 80 and age > 18 and grade = "B"')
    code = compile('score >= 80 and age > 18 and grade == "B"', "condition", "eval")
    if ready.evaluate(values) is not True:
        raise RuntimeError("the condition is not true")
    pairs = [
        (per_run(lambda: ready.evaluate(values), cases), per_run(lambda: eval(code, {}, values), cases))
        for _ in range(rounds)
    ]
    feel, python = median(a for a, _ in pairs), median(b for _, b in pairs)
    return {"feel_us": round(feel, 2), "eval_us": round(python, 2), "ratio": round(feel / python, 1)}


def per_run(act: Callable[[], object], cases: int) -> float:
    """Microseconds of CPU of one act, the least of five."""
    times = max(1, cases) * 50
    return min(timeit.repeat(act, number=times, repeat=5, timer=time.process_time)) / times * 1e6


MEASURED = {"drawing": small, "green_factory": package, "rework": rework, "condition": condition}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--cases", type=int, default=400)
    chosen = arguments.parse_args()
    told = {name: measure(chosen.rounds, chosen.cases) for name, measure in MEASURED.items()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
