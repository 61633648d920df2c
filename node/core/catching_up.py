"""Catching up with peers: while the node is far behind, commits are batched and progress is logged."""

from typing import NamedTuple

from chain.chain import Chain
from chain.finality import Mode
from node.core.world import World
from protocol.block import Block
from protocol.units import HOUR_SECONDS

BULK_BLOCKS = 500
"""Commits are batched from this many missing blocks on; blocks lost in a crash are fetched again."""

RECENT_SECONDS = 60
"""A head younger than this counts as recent, whatever peers claim."""

FUTURE_SECONDS_MAX = HOUR_SECONDS
"""How far into the future a peer's claimed head may lie."""

PROGRESS_MS = 10_000
"""How often the progress of a long synchronisation is logged."""


class Progress(NamedTuple):
    """Blocks and transactions applied since a point in time."""

    since_ms: int
    blocks: int
    transactions: int


class CatchingUp:
    """Judges by the clock how far behind the head is, since peers can claim any number of missing blocks."""

    def __init__(self, world: World, chain: Chain) -> None:
        self._world = world
        self._chain = chain
        self._progress = Progress(0, 0, 0)

    @property
    def _head_age(self) -> int:
        return self._world.now_ms() // 1000 - self._chain.head_time

    @property
    def is_recent(self) -> bool:
        """Whether the head is the newest block or close to it."""
        return self._head_age < RECENT_SECONDS

    def is_too_long(self, highest: int) -> bool:
        """Whether more blocks are claimed than can have been produced by now."""
        seconds = (highest - self._chain.head_number) * self._chain.ctx.rules.block_interval_seconds
        return seconds > self._head_age + FUTURE_SECONDS_MAX

    def begin(self, missing: int) -> None:
        """Starts batching commits if many blocks are missing and the head is as old as that says."""
        seconds = BULK_BLOCKS * self._chain.ctx.rules.block_interval_seconds
        if self._chain.mode is not Mode.BULK and self._head_age > seconds and missing > BULK_BLOCKS:
            self._chain.enter(Mode.BULK)

    def end(self, is_running: bool) -> None:
        """Stops batching once no block is missing or the head is recent."""
        if self._chain.mode is Mode.BULK and (not is_running or self.is_recent):
            self._chain.enter(Mode.LIVE)
            self._world.note("synced", head=self._chain.head_number)

    def count(self, block: Block) -> None:
        """Counts an applied block."""
        since, blocks, transactions = self._progress
        self._progress = Progress(since, blocks + 1, transactions + len(block.transactions))

    def tell(self, missing: int, now_ms: int) -> None:
        """Logs the progress from time to time."""
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
