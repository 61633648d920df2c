"""Work after a change of the head: notifies followers, saves reversible blocks, and writes irreversible ones.

Irreversible blocks are in the block log; their state, with the head's number and id, is in the state database. A commit
first writes and syncs the log, then writes the state in one synced batch. So after a crash the log is never behind the
state.

Source: libraries/chain/database.cpp, migrate_irreversible_state.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from chain.block_log import BlockStore
from chain.effects import Applied, FeedItem, Irreversible, Undone
from chain.follower import Follower
from chain.fork_tree import ForkItem, ForkTree
from chain.reversible import ReversibleBlocks
from protocol.errors import BlockLogError
from state.engine.errors import StoreError, StoreWriteFailed
from state.engine.store import Store
from state.tables.tables import Tables

GROUP_BLOCKS = 500
"""Number of irreversible blocks per commit during bulk import."""

GROUP_BYTES = 64 << 20
"""Maximum memory of irreversible blocks that are not written, whatever their number."""

WRITE_ERRORS = (StoreWriteFailed, BlockLogError)
"""Errors of a failed write. Nothing is lost, and the write can be repeated."""


class ChainUnusable(StoreError):
    """An internal error left the chain in an inconsistent state; the next start recovers it."""


class Mode(Enum):
    """What a pushed block writes, and when."""

    PROMPT = "prompt"
    """Writes everything at once, and applies pending transactions on the new head at once: for tools and tests."""

    LIVE = "live"
    """Writes irreversible blocks to the log at once; the state follows at `try_commit`, or when the backlog is large.
    """

    BULK = "bulk"
    """Writes irreversible blocks in groups, for bulk import. A crash loses blocks that are not written."""

    REPLAY = "replay"
    """Like BULK, for blocks that are already in the files: while a chain is opened."""

    @property
    def is_grouped(self) -> bool:
        """Whether irreversible blocks are written in groups."""
        return self in (Mode.BULK, Mode.REPLAY)


def is_group_full(store: Store[Tables], number: int) -> bool:
    """Whether the irreversible blocks up to `number` that are not written should be."""
    assert store.committed is not None, "the ledger commits the genesis"
    return number - store.committed.number >= GROUP_BLOCKS or store.count_held(number) >= GROUP_BYTES


class Finality:
    """Tracks which blocks are irreversible, and writes them to disk.

    `number` is the number of the last irreversible block. After a switch the state of the new branch may have a lower
    last irreversible block; this number never decreases.

    `write_problem` says why the last write failed (for example a full disk); None if it succeeded. Blocks are then
    still applied in memory, and written by `retry_writes` or a later commit.

    `problem` is set when an error left the chain inconsistent: nothing is written any more.
    """

    def __init__(self, store: Store[Tables], log: BlockStore, tree: ForkTree) -> None:
        """Starts from the committed state, in REPLAY mode."""
        assert store.committed is not None, "the ledger commits the genesis"
        self.mode = Mode.REPLAY
        self.number = store.committed.number
        self.write_problem: Exception | None = None
        self.problem: ChainUnusable | None = None
        self.followers: tuple[Follower, ...] = ()
        self.reversible = ReversibleBlocks(store.backend)
        self._store = store
        self._log = log
        self._tree = tree

    @property
    def committed_number(self) -> int:
        """Number of the block whose state is in the database."""
        assert self._store.committed is not None, "the ledger commits the genesis"
        return self._store.committed.number

    def check_usable(self) -> None:
        """Raises the `problem`, if there is one."""
        if self.problem is not None:
            raise self.problem

    def fail(self, error: BaseException) -> None:
        """Makes the chain unusable after an error at a point where the change cannot be undone."""
        self.problem = ChainUnusable(f"the chain is in an inconsistent state: {type(error).__name__}: {error}")
        self.problem.__cause__ = error

    def enter(self, mode: Mode) -> None:
        """Changes the mode. What the former one held back is written; a disk that refuses shows in `write_problem`."""
        was, self.mode = self.mode, mode
        if not was.is_grouped or mode.is_grouped:
            return
        self.try_commit()
        if was is Mode.BULK:
            self._try(self.save_reversible)

    # A new head

    def take(self, feed: list[FeedItem], irreversible: int) -> int | None:
        """Processes changes of the main chain; `irreversible` is the last irreversible block by the new state.

        Returns that number and adds it to the feed if it advanced.
        """
        for follower in self.followers:
            follower.take(feed)
        if not self.mode.is_grouped:
            self._try(self._keep, feed)
        if irreversible <= self.number:
            return None
        self.number = irreversible
        feed.append(Irreversible(irreversible))
        if self.mode is Mode.PROMPT or is_group_full(self._store, irreversible):
            self.try_commit()
        elif self.mode is Mode.LIVE:
            self._try(self._log_blocks)
        return irreversible

    def _keep(self, feed: Iterable[FeedItem]) -> None:
        """Saves the blocks of the main chain for the next start."""
        blocks: dict[int, bytes | None] = {}
        for item in feed:
            if isinstance(item, Applied):
                blocks[item.block.number] = item.block.packed
            elif isinstance(item, Undone):
                blocks[item.number] = None
        if blocks:
            self.reversible.write(blocks)

    # The disk

    def commit(self) -> None:
        """Writes irreversible blocks: the log, then state and indexes in one batch. Raises WRITE_ERRORS."""
        self.check_usable()
        number, committed = self.number, self.committed_number
        if number <= committed:
            return
        self._log_blocks()
        extra = self.reversible.collect_deletes(committed)
        for follower in self.followers:
            extra += follower.prepare(number)
        self._store.commit(number, extra)
        self.reversible.finish_deletes(committed)
        for follower in self.followers:
            follower.finish(number)
        root = self._tree.find_on_main_branch(number)
        assert root is not None, "what was not committed is in the tree"
        self._tree.set_root(root.id)

    def try_commit(self) -> None:
        """Commits; a failure sets `write_problem`, a success clears it."""
        if self._try(self.commit):
            self.write_problem = None

    def retry_writes(self) -> None:
        """Repeats failed writes of irreversible and reversible blocks. Raises the error if it fails again."""
        self.commit()
        self.save_reversible()
        self.write_problem = None

    def _try(self, write: Callable[..., None], *arguments: object) -> bool:
        """Calls `write`; returns whether it succeeded."""
        try:
            write(*arguments)
        except WRITE_ERRORS as error:
            self.write_problem = error
            return False
        return True

    def _log_blocks(self) -> None:
        """Appends irreversible blocks to the log and syncs it, so that they survive a power failure."""
        for item in self._main_branch(self._log.head_number + 1, self.number):
            assert item.block is not None, "only the root has no block"
            self._log.append(item.number, item.block.packed)
        self._log.sync()

    def save_reversible(self) -> None:
        """Saves exactly the blocks after the committed one for the next start."""
        items = self._main_branch(self.committed_number + 1, self._tree.head.number)
        self.reversible.replace_all({item.number: item.block.packed for item in items if item.block is not None})

    def _main_branch(self, first: int, last: int) -> Iterator[ForkItem]:
        for number in range(first, last + 1):
            item = self._tree.find_on_main_branch(number)
            assert item is not None, "reversible blocks are in the tree"
            yield item
