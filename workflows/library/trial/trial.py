"""Ask a process that can be killed: a drawing that hangs or swallows memory becomes a finding."""

from __future__ import annotations

import signal
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Timer

from engine.definition.checks.finding import error
from engine.definition.model import Sources
from engine.errors import BadDefinition, InvalidInput, Problem
from engine.values import Value, to_json
from workflows.library.trial.verdict import Decided
from workflows.library.trial.wire import Message, packed, receive, send

HOUSE = Path(__file__).parents[3]
AT_ONCE = 2
"""So many drawings are tried at the same time; others wait for their turn."""

EXCEEDED = {
    "time": ("took longer than it may", "超过允许的时间"),
    "memory": ("took more memory than it may", "超过允许的内存"),
    "crash": ("ended the process that checked it", "导致校验进程意外终止"),
    "busy": ("found no free place", "没有空闲的校验进程"),
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one drawing may take. Where the system knows no limits (Windows) only `wall_seconds` holds."""

    wall_seconds: int = 10
    cpu_seconds: int = 5
    memory_mb: int = 1024


class Trial:
    """Warm processes that check what somebody sent. Safe for several threads; none starts before it is asked.

    A process that exceeds a limit or dies is replaced; the one who asked gets a finding `trial.time`,
    `trial.memory`, `trial.crash`, or `trial.busy` if all places were taken for longer than the limit.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._places: LifoQueue[_Process | None] = LifoQueue()
        for _ in range(AT_ONCE):
            self._places.put(None)
        self._finish = weakref.finalize(self, _end, self._places)

    def check(self, given: Sources, forms: Mapping[str, bytes]) -> tuple[Problem, ...]:
        """What `verdict.judge` says, or the limit that was exceeded."""
        question: Message = {
            "process": given.process_id,
            "bpmn": packed(given.bpmn),
            "dmn": packed(given.dmn),
            "forms": packed(forms),
        }
        answer = self._ask(question)
        if "exceeded" in answer:
            return (
                _finding(given.process_id, answer["exceeded"], "the check of this process", "校验该流程"),
            )
        return tuple(Problem(**problem) for problem in answer["problems"])

    def decide(
        self,
        models: Sequence[bytes],
        decision: str,
        inputs: Mapping[str, Value],
        *,
        service: str = "",
        now: datetime,
    ) -> Decided:
        """What `verdict.decide` says. Raises BadDefinition, also for an exceeded limit, and InvalidInput."""
        question: Message = {
            "decision": decision,
            "service": service,
            "dmn": packed({str(place): data for place, data in enumerate(models)}),
            "inputs": {name: to_json(value) for name, value in inputs.items()},
            "now": now.isoformat(),
        }
        answer = self._ask(question)
        if "exceeded" in answer:
            raise BadDefinition((_finding(decision, answer["exceeded"], "this decision", "计算该决策"),))
        if "problems" in answer:
            raise BadDefinition(tuple(Problem(**problem) for problem in answer["problems"]))
        if "refused" in answer:
            raise InvalidInput(answer["refused"], code=answer["code"])
        return Decided(value=answer["value"], matched=tuple(answer["matched"]))

    def close(self) -> None:
        """End the processes: nobody will ask any more. Otherwise they end with their server."""
        self._finish()

    def _ask(self, question: Message) -> Message:
        try:
            warm = self._places.get(timeout=self.limits.wall_seconds)
        except Empty:
            return {"exceeded": "busy"}
        kept = None
        try:
            kept, answer = self._put_to(warm, question)
            if warm is not None and answer.get("exceeded") in ("memory", "crash"):
                kept, answer = self._put_to(None, question)  # those before it may have left too little
            return answer
        finally:
            self._places.put(kept)

    def _put_to(self, process: _Process | None, question: Message) -> tuple[_Process | None, Message]:
        """The answer, and the process if it can be asked again."""
        process = process or _Process(self.limits)
        answer = process.answer(question, within=self.limits.wall_seconds)
        if "exceeded" not in answer and not process.is_stopped:
            return process, answer
        process.end()
        return None, answer


class _Process:
    """One running `python -m workflows.library.trial`, with nothing of our environment, so with no secret."""

    def __init__(self, limits: Limits) -> None:
        self._process = started = subprocess.Popen(
            [sys.executable, "-m", "workflows.library.trial", str(limits.cpu_seconds), str(limits.memory_mb)],
            cwd=HOUSE,
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert started.stdin is not None
        assert started.stdout is not None
        self._questions, self._answers = started.stdin, started.stdout
        self.is_stopped = False

    def answer(self, question: Message, *, within: int) -> Message:
        """The answer, or which limit was exceeded."""
        watch = Timer(within, self._stop)
        watch.daemon = True
        watch.start()
        try:
            with suppress(OSError):  # it may have answered and gone before it had read everything
                send(self._questions, question)
            answer = receive(self._answers)
        finally:
            watch.cancel()
        return {"exceeded": self._why_gone()} if answer is None else answer

    def end(self) -> None:
        """Whatever it does, it is over."""
        self._process.kill()
        self._process.wait()
        self._answers.close()
        with suppress(OSError):  # a half-written question to somebody who is gone
            self._questions.close()

    def _stop(self) -> None:
        self.is_stopped = True
        self._process.kill()

    def _why_gone(self) -> str:
        ended_by = -self._process.wait()
        worked_too_long = ended_by == getattr(signal, "SIGXCPU", None)
        return "time" if self.is_stopped or worked_too_long else "crash"


def _end(places: LifoQueue[_Process | None]) -> None:
    """Nobody will ask any more."""
    while not places.empty():
        if (process := places.get()) is not None:
            process.end()


def _finding(element: str, what: str, of: str, of_zh: str) -> Problem:
    says, says_zh = EXCEEDED[what]
    return error(
        element,
        f"trial.{what}",
        f"{of} {says}; make it smaller and try again",
        f"{of_zh}{says_zh}，请精简后重试",
    )
