"""What follows when the head has moved: followers are told, blocks are kept, and what is irreversible is written.

What is irreversible lies in the block log and, with the head's number and id, in the state database; a commit writes
the log first and waits for it, then the state in one synced batch. So after a crash the log is never behind.

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
"""Blocks that become irreversible together while many are imported."""

GROUP_BYTES = 64 << 20
"""Memory that irreversible blocks may hold before they are written, however few they are."""

WRITE_ERRORS = (StoreWriteFailed, BlockLogError)
"""What a disk that refuses shows as. Nothing is lost then, and the write can be repeated."""


class ChainUnusable(StoreError):
    """An error that is ours left the state neither as it was nor as it should be; the next start mends it."""


class Mode(Enum):
    """What a pushed block writes, and when."""

    PROMPT = "prompt"
    """Everything at once, and what waits is applied on the new head at once: for tools and tests."""

    LIVE = "live"
    """Irreversible blocks are in the block log at once. The state follows by `try_commit`, or when very much waits."""

    BULK = "bulk"
    """Irreversible blocks are written in groups: for importing many. A crash loses what was not written."""

    REPLAY = "replay"
    """As BULK, for blocks that lie in the files already: while a chain is opened."""

    @property
    def is_grouped(self) -> bool:
        """Whether irreversible blocks wait for others."""
        return self in (Mode.BULK, Mode.REPLAY)


def is_group_full(store: Store[Tables], number: int) -> bool:
    """Whether so much is not written of what is irreversible, up to block `number`, that it should be."""
    assert store.committed is not None, "the ledger commits the genesis"
    return number - store.committed.number >= GROUP_BLOCKS or store.count_held(number) >= GROUP_BYTES


class Finality:
    """Which blocks are irreversible, and how they get onto the disk.

    `number` is that of the last block that no branch can replace any more. The state of a longer branch may count fewer
    blocks as irreversible than this node did before it switched; what was irreversible once stays so here.

    `write_problem` says why the last write failed (a full disk, say); None when all is well. Blocks are still applied
    then, in memory: what the disk lacks is written by `retry_writes` or a later commit.

    `problem` is there when an error left the chain neither as it was nor as it should be: nothing is written any more.
    """

    def __init__(self, store: Store[Tables], log: BlockStore, tree: ForkTree) -> None:
        """Begins with the committed state, in REPLAY mode."""
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
        """Number of the last block whose state the database holds."""
        assert self._store.committed is not None, "the ledger commits the genesis"
        return self._store.committed.number

    def check_usable(self) -> None:
        """Raises the `problem`, if there is one."""
        if self.problem is not None:
            raise self.problem

    def fail(self, error: BaseException) -> None:
        """Makes the chain unusable after an error that came too late to take a change back."""
        self.problem = ChainUnusable(f"the chain was left half way: {type(error).__name__}: {error}")
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
        """Takes in what happened to the main chain, after which the state counts blocks as `irreversible`.

        Returns that number if it is news, and adds it to the feed.
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
        """Keeps the blocks of the main chain for the next start."""
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
        """Makes what is irreversible permanent: the log, then state and indexes in one batch. Raises WRITE_ERRORS."""
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
        """Commits; a disk that refuses shows in `write_problem`, and one that takes it clears that."""
        if self._try(self.commit):
            self.write_problem = None

    def retry_writes(self) -> None:
        """Writes what could not be written: irreversible and reversible blocks. Raises the reason if it fails again."""
        self.commit()
        self.save_reversible()
        self.write_problem = None

    def _try(self, write: Callable[..., None], *arguments: object) -> bool:
        """Writes something; returns whether the disk took it."""
        try:
            write(*arguments)
        except WRITE_ERRORS as error:
            self.write_problem = error
            return False
        return True

    def _log_blocks(self) -> None:
        """Brings the irreversible blocks into the log; from then on no failure of the power takes them back."""
        for item in self._main_branch(self._log.head_number + 1, self.number):
            assert item.block is not None, "only the root has no block"
            self._log.append(item.number, item.block.packed)
        self._log.sync()

    def save_reversible(self) -> None:
        """Keeps the blocks behind the committed one, and only these, for the next start."""
        items = self._main_branch(self.committed_number + 1, self._tree.head.number)
        self.reversible.replace_all({item.number: item.block.packed for item in items if item.block is not None})

    def _main_branch(self, first: int, last: int) -> Iterator[ForkItem]:
        for number in range(first, last + 1):
            item = self._tree.find_on_main_branch(number)
            assert item is not None, "reversible blocks are in the tree"
            yield item
