"""The tree of blocks after the last irreversible one: their links, branches and the longest branch.

The tree contains blocks only and knows no state. An invalid block is remembered, and removed with all its descendants.
Blocks with an unknown parent (unlinked blocks) wait in a small cache until the parent arrives.

Source: libraries/chain/fork_database.cpp. Stricter than the reference in one point: a branch that leaves the main
chain at or before the last irreversible block is refused at once, as it could never be switched to.

Side blocks (linked blocks that are not on the main branch) were not applied, so anybody can make any number of them.
Their number and size are bounded; blocks that are least likely to be valid are evicted first.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from protocol.block import Block
from protocol.errors import BlockLinkError, Rejected

UNLINKED_BLOCKS_MAX = 1024
"""Maximum number of unlinked blocks; the oldest are evicted."""

UNLINKED_BYTES_MAX = 16 << 20
"""Bytes of all of these together."""

SIDE_BLOCKS_MAX = 20_000
"""Maximum number of side blocks: 16 hours of blocks of a partitioned network."""

SIDE_BYTES_MAX = 128 << 20
"""Bytes of all of these together; in memory they are several times as large."""

UNSIGNED_BLOCKS_MAX = 1_000
UNSIGNED_BYTES_MAX = 8 << 20
"""Maximum total size of side blocks that their witness did not sign, as far as the state of the head knows."""

INVALID_IDS_MAX = 4096
"""Maximum number of remembered ids of invalid blocks; the oldest are evicted."""

NO_BLOCK_ID = bytes(20)


class Standing(IntEnum):
    """How likely a side block is valid, judged without applying it."""

    UNKNOWN_WITNESS = 0
    OTHER_KEY = 1
    """Its witness exists, but has another signing key in the state of the main branch."""
    SIGNED = 2


class ForkItem(NamedTuple):
    """A block in the tree; `block` is None for the root, of which only the id is known."""

    number: int
    id: bytes
    previous: bytes
    block: Block | None
    standing: Standing = Standing.SIGNED

    @property
    def size(self) -> int:
        """The packed bytes of the block."""
        return 0 if self.block is None else self.block.size

    @property
    def witness(self) -> str:
        """The producer that the block names."""
        return "" if self.block is None else self.block.witness


class Use:
    """Number and size of a group of blocks."""

    __slots__ = ("blocks", "size")

    def __init__(self) -> None:
        self.blocks = 0
        self.size = 0

    def is_above(self, eighths: int, blocks_max: int, bytes_max: int) -> bool:
        """Whether the use exceeds a number of eighths of either maximum."""
        return 8 * self.blocks > eighths * blocks_max or 8 * self.size > eighths * bytes_max


class ForkTree:
    """Branches of blocks from one root, the last irreversible block."""

    def __init__(self, root_number: int = 0, root_id: bytes = NO_BLOCK_ID) -> None:
        self.root = ForkItem(root_number, root_id, NO_BLOCK_ID, None)
        self.head = self.root
        self._items: dict[bytes, ForkItem] = {root_id: self.root}
        self._by_number: dict[int, list[bytes]] = {root_number: [root_id]}
        self._main: dict[int, ForkItem] = {root_number: self.root}
        self._side: dict[bytes, ForkItem] = {}
        self._side_use = Use()
        self._unsigned_use = Use()
        self._unlinked: OrderedDict[bytes, Block] = OrderedDict()
        self._unlinked_bytes = 0
        self._invalid: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, block_id: bytes) -> bool:
        """Whether the block is linked or unlinked in the tree."""
        return block_id in self._items or block_id in self._unlinked

    def __len__(self) -> int:
        return len(self._items)

    @property
    def unlinked_count(self) -> int:
        """Number of unlinked blocks."""
        return len(self._unlinked)

    @property
    def side_count(self) -> int:
        """Number of side blocks."""
        return len(self._side)

    def find(self, block_id: bytes) -> ForkItem | None:
        """Returns the linked block with this id."""
        return self._items.get(block_id)

    def is_invalid(self, block_id: bytes) -> bool:
        """Whether the block is remembered as invalid."""
        return block_id in self._invalid

    def blocks_at(self, number: int) -> list[ForkItem]:
        """Returns the linked blocks with this number, oldest arrival first."""
        return [self._items[block_id] for block_id in self._by_number.get(number, ())]

    def find_on_main_branch(self, number: int) -> ForkItem | None:
        """Returns the ancestor of the head (or the head) with this number, if it is still in the tree."""
        return self._main.get(number)

    def push(self, block: Block, standing: Standing = Standing.SIGNED) -> ForkItem:
        """Adds a block and returns its item; the head of the tree does not move by itself.

        Raises BlockLinkError if the parent is unknown (the block is kept as unlinked), and Rejected if the block is too
        old, if it or an ancestor is invalid, or if its branch exceeds the room for side blocks. A known block is
        returned again.
        """
        known = self._items.get(block.id)
        if known is not None:
            return known
        if block.number <= self.root.number:
            raise Rejected(
                "item->num > std::max<int64_t>( 0, int64_t(_head->num) - (_max_size) )",
                "attempting to push a block that is too old",
                **{
                    "item->num": block.number,
                    "head": self.head.number,
                    "max_size": self.head.number - self.root.number + 1,
                },
            )
        if block.id in self._invalid or block.previous in self._invalid:
            self.mark_invalid(block.id)
            raise Rejected("!(*itr)->invalid")
        if block.previous not in self._items:
            self.keep_unlinked(block)
            raise BlockLinkError("", "block does not link to known chain")
        item = self._insert(block, standing)
        if item.previous != self.head.id:
            self._limit_side(item)
        return item

    def take_linked(self, parent_id: bytes) -> list[Block]:
        """Removes and returns the unlinked blocks whose parent is the given block."""
        found = [block for block in self._unlinked.values() if block.previous == parent_id]
        for block in found:
            self._drop_unlinked(block.id)
        return found

    def branches(self, first: bytes, second: bytes) -> tuple[list[ForkItem], list[ForkItem]]:
        """Returns the paths from two blocks back to their common ancestor, newest first, without the ancestor."""
        one, two = self._items[first], self._items[second]
        ways: tuple[list[ForkItem], list[ForkItem]] = ([], [])
        while one.id != two.id:
            if one.number >= two.number:
                ways[0].append(one)
                one = self._items[one.previous]
            else:
                ways[1].append(two)
                two = self._items[two.previous]
        return ways

    def set_head(self, block_id: bytes) -> None:
        """Makes a linked block the head of the main chain."""
        joining, leaving = self.branches(block_id, self.head.id)
        for item in leaving:
            del self._main[item.number]
            self._add_side(item)
        for item in joining:
            self._main[item.number] = item
            self._drop_side(item)
        self.head = self._items[block_id]

    def forget(self, block_id: bytes) -> None:
        """Removes a block without children, without marking it invalid."""
        self._remove(self._items[block_id])

    def mark_invalid(self, block_id: bytes) -> None:
        """Marks a block as invalid, and removes it and its descendants."""
        doomed = [block_id]
        while doomed:
            bad = doomed.pop()
            self._invalid[bad] = None
            self._invalid.move_to_end(bad)
            item = self._items.get(bad)
            if item is not None:
                doomed += [child.id for child in self.blocks_at(item.number + 1) if child.previous == bad]
                self._remove(item)
            doomed += [block.id for block in self.take_linked(bad)]
        while len(self._invalid) > INVALID_IDS_MAX:
            self._invalid.popitem(last=False)

    def set_root(self, block_id: bytes) -> None:
        """Makes a block of the main branch the root, and drops branches that do not contain it."""
        root = self._items[block_id]
        for number in range(self.root.number, root.number + 1):
            for item in self.blocks_at(number):
                if item.id != block_id:
                    self._remove(item)
        self.root = root
        self._drop_orphans(root.number + 1)
        for block in list(self._unlinked.values()):
            if block.number <= root.number:
                self._drop_unlinked(block.id)

    def _drop_orphans(self, number: int) -> None:
        """Removes blocks from height `number` on whose parent was removed."""
        while number in self._by_number:
            for item in self.blocks_at(number):
                if item.previous not in self._items:
                    self._remove(item)
            number += 1

    def _insert(self, block: Block, standing: Standing) -> ForkItem:
        item = ForkItem(block.number, block.id, block.previous, block, standing)
        self._items[item.id] = item
        self._by_number.setdefault(item.number, []).append(item.id)
        self._add_side(item)
        return item

    def _remove(self, item: ForkItem) -> None:
        del self._items[item.id]
        if item.id in self._side:
            self._drop_side(item)
        else:
            del self._main[item.number]
        same = self._by_number[item.number]
        same.remove(item.id)
        if not same:
            del self._by_number[item.number]

    def keep_unlinked(self, block: Block) -> None:
        """Keeps a block until its parent arrives."""
        if block.id in self._unlinked:
            return
        self._unlinked[block.id] = block
        self._unlinked_bytes += block.size
        while len(self._unlinked) > UNLINKED_BLOCKS_MAX or self._unlinked_bytes > UNLINKED_BYTES_MAX:
            self._drop_unlinked(next(iter(self._unlinked)))

    def _drop_unlinked(self, block_id: bytes) -> None:
        self._unlinked_bytes -= self._unlinked.pop(block_id).size

    # Side blocks

    def _add_side(self, item: ForkItem) -> None:
        self._side[item.id] = item
        self._count_side(item, 1)

    def _drop_side(self, item: ForkItem) -> None:
        del self._side[item.id]
        self._count_side(item, -1)

    def _count_side(self, item: ForkItem, times: int) -> None:
        size = times * item.size
        for use in (self._side_use,) if item.standing is Standing.SIGNED else (self._side_use, self._unsigned_use):
            use.blocks += times
            use.size += size

    def _is_side_above(self, eighths: int) -> bool:
        """Whether the side blocks use more than a number of eighths of their room."""
        return self._side_use.is_above(eighths, SIDE_BLOCKS_MAX, SIDE_BYTES_MAX) or self._unsigned_use.is_above(
            eighths, UNSIGNED_BLOCKS_MAX, UNSIGNED_BYTES_MAX
        )

    def _limit_side(self, newest: ForkItem) -> None:
        """Evicts side blocks above the limits. Raises Rejected if the newest block's branch alone exceeds them."""
        if not self._is_side_above(8):
            return
        for item in self._least_useful(newest):
            self._remove(item)
            if not self._is_side_above(7):
                return
        if self._is_side_above(8):
            self._remove(newest)
            raise Rejected(
                "", "The branch of block ${number} is longer than this node has room for", number=newest.number
            )

    def _least_useful(self, newest: ForkItem) -> Iterator[ForkItem]:
        """Side blocks without children in the order of eviction, except the branch of the newest block.

        First those that their witness did not sign, because anybody can make them; then those of the producer with most
        side blocks, because no witness makes more than its share of a valid branch; then the lowest ones.
        """
        kept = {item.id for item in self.branches(newest.id, self.head.id)[0]}
        children = Counter(item.previous for item in self._side.values())
        made = Counter(item.witness for item in self._side.values())
        leaves = [
            (item.standing, -made[item.witness], item.number, place, item)
            for place, item in enumerate(self._side.values())
            if not children[item.id] and item.id not in kept
        ]
        heapq.heapify(leaves)
        while leaves:
            _, _, _, place, item = heapq.heappop(leaves)
            yield item
            children[item.previous] -= 1
            parent = self._side.get(item.previous)
            if parent is not None and not children[parent.id] and parent.id not in kept:
                heapq.heappush(leaves, (parent.standing, -made[parent.witness], parent.number, place, parent))
