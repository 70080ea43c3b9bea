"""How many user-task completions one CPU second buys: our execution against SpiffWorkflow as it comes.

Both run the same file: submit, correct once, three consultations in parallel with a deadline each, a
script, designation. Rounds alternate, so that a busy machine slows both. Prints one JSON document:
`python -m bench.engine [--rounds N] [--cases N]`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.util.task import TaskState

from engine.definition.model import Sources, read_definition
from engine.execution.execution import Execution
from engine.execution.signals import Waits

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FORM = {f"field_{i}": "绿色工厂申报材料 " * 8 for i in range(12)}
FORMAL = 'xsi:type="bpmn:tFormalExpression"'
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


def measure(rounds: int, cases: int) -> dict[str, float]:
    """Median rates of alternating rounds, and their ratio."""
    xml = drawing()
    run_ours, run_stock = ours(xml), stock(xml)
    run_ours(), run_stock()
    pairs = [(rate(run_ours, cases), rate(run_stock, max(1, cases // 10))) for _ in range(rounds)]
    fast, slow = median(a for a, _ in pairs), median(b for _, b in pairs)
    return {
        "ours_per_cpu_second": round(fast),
        "stock_per_cpu_second": round(slow),
        "ratio": round(fast / slow, 1),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--cases", type=int, default=400)
    chosen = arguments.parse_args()
    print(json.dumps(measure(chosen.rounds, chosen.cases)))


if __name__ == "__main__":
    main()
