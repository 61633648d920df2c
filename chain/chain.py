"""One chain: assembles the parts of this package behind one interface.

`reader` reads blocks, `switch` moves the head, `finality` tracks and writes irreversible blocks, `pool` holds pending
transactions, and `builder` makes blocks. All share one `ledger`, fork tree and block log. Irreversible blocks and their
state are on disk (see `finality`), where the next start continues (see `start`).
"""

from collections.abc import Iterable
from typing import Any

import operations.registry  # noqa: F401 - the codec must know every operation
from chain.block_log import BlockLog, BlockStore, MemoryBlockLog
from chain.config_record import check_config, record_config
from chain.effects import PushResult, Undone
from chain.finality import Finality, Mode
from chain.follower import Follower
from chain.fork_tree import ForkTree
from chain.ledger import Ledger
from chain.origin import read_origin
from chain.pending import PendingTransactions
from chain.pool import REAPPLIED_OPERATIONS_MAX, Budget, Pool
from chain.production import TRIED_OPERATIONS_MAX, BlockBuilder
from chain.reader import Reader
from chain.start import mend_log, replay
from chain.switch import Switch, Trust
from protocol.block import Block
from protocol.codec import Codec
from protocol.config import ChainConfig
from protocol.keys import PrivateKey
from protocol.transaction import Transaction
from state.context import Context
from state.engine.cache_sizes import CACHE_BYTES, CACHE_ROWS
from state.engine.errors import StoreError
from state.engine.kv import Backend, MemoryBackend
from state.engine.leveldb import LevelDBBackend
from state.engine.progress import QUIET, Progress
from state.engine.store import Store
from state.tables.tables import Tables
from state.tables.witnesses import Witness

STATE_DIRECTORY = "state"


class Chain:
    """The node's interface to a chain. Everything runs in the caller's thread; there are no callbacks.

    It starts in PROMPT mode; `enter` changes that. `refused_at_start` lists the reversible block of the last run that
    was refused at the start, if any.
    """

    def __init__(
        self,
        config: ChainConfig,
        backend: Backend,
        log: BlockStore,
        codec: Codec,
        *,
        followers: tuple[Follower, ...] = (),
        cache_rows: int = CACHE_ROWS,
        invariants: Iterable[str] = (),
        progress: Progress = QUIET,
    ) -> None:
        """Continues the chain in a backend and a block log, also after a crash.

        `open` is the usual constructor; it documents the options and errors.
        """
        self.config = config
        self.codec = codec
        self.store: Store[Tables] = Store(
            backend, Tables, chain_id=config.chain_id, cache_rows=cache_rows, progress=progress
        )
        has_record = check_config(backend, config)
        self.ledger = Ledger(self.store, config, invariants)
        if not has_record:
            record_config(backend, config)
        committed = self.store.committed
        assert committed is not None, "the ledger commits the genesis"
        tree = ForkTree(committed.number, committed.block_id)
        self.reader = Reader(codec, tree, log)
        self.pool = Pool(self.ledger)
        self.builder = BlockBuilder(self.ledger, self.pool, codec)
        self.finality = Finality(self.store, log, tree)
        self.switch = Switch(codec, self.ledger, tree, self.pool, self.finality)
        self._log = log
        self._is_closed = False
        mend_log(log, backend, codec, self.finality)
        for follower in followers:
            follower.begin(self.store, self.reader, config)
        self.finality.followers = followers
        self.refused_at_start = replay(log, self.reader, codec, self.switch, self.finality)
        self.enter(Mode.PROMPT)

    @classmethod
    def open(
        cls,
        config: ChainConfig,
        data_dir: object | None = None,
        *,
        followers: tuple[Follower, ...] = (),
        cache_rows: int = CACHE_ROWS,
        cache_bytes: int = CACHE_BYTES,
        invariants: Iterable[str] = (),
        progress: Progress = QUIET,
    ) -> "Chain":
        """Opens the chain in a directory, which is created if absent; None keeps the chain in memory.

        `followers` receive the feed; `progress` receives reports of the upgrade of an older database; `invariants` of
        state/watch.py are checked after each block. The caches, of state rows and of database bytes, affect speed only.
        Raises the errors of the store (StoreLocked, ForeignChain, ForeignConfig, StoreTooNew, StoreCorrupt, NotAStore,
        StoreFull) and BlockLogError.
        """
        codec = Codec(config.identity)
        options: dict[str, Any] = {
            "followers": followers,
            "cache_rows": cache_rows,
            "invariants": invariants,
            "progress": progress,
        }
        if data_dir is None:
            return cls(config, MemoryBackend(), MemoryBlockLog(), codec, **options)
        directory = str(data_dir)
        backend = LevelDBBackend(f"{directory}/{STATE_DIRECTORY}", cache_bytes=cache_bytes)
        try:
            log = BlockLog(directory, lambda packed: Block.from_bytes(codec, packed).number, read_origin(backend))
            try:
                return cls(config, backend, log, codec, **options)
            except BaseException:
                log.close()
                raise
        except BaseException:
            backend.close()
            raise

    def close(self) -> None:
        """Commits irreversible blocks, saves reversible blocks for the next start and releases the files.

        Writes nothing if the chain has a `problem`.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self.problem is None:
                self.pool.drop_state()
                self.finality.commit()
                self.finality.save_reversible()
        finally:
            self._log.close()
            self.store.close()

    # What the chain is

    @property
    def ctx(self) -> Context:
        """The state after the head block and the pending transactions applied on it so far; read-only.

        After a block no pending transaction is applied; `reapply_pending` applies them again, oldest first. Some are
        not applied again: those beyond the limits of chain/pool.py, and those that lack credits now.
        """
        return self.ledger.ctx

    @property
    def head_number(self) -> int:
        """Number of the head block, 0 before the first."""
        return self.ledger.head_number

    @property
    def head_id(self) -> bytes:
        """Id of the head block; zeros before the first."""
        return self.ledger.head_id

    @property
    def head_time(self) -> int:
        """Time of the head block in seconds since the epoch; the genesis time before the first."""
        return self.ledger.ctx.time

    @property
    def irreversible_number(self) -> int:
        """Number of the last irreversible block."""
        return self.finality.number

    @property
    def state_digest(self) -> bytes:
        """Digest over the whole state after the head block (32 bytes), without pending transactions."""
        return self.store.digest

    @property
    def pending(self) -> PendingTransactions:
        """The pending transactions."""
        return self.pool.pending

    @property
    def problem(self) -> StoreError | None:
        """Why the chain is unusable until the next start; None if it is usable.

        Either its state can no longer be read (for example damaged files), or an error left it inconsistent.
        """
        return self.store.backend.read_problem or self.finality.problem

    # Modes

    @property
    def mode(self) -> Mode:
        """What a pushed block writes to disk, and when."""
        return self.finality.mode

    def enter(self, mode: Mode) -> None:
        """Changes the mode, and writes what the former mode deferred; a failed write sets `write_problem`."""
        self.finality.enter(mode)

    @property
    def refuses_without_credits(self) -> bool:
        """Whether this node accepts and produces only transactions whose accounts have the resource credits for them.

        A policy of this node, which does not affect received blocks.
        """
        return self.pool.needs_credits

    @refuses_without_credits.setter
    def refuses_without_credits(self, value: bool) -> None:
        if value != self.pool.needs_credits:
            self.pool.needs_credits = value
            self.pool.drop_state()  # Pending transactions were applied under the former setting.
            self.pool.begin_head()
            self._reapply()

    def _reapply(self) -> None:
        """Applies pending transactions on a new head, in modes in which the caller does not."""
        if self.mode is Mode.PROMPT and len(self.pending):
            try:
                self.pool.reapply(Budget(REAPPLIED_OPERATIONS_MAX))
            except BaseException as error:
                self.finality.fail(error)
                raise

    # Blocks and transactions

    def push_block(self, block: Block, skip_signatures: bool = False, *, skip_authorities: bool = False) -> PushResult:
        """Adds a block: as the new head, with a switch to its branch, or on a shorter branch without being applied.

        Blocks that waited for this one follow at once. On an error nothing changes, except that a refused block (this
        one, or one of its branch) is remembered as invalid; if the former state cannot be restored, `problem` is set.
        `skip_signatures` is for blocks that this node checked before, `skip_authorities` for blocks whose transactions
        are trusted if their witness signed them. Both apply to this block only, not to others applied because of it.
        Raises BlockLinkError when the parent is unknown, Rejected, Invalid and their subclasses otherwise.
        """
        try:
            return self.switch.push_block(block, Trust(skip_signatures, skip_authorities))
        finally:
            self._reapply()

    def undo_head(self) -> Undone:
        """Undoes the head block; its transactions become pending again. Raises CheckpointError."""
        try:
            return self.switch.undo_head()
        finally:
            self._reapply()

    def push_transaction(self, transaction: Transaction) -> None:
        """Adds a transaction to the pool. Raises Rejected, Invalid and their subclasses."""
        self.finality.check_usable()
        self.builder.check_size(transaction)
        self.pool.push(transaction)

    # Production

    def build_block(
        self,
        witness: str,
        private_key: PrivateKey,
        timestamp: int,
        skip_signatures: bool = False,
        budget: Budget | None = None,
    ) -> Block:
        """Makes and signs the next block with as many pending transactions as fit; the caller must push it at once.

        `budget` bounds the work of the selection. Raises Rejected if the slot belongs to another witness or the key is
        not its signing key.
        """
        self.finality.check_usable()
        budget = budget or Budget(TRIED_OPERATIONS_MAX)
        try:
            return self.builder.build(witness, private_key, timestamp, skip_signatures=skip_signatures, budget=budget)
        except BaseException:
            self.pool.begin_head()
            self._reapply()
            raise

    def generate_block(
        self, witness: str, private_key: PrivateKey, timestamp: int, skip_signatures: bool = False
    ) -> Block:
        """Builds and applies the next block, without the result of the push."""
        block = self.build_block(witness, private_key, timestamp, skip_signatures)
        self.push_block(block, skip_signatures)
        return block

    def read_head_signing_key(self, witness: str) -> bytes:
        """The signing key of a witness as of the head block, without pending transactions."""
        row: Witness | None = self.store.find_sealed(self.store.tables.witnesses, witness)
        assert row is not None, "a scheduled witness has a row"
        return row.signing_key
