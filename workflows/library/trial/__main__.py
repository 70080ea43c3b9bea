"""The trial's own process: answers one question after the other, within limits it cannot lift again.

`python -m workflows.library.trial CPU_SECONDS MEMORY_MB`. It reaches no network, starts no program and
writes no file; what takes too long is ended by the system, what takes too much memory says so and ends.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import asdict
from datetime import datetime
from typing import IO

from engine.definition.model import Sources
from engine.errors import BadDefinition, InvalidInput
from engine.values import from_json
from workflows.library.trial.verdict import decide, judge
from workflows.library.trial.wire import Message, receive, send, unpacked

if sys.platform != "win32":
    import resource

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
FORBIDDEN = (
    *("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system"),
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil."),
    *("ctypes.", "urllib.", "ftplib.", "smtplib."),
)


def main(questions: IO[bytes], answers: IO[bytes], *, cpu_seconds: int, memory_mb: int) -> None:
    """Answer until nobody asks any more."""
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks decides when it is over
    sys.addaudithook(forbid)
    limit_memory(memory_mb)
    try:
        while (question := receive(questions)) is not None:
            limit_time(cpu_seconds)
            send(answers, answer_to(question))
    except MemoryError:
        send(answers, {"exceeded": "memory"})


def answer_to(question: Message) -> Message:
    """What the engine says to one question, as JSON."""
    try:
        if "decision" in question:
            return _decided(question)
        return {"problems": [asdict(problem) for problem in judge(sources_in(question), forms_in(question))]}
    except BadDefinition as error:
        return {"problems": [asdict(problem) for problem in error.problems]}
    except InvalidInput as error:
        return {"refused": str(error), "code": error.code}


def sources_in(question: Message) -> Sources:
    """The drawings and decisions of a question."""
    files = {kind: unpacked(question[kind]) for kind in ("bpmn", "dmn")}
    return Sources(process_id=question["process"], **files)


def forms_in(question: Message) -> dict[str, bytes]:
    """The forms of a question."""
    return unpacked(question["forms"])


def forbid(event: str, arguments: tuple[object, ...]) -> None:
    """The audit hook: nothing leaves this process but its answers. Raises PermissionError."""
    is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
    if is_write or event.startswith(FORBIDDEN):
        raise PermissionError(f"a trial does not do {event}")


def limit_memory(megabytes: int) -> None:
    """From now on this process has so much address space and leaves no core behind."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(seconds: int) -> None:
    """The system ends this process after so many more seconds of work."""
    if sys.platform != "win32":
        used = resource.getrusage(resource.RUSAGE_SELF)
        whole = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (whole, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _decided(question: Message) -> Message:
    made = decide(
        tuple(unpacked(question["dmn"]).values()),
        question["decision"],
        {name: from_json(value) for name, value in question["inputs"].items()},
        service=question["service"],
        now=datetime.fromisoformat(question["now"]),
    )
    return {"value": made.value, "matched": list(made.matched)}


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer, cpu_seconds=int(sys.argv[1]), memory_mb=int(sys.argv[2]))
