"""One chain: fork tree, ledger, block log, pending transactions and history, joined.

What is irreversible lies in the block log and, with the head's number and id, in the state database; a commit writes
the log first and waits for it, then the state in one synced batch. So after a crash the log is never behind, and a
start goes on from the committed state with the blocks of the log behind it and the reversible blocks kept beside it.

Source: libraries/chain/database.cpp, push_block, _push_block, push_transaction, migrate_irreversible_state and open;
libraries/plugins/witness/block_producer.cpp.
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

import operations.registry  # noqa: F401 - the codec must know every operation
from chain import history, market_history
from chain.block_log import BlockLog, BlockStore, MemoryBlockLog
from chain.config_record import check_config, record_config
from chain.effects import NOTHING_CHANGED, Applied, FeedItem, Irreversible, PushResult, Undone
from chain.fork_tree import ForkItem, ForkTree, Standing
from chain.history import History
from chain.ledger import Ledger
from chain.market_history import MarketHistory
from chain.observers import Observer
from chain.origin import read_origin
from chain.pending import Dropped, PendingTransactions
from chain.pool import REAPPLIED_OPERATIONS_MAX, Budget, Pool
from chain.production import TRIED_OPERATIONS_MAX, BlockBuilder, Place
from chain.reversible import ReversibleBlocks
from consensus.header import check_merkle_root, is_signed_by
from protocol.block import Block, block_number
from protocol.block_header import BlockHeader
from protocol.codec import Codec
from protocol.config import ChainConfig
from protocol.errors import BlockLogError, HistoryUnavailable, Invalid, ProtocolError, Rejected
from protocol.keys import SIGNATURE_BYTES, PrivateKey, recover
from protocol.transaction import Transaction
from protocol.types import NULL_ID
from state.context import Context
from state.engine.errors import CheckpointError, StoreError, StoreWriteFailed
from state.engine.kv import CACHE_BYTES, Backend, LevelDBBackend, MemoryBackend, Reads
from state.engine.store import CACHE_ROWS, Store
from state.tables.tables import Tables
from state.tables.witnesses import Witness

STATE_DIRECTORY = "state"
RESTORE_AGAIN = "restore a snapshot into another directory"
"""What helps a restored node whose block log has a gap."""

BULK_COMMIT_BLOCKS = 500
"""Blocks that become irreversible together while many are imported."""


class Trust(NamedTuple):
    """What of a block is not checked."""

    skips_signatures: bool = False
    skips_authorities: bool = False


CHECKED = Trust()
APPLIED_BEFORE = Trust(skips_signatures=True)


class BlockSource(NamedTuple):
    """A block that may have to be decoded: how many bytes it has, and what gives it. That raises BlockLogError."""

    size: int
    read: Callable[[], Block]


class Chain:
    """The node's view of a chain. Everything runs in the caller's thread; nothing is called back.

    `is_bulk` groups commits: for importing many blocks. What is not committed is then lost in a crash and must be
    imported again. With `commits_at_once` off, blocks that become irreversible are in the block log at once, and the
    state is written by `commit_final`, or when very much waits. With `reapplies_at_once` off, what waits is applied on
    a new head by `reapply_pending` only. `refuses_without_credits` is this node's policy: it accepts and produces only
    transactions whose accounts have the resource credits for them; the blocks of others are no matter of it.
    """

    def __init__(
        self,
        config: ChainConfig,
        backend: Backend,
        log: BlockStore,
        codec: Codec,
        *,
        has_history: bool | None = True,
        cache_rows: int = CACHE_ROWS,
    ) -> None:
        """Goes on with the chain in a backend and a block log, whatever a crash left in them.

        `open` is the usual way; it says what the options mean and what is raised.
        """
        self.config = config
        self.codec = codec
        self.is_bulk = False
        self.commits_at_once = True
        self.reapplies_at_once = True
        self._log = log
        self._store: Store[Tables] = Store(backend, Tables, chain_id=config.chain_id, cache_rows=cache_rows)
        has_record = check_config(backend, config)
        self._ledger = Ledger(self._store, config)
        if not has_record:
            record_config(backend, config)
        self._reversible = ReversibleBlocks(backend)
        self._pool = Pool(self._ledger)
        self._builder = BlockBuilder(self._ledger, self._pool, codec)
        committed = self._store.committed
        assert committed is not None, "the ledger commits the genesis"
        self._committed = self._logged = self._final = committed.number
        if has_history is None:
            has_history = is_indexed(backend, committed.number)
        self._history = History(backend, codec) if has_history else None
        self._market = MarketHistory(backend) if has_history else None
        self._observers: tuple[Observer, ...] = tuple(part for part in (self._history, self._market) if part)
        self._tree = ForkTree(committed.number, committed.block_id)
        self._keeps_reversible = True
        self._write_problem: Exception | None = None
        self._is_closed = False
        self._resume()

    @classmethod
    def open(
        cls,
        config: ChainConfig,
        data_dir: object | None = None,
        *,
        has_history: bool | None = True,
        cache_rows: int = CACHE_ROWS,
        cache_bytes: int = CACHE_BYTES,
    ) -> "Chain":
        """Opens the chain in a directory (a path), made if it is not there; None keeps it in memory.

        `has_history` makes the account and market history anew when it is missing; None keeps what there is. The
        caches, of rows of the state and of the database's bytes, are there for speed only.
        Raises the errors of the store (StoreLocked, ForeignChain, ForeignConfig, StoreTooNew, StoreCorrupt, NotAStore,
        StoreFull) and BlockLogError.
        """
        codec = Codec(config.identity)
        if data_dir is None:
            return cls(config, MemoryBackend(), MemoryBlockLog(), codec, has_history=has_history, cache_rows=cache_rows)
        directory = str(data_dir)
        backend = LevelDBBackend(f"{directory}/{STATE_DIRECTORY}", cache_bytes=cache_bytes)
        try:
            log = BlockLog(directory, lambda packed: Block.from_bytes(codec, packed).number, read_origin(backend))
            try:
                return cls(config, backend, log, codec, has_history=has_history, cache_rows=cache_rows)
            except BaseException:
                log.close()
                raise
        except BaseException:
            backend.close()
            raise

    def close(self) -> None:
        """Commits what is irreversible, keeps the reversible blocks for the next start and releases the files.

        Nothing more is written to a state that can no longer be read.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if self.read_problem is not None:
            self._log.close()
            self._store.close()
            return
        try:
            self._pool.drop_state()
            self._commit(self.irreversible_number)
            self._save_reversible()
        finally:
            self._log.close()
            self._store.close()

    # What the chain is

    @property
    def refuses_without_credits(self) -> bool:
        """Whether this node accepts and produces only what can be paid with resource credits."""
        return self._pool.needs_credits

    @refuses_without_credits.setter
    def refuses_without_credits(self, value: bool) -> None:
        if value != self._pool.needs_credits:
            self._pool.needs_credits = value
            self._pool.drop_state()  # What waits was tried as it was before.
            self._begin_head()

    @property
    def ctx(self) -> Context:
        """The state after the head block, and with those waiting transactions applied that could be; for reading.

        After a block none is at first; they follow as `reapply_pending` gets on, the oldest first. Some never do: those
        beyond the bounds of chain/pool.py, and those that lack credits now.
        """
        return self._ledger.ctx

    @property
    def store(self) -> Store[Tables]:
        """The store of the state."""
        return self._store

    @property
    def ledger(self) -> Ledger:
        """The ledger that applies blocks to the state."""
        return self._ledger

    @property
    def head_number(self) -> int:
        """Number of the head block, 0 before the first."""
        return self._ledger.head_number

    @property
    def head_id(self) -> bytes:
        """Id of the head block, zeros before the first."""
        return self._ledger.head_id

    @property
    def head_time(self) -> int:
        """Time of the head block in seconds since the epoch; the genesis time before the first."""
        return self._ledger.ctx.time

    @property
    def irreversible_number(self) -> int:
        """Number of the last block that no branch can replace any more.

        The state of a longer branch may count fewer blocks as irreversible than this node did before it switched; what
        was irreversible once stays so here.
        """
        return max(self._ledger.irreversible_number, self._final)

    @property
    def committed_number(self) -> int:
        """Number of the last block whose state the database holds."""
        return self._committed

    @property
    def first_block_number(self) -> int:
        """Number of the first block that is kept: 1, or that of the snapshot from which the node was restored."""
        return self._log.first_number

    @property
    def write_problem(self) -> Exception | None:
        """Why the last write failed (a full disk, say); None when all is well.

        Blocks are still applied then, in memory: what the disk lacks is written by `retry_writes` or a later commit.
        """
        return self._write_problem

    @property
    def read_problem(self) -> StoreError | None:
        """Why the state can no longer be read (damaged files, say); None when all is well. Nothing mends it."""
        return self._store.backend.read_problem

    @property
    def state_digest(self) -> bytes:
        """Digest over the whole state after the head block (32 bytes), pending transactions left out."""
        return self._store.digest

    @property
    def history(self) -> History:
        """Account history. Raises Rejected when this chain keeps none."""
        if self._history is None:
            raise Rejected("", "This node keeps no account history")
        return self._history

    @property
    def market_history(self) -> MarketHistory:
        """Trades and candles of the internal market. Raises Rejected when this chain keeps no history."""
        if self._market is None:
            raise Rejected("", "This node keeps no market history")
        return self._market

    @property
    def has_history(self) -> bool:
        """Whether this chain keeps account and market history."""
        return self._history is not None

    @property
    def pending(self) -> PendingTransactions:
        """The transactions that are in no block yet."""
        return self._pool.pending

    # Blocks by number and id

    def get_block(self, number: int) -> Block | None:
        """Returns a block of the main chain, or None. Raises BlockLogError when its record is damaged."""
        source = self.find_block_source(number)
        return None if source is None else source.read()

    def find_block_source(self, number: int) -> BlockSource | None:
        """Returns what gives a block of the main chain, or None: it can be read later, by another thread."""
        item = self._tree.find_on_main_branch(number)
        if item is not None and (block := item.block) is not None:
            return BlockSource(block.size, lambda: block)
        return self._find_logged(number)

    def _read_logged(self, number: int) -> Block | None:
        """Reads a block from the log. Raises BlockLogError when it is not what the next block builds on."""
        source = self._find_logged(number)
        return None if source is None else source.read()

    def _find_logged(self, number: int) -> BlockSource | None:
        packed = self._log.read(number)
        if packed is None:
            return None
        following, root = self._log.read(number + 1), self._tree.root
        wanted = root.id if number == root.number else following[: len(NULL_ID)] if following else None
        return BlockSource(len(packed), lambda: _decode_logged(self.codec, number, packed, wanted))

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
        """Returns the ids of consecutive blocks of the main chain, from `first` on; fewer where it ends before.

        None at all when the first one is not kept.
        """
        split = max(first, min(self._log.head_number, last + 1))
        ids = [] if first + 1 < self._log.first_number else self._log.read_starts(first + 1, split, len(NULL_ID))
        for number in range(first + len(ids), last + 1):
            block_id = self.get_block_id(number)
            if block_id is None:
                break
            ids.append(block_id)
        return ids

    def is_on_main_chain(self, block_id: bytes) -> bool:
        """Whether the block is the head or an ancestor of it; True for the id of no block."""
        return block_id == NULL_ID or self.get_block_id(block_number(block_id)) == block_id

    def is_known_block(self, block_id: bytes) -> bool:
        """Whether the block is on the main chain or linked to it on another branch."""
        return self._tree.find(block_id) is not None or self.is_on_main_chain(block_id)

    def is_invalid_block(self, block_id: bytes) -> bool:
        """Whether the block is remembered as invalid."""
        return self._tree.is_invalid(block_id)

    def find_twin(self, block: Block) -> bytes | None:
        """The id of a block with another header for the same height, slot and witness that is still known, or None.

        The header is what a witness signs; anybody can alter a signature so that the block has another id.
        """
        slot = block.timestamp, block.witness
        for item in self._tree.blocks_at(block.number):
            other = item.block
            if other is not None and (other.timestamp, other.witness) == slot and other.digest != block.digest:
                return other.id
        return None

    def is_doubtful_block(self, block_id: bytes) -> bool:
        """Whether a block lies beside the main chain and its witness did not sign it, as far as the state now knows."""
        item = self._tree.find(block_id)
        return item is not None and item.standing is not Standing.SIGNED and not self.is_on_main_chain(block_id)

    def find_block_by_id(self, block_id: bytes) -> Block | None:
        """Returns a block of any branch that is still known, or None."""
        item = self._tree.find(block_id)
        if item is not None and item.block is not None:
            return item.block
        number = block_number(block_id)
        return self.get_block(number) if self.get_block_id(number) == block_id else None

    def is_known_transaction(self, trx_id: bytes) -> bool:
        """Whether the transaction is pending or in a block and not expired yet."""
        return trx_id in self._pool.pending or self.ctx.tables.seen_transactions.find(trx_id) is not None

    # Blocks

    def push_block(self, block: Block, skip_signatures: bool = False, *, skip_authorities: bool = False) -> PushResult:
        """Takes a block in: as the new head, by switching to its branch, or just remembered on a shorter branch.

        Blocks that waited for this one follow at once. On an error nothing has changed but that the block (or the one
        of its branch that failed) is remembered as invalid. `skip_signatures` is for blocks this node checked before,
        `skip_authorities` for blocks whose transactions are trusted if their witness signed them; both concern this
        block alone, not others that are applied because of it.
        Raises BlockLinkError when the parent is unknown, Rejected, Invalid and their subclasses otherwise.
        """
        if self._tree.find(block.id) is not None:
            return NOTHING_CHANGED
        check_merkle_root(block)  # Others can take transactions out of a block, and its id must not suffer for it.
        feed: list[FeedItem] = []
        popped: list[Transaction] = []
        advanced = None
        try:
            self._push(block, Trust(skip_signatures, skip_authorities), feed, popped)
            self._push_waiting(block.id, feed, popped)
            if feed and self.irreversible_number > self._final:
                advanced = self._final = self.irreversible_number
                feed.append(Irreversible(advanced))
                self._write_final(advanced)
        finally:
            if not self._pool.has_head:
                included = [
                    trx_id for item in feed if isinstance(item, Applied) for trx_id in item.block.transaction_ids
                ]
                self._begin_head(included, popped)
        return PushResult(
            tuple(item for item in feed if isinstance(item, Undone)),
            tuple(item for item in feed if isinstance(item, Applied)),
            advanced,
            tuple(feed),
        )

    def _push(self, block: Block, trust: Trust, feed: list[FeedItem], popped: list[Transaction]) -> None:
        item = self._tree.push(block, self._judge(block))
        if block.previous == self.head_id:
            self._pool.drop_state()
            self._extend(item, block, trust, feed)
        elif item.number > self.head_number:
            self._pool.drop_state()
            self._switch(item, trust, feed, popped)

    def _judge(self, block: Block) -> Standing:
        """How much a block looks like a true one; what extends the head is applied and need not be guessed at."""
        if block.previous == self.head_id:
            return Standing.SIGNED
        witness = self.ctx.tables.witnesses.find(block.witness)
        if witness is None:
            return Standing.UNKNOWN_WITNESS
        try:
            return Standing.SIGNED if is_signed_by(block, witness.signing_key) else Standing.OTHER_KEY
        except Invalid:
            return Standing.UNKNOWN_WITNESS

    def has_signed_header(self, packed: bytes) -> bool:
        """Whether the header of a packed block is signed by the witness that it names, as far as the state now knows.

        It suspects a block before its transactions are decoded. It can be wrong: keys change.
        """
        try:
            header, end = self.codec.read(BlockHeader, packed, 0)
            digest = sha256(self.codec.encode(BlockHeader, header)).digest()
            signer = recover(digest, packed[end : end + SIGNATURE_BYTES])
        except Invalid:
            return False
        witness = self.ctx.tables.witnesses.find(header.witness)
        return witness is not None and signer == witness.signing_key

    def _push_waiting(self, parent_id: bytes, feed: list[FeedItem], popped: list[Transaction]) -> None:
        """Pushes the blocks that waited for one that now is in the tree; a bad one of them concerns nobody else."""
        parents = [parent_id]
        while parents:
            for block in self._tree.take_linked(parents.pop()):
                try:
                    self._push(block, CHECKED, feed, popped)
                except ProtocolError:
                    continue
                parents.append(block.id)

    def _extend(self, item: ForkItem, block: Block, trust: Trust, feed: list[FeedItem]) -> None:
        try:
            feed.append(self._apply(block, trust))
        except ProtocolError:
            self._tree.mark_invalid(item.id)
            raise

    def _switch(self, item: ForkItem, trust: Trust, feed: list[FeedItem], popped: list[Transaction]) -> None:
        """Undoes the main chain down to the fork and applies the new branch; goes back if one of its blocks fails."""
        new, old = self._tree.branches(item.id, self.head_id)
        if old and old[-1].number <= self._final:
            raise Rejected(
                "",
                "The branch of block ${number} leaves out block ${final}, which is irreversible",
                number=item.number,
                final=old[-1].number,
            )
        changes: list[FeedItem] = [self._undo() for _ in old]
        try:
            for branch_item in reversed(new):
                assert branch_item.block is not None, "only the root has no block"
                is_pushed = branch_item is item
                changes.append(self._apply_of_branch(branch_item, branch_item.block, trust if is_pushed else CHECKED))
        except ProtocolError:
            fork_id = old[-1].previous if old else self.head_id
            while self.head_id != fork_id:
                self._undo()
            for good in reversed(old):
                assert good.block is not None, "only the root has no block"
                self._apply(good.block, APPLIED_BEFORE)
            raise
        for undone in old:
            assert undone.block is not None, "only the root has no block"
            popped[:0] = undone.block.transactions
        feed += changes

    def _apply_of_branch(self, item: ForkItem, block: Block, trust: Trust) -> Applied:
        try:
            return self._apply(block, trust)
        except ProtocolError:
            self._tree.mark_invalid(item.id)
            raise

    def _apply(self, block: Block, trust: Trust) -> Applied:
        effects = self._ledger.apply_block(block, *trust)
        self._tree.set_head(block.id)
        self._pool.custom_limit.clear()
        for observer in self._observers:
            observer.add_block(effects)
        if self._keeps_reversible and not self.is_bulk:
            self._keep_reversible(block)
        return Applied(block, effects)

    def _keep_reversible(self, block: Block) -> None:
        try:
            self._reversible.add(block.number, block.packed)
        except StoreWriteFailed as error:
            self._write_problem = error

    def _undo(self) -> Undone:
        number, block_id = self.head_number, self.head_id
        self._ledger.undo_block()
        self._tree.set_head(self.head_id)
        for observer in self._observers:
            observer.undo_block(number)
        if self._keeps_reversible and not self.is_bulk:
            try:
                self._reversible.remove(number)
            except StoreWriteFailed as error:
                self._write_problem = error
        return Undone(number, block_id)

    def undo_head(self) -> Undone:
        """Takes the head block back as if it had not come; its transactions wait again. Raises CheckpointError."""
        if self.head_number <= self.irreversible_number:
            raise CheckpointError(f"block {self.head_number} is irreversible")
        block = self.find_block_by_id(self.head_id)
        self._pool.drop_state()
        undone = self._undo()
        if not any(child.previous == undone.id for child in self._tree.blocks_at(undone.number + 1)):
            self._tree.forget(undone.id)
        self._begin_head((), () if block is None else block.transactions)
        return undone

    def _main_branch(self, first: int) -> Iterator[ForkItem]:
        for number in range(first, self.head_number + 1):
            item = self._tree.find_on_main_branch(number)
            assert item is not None, "reversible blocks are in the tree"
            yield item

    # Commits

    def commit(self) -> None:
        """Writes everything irreversible to disk now, for the end of a bulk import."""
        self._commit(self.irreversible_number)

    def commit_final(self) -> None:
        """Writes what became irreversible; a disk that refuses shows in `write_problem`."""
        self._try_commit(self.irreversible_number)

    def leave_bulk(self) -> None:
        """Ends a bulk import: commits and keeps the reversible blocks; a disk that refuses shows in `write_problem`."""
        self.is_bulk = False
        try:
            self.retry_writes()
        except (StoreWriteFailed, BlockLogError) as error:
            self._write_problem = error

    def retry_writes(self) -> None:
        """Writes what could not be written: irreversible and reversible blocks. Raises the reason if it fails again."""
        self.commit()
        self._save_reversible()
        self._write_problem = None

    def _write_final(self, number: int) -> None:
        """Writes what became irreversible to the block log, unless much is imported, and the state when it is due."""
        is_soon = self.commits_at_once and not self.is_bulk
        if is_soon or number - self._committed >= BULK_COMMIT_BLOCKS:
            self._try_commit(number)
        elif not self.is_bulk:
            try:
                self._log_final(number)
            except BlockLogError as error:
                self._write_problem = error

    def _try_commit(self, number: int) -> None:
        """Commits; when the disk refuses, the blocks stay in memory and the reason in `write_problem`."""
        try:
            self._commit(number)
        except (StoreWriteFailed, BlockLogError) as error:
            self._write_problem = error
        else:
            self._write_problem = None

    def _save_reversible(self) -> None:
        """Keeps the blocks behind the committed one, and only these, for the next start."""
        tail = [
            (item.number, item.block.packed)
            for item in self._main_branch(self._committed + 1)
            if item.block is not None
        ]
        self._reversible.replace_all(tail)

    def _commit(self, number: int) -> None:
        """Makes blocks up to `number` permanent: log, then state and history in one batch."""
        if number <= self._committed:
            return
        self._log_final(number)
        extra = self._reversible.collect_deletes(self._committed)
        for observer in self._observers:
            extra += observer.prepare(number)
        self._store.commit(number, extra)
        for observer in self._observers:
            observer.finish(number)
        root = self._tree.find_on_main_branch(number)
        assert root is not None, "reversible blocks are in the tree"
        self._tree.set_root(root.id)
        self._committed = number

    def _log_final(self, number: int) -> None:
        """Appends the blocks up to `number` to the block log; from then on no failure of the power takes them back."""
        if number <= self._logged:
            return
        for item in self._main_branch(self._logged + 1):
            if item.number > number:
                break
            assert item.block is not None, "only the root has no block"
            self._append_to_log(item.number, item.block.packed)
        self._log.sync()
        self._logged = number

    def _append_to_log(self, number: int, packed: bytes) -> None:
        """Appends a block, unless the log is ahead of the state and holds it already."""
        if number <= self._log.head_number:
            if self._log.read(number) == packed:
                return
            self._log.truncate(number - 1)
        self._log.append(number, packed)

    # Start

    def _resume(self) -> None:
        """Goes on where the last run ended: repairs the log, then applies what lies behind the committed state."""
        self._mend_log()
        if any((observer.cursor or 0) != self._committed for observer in self._observers):
            self._rebuild_history()
        self._keeps_reversible = False
        kept = [(number, packed) for number, packed in self._reversible.scan() if number > self._committed]
        self._replay_log()
        for number, packed in kept:
            if number == self.head_number + 1 and not self._replay_reversible(packed):
                break
        for number, _packed in kept:
            if number > self.head_number:
                self._reversible.remove(number)
        self._keeps_reversible = True

    def _mend_log(self) -> None:
        """Appends blocks that the log lost but the state database still has. Raises BlockLogError if one is gone."""
        origin = read_origin(self._store.backend)
        if origin is not None and self._log.head_number == 0:
            number = Block.from_bytes(self.codec, origin).number
            self._log.begin_at(number)
            self._log.append(number, origin)
        if self._log.first_number > self._committed + 1:
            raise BlockLogError(
                "",
                "The block log begins with block ${first}, but the state is that of block ${state}: ${remedy}.",
                first=self._log.first_number,
                state=self._committed,
                remedy=RESTORE_AGAIN,
            )
        while self._log.head_number < self._committed:
            number = self._log.head_number + 1
            packed = self._reversible.find(number)
            if packed is None:
                replay = "remove the state directory to replay the blocks there are"
                raise BlockLogError(
                    "",
                    "The block log ends with block ${log}, but the state is that of block ${state}. "
                    "Restore the block log, or ${remedy}.",
                    log=number - 1,
                    state=self._committed,
                    remedy=replay if origin is None else RESTORE_AGAIN,
                )
            self._log.append(number, packed)
        self._log.sync()

    def _replay_log(self) -> None:
        """Applies the blocks of the log that the committed state does not know yet."""
        last = self._log.head_number
        self.is_bulk = True
        try:
            while self.head_number < last:
                block = self._read_logged(self.head_number + 1)
                assert block is not None, "the log has no gaps"
                self.push_block(block, skip_signatures=True)
        finally:
            self.is_bulk = False
        # All that is in the log was irreversible; the blocks that showed it may be lost.
        self._final = self.head_number
        self._try_commit(self._final)

    def _replay_reversible(self, packed: bytes) -> bool:
        try:
            self.push_block(Block.from_bytes(self.codec, packed), skip_signatures=True)
        except ProtocolError:
            return False
        return True

    def _rebuild_history(self) -> None:
        """Makes account and market history anew by replaying the log on a state in memory.

        Raises HistoryUnavailable, before anything is changed, when the log does not begin with block 1.
        """
        self._check_log_is_full()
        for observer in self._observers:
            observer.drop()
        ledger = Ledger(Store(MemoryBackend(), Tables, chain_id=self.config.chain_id), self.config)
        for number in range(1, self._committed + 1):
            block = self._read_logged(number)
            assert block is not None, "the log was mended"
            effects = ledger.apply_block(block, skip_signatures=True)
            for observer in self._observers:
                observer.add_block(effects)
            if number % BULK_COMMIT_BLOCKS == 0 or number == self._committed:
                ledger.store.commit(number)
                puts = [put for observer in self._observers for put in observer.prepare(number)]
                self._store.backend.write(puts, sync=True)
                for observer in self._observers:
                    observer.finish(number)

    def _check_log_is_full(self) -> None:
        if self._log.first_number > 1:
            raise HistoryUnavailable(
                "",
                "Account history is made from block 1 on, but the blocks of this node begin with block ${first}.",
                first=self._log.first_number,
            )

    def rebuild_history(self) -> None:
        """Makes account and market history anew from the block log; reversible blocks are taken in again.

        Raises BlockLogError for a damaged log or one without its first blocks, and has changed nothing then.
        """
        if self._history is None:
            raise Rejected("", "This node keeps no account history")
        self._check_log_is_full()
        for number in range(1, self._committed + 1):
            self._read_logged(number)  # What is there is not dropped for a log that could not replace it.
        self._rebuild_history()
        self._pool.drop_state()
        tail = [item.block for item in self._main_branch(self._committed + 1)]
        for _block in tail:
            self._ledger.undo_block()
        for block in tail:
            assert block is not None, "only the root has no block"
            effects = self._ledger.apply_block(block, skip_signatures=True)
            for observer in self._observers:
                observer.add_block(effects)
        self._begin_head()

    # Transactions

    def push_transaction(self, transaction: Transaction) -> None:
        """Accepts a transaction for one of the next blocks. Raises Rejected, Invalid and their subclasses."""
        self._builder.check_size(transaction)
        self._pool.push(transaction)

    def reapply_pending(self, budget: Budget) -> bool:
        """Applies a part of what waits on the head again; returns whether the rest is to follow."""
        return self._pool.reapply(budget)

    def stop_reapplying(self) -> None:
        """Lets the rest of what waits be without being applied, until there is another head."""
        self._pool.stop_reapplying()

    def take_dropped(self) -> list[Dropped]:
        """The transactions that were accepted and dropped since the last question, but for those that expired."""
        return self._pool.take_dropped()

    def find_place(self, trx_id: bytes) -> Place | None:
        """Where a waiting transaction stands among those that wait; None when it does not wait."""
        return self._builder.find_place(trx_id)

    def _begin_head(self, included: Iterable[bytes] = (), undone: Iterable[Transaction] = ()) -> None:
        self._pool.begin_head(included, undone)
        if self.reapplies_at_once:
            self._pool.reapply(Budget(REAPPLIED_OPERATIONS_MAX))

    # Production

    def generate_block(
        self, witness: str, private_key: PrivateKey, timestamp: int, skip_signatures: bool = False
    ) -> Block:
        """Builds the next block and applies it; for those who do not need to know what it changed."""
        block = self.build_block(witness, private_key, timestamp, skip_signatures)
        self.push_block(block, skip_signatures)
        return block

    def read_head_signing_key(self, witness: str) -> bytes:
        """The key that signs a witness's next block: as of the head, whatever pending transactions would change."""
        row: Witness | None = self._store.find_sealed(self._store.tables.witnesses, witness)
        assert row is not None, "a scheduled witness has a row"
        return row.signing_key

    def build_block(
        self,
        witness: str,
        private_key: PrivateKey,
        timestamp: int,
        skip_signatures: bool = False,
        budget: Budget | None = None,
    ) -> Block:
        """Makes and signs the next block with as many pending transactions as fit; it is to be pushed at once.

        `budget` bounds the work of choosing among them. Raises Rejected when the slot belongs to another witness or the
        key is not its signing key.
        """
        budget = budget or Budget(TRIED_OPERATIONS_MAX)
        try:
            return self._builder.build(witness, private_key, timestamp, skip_signatures=skip_signatures, budget=budget)
        except BaseException:
            self._begin_head()
            raise


def _decode_logged(codec: Codec, number: int, packed: bytes, wanted: bytes | None) -> Block:
    """Decodes a block of the log. Raises BlockLogError when it is not what the next block builds on."""
    try:
        block = Block.from_bytes(codec, packed)
        is_whole = wanted in (None, block.id) and block.merkle_root() == block.transaction_merkle_root
    except Invalid:
        is_whole = False
    if not is_whole:
        raise BlockLogError("", "The record of block ${number} in the block log is damaged", number=number)
    return block


def is_indexed(values: Reads, number: int) -> bool:
    """Whether a database whose state is that of block `number` has account and market history up to there."""
    return all((read(values) or 0) == number for read in (history.read_cursor, market_history.read_cursor))
