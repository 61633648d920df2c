"""The fork tree alone: linking, branches, invalid blocks, the cache of blocks without a parent."""

from __future__ import annotations

import pytest

from chain import fork_tree
from chain.fork_tree import NO_BLOCK_ID, ForkTree, Standing
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


# Limits of what was not applied


def signed_by(witness: str, previous: bytes, count: int, seed: int = 0) -> list[Block]:
    blocks: list[Block] = []
    for number in range(count):
        blocks.append(Block.make(CODEC, previous=previous, timestamp=1000 * seed + number, witness=witness))
        previous = blocks[-1].id
    return blocks


def tree_with_trunk(count: int = 6) -> tuple[ForkTree, list[Block]]:
    tree, trunk = ForkTree(), make_chain(NO_BLOCK_ID, count)
    for block in trunk:
        tree.push(block)
        tree.set_head(block.id)
    return tree, trunk


def test_the_waiting_blocks_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = make_chain(bytes((0, 0, 0, 9)) + bytes(16), 5)
    monkeypatch.setattr(fork_tree, "UNLINKED_BYTES_MAX", 2 * blocks[0].size)
    tree = ForkTree()
    for block in (*blocks, blocks[4], blocks[4]):
        with pytest.raises(BlockLinkError):
            tree.push(block)
    assert [block.id in tree for block in blocks] == [False, False, False, True, True]


def test_the_main_branch_does_not_count_as_side_blocks() -> None:
    tree, trunk = tree_with_trunk()
    side = make_chain(trunk[2].id, 2, 1)
    for block in side:
        tree.push(block)
    assert tree.side_count == 2
    tree.set_head(side[-1].id)
    assert tree.side_count == 3
    tree.set_head(trunk[-1].id)
    tree.mark_invalid(side[0].id)
    assert tree.side_count == 0


@pytest.mark.parametrize("limit", ["count", "bytes"])
def test_side_blocks_that_nobody_signed_make_room_first(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    tree, trunk = tree_with_trunk()
    if limit == "count":
        monkeypatch.setattr(fork_tree, "SIDE_BLOCKS_MAX", 16)
    else:
        monkeypatch.setattr(fork_tree, "SIDE_BYTES_MAX", 16 * trunk[0].size)
    honest = make_chain(trunk[0].id, 4, 1)
    for block in honest:
        tree.push(block, Standing.SIGNED)
    for seed in range(2, 40):
        for block in make_chain(trunk[1].id, 3, seed):
            tree.push(block, Standing.OTHER_KEY if seed % 2 else Standing.UNKNOWN_WITNESS)
    assert tree.side_count <= 16
    assert all(block.id in tree for block in honest)
    for block in honest:
        item = tree.find(block.id)
        assert item is not None and item.previous in tree


def test_one_witness_cannot_push_out_a_branch_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_tree, "SIDE_BLOCKS_MAX", 24)
    tree, trunk = tree_with_trunk()
    previous, honest = trunk[0].id, list[Block]()
    for turn in range(6):
        honest += signed_by(f"honest{turn % 3}", previous, 1)
        previous = honest[-1].id
        tree.push(honest[-1])
        for block in signed_by("evil", trunk[2].id, 3, seed=turn + 1):
            tree.push(block)
        for seed in range(3):
            tree.push(signed_by("evil", trunk[4].id, 1, seed=100 + 10 * turn + seed)[0])
    assert tree.side_count <= 24
    assert all(block.id in tree for block in honest)


def test_a_branch_that_fills_all_the_room_is_refused_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_tree, "SIDE_BLOCKS_MAX", 8)
    tree, trunk = tree_with_trunk(12)
    branch = make_chain(trunk[0].id, 9, 1)
    for block in branch[:8]:
        tree.push(block)
    with pytest.raises(Rejected, match="longer than this node has room for"):
        tree.push(branch[8])
    assert [block.id in tree for block in branch] == [True] * 8 + [False]
    assert not tree.is_invalid(branch[8].id)
    tree.push(make(trunk[-1].id))


def test_what_extends_the_head_needs_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_tree, "SIDE_BLOCKS_MAX", 0)
    tree, trunk = tree_with_trunk(12)
    assert tree.head.id == trunk[-1].id


def test_blocks_that_nobody_signed_have_less_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_tree, "UNSIGNED_BLOCKS_MAX", 8)
    tree, trunk = tree_with_trunk()
    for seed in range(1, 20):
        tree.push(make(trunk[1].id, seed), Standing.OTHER_KEY)
        tree.push(make(trunk[2].id, 100 + seed), Standing.SIGNED)
    unsigned = [item for number in range(3, 5) for item in tree.blocks_at(number) if item.standing != Standing.SIGNED]
    assert len(unsigned) <= 8
    assert tree.side_count == 19 + len(unsigned)
