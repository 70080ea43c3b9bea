"""Two rule sets side by side: which parameters differ, and which steps that touches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from workflows.library.references import STEP, Reference
from workflows.register.rules import Parameter, RuleSet
from workflows.workshop.rules.coverage import touched


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One parameter that two rule sets see differently; None where a set does not have it."""

    key: str
    before: Parameter | None
    after: Parameter | None
    is_felt: bool
    places: tuple[Reference, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of the policy that are touched; where the parameter belongs to a track, that track's."""
        found = dict.fromkeys(step for place in self.places for step in place.step.split())
        parts = re.split(r"[._]", self.key)  # days.gf_m5, quota.gf: of the steps GF-M5 and SC-M4 the first
        source = self.parameter.source
        own = tuple(step for step in found if step.partition("-")[0].lower() in parts)
        return own or tuple(found) or ((source,) if STEP.fullmatch(source) else ())

    @property
    def parameter(self) -> Parameter:
        """Whichever there is, the newer first."""
        found = self.after or self.before
        assert found is not None
        return found


def compare(before: RuleSet, after: RuleSet, found: Iterable[Reference]) -> tuple[Difference, ...]:
    """Every parameter whose value, source or mark differs, in the order of the newer set.

    `is_felt` says that cases are told another value; `places` who asks for it.
    """
    asking = [one for one in found if one.parameters or one.takes]
    keys = dict.fromkeys((*after.parameters, *before.parameters))
    lines = (_difference(key, before, after, asking) for key in keys)
    return tuple(line for line in lines if line is not None)


def _difference(key: str, before: RuleSet, after: RuleSet, asking: list[Reference]) -> Difference | None:
    old, new = before.parameters.get(key), after.parameters.get(key)
    is_felt = old is None or new is None or before.value(key) != after.value(key)
    if not is_felt and old == new:
        return None
    return Difference(
        key=key,
        before=old,
        after=new,
        is_felt=is_felt,
        places=touched([key], after, asking) if is_felt else (),
    )
