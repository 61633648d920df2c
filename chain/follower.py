"""The interface of followers, which receive the feed and write in the same batch as the state."""

from collections.abc import Iterable
from typing import Protocol

from chain.effects import FeedItem
from chain.reader import Reader
from protocol.config import ChainConfig
from state.engine.kv import Put
from state.engine.store import Store
from state.tables.tables import Tables


class Follower(Protocol):
    """A consumer of the feed that stores data next to the state, in the same database."""

    def begin(self, store: Store[Tables], reader: Reader, config: ChainConfig) -> None:
        """Called before the chain continues from its committed block; every later change is passed to `take`."""

    def take(self, feed: Iterable[FeedItem]) -> None:
        """Called after a change of the main chain."""

    def prepare(self, number: int) -> list[Put]:
        """Returns the puts for the batch with the state of block `number`; `finish` follows the write."""

    def finish(self, number: int) -> None:
        """Called after the batch was written."""
