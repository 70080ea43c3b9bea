"""Which branch wrote what, and how branches become one again.

A token knows its forks, outermost first, as frames: the fork's number and the names written since then
on this branch. Where branches meet, only what a branch wrote itself counts. If two wrote the same name,
the later part in the given order wins; joins give the order of their incoming flows in the file, levels
that of their end events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.values import Value

Frame = tuple[int, frozenset[str]]
Frames = tuple[Frame, ...]
MISSING = object()
_NESTS = (dict, list)


@dataclass(frozen=True)
class Part:
    """The variables of one branch and where it comes from."""

    data: Mapping[str, Value]
    frames: Frames = ()


def merge(parts: Sequence[Part]) -> Part:
    """One branch out of several, in the order that decides."""
    merged = parts[0]
    for part in parts[1:]:
        merged = _merge_two(merged, part)
    return merged


def _merge_two(first: Part, second: Part) -> Part:
    common = _common(first.frames, second.frames)
    if common < 0:
        names: Iterable[str] = [k for k, v in second.data.items() if not same(first.data.get(k, MISSING), v)]
    else:
        names = sorted(written(second.frames[common:]))
    data = dict(first.data)
    for name in names:
        if name in second.data:
            data[name] = second.data[name]
        else:
            data.pop(name, None)
    if common < 0:
        return Part(data, first.frames or second.frames)
    fork, _ = first.frames[common]
    both = written(first.frames[common:]) | written(second.frames[common:])
    return Part(data, (*first.frames[:common], (fork, both)))


def _common(first: Frames, second: Frames) -> int:
    """The index of the last fork that both come from; -1 if there is none."""
    index = -1
    for (one, _), (other, _) in zip(first, second, strict=False):
        if one != other:
            break
        index += 1
    return index


def written(frames: Frames) -> frozenset[str]:
    """All names written in these frames."""
    return frozenset().union(*(names for _, names in frames))


def wrote(frames: Frames, names: Collection[str]) -> Frames:
    """The frames after these names were written on this branch."""
    if not frames or not names:
        return frames
    fork, before = frames[-1]
    return (*frames[:-1], (fork, before | frozenset(names)))


def forked(frames: Frames, fork: int) -> Frames:
    """The frames of a branch that starts at `fork`."""
    return (*frames, (fork, frozenset()))


def pruned(frames: Frames, shared: Collection[int]) -> Frames:
    """Without the forks from which no other branch is left; what was written moves to the fork below."""
    kept: list[Frame] = []
    for fork, names in frames:
        if fork in shared:
            kept.append((fork, names))
        elif kept:
            kept[-1] = (kept[-1][0], kept[-1][1] | names)
    return tuple(kept)


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same value: true is not 1."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def fresh(value: Value) -> Value:
    """A copy that shares no list and no context with the original."""
    if isinstance(value, dict):
        return {k: fresh(item) if isinstance(item, _NESTS) else item for k, item in value.items()}
    if isinstance(value, list):
        return [fresh(item) if isinstance(item, _NESTS) else item for item in value]
    return value
