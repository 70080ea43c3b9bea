"""The Merkle tree against vectors of others, every size up to 64, and proofs that somebody made up."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.proof.tree import (
    BLOCK,
    EMPTY,
    Growing,
    Tree,
    is_consistent,
    leaf_hash,
    node_hash,
    root_of_inclusion,
)

# The inputs and roots that the tests of Certificate Transparency have used since 2012.
INPUTS = (
    *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
    "606162636465666768696a6b6c6d6e6f",
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
LEAVES = [leaf_hash(str(number).encode()) for number in range(64)]
STRANGE = hashlib.sha256(b"made up").digest()
ZERO = bytes(32)


def tree_of(size, leaves=LEAVES):
    return Tree(size, lambda start, stop: leaves[start:stop])


def by_definition(leaves):
    """RFC 6962, 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_the_public_vectors_come_out(size):
    leaves = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]

    assert tree_of(8, leaves).root(size).hex() == ROOTS[size - 1]


def test_an_empty_tree_has_the_hash_of_nothing():
    assert tree_of(0).root() == EMPTY == by_definition([])


@pytest.mark.parametrize("size", range(1, 65))
def test_every_leaf_of_every_size_is_proved_and_nothing_else_is(size):
    tree = tree_of(size)
    assert tree.root() == by_definition(LEAVES[:size])
    for index in range(size):
        path = tree.inclusion(index)

        assert root_of_inclusion(LEAVES[index], index, size, path) == tree.root()
        for leaf, place, of, forged in forged_inclusions(LEAVES[index], index, size, path):
            assert root_of_inclusion(leaf, place, of, forged) != tree.root()


def forged_inclusions(leaf, index, size, path):
    """Another leaf, place or size; a node too many, too few, exchanged, or nought."""
    yield STRANGE, index, size, path
    yield from ((leaf, other, size, path) for other in (index - 1, index + 1, size, -1))
    yield leaf, index, size, (*path, STRANGE)
    yield leaf, index, size, (STRANGE, *path)
    yield leaf, index, 0, path
    for place in range(len(path)):
        yield leaf, index, size, path[:place] + path[place + 1 :]
        yield leaf, index, size, (*path[:place], ZERO, *path[place + 1 :])
        yield leaf, index, size, (*path[:place], STRANGE, *path[place:])
    if len(set(path)) > 1:
        yield leaf, index, size, tuple(reversed(path))


@pytest.mark.parametrize("size", range(1, 65))
def test_every_size_is_consistent_with_all_before_and_no_proof_can_be_made_up(size):
    tree = tree_of(size)
    for old in range(size + 1):
        path, before, now = tree.consistency(old), tree.root(old), tree.root()

        assert is_consistent(old, before, size, now, path)
        assert not is_consistent(old, STRANGE, size, now, path)
        assert not is_consistent(old, before, size, STRANGE, path) or old == 0
        assert not is_consistent(old, before, size, now, (*path, STRANGE))
        assert not is_consistent(size + 1, before, size, now, path)
        for place in range(len(path)):
            without = path[:place] + path[place + 1 :]
            changed = (*path[:place], ZERO, *path[place + 1 :])
            assert not is_consistent(old, before, size, now, without)
            assert not is_consistent(old, before, size, now, changed)


def test_a_history_written_anew_is_consistent_with_nothing_it_had_before():
    other = [*LEAVES[:20], STRANGE, *LEAVES[21:]]
    for old in range(21, 64):
        before, anew = tree_of(64).root(old), tree_of(64, other)

        assert not is_consistent(old, before, 64, anew.root(), anew.consistency(old))


def test_the_growing_edge_has_the_root_at_every_size():
    growing = Growing()
    for size in range(65):
        assert (growing.size, growing.root()) == (size, by_definition(LEAVES[:size]))
        if size < 64:
            growing.add(LEAVES[size])


def test_kept_blocks_spare_the_leaves_and_change_nothing():
    size = 3 * BLOCK + 5
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    plain = tree_of(size, leaves)
    blocks = [tree_of(BLOCK, leaves[start : start + BLOCK]).root() for start in range(0, 3 * BLOCK, BLOCK)]
    read = []

    def watched(start, stop):
        read.append(start)
        return leaves[start:stop]

    spared = Tree(size, watched, blocks)
    assert spared.root() == plain.root()
    assert read == [3 * BLOCK]
    for index in (0, BLOCK - 1, BLOCK, 2 * BLOCK + 7, size - 1):
        assert spared.inclusion(index) == plain.inclusion(index)
    for old in (1, BLOCK, BLOCK + 1, 2 * BLOCK, size - 1):
        assert spared.consistency(old) == plain.consistency(old)


@settings(deadline=None, database=None, derandomize=True)
@given(st.data())
def test_any_two_sizes_agree_about_any_leaf_they_share(data):
    size = data.draw(st.integers(2, 300))
    leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]
    old = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, old - 1))
    tree = tree_of(size, leaves)

    assert root_of_inclusion(leaves[index], index, old, tree.inclusion(index, old)) == tree.root(old)
    assert is_consistent(old, tree.root(old), size, tree.root(), tree.consistency(old))
    if index + 1 < old:
        assert root_of_inclusion(leaves[index], index + 1, old, tree.inclusion(index, old)) != tree.root(old)


@pytest.mark.parametrize("ask", [lambda t: t.inclusion(5), lambda t: t.root(6), lambda t: t.consistency(6)])
def test_what_lies_beyond_the_tree_cannot_be_proved(ask):
    with pytest.raises(ValueError, match="expected"):
        ask(tree_of(5))
