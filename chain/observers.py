"""What an index that follows the chain offers: it takes blocks in, gives them back, and is written with the state."""

from typing import Protocol

from chain.effects import BlockEffects

Put = tuple[bytes, bytes | None]
"""A key of the database and its new value; None deletes it."""


class Observer(Protocol):
    """An index beside the state, with its own cursor, written in the same batch as the state.

    Its newest blocks are in memory until they are irreversible, so a change of branch only forgets them.
    """

    @property
    def cursor(self) -> int | None:
        """Number of the last block in the database; None when there is no index yet."""

    def add_block(self, effects: BlockEffects) -> None:
        """Takes in what a new head block did."""

    def undo_block(self, number: int) -> None:
        """Forgets the newest block."""

    def prepare(self, number: int) -> list[Put]:
        """Returns the puts that make everything up to block `number` part of the index; `finish` follows the write."""

    def finish(self, number: int) -> None:
        """Drops from memory what was written up to block `number`."""

    def drop(self) -> None:
        """Removes the whole index from the database."""
