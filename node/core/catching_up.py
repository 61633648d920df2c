"""How far this node is behind its peers: commits are grouped while that is much, and the progress is told."""

from typing import NamedTuple

from chain.chain import Chain
from chain.finality import Mode
from node.core.world import World
from protocol.block import Block
from protocol.units import HOUR_SECONDS

BULK_BLOCKS = 500
"""So far behind, commits are grouped; what a crash loses is fetched again."""

RECENT_SECONDS = 60
"""A head of that age is the newest block or nearly so, whatever peers claim."""

FUTURE_SECONDS_MAX = HOUR_SECONDS
"""How much longer than the time that has passed a peer's chain may claim to be."""

PROGRESS_MS = 10_000
"""How often the progress of a long synchronisation is told."""


class Progress(NamedTuple):
    """What was applied since a moment."""

    since_ms: int
    blocks: int
    transactions: int


class CatchingUp:
    """Compares the head with the clock, since peers can claim anything of what is missing."""

    def __init__(self, world: World, chain: Chain) -> None:
        self._world = world
        self._chain = chain
        self._progress = Progress(0, 0, 0)

    @property
    def _head_age(self) -> int:
        return self._world.now_ms() // 1000 - self._chain.head_time

    @property
    def is_recent(self) -> bool:
        """Whether the head is the newest block, or nearly so."""
        return self._head_age < RECENT_SECONDS

    def is_too_long(self, highest: int) -> bool:
        """Whether so many blocks cannot have been made until now."""
        seconds = (highest - self._chain.head_number) * self._chain.ctx.rules.block_interval_seconds
        return seconds > self._head_age + FUTURE_SECONDS_MAX

    def begin(self, missing: int) -> None:
        """So many blocks are missing: if that is far by the clock, too, commits are grouped from now on."""
        seconds = BULK_BLOCKS * self._chain.ctx.rules.block_interval_seconds
        if self._chain.mode is not Mode.BULK and self._head_age > seconds and missing > BULK_BLOCKS:
            self._chain.enter(Mode.BULK)

    def end(self, is_running: bool) -> None:
        """Ends that once nothing is missing, or nothing that can matter."""
        if self._chain.mode is Mode.BULK and (not is_running or self.is_recent):
            self._chain.enter(Mode.LIVE)
            self._world.note("synced", head=self._chain.head_number)

    def count(self, block: Block) -> None:
        """A block was applied."""
        since, blocks, transactions = self._progress
        self._progress = Progress(since, blocks + 1, transactions + len(block.transactions))

    def tell(self, missing: int, now_ms: int) -> None:
        """Tells the progress every now and then."""
        since_ms, blocks, transactions = self._progress
        if self._chain.mode is Mode.BULK and missing:
            if now_ms - since_ms < PROGRESS_MS:
                return
            seconds = PROGRESS_MS // 1000
            self._world.note(
                "syncing",
                head=self._chain.head_number,
                missing=missing,
                blocks_per_second=blocks // seconds,
                transactions_per_second=transactions // seconds,
                seconds_left=missing * seconds // max(blocks, 1),
            )
        self._progress = Progress(now_ms, 0, 0)
