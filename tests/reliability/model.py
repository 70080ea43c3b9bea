"""What a small process should do, in a page: the model that any order of commands is held against."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.engine.drawing import MESSAGE, SIGNAL, SIGNAL_EVENT, message, process, timer
from workflows.library.packages import DRAWING, Package, read_files

LEADER, OUTSIDER = "lz.leader", "dee"
OFFICERS = ("lz.officer", "lz.officer2")
CANDIDATES = (*OFFICERS, LEADER)
PEOPLE = (*CANDIDATES, OUTSIDER)
GROUPS = "municipal_officer@620100, municipal_leader@620100"
ELEMENTS = ("check", "left", "right", "last", "extra")
DEADLINE = 10
"""Hours after which an application that nobody has checked has lapsed."""

VARIANTS = ("short", "long")


def package(variant: str) -> Package:
    """The process in one of two versions: the long one has a task more at its end."""
    drawing = process("modelled").define(MESSAGE).define(SIGNAL).start().user("check", GROUPS)
    drawing.job("look", "register.lookup").gateway("parallel", "fork")
    drawing.at("fork").user("left", GROUPS).gateway("parallel", "join")
    drawing.at("fork").user("right", GROUPS).to("join")
    drawing.at("join").user("last", GROUPS, result='" notSameAs="check')
    if variant == "long":
        drawing.user("extra", GROUPS)
    drawing.end("done")
    drawing.boundary("late", "check", timer(f"PT{DEADLINE}H")).end("lapsed")
    drawing.boundary("said", "check", message("m")).end("withdrawn")
    drawing.boundary("told", "last", SIGNAL_EVENT).end("stopped")
    return read_files({DRAWING: drawing.xml})


@dataclass
class Hands:
    """Who holds a task, and who gets it back."""

    holder: str | None = None
    owner: str | None = None


@dataclass
class Modelled:
    """All that matters about one case: what is open in whose hands, who checked, what is due."""

    variant: str
    due: int
    status: str = "active"
    open: dict[str, Hands] = field(default_factory=lambda: {"check": Hands()})
    checked_by: str | None = None
    job: str | None = None

    # --- who may ----------------------------------------------------------------------------------------

    def has(self, element: str) -> Hands | None:
        """The open task, while the case is active."""
        return self.open.get(element) if self.status == "active" else None

    def fits(self, element: str, person: str) -> bool:
        """Whether a task may be in these hands."""
        return person in CANDIDATES and not (element == "last" and person == self.checked_by)

    def may_claim(self, element: str, who: str) -> bool:
        task = self.has(element)
        return task is not None and self.fits(element, who) and task.holder in (None, who)

    def holds(self, element: str, who: str) -> bool:
        task = self.has(element)
        return task is not None and task.holder == who

    def may_complete(self, element: str, who: str) -> bool:
        return self.holds(element, who) and self.open[element].owner is None

    def may_delegate(self, element: str, who: str, to: str) -> bool:
        return self.may_complete(element, who) and self.fits(element, to)

    def may_resolve(self, element: str, who: str) -> bool:
        return self.holds(element, who) and self.open[element].owner is not None

    def may_transfer(self, element: str, who: str, to: str) -> bool:
        leads = self.has(element) is not None and who == LEADER
        return (leads or self.holds(element, who)) and self.fits(element, to)

    def may_hear(self, message: str) -> bool:
        return message == "answer" and self.has("check") is not None

    def may_finish(self) -> bool:
        return self.status == "active" and self.job == "waiting"

    def may_mend(self) -> bool:
        return self.status == "active" and self.job == "incident"

    def may_steer(self, act: str, who: str) -> bool:
        asked = {"suspend": ("active",), "resume": ("suspended",), "terminate": ("active", "suspended")}
        return who == LEADER and self.status in asked[act]

    # --- what follows -----------------------------------------------------------------------------------

    def complete(self, element: str) -> None:
        by = self.open.pop(element).holder
        if element == "check":
            self.checked_by, self.job = by, "waiting"
        elif element in ("left", "right") and not self.open:
            self.open["last"] = Hands()
        elif element == "last" and self.variant == "long":
            self.open["extra"] = Hands()
        elif element in ("last", "extra"):
            self.end("completed")

    def finish(self) -> None:
        self.job = None
        self.open = {"left": Hands(), "right": Hands()}

    def hear_signal(self) -> None:
        if "last" in self.open:
            self.end("completed")

    def lapse(self, hour: int) -> None:
        """What a clock brings about."""
        if self.has("check") is not None and hour >= self.due:
            self.end("completed")

    def steer(self, act: str) -> None:
        if act == "terminate":
            self.end("terminated")
        else:
            self.status = {"suspend": "suspended", "resume": "active"}[act]

    def end(self, status: str) -> None:
        self.status, self.open, self.job = status, {}, None
