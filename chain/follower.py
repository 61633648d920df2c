"""What may follow the chain: it is told what happens to it, and what it writes goes with the state."""

from collections.abc import Iterable
from typing import Protocol

from chain.effects import FeedItem
from chain.reader import Reader
from protocol.config import ChainConfig
from state.engine.kv import Put
from state.engine.store import Store
from state.tables.tables import Tables


class Follower(Protocol):
    """Keeps something beside the state, in the same database."""

    def begin(self, store: Store[Tables], reader: Reader, config: ChainConfig) -> None:
        """The chain is about to go on from its committed block, after which everything is told."""

    def take(self, feed: Iterable[FeedItem]) -> None:
        """The main chain has changed."""

    def prepare(self, number: int) -> list[Put]:
        """Returns what is to be written in the batch with the state of block `number`; `finish` follows the write."""

    def finish(self, number: int) -> None:
        """The batch is written."""
