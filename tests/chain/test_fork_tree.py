"""The fork tree alone: linking, branches, invalid blocks, the cache of blocks without a parent."""

from __future__ import annotations

import pytest

from chain import fork_tree
from chain.fork_tree import NO_BLOCK_ID, ForkTree
from protocol.block import Block
from protocol.codec import Codec
from protocol.errors import BlockLinkError, Rejected
from protocol.identity import STEEM_MAINNET

CODEC = Codec(STEEM_MAINNET)


def make(previous: bytes, timestamp: int = 3) -> Block:
    return Block.make(CODEC, previous=previous, timestamp=timestamp, witness="w")


def make_chain(previous: bytes, count: int, seed: int = 0) -> list[Block]:
    blocks = []
    for number in range(count):
        blocks.append(make(previous, 1000 * seed + number))
        previous = blocks[-1].id
    return blocks


def test_blocks_link_and_branches_meet_at_their_ancestor() -> None:
    tree = ForkTree()
    trunk = make_chain(NO_BLOCK_ID, 3)
    left, right = make_chain(trunk[-1].id, 2, 1), make_chain(trunk[-1].id, 4, 2)
    for block in (*trunk, *left, *right):
        tree.push(block)
    new, old = tree.branches(right[-1].id, left[-1].id)
    assert [item.id for item in new] == [block.id for block in reversed(right)]
    assert [item.id for item in old] == [block.id for block in reversed(left)]
    assert tree.branches(trunk[0].id, right[0].id)[0] == []
    assert [item.id for item in tree.blocks_at(4)] == [left[0].id, right[0].id]


def test_main_branch_is_found_by_number() -> None:
    tree = ForkTree()
    trunk = make_chain(NO_BLOCK_ID, 2)
    left, right = make_chain(trunk[-1].id, 2, 1), make_chain(trunk[-1].id, 3, 2)
    for block in (*trunk, *left, *right):
        tree.push(block)
    tree.set_head(right[-1].id)
    item = tree.find_on_main_branch(3)
    assert item is not None and item.id == right[0].id
    tree.set_head(left[-1].id)
    item = tree.find_on_main_branch(3)
    assert item is not None and item.id == left[0].id
    assert tree.find_on_main_branch(5) is None


def test_a_block_without_parent_waits_for_it() -> None:
    tree = ForkTree()
    first, second, third = make_chain(NO_BLOCK_ID, 3)
    with pytest.raises(BlockLinkError):
        tree.push(third)
    with pytest.raises(BlockLinkError):
        tree.push(second)
    assert third.id in tree and tree.find(third.id) is None
    tree.push(first)
    assert tree.take_linked(first.id) == [second]
    assert tree.take_linked(first.id) == []
    assert tree.unlinked_count == 1


def test_the_cache_of_waiting_blocks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_tree, "UNLINKED_BLOCKS_MAX", 3)
    tree = ForkTree()
    blocks = make_chain(bytes((0, 0, 0, 9)) + bytes(16), 5)
    for block in blocks:
        with pytest.raises(BlockLinkError):
            tree.push(block)
    assert tree.unlinked_count == 3
    assert blocks[0].id not in tree and blocks[4].id in tree


def test_an_invalid_block_takes_its_descendants_along_and_is_remembered() -> None:
    tree = ForkTree()
    blocks = make_chain(NO_BLOCK_ID, 4)
    for block in blocks:
        tree.push(block)
    tree.mark_invalid(blocks[1].id)
    assert [block.id in tree for block in blocks] == [True, False, False, False]
    for block in blocks[1:]:
        assert tree.is_invalid(block.id)
        with pytest.raises(Rejected):
            tree.push(block)
    child = make(blocks[3].id, 77)
    with pytest.raises(Rejected):
        tree.push(child)
    assert tree.is_invalid(child.id)


def test_a_new_root_drops_branches_that_do_not_pass_it() -> None:
    tree = ForkTree()
    trunk = make_chain(NO_BLOCK_ID, 3)
    side = make_chain(trunk[0].id, 4, 1)
    late = make_chain(trunk[2].id, 2, 2)
    for block in (*trunk, *side, *late):
        tree.push(block)
    tree.set_head(trunk[2].id)
    tree.set_root(trunk[1].id)
    assert all(block.id not in tree for block in (trunk[0], *side))
    assert all(block.id in tree for block in (*trunk[1:], *late))
    with pytest.raises(Rejected, match="too old"):
        tree.push(side[0])


def test_a_known_block_is_returned() -> None:
    tree = ForkTree()
    block = make(NO_BLOCK_ID)
    assert tree.push(block) is tree.push(block)
    assert len(tree) == 2
