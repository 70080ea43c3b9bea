"""A Merkle tree over the hashes of entries as RFC 6962 builds it: its root, and proofs that fit on a page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

BLOCK = 1024
"""Leaves whose common hash is kept, so that no root needs every leaf; a power of two."""

EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

Read = Callable[[int, int], Sequence[bytes]]
"""Answers the leaf hashes with start ≤ position < stop."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf. The zero in front keeps it apart from every node."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The tree over the first `size` leaves, read block by block when a proof needs them.

    `blocks` are the roots of its complete blocks from the left, as many as are known.
    """

    def __init__(self, size: int, read: Read, blocks: Sequence[bytes] = ()) -> None:
        self.size = size
        self._read = read
        self._blocks = blocks
        self._leaves: dict[int, Sequence[bytes]] = {}
        self._known: dict[tuple[int, int], bytes] = {}

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves (all of them unless told)."""
        size = self.size if size is None else size
        return self._over(0, self._within(size)) if size else EMPTY

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The path from leaf `index` to the root over `size` leaves, sibling first."""
        size = self._within(self.size if size is None else size)
        if not 0 <= index < size:
            raise ValueError(f"expected a leaf below {size}, found {index}")
        path, start, stop = [], 0, size
        while stop - start > 1:
            middle = start + _left_part(stop - start)
            if index < middle:
                path.append(self._over(middle, stop))
                stop = middle
            else:
                path.append(self._over(start, middle))
                start = middle
        return tuple(reversed(path))

    def consistency(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        """The proof that the tree over `size` leaves begins with the one over the first `old`."""
        size = self._within(self.size if size is None else size)
        if not 0 <= old <= size:
            raise ValueError(f"expected at most {size} leaves, found {old}")
        if old in (0, size):
            return ()
        path, start, stop, is_known = [], 0, size, True
        while old < stop - start:
            middle = start + _left_part(stop - start)
            if old <= middle - start:
                path.append(self._over(middle, stop))
                stop = middle
            else:
                path.append(self._over(start, middle))
                start, old, is_known = middle, old - (middle - start), False
        return tuple(reversed(path if is_known else [*path, self._over(start, stop)]))

    def _within(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise ValueError(f"expected at most {self.size} leaves, found {size}")
        return size

    def _over(self, start: int, stop: int) -> bytes:
        count = stop - start
        if count == 1:
            return self._leaf(start)
        if count == BLOCK and start // BLOCK < len(self._blocks):
            return self._blocks[start // BLOCK]
        if (start, stop) not in self._known:
            middle = start + _left_part(count)
            self._known[start, stop] = node_hash(self._over(start, middle), self._over(middle, stop))
        return self._known[start, stop]

    def _leaf(self, index: int) -> bytes:
        block = index // BLOCK
        if block not in self._leaves:
            self._leaves[block] = self._read(block * BLOCK, min(self.size, (block + 1) * BLOCK))
        return self._leaves[block][index % BLOCK]


class Growing:
    """The root of a tree that gets one leaf after the other and remembers only its edge."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """One more leaf at the right."""
        waiting, edge = self.size, self._edge
        self.size += 1
        while waiting & 1:
            leaf = node_hash(edge.pop(), leaf)
            waiting >>= 1
        edge.append(leaf)

    def root(self) -> bytes:
        """The root over what was added until now."""
        if not self._edge:
            return EMPTY
        *rest, found = self._edge
        for left in reversed(rest):
            found = node_hash(left, found)
        return found


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2); None if it leads nowhere."""
    if not 0 <= index < size:
        return None
    here, last, found = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return None
        if here & 1 or here == last:
            found = node_hash(beside, found)
            here, last = _up_to_odd(here, last)
        else:
            found = node_hash(found, beside)
        here, last = here >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a consistency proof shows that the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if old == 0 or old == new:
        return not path and old_root == (EMPTY if old == 0 else new_root)
    if not 0 < old < new or not path:
        return False
    is_whole = old & (old - 1) == 0
    first, *rest = (old_root, *path) if is_whole else path
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    found_old = found_new = first
    for beside in rest:
        if last == 0:
            return False
        if here & 1 or here == last:
            found_old, found_new = node_hash(beside, found_old), node_hash(beside, found_new)
            here, last = _up_to_odd(here, last)
        else:
            found_new = node_hash(found_new, beside)
        here, last = here >> 1, last >> 1
    return last == 0 and (found_old, found_new) == (old_root, new_root)


def _left_part(count: int) -> int:
    """The largest power of two below `count`: so many leaves stand in the left subtree."""
    return 1 << (count - 1).bit_length() - 1


def _up_to_odd(here: int, last: int) -> tuple[int, int]:
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last
