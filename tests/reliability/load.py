"""Clients at work: they start, claim and complete over the API, and never let go of an unanswered request."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field

from tests.reliability.installation import Answer, Installation

PAUSE = 0.05
START = "/process-definition/key/small_review/start"
ROUTE = (("lz.officer", "accepted"), ("lz.leader", "agreed"), ("dee", None), ("amr", None))
"""Who completes the tasks of a small review one after the other, and with which button."""
PEOPLE = ("app01", "prov.officer", *(person for person, _ in ROUTE))


@dataclass(frozen=True)
class Completion:
    """A completion that a server acknowledged."""

    task_id: str
    by: str
    opinion: str


@dataclass
class Load:
    """Some clients, what they were told, and what surprised them. `patience`: seconds until they give up
    waiting for an answer and ask again; `pace`: those at most that they rest between two tasks."""

    house: Installation
    clients: int
    seed: int
    patience: float = 60.0
    pace: float = PAUSE
    started: list[str] = field(default_factory=list)
    completed: list[Completion] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    repeated: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        for person in PEOPLE:
            self.house.token(person)
        for number in range(self.clients):
            thread = threading.Thread(target=self._work, args=(number,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def end(self) -> None:
        """Nobody begins anything new; what was asked is asked until it is answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=120)
            assert not thread.is_alive(), "a client never got its answer"

    def _work(self, number: int) -> None:
        dice = random.Random(f"{self.seed}/{number}")
        turn = 0
        while not self._stop.is_set():
            turn += 1
            try:
                self._carry_one_case(f"{self.seed}-{number}-{turn}", dice)
            except Exception as error:  # a client that dies unseen would make the test believe all is well
                self.surprises.append(f"{type(error).__name__}: {error}")
                return

    def _carry_one_case(self, name: str, dice: random.Random) -> None:
        begun = self._ask("POST", START, {"values": {"days": 3}}, by="app01", key=f"start-{name}")
        if not self._expected(begun, 201, f"start {name}"):
            return
        self.started.append(begun.body["id"])
        waiting = [task["id"] for task in begun.body["tasks"]]
        for place, (person, outcome) in enumerate(ROUTE):
            if self._stop.is_set() or not waiting:
                return
            waiting = self._do(waiting, f"{name}-{place}", person, outcome)
            time.sleep(dice.uniform(0, self.pace))

    def _do(self, waiting: list[str], name: str, person: str, outcome: str | None) -> list[str]:
        """Claim and complete the first task that waits; what waits then."""
        task, others = waiting[0], waiting[1:]
        claimed = self._ask("POST", f"/task/{task}/claim", None, by=person, key=f"claim-{name}")
        if not self._expected(claimed, 204, f"claim {task}"):
            return []
        opinion = f"意见 {name}"
        body = {"values": {"opinion": opinion}, **({"outcome": outcome} if outcome else {})}
        done = self._ask("POST", f"/task/{task}/complete", body, by=person, key=f"done-{name}")
        if not self._expected(done, 200, f"complete {task}"):
            return []
        self.completed.append(Completion(task, person, opinion))
        return others + [task["id"] for task in done.body["nextTasks"]]

    def _ask(self, method: str, path: str, body: object, *, by: str, key: str) -> Answer:
        """Until there is an answer: nobody knows whether an unanswered request happened."""
        while True:
            answer = self.house.api(method, path, body, by=by, timeout=self.patience, Idempotency_Key=key)
            if answer.status not in (0, 502, 503):
                self.repeated += "Idempotency-Replayed" in answer.headers
                return answer
            time.sleep(PAUSE)

    def _expected(self, answer: Answer, status: int, what: str) -> bool:
        if answer.status != status:
            self.surprises.append(f"{what}: {answer.status} {answer.body}")
        return answer.status == status
