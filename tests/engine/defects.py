"""The defects of SpiffWorkflow 3.2.0 as it comes: what it does, what we do instead, and where it is shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """One defect. `shown` names the tests that tell it if `tests/engine/test_defects.py` does not."""

    stock: str
    ours: str
    shown: str = ""


DEFECTS = {
    # elements
    "link": Defect("a link throw just passes on", "the token jumps to the catching link"),
    "compensation throw": Defect("a compensation throw just passes on", "what was done is undone"),
    "signal end": Defect("a signal end event throws nothing", "everybody in the case who waits hears it"),
    "error start of an event sub-process": Defect(
        "its handler is ready the moment the case starts", "it starts when the error comes"
    ),
    "condition on a single flow": Defect(
        "a condition on a task's only flow is ignored", "it is asked, and false is an incident"
    ),
    "interrupting event sub-process": Defect(
        "what it should interrupt goes on, and it sees the variables of the case's beginning",
        "it takes over its level with the variables as they are",
    ),
    "boundary events that stay": Defect(
        "a message boundary event that does not interrupt hears its first message only",
        "it hears every message while its activity is open",
    ),
    "quantities": Defect(
        "start and completion quantities are ignored", "tokens are multiplied and collected"
    ),
    # running
    "depth": Defect(
        "a case whose task tree is 1,000 deep is called completed, without an end event",
        "only live tokens exist; 5,000 rounds and 8,760 hours reach their end (test_execution_depth)",
    ),
    "completed tasks that are not found": Defect(
        "a search for completed tasks may leave some out", "the route is what the journal says was passed"
    ),
    "terminate": Defect(
        "a script that was ready in the same moment still runs", "everything that was ready is stopped"
    ),
    "shared nested data": Defect(
        "parallel branches change each other's nested data", "a write makes a new value on its branch"
    ),
    "two timers of one event gateway": Defect(
        "both use the moment of the first", "each has its own moment, the first to come wins"
    ),
    "data of an interrupted sub-process": Defect(
        "what was written inside is lost when an event at its edge ends it", "what was done stays known"
    ),
    "a branch that wrote nothing": Defect(
        "it undoes the other's new value where they join", "only what a branch wrote itself counts"
    ),
    "NameErrors in rare paths": Defect(
        "a multi-instance with an existing output and other rare paths raise NameError",
        "those classes are not used",
        shown="test_execution_activities",
    ),
    # keeping
    "canonical JSON": Defect(
        "a case stored as JSON with sorted keys comes back without its data",
        "snapshots are the same in any order of keys",
    ),
    "data that cannot be kept": Defect(
        "decimals and moments in data cannot be stored", "they are stored exactly"
    ),
    "random identities": Defect(
        "ids are random, clocks are read: no replay is the same", "numbers are counted, moments come in"
    ),
    "migration restarts deadlines": Defect(
        "a new version moves the due moments of waiting tasks and drops drafts",
        "a case keeps the version it was started with",
        shown="test_execution_restart",
    ),
    # timers
    "bare durations": Defect("P14D, as modellers write it, is no expression", "ISO 8601 stands for itself"),
    "cycles after downtime": Defect(
        "missed moments fire one after the other", "they fire as one, and the journal counts them"
    ),
    "month ends": Defect("31 January and P1M are 3 March", "28 February"),
    "leap years": Defect("29 February 2028 and P1Y are 1 March 2029", "28 February 2029"),
    "negative durations": Defect("-PT5S is taken for +5 s", "refused at deploy"),
    "a duration as a date": Defect("a TypeError at run time", "refused at deploy"),
    "naive moments": Defect("they mean the zone of the server when it started", "refused at deploy"),
    "cycles that never let go": Defect("R/PT0S hangs a worker", "refused at deploy"),
    # models
    "a loop that never waits": Defect(
        "it is called completed after 1,000 tasks, without an end event", "an incident says so"
    ),
    "duplicate ids": Defect("accepted, and the case never finishes", "refused at deploy"),
    "calls in a circle": Defect("a worker hangs", "refused, or an incident at a depth of 50"),
    "too many instances": Defect("a worker hangs", "an incident"),
    "data objects far down": Defect(
        "the parser hangs for ever", "they are read by us", shown="test_definition"
    ),
    "Python in a drawing": Defect(
        "any Python of the drawing runs on the server", "there is only FEEL, within a budget"
    ),
    # around it
    "models that the standard forbids": Defect(
        "191 of 301 are accepted", "refused with element, rule and reason", shown="test_definition"
    ),
    "one scheduler only": Defect(
        "two schedulers on one job store fire twice, then one dies",
        "due rows are leased",
        shown="test_workers",
    ),
    "lost on power cut": Defect(
        "acknowledged entries are lost", "every commit is durable before it is answered", shown="test_kills"
    ),
    "a chain alone": Defect(
        "nothing shows what was altered", "digests chain the entries", shown="test_tampering"
    ),
}
