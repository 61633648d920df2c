"""Lookup of blocks by number and id: reversible ones in the fork tree, irreversible ones in the block log."""

from collections.abc import Callable
from typing import NamedTuple

from chain.block_log import BlockStore
from chain.fork_tree import ForkTree, Standing
from protocol.block import Block, block_number
from protocol.codec import Codec
from protocol.errors import BlockLogError, Invalid
from protocol.types import NULL_ID


class BlockSource(NamedTuple):
    """A block that may not be decoded yet: its size in bytes, and a reader, which raises BlockLogError."""

    size: int
    read: Callable[[], Block]


class Reader:
    """Read access to the blocks of one chain: the main chain by number, all branches by id."""

    def __init__(self, codec: Codec, tree: ForkTree, log: BlockStore) -> None:
        self._codec = codec
        self._tree = tree
        self._log = log

    @property
    def first_number(self) -> int:
        """Number of the first available block: 1, or that of the snapshot from which the node was restored."""
        return self._log.first_number

    # By number, on the main chain

    def get_block(self, number: int) -> Block | None:
        """Returns a block of the main chain, or None. Raises BlockLogError if its record is damaged."""
        source = self.find_block_source(number)
        return None if source is None else source.read()

    def find_block_source(self, number: int) -> BlockSource | None:
        """Returns the source of a block of the main chain, to be read later by another thread, or None."""
        item = self._tree.find_on_main_branch(number)
        if item is not None and (block := item.block) is not None:
            return BlockSource(block.size, lambda: block)
        return self._find_logged(number)

    def read_logged(self, number: int) -> Block:
        """Reads a block from the log. Raises BlockLogError if it is not the parent of the next block."""
        source = self._find_logged(number)
        assert source is not None, "the log has no gaps"
        return source.read()

    def _find_logged(self, number: int) -> BlockSource | None:
        packed = self._log.read(number)
        if packed is None:
            return None
        following, root = self._log.read(number + 1), self._tree.root
        wanted = root.id if number == root.number else following[: len(NULL_ID)] if following else None
        return BlockSource(len(packed), lambda: _decode(self._codec, number, packed, wanted))

    def get_packed_block(self, number: int) -> bytes | None:
        """Returns the bytes of a block of the main chain, or None. Raises BlockLogError."""
        block = self.get_block(number)
        return None if block is None else block.packed

    def get_block_id(self, number: int) -> bytes | None:
        """Returns the id of a block of the main chain, or None."""
        item = self._tree.find_on_main_branch(number)
        if item is not None:
            return item.id
        following = self._log.read(number + 1)
        if number > 0 and following is not None:
            return following[: len(NULL_ID)]
        block = self.get_block(number)
        return None if block is None else block.id

    def get_block_ids(self, first: int, last: int) -> list[bytes]:
        """Returns the ids of consecutive blocks of the main chain from `first` on, up to `last` or the head.

        Empty if the first one is not available.
        """
        split = max(first, min(self._log.head_number, last + 1))
        ids = [] if first + 1 < self._log.first_number else self._log.read_starts(first + 1, split, len(NULL_ID))
        for number in range(first + len(ids), last + 1):
            block_id = self.get_block_id(number)
            if block_id is None:
                break
            ids.append(block_id)
        return ids

    # By id, on any branch

    def is_on_main_chain(self, block_id: bytes) -> bool:
        """Whether the block is the head or one of its ancestors; True for the id of zeros."""
        return block_id == NULL_ID or self.get_block_id(block_number(block_id)) == block_id

    def is_known_block(self, block_id: bytes) -> bool:
        """Whether the block is on the main chain or linked to it on another branch."""
        return self._tree.find(block_id) is not None or self.is_on_main_chain(block_id)

    def is_invalid_block(self, block_id: bytes) -> bool:
        """Whether the block is remembered as invalid."""
        return self._tree.is_invalid(block_id)

    def is_unsigned_side_block(self, block_id: bytes) -> bool:
        """Whether the block is a side block that its witness did not sign, as far as the state of the head knows."""
        item = self._tree.find(block_id)
        return item is not None and item.standing is not Standing.SIGNED and not self.is_on_main_chain(block_id)

    def find_block_by_id(self, block_id: bytes) -> Block | None:
        """Returns a block of any known branch, or None."""
        item = self._tree.find(block_id)
        if item is not None and item.block is not None:
            return item.block
        number = block_number(block_id)
        return self.get_block(number) if self.get_block_id(number) == block_id else None

    def find_twin(self, block: Block) -> bytes | None:
        """The id of a known block with another header for the same height, slot and witness, or None.

        Headers are compared because they are what a witness signs: anybody can alter a signature, which changes the id.
        """
        slot = block.timestamp, block.witness
        for item in self._tree.blocks_at(block.number):
            other = item.block
            if other is not None and (other.timestamp, other.witness) == slot and other.digest != block.digest:
                return other.id
        return None


def _decode(codec: Codec, number: int, packed: bytes, wanted: bytes | None) -> Block:
    """Decodes a block of the log. Raises BlockLogError if it is not the parent of the next block."""
    try:
        block = Block.from_bytes(codec, packed)
        is_whole = wanted in (None, block.id) and block.merkle_root() == block.transaction_merkle_root
    except Invalid:
        is_whole = False
    if not is_whole:
        raise BlockLogError("", "The record of block ${number} in the block log is damaged", number=number)
    return block
