"""How the command line speaks: results on standard output, progress and refusals on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

Item = TypeVar("Item")
BAR = 30


class Voice:
    """Speaks JSON to programs (one document, nothing else) or lines to people."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def answer(self, document: Any, *lines: str) -> None:
        """The result: `document` with --json, else `lines`; the document, indented, if there are none."""
        if self.as_json or not lines:
            print(
                json.dumps(document, ensure_ascii=False, default=_plain, indent=None if self.as_json else 2)
            )
        else:
            print("\n".join(lines))

    def tell(self, *lines: str) -> None:
        """Something worth knowing that is not the result."""
        for line in lines:
            print(line, file=sys.stderr, flush=True)

    def refuse(self, code: str, message: str) -> None:
        """Why nothing was done."""
        if self.as_json:
            self.answer(refusal(code, message))
        else:
            self.tell(f"tidu: {message} [{code}]")

    def refuse_package(self, problems: Iterable[Any]) -> None:
        """Why a package cannot be used."""
        self.answer(*package_report(problems))

    def progress(self, items: Iterable[Item], *, total: int, label: str) -> Iterator[Item]:
        """Hand on `items` while a bar on standard error counts them."""
        step = self.counter(total=total, label=label)
        for number, item in enumerate(items, 1):
            yield item
            step(number)

    def counter(self, *, total: int, label: str) -> Callable[[int], None]:
        """A function that shows that so many of `total` are done: a bar for people, tenths for files."""
        last = -1

        def show(done: int) -> None:
            nonlocal last
            tenth = done * 10 // max(total, 1)
            if sys.stderr.isatty():
                filled = done * BAR // max(total, 1)
                end = "\n" if done >= total else ""
                bar = "█" * filled + "░" * (BAR - filled)
                print(f"\r{label} {bar} {done}/{total}", end=end, file=sys.stderr, flush=True)
            elif tenth != last:
                print(f"{label} {done}/{total}", file=sys.stderr, flush=True)
            last = tenth

        return show


def refusal(code: str, message: str) -> dict[str, Any]:
    """The document that says why nothing was done."""
    return {"error": {"code": code, "message": message}}


def package_report(problems: Iterable[Any]) -> tuple[Any, ...]:
    """A check's answer as document and lines; deployable unless one problem is an error."""
    found = [
        {
            "element": p.element,
            "rule": p.rule,
            "severity": p.severity,
            "message": p.message,
            "message_zh": p.message_zh,
        }
        for p in problems
    ]
    deployable = all(p["severity"] != "error" for p in found)
    lines = [f"{p['severity']:7} {p['element']}: {p['message']} [{p['rule']}]" for p in found]
    return (
        {"deployable": deployable, "problems": found},
        *lines,
        f"deployable: {'yes' if deployable else 'no'}",
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
