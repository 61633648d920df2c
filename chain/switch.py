"""Atomic changes of the head: extension, switch to a longer branch, undo.

Source: libraries/chain/database.cpp, push_block and _push_block.
"""

from hashlib import sha256
from typing import NamedTuple

from chain.effects import NOTHING_CHANGED, Applied, FeedItem, PushResult, Undone
from chain.finality import Finality
from chain.fork_tree import ForkItem, ForkTree, Standing
from chain.ledger import Ledger
from chain.pool import Pool
from consensus.header import check_merkle_root, is_signed_by
from protocol.block import Block
from protocol.block_header import BlockHeader
from protocol.codec import Codec
from protocol.errors import Invalid, ProtocolError, Rejected
from protocol.keys import SIGNATURE_BYTES, recover
from protocol.transaction import Transaction
from state.engine.errors import CheckpointError


class Trust(NamedTuple):
    """The checks to skip for a block."""

    skips_signatures: bool = False
    skips_authorities: bool = False


CHECKED = Trust()
APPLIED_BEFORE = Trust(skips_signatures=True)


class Move:
    """The progress of one push, with what is needed to revert it."""

    __slots__ = ("added", "feed", "former", "undone")

    def __init__(self, former: bytes) -> None:
        self.former = former
        """Id of the head before."""
        self.added: list[Block] = []
        """Blocks added to the tree: the pushed one, then those that waited for it."""
        self.feed: list[FeedItem] = []
        self.undone: list[Transaction] = []
        """Transactions of undone blocks, in their order."""

    def included(self) -> list[bytes]:
        """The ids of the transactions in the applied blocks."""
        return [trx_id for item in self.feed if isinstance(item, Applied) for trx_id in item.block.transaction_ids]


class Switch:
    """Moves the head of one chain: ledger and fork tree together, then finality and pool."""

    def __init__(self, codec: Codec, ledger: Ledger, tree: ForkTree, pool: Pool, finality: Finality) -> None:
        self._codec = codec
        self._ledger = ledger
        self._tree = tree
        self._pool = pool
        self._finality = finality

    # Pushing

    def push_block(self, block: Block, trust: Trust) -> PushResult:
        """Pushes a block; see `Chain.push_block`."""
        self._finality.check_usable()
        if self._tree.find(block.id) is not None:
            return NOTHING_CHANGED
        check_merkle_root(block)  # Anybody can remove transactions; the id must not suffer for it.
        move = Move(self._tree.head.id)
        try:
            self._push(block, trust, move)
            self._push_waiting(block.id, move)
        except ProtocolError:
            self._look_at_head(move)
            raise
        except BaseException:
            self._take_back(move)
            raise
        return self._conclude(move)

    def _push(self, block: Block, trust: Trust, move: Move) -> None:
        """Adds a block to the tree, and moves the head if its branch is the longest; no change on an error."""
        move.added.append(block)
        extends_head = block.previous == self._tree.head.id
        item = self._tree.push(block, Standing.SIGNED if extends_head else self._judge(block))
        if extends_head:  # The block will be applied, so its standing need not be judged.
            self._pool.drop_state()
            move.feed.append(self._apply(item, block, trust))
            self._tree.set_head(block.id)
        elif item.number > self._tree.head.number:
            self._pool.drop_state()
            self._switch(item, trust, move)

    def _judge(self, block: Block) -> Standing:
        """Judges how likely a side block is valid."""
        witness = self._ledger.ctx.tables.witnesses.find(block.witness)
        if witness is None:
            return Standing.UNKNOWN_WITNESS
        try:
            return Standing.SIGNED if is_signed_by(block, witness.signing_key) else Standing.OTHER_KEY
        except Invalid:
            return Standing.UNKNOWN_WITNESS

    def _push_waiting(self, parent_id: bytes, move: Move) -> None:
        """Pushes the blocks that waited for a block of the tree; errors of one do not affect others."""
        parents = [parent_id]
        while parents:
            for block in self._tree.take_linked(parents.pop()):
                try:
                    self._push(block, CHECKED, move)
                except ProtocolError:
                    continue
                parents.append(block.id)

    def _apply(self, item: ForkItem, block: Block, trust: Trust) -> Applied:
        """Applies a block on the head of the ledger; a refused block is marked invalid."""
        try:
            return Applied(block, self._ledger.apply_block(block, *trust))
        except ProtocolError:
            self._tree.mark_invalid(item.id)
            raise

    def _undo(self) -> Undone:
        undone = Undone(self._ledger.head_number, self._ledger.head_id)
        self._ledger.undo_block()
        return undone

    def _switch(self, item: ForkItem, trust: Trust, move: Move) -> None:
        """Undoes the main chain down to the fork and applies the new branch; reverts if one of its blocks fails."""
        former = self._ledger.head_id
        new, old = self._tree.branches(item.id, former)
        if old and old[-1].number <= self._finality.number:
            raise Rejected(
                "",
                "The branch of block ${number} leaves out block ${final}, which is irreversible",
                number=item.number,
                final=old[-1].number,
            )
        changes: list[FeedItem] = []
        try:
            changes += [self._undo() for _ in old]
            for branch_item in reversed(new):
                assert branch_item.block is not None, "only the root has no block"
                is_pushed = branch_item is item
                changes.append(self._apply(branch_item, branch_item.block, trust if is_pushed else CHECKED))
        except ProtocolError:
            self._return_to(former)
            raise
        self._tree.set_head(item.id)
        for undone in old:
            assert undone.block is not None, "only the root has no block"
            move.undone[:0] = undone.block.transactions
        move.feed += changes

    # Taking back

    def undo_head(self) -> Undone:
        """Takes the head block back as if it had not come; its transactions wait again. Raises CheckpointError."""
        self._finality.check_usable()
        if self._ledger.head_number <= self._finality.number:
            raise CheckpointError(f"block {self._ledger.head_number} is irreversible")
        item = self._tree.head
        assert item.block is not None, "only the root has no block"
        move = Move(item.id)
        self._pool.drop_state()
        try:
            undone = self._undo()
            self._tree.set_head(item.previous)
        except BaseException:
            self._take_back(move)
            raise
        move.feed.append(undone)
        move.undone += item.block.transactions
        if not any(child.previous == item.id for child in self._tree.blocks_at(item.number + 1)):
            self._tree.forget(item.id)
        self._conclude(move)
        return undone

    def _return_to(self, head_id: bytes) -> None:
        """Restores the ledger to a former head."""
        old, new = self._tree.branches(head_id, self._ledger.head_id)
        for _ in new:
            self._ledger.undo_block()
        for item in reversed(old):
            assert item.block is not None, "only the root has no block"
            try:
                self._ledger.apply_block(item.block, *APPLIED_BEFORE)
            except ProtocolError as error:
                raise AssertionError(f"block {item.number} was applied before and is refused now") from error

    def _take_back(self, move: Move) -> None:
        """Reverts a push that failed with an internal error: restores head, tree and pool."""
        try:
            self._return_to(move.former)
            self._tree.set_head(move.former)
            for block in reversed(move.added):
                if self._tree.find(block.id) is not None:
                    self._tree.forget(block.id)
            for block in move.added[1:]:
                if not self._tree.is_invalid(block.id):
                    self._tree.keep_unlinked(block)
            self._look_at_head(Move(move.former))
        except BaseException as error:
            self._finality.fail(error)
            raise

    # What follows

    def _conclude(self, move: Move) -> PushResult:
        """Passes the changes to finality and the pool."""
        feed = move.feed
        try:
            advanced = self._finality.take(feed, self._ledger.irreversible_number) if feed else None
            self._look_at_head(move)
        except BaseException as error:
            self._finality.fail(error)
            raise
        undone = tuple([item for item in feed if isinstance(item, Undone)])
        applied = tuple([item for item in feed if isinstance(item, Applied)])
        return PushResult(undone, applied, advanced, tuple(feed))

    def _look_at_head(self, move: Move) -> None:
        """Starts re-application of pending transactions on the head, if the pool's state was dropped."""
        if not self._pool.has_head:
            self._pool.begin_head(move.included(), move.undone)

    # Checks of a block before it is decoded

    def has_signed_header(self, packed: bytes) -> bool:
        """Whether the header of a packed block is signed by the witness it names, as far as the state of the head
        knows.

        A cheap filter before the transactions are decoded. It can be wrong, because signing keys change.
        """
        try:
            header, end = self._codec.read(BlockHeader, packed, 0)
            digest = sha256(self._codec.encode(BlockHeader, header)).digest()
            signer = recover(digest, packed[end : end + SIGNATURE_BYTES])
        except Invalid:
            return False
        witness = self._ledger.ctx.tables.witnesses.find(header.witness)
        return witness is not None and signer == witness.signing_key
