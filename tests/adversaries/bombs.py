"""Rows 53 to 68: drawings that would run for ever, and data that would fill the house."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.adversaries.row import KEY, Attack, Row, drawn
from tests.engine.drawing import (
    ESCALATION,
    ESCALATION_EVENT,
    FORMAL,
    KEPT,
    SIGNAL,
    SIGNAL_EVENT,
    Drawing,
    condition,
    extension,
    for_each,
    message,
    process,
    timer,
)

Send = Callable[[], Attack]
ENDS = ("refused:", "incident:", "completed:", "active:")
STOPS = ("refused:", "incident:")


def start() -> Drawing:
    return process(KEY).start()


def circle() -> Attack:
    """Gateways that lead to each other."""
    drawing = start().gateway("exclusive", "one").gateway("exclusive", "two", default="two__one").to("one")
    return drawn(drawing.at("two", "1 = 2").end())


def counting(rounds: int) -> Attack:
    """A script in a loop of so many rounds, as drawn."""
    drawing = start().script("zero", "=0", "x").gateway("exclusive", "again")
    drawing.script("add", "=x + 1", "x").gateway("exclusive", "enough", default="enough__again").to("again")
    return drawn(drawing.at("enough", f"x >= {rounds}").end())


def costly() -> Attack:
    """A loop whose every round is as dear as a formula may be, but never too dear."""
    text = "=count(for a in 1..300, b in 1..300 return a * b)"
    drawing = start().gateway("exclusive", "again").script("work", text, "x")
    drawing.gateway("exclusive", "enough", default="enough__again").to("again")
    return drawn(drawing.at("enough", "x = 0").end())


def growing() -> Attack:
    """A loop that doubles a list in every round."""
    drawing = start().script("one", "=[1]", "x").gateway("exclusive", "again")
    drawing.script("double", "=[x, x]", "x").gateway("exclusive", "enough", default="enough__again")
    return drawn(drawing.to("again").at("enough", "x = 0").end())


def swelling() -> Attack:
    """A loop that doubles a text in every round."""
    drawing = start().script("one", '="aaaaaaaa"', "x").gateway("exclusive", "again")
    drawing.script("double", "=x + x", "x").gateway("exclusive", "enough", default="enough__again")
    return drawn(drawing.to("again").at("enough", 'x = ""').end())


def waiting(text: str, form: str = "Duration", **more: Any) -> Attack:
    return drawn(start().catch("wait", timer(text, form)).end(), **more)


def reminding(text: str, *steps: tuple[Any, ...]) -> Attack:
    drawing = start().user("t").end().boundary("b", "t", timer(text, "Cycle"), interrupting=False)
    return drawn(drawing.at("b").script("s", "=1", "x").end("late"), steps=steps)


def calling(*path: str) -> Attack:
    """Each process calls the next one; the first is the one that is sent."""
    drawings = []
    for place, own in enumerate(path[:-1]):
        drawing = process(own).start(f"a{place}").call(f"c{place}", path[place + 1])
        drawings.append(drawing.end(f"b{place}"))
    return drawn(drawings[0], *drawings[1:])


def many(cardinality: str) -> Attack:
    body = f"<bpmn:loopCardinality {FORMAL}>{cardinality}</bpmn:loopCardinality>"
    loop = f"<bpmn:multiInstanceLoopCharacteristics>{body}</bpmn:multiInstanceLoopCharacteristics>"
    return drawn(start().script("s", "=1", "y", loop).end())


def splits(count: int) -> Attack:
    """So many times in a row every token becomes two."""
    drawing = start()
    for number in range(count):
        drawing.gateway("parallel", f"split{number}")
        drawing.gateway("exclusive", f"meet{number}")
        drawing.flow(f"split{number}", f"meet{number}", id=f"second{number}")
    return drawn(drawing.end())


def quantities() -> Attack:
    """Activities that each make a hundred tokens of one."""
    drawing = start()
    for number in range(6):
        drawing.add("task", f"t{number}", completionQuantity="100")
    return drawn(drawing.end())


def signal_itself() -> Attack:
    """An event sub-process that starts on the signal it throws, inside the case."""
    kept = KEPT + SIGNAL_EVENT
    inner = process("x").start("on", SIGNAL_EVENT, isInterrupting="false").throw("again", kept)
    drawing = process(KEY).define(SIGNAL).event_sub("handler", inner.end("done"))
    return drawn(drawing.start().throw("first", kept).user("t").end())


def interrupting_itself() -> Attack:
    """An event sub-process that interrupts and throws the signal it began with."""
    inner = process("x").start("on", SIGNAL_EVENT).throw("again", SIGNAL_EVENT).end("done")
    drawing = process(KEY).define(SIGNAL).event_sub("handler", inner)
    return drawn(drawing.start().throw("first", SIGNAL_EVENT).user("t").end())


def signal_start() -> Attack:
    """A process that starts on the signal that it throws at its end."""
    drawing = process(KEY).define(SIGNAL).start().gateway("exclusive", "meet").end("thrown", SIGNAL_EVENT)
    return drawn(drawing.start("on", SIGNAL_EVENT).to("meet"))


def breeding() -> Attack:
    """A process whose every case begins two more."""
    drawing = process(KEY).define(SIGNAL).start().gateway("exclusive", "meet")
    drawing.throw("one", SIGNAL_EVENT).throw("two", SIGNAL_EVENT).end()
    return drawn(drawing.start("on", SIGNAL_EVENT).to("meet"))


def answering() -> Attack:
    """Two cases that answer each other without end; the other one is begun by the first letter."""
    letters = '<bpmn:message id="mi" name="ping"/><bpmn:message id="mo" name="pong"/>'
    first = process(KEY).define(letters).start().throw("serve", message("mi"))
    first.gateway("exclusive", "again").catch("wait", message("mo")).throw("hit", message("mi"))
    first.gateway("exclusive", "tired", default="tired__again").to("again").at("tired", "1 = 2").end()
    other = process("other").define(letters).start("on", message("mi"))
    other.gateway("exclusive", "again").throw("hit", message("mo")).catch("wait", message("mi"))
    other.gateway("exclusive", "tired", default="tired__again").to("again").at("tired", "1 = 2").end()
    return drawn(first, other)


def depth(calls: int) -> Attack:
    """Processes of which each calls the next one, so deep."""
    drawings = [process(f"p{n}").start(f"a{n}").call(f"c{n}", f"p{n + 1}").end(f"b{n}") for n in range(calls)]
    last = process(f"p{calls}").start("z").script("s", "=1", "x").end("y")
    first = start().call("c", "p0").end()
    return drawn(first, last, *reversed(drawings))


def escalating() -> Attack:
    """An escalation whose handler escalates again."""
    inner = (
        process("x").start("on", ESCALATION_EVENT, isInterrupting="false").throw("again", ESCALATION_EVENT)
    )
    drawing = process(KEY).define(ESCALATION).event_sub("handler", inner.end("done"))
    return drawn(drawing.start().throw("first", ESCALATION_EVENT).user("t").end())


def compensating() -> Attack:
    """A compensation whose handler would be undone again, in a loop."""
    undo = "<bpmn:compensateEventDefinition/>"
    drawing = start().gateway("exclusive", "again").script("work", "=1", "x").throw("undo", undo).to("again")
    drawing.boundary("b", "work", undo).add(
        "scriptTask",
        "handler",
        extension('<zeebe:script expression="=1" resultVariable="y"/>'),
        connect=False,
        isForCompensation="true",
    )
    drawing.associate("b", "handler")
    return drawn(drawing.at("again").end("never"))


def always() -> Attack:
    """A conditional event that is always true, and does not interrupt."""
    drawing = start().user("t").end().boundary("b", "t", condition("true"), interrupting=False)
    return drawn(drawing.at("b").script("s", "=1", "x").end("done"))


def flickering() -> Attack:
    """Two conditional event sub-processes that switch each other on."""
    drawing = process(KEY)
    for own, seen, made in (("one", "x = 1", "=2"), ("two", "x = 2", "=1")):
        inner = process("x").start(f"on_{own}", condition(seen), isInterrupting="false")
        drawing.event_sub(own, inner.script(f"switch_{own}", made, "x").end(f"done_{own}"))
    return drawn(drawing.start().script("begin", "=1", "x").user("t").end())


def boundaries(count: int) -> Attack:
    drawing = start().user("t").end()
    for number in range(count):
        drawing.boundary(f"b{number}", "t", timer(f"PT{number + 1}H")).at(f"b{number}").end(f"e{number}")
    return drawn(drawing, steps=(("pass", "PT1H"),))


def crowd(instances: int, each: int, *steps: tuple[Any, ...]) -> Attack:
    """So many timers, all due at one moment."""
    inner = process("x").start("a")
    inner.gateway("parallel", "split")
    for number in range(each):
        inner.at("split").catch(f"w{number}", timer("PT1H")).end(f"e{number}")
    loop = for_each(f"=for i in 1..{instances} return i", "item")
    return drawn(start().sub("many", inner, loop).end(), steps=steps)


def holding(values: Any) -> Attack:
    return drawn(start().user("t").end(), values=values)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def form(text: str) -> Attack:
    return drawn(start().end(), dmn={"forms/start.form": text.encode()})


def computing(fields: int, rows: int) -> Attack:
    """A form whose every row computes a lot."""
    text = "=count(for i in 1..3000 return i)"
    columns = [{"type": "expression", "key": f"f{n}", "expression": text} for n in range(fields)]
    columns.append({"type": "number", "key": "n"})
    held = {"type": "dynamiclist", "path": "x", "components": columns}
    schema = {"id": "start", "type": "default", "components": [held]}
    values = {"x": [{"n": 1}] * rows}
    return drawn(start().end(), dmn={"forms/start.form": json.dumps(schema).encode()}, values=values)


def pingpong() -> Attack:
    """A task that sends what the same case waits for, again and again."""
    drawing = start().define('<bpmn:message id="m" name="answer"/>').gateway("exclusive", "again")
    drawing.catch("wait", message("m")).to("again").at("again").end("never")
    return drawn(drawing, steps=(("message", "answer"),) * 20)


BOMBS: dict[str, tuple[Send, tuple[str, ...]]] = {
    "53 a loop without a wait": (circle, ("refused:", "incident:TOO_MANY_STEPS")),
    "54 a script 400 times": (lambda: counting(400), ("completed:x=400",)),
    "54 a script far too often": (lambda: counting(50_000), ("incident:TOO_MANY_STEPS",)),
    "54 a costly loop": (costly, ("incident:EXPRESSION",)),
    "54 a list that grows": (growing, STOPS),
    "54 a text that grows": (swelling, ("incident:EXPRESSION",)),
    "55 a cycle without a span": (lambda: reminding("R/PT0S"), ("refused:timer.value",)),
    "55 an expression for it": (lambda: reminding('="R/PT0S"'), ("refused:timer.value",)),
    "56 a thousand million rounds": (lambda: reminding("R1000000000/PT0S"), ("refused:timer.value",)),
    "56 a long outage": (
        lambda: reminding("R1000000000/PT1S", ("pass", "P30D")),
        ("refused:timer.value", "incident:", "active:"),
    ),
    "57 too many years": (lambda: waiting("P1000000000Y"), ("refused:", "incident:TIMER")),
    "57 the end of time": (lambda: waiting("P8000Y"), ("refused:", "incident:TIMER")),
    "57 beyond the end of time": (
        lambda: waiting("9999-12-31T23:59:59-12:00", "Date"),
        ("refused:", "incident:TIMER"),
    ),
    "57 hours with an exponent": (lambda: waiting("PT1E12H"), ("refused:", "incident:")),
    "57 many seconds": (lambda: waiting("PT999999999S"), ("active:",)),
    "58 no such day": (lambda: waiting("2026-02-30T00:00:00Z", "Date"), ("refused:timer.value",)),
    "58 months and weeks": (lambda: waiting("P1M2W"), ("active:", "refused:timer.value")),
    "58 empty": (lambda: waiting(""), ("refused:",)),
    "58 only the letter": (lambda: waiting("P"), STOPS),
    "58 a negative span": (lambda: waiting("-PT5S"), ("refused:timer.value",)),
    "58 a negative expression": (lambda: waiting('=duration("-PT5S")'), ("refused:timer.value",)),
    "58 a span for a date": (lambda: waiting("PT5S", "Date"), ("refused:timer.value",)),
    "58 an expression for a date": (lambda: waiting('=duration("PT5S")', "Date"), ("refused:timer.value",)),
    "58 an unknown zone": (
        lambda: waiting('=date and time("2026-05-01T09:00:00@Mars/Olympus")', "Date"),
        ("refused:timer.value",),
    ),
    "58 no zone": (lambda: waiting("2026-05-01T09:00:00", "Date"), ("refused:timer.value",)),
    "58 a leap second": (lambda: waiting("2026-06-30T23:59:60Z", "Date"), ("refused:timer.value",)),
    "59 a process that calls itself": (lambda: calling(KEY, KEY), STOPS),
    "59 two that call each other": (lambda: calling(KEY, "other", KEY), STOPS),
    "60 a thousand million instances": (lambda: many("1000000000"), ("incident:NUMBER",)),
    "60 too many instances": (lambda: many("20000"), ("incident:COLLECTION",)),
    "60 less than none": (lambda: many("-1"), ("incident:", "refused:")),
    "60 no instance": (lambda: many("0"), ("completed:",)),
    "60 no number": (lambda: many('"NaN"'), ("incident:", "refused:")),
    "60 an expression for no number": (lambda: many("1 / 0"), ("incident:",)),
    "60 a million items": (
        lambda: drawn(start().script("s", "=1", "y", for_each("=for i in 1..99999 return i", "item")).end()),
        ("incident:COLLECTION",),
    ),
    "61 thirty splits": (lambda: splits(30), ("refused:", "incident:TOO_MANY")),
    "61 quantities": (quantities, ("refused:", "incident:TOO_MANY")),
    "59 fifty calls deep": (lambda: depth(50), ("refused:", "incident:TOO_DEEP", "completed:x=1")),
    "62 a signal that starts itself": (signal_itself, STOPS),
    "62 a case that its own signal starts": (signal_start, ("completed:",)),
    "62 a case that starts two by its signals": (breeding, ("completed:",)),
    "62 two cases that answer each other": (answering, ("active:", "incident:JOB_FAILED Endless")),
    "62 message after message": (pingpong, ENDS),
    "63 an interruption that interrupts itself": (interrupting_itself, ENDS),
    "63 an escalation that escalates": (escalating, ENDS),
    "64 a compensation in a loop": (compensating, STOPS),
    "65 a condition that is always true": (always, ("active:", "completed:")),
    "65 conditions that switch each other": (flickering, ENDS),
    "66 a thousand boundary events": (lambda: boundaries(900), ENDS),
    "66 many timers at one moment": (lambda: crowd(10, 100, ("pass", "PT1H")), ENDS),
    "66 timers beyond the limit": (lambda: crowd(60, 200), STOPS),
    "67 a large value": (lambda: holding({"x": "a" * 50_000_000}), ("rejected:",)),
    "67 many keys": (lambda: holding({"x": {f"k{n}": n for n in range(100_000)}}), ("rejected:", "active:")),
    "67 a deep value": (lambda: holding({"x": deep(900)}), ("rejected:",)),
    "67 a form as deep as it gets": (lambda: form('{"components":[' * 100_000), ("refused:form.",)),
    "67 a form that computes for ever": (
        lambda: computing(100, 500),
        ("completed:", "refused:", "rejected:"),
    ),
}
SLOW = {
    "66 many timers at one moment": 20.0,
    "66 timers beyond the limit": 20.0,
    "66 a thousand boundary events": 10.0,
}
HEAVY = {"67 a large value": 600, "67 many keys": 300}


def rows() -> Iterator[Row]:
    for name, (attack, expect) in BOMBS.items():
        yield Row(
            id=name,
            attack=attack,
            expect=expect,
            seconds=SLOW.get(name, 6),
            mb=HEAVY.get(name, 300),
        )
