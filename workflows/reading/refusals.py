"""Why a case was refused: the rules whose answers said so, with the facts they found, from the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from workflows.library.annotations import Annotation
from workflows.reading.moments import Decision, Standing

REFUSAL = "refusal"
"""The entry of a decision's value that holds the reason, `{zh, en}`; null where the rule refuses nothing."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One rule that refused. `seq` is the entry of its decision, `row` its place in the table, from 1;
    `clause` what it names, a clause or a step; `zh` and `en` the reason with its facts, as journalled."""

    seq: int
    element: str
    decision: str
    rule: str
    row: int
    clause: str
    is_inferred: bool
    zh: str
    en: str


def refusals_of(standing: Standing, rules: Mapping[str, Annotation]) -> tuple[Refusal, ...]:
    """The refusals that stood when a case ended, in the order of their decisions; none of one that goes on.

    Where an element decided several times, its last decision counts: what was mended meanwhile refuses
    nothing. `rules` are the annotations of the tables the case is pinned to, by rule id.
    """
    if standing.status != "completed":
        return ()
    last = {made.element: made for made in standing.decisions}
    found = [one for made in last.values() for one in _refusals(made, rules)]
    return tuple(sorted(found, key=lambda one: one.seq))


def _refusals(made: Decision, rules: Mapping[str, Annotation]) -> Iterator[Refusal]:
    for rule, reason in zip(made.matched, _reasons(made.value), strict=False):
        if reason is not None:
            told = rules.get(rule)
            yield Refusal(
                seq=made.seq,
                element=made.element,
                decision=made.decision,
                rule=rule,
                row=told.row if told else 0,
                clause=told.clause if told else "",
                is_inferred=told.is_inferred if told else False,
                zh=str(reason.get("zh") or ""),
                en=str(reason.get("en") or reason.get("zh") or ""),
            )


def _reasons(value: object) -> Iterable[Mapping[str, object] | None]:
    """The reason of every rule that matched: a table gives one value, or a list with one for each."""
    for one in value if isinstance(value, list) else [value]:
        told = one.get(REFUSAL) if isinstance(one, Mapping) else None
        yield told if isinstance(told, Mapping) else None
