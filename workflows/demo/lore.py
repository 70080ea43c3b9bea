"""What the played examples know: what a full application looks like, and what people fill in where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from workflows.demo.chance import Chance
from workflows.library.packages import Package

Values = dict[str, Any]
SPREAD = 4
"""Per cent by which measured numbers differ between units."""


USUAL = 60
"""Per cent of the times people fill in what the first example did: examples show the rare far too often."""


@dataclass(frozen=True, kw_only=True)
class Lore:
    """Values by (element, outcome), in the order of the examples; `starts` holds the start forms.

    `first` is what the first example chose at each element: the story of the first, fully filled case.
    """

    starts: tuple[Values, ...]
    first: Mapping[str, str | None]
    done: Mapping[tuple[str, str | None], tuple[Values, ...]]
    said: Mapping[str, tuple[Values, ...]]

    def values(self, element: str, outcome: str | None, chance: Chance) -> Values:
        """What somebody filled in at `element` when they chose `outcome`; {} where no example tells."""
        known = self.done.get((element, outcome), ())
        if known and chance.happens(USUAL):
            return dict(known[0])
        return dict(chance.one_of(known)) if known else {}

    def earliest(self, element: str, outcome: str | None) -> Values:
        """What the first example that came this way filled in at `element`."""
        return dict(next(iter(self.done.get((element, outcome), ())), {}))

    def words(self, message: str, chance: Chance) -> Values:
        """What came with a message of this name."""
        known = self.said.get(message, ())
        return dict(chance.one_of(known)) if known else {}


NONE = Lore(starts=(), first={}, done={}, said={})
"""What is known of a process that nobody of the season begins by an application."""


def read_lore(packages: Sequence[Package], *, first: str) -> Lore:
    """Everything the examples of these packages show; the one called `first` comes first."""
    examples = list(_examples(packages, first))
    done: dict[tuple[str, str | None], list[Values]] = {}
    said: dict[str, list[Values]] = {}
    for example in examples:
        for step in example.get("steps", ()):
            _note(step, done, said)
    story = {key: values for example in examples[:1] for key, values in _choices(example)}
    return Lore(
        first=story,
        starts=tuple(example.get("start", {}).get("values", {}) for example in examples),
        done={key: tuple(values) for key, values in done.items()},
        said={key: tuple(values) for key, values in said.items()},
    )


def read_common(packages: Mapping[str, Sequence[Package]]) -> dict[str, Lore]:
    """By process, everything that the examples of any of them show: a letter's case is shown in those of its
    sender. What a first page looks like is known of its own process only."""
    every = {package.digest: package for own in packages.values() for package in own}
    known = read_lore(tuple(every.values()), first="")
    starts = {process: read_lore(own[:1], first="").starts for process, own in packages.items()}
    return {process: replace(known, first={}, starts=starts[process]) for process in packages}


def varied(value: Any, chance: Chance) -> Any:
    """The same data of another unit: measured numbers (those with decimals) differ a little."""
    match value:
        case dict():
            return {key: varied(inner, chance) for key, inner in value.items()}
        case list():
            return [varied(inner, chance) for inner in value]
        case Decimal() if (places := -int(value.as_tuple().exponent)) > 0:
            factor = Decimal(100 + chance.between(-SPREAD, SPREAD)) / 100
            return (value * factor).quantize(Decimal(1).scaleb(-places))
    return value


def _examples(packages: Sequence[Package], first: str) -> Iterator[dict[str, Any]]:
    files = [
        (path != f"examples/{first}.json", path, data)
        for package in packages
        for path, data in sorted(package.files.items())
        if path.startswith("examples/")
    ]
    for _, _, data in sorted(files, key=lambda file: file[0]):  # stable: the packages' order stays
        yield json.loads(data, parse_float=Decimal)


def _choices(example: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for step in example.get("steps", ()):
        if (element := step.get("do") or step.get("complete")) is not None:
            yield element, (step.get("values") or {}).get("outcome")


def _note(
    step: Mapping[str, Any],
    done: dict[tuple[str, str | None], list[Values]],
    said: dict[str, list[Values]],
) -> None:
    values = dict(step.get("values") or {})
    if (message := step.get("message")) is not None:
        said.setdefault(message, []).append(values)
    if (element := step.get("do") or step.get("complete")) is not None:
        outcome = values.pop("outcome", None)
        done.setdefault((element, outcome), []).append(values)
