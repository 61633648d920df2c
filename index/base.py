"""The interface of all indexes: apply the records of blocks, undo the newest ones, and store cursors.

The `cursors` of an index are its last final block, which it cannot undo, and each later block, which it can. Rows and
cursors are written in one batch, so they are consistent after a crash, and the source (index/outbox.py) finds the
common block from the cursors alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, NamedTuple, Self

from index.record import Change, Record
from protocol.block import block_number
from protocol.errors import HistoryUnavailable
from protocol.types import NULL_ID
from state.engine.rows import pack, unpack

Pair = tuple[bytes, bytes]


class Cursor(NamedTuple):
    """A block that an index has applied; number 0 is the genesis."""

    number: int
    id: bytes


BEGINNING = Cursor(block_number(NULL_ID), NULL_ID)
"""The cursor of an empty index."""


class Answer(NamedTuple):
    """The answer of a source to an index.

    The index undoes its blocks down to `common`, applies the packed records, and may then drop the undo data of blocks
    up to number `final`. `head` is the newest block of the source.
    """

    common: Cursor
    records: tuple[bytes, ...]
    final: int
    head: Cursor

    def to_bytes(self) -> bytes:
        """Encodes the answer."""
        return pack(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decodes an answer. Raises StoreCorrupt."""
        common, records, final, head = unpack(data)
        return cls(Cursor(*common), records, final, Cursor(*head))


class Index(ABC):
    """An index over a chain; `name` is unique among those of one node.

    `is_final_only` is for an index that gets irreversible blocks only, and so never undoes one.
    """

    name: ClassVar[str]
    is_final_only: ClassVar[bool] = False

    @property
    @abstractmethod
    def cursors(self) -> list[Cursor]:
        """Its newest blocks, oldest first: the last one that it cannot undo, then each that it can."""

    @property
    def head(self) -> Cursor:
        """The newest block that is applied."""
        return self.cursors[-1]

    @abstractmethod
    def apply(self, record: Record) -> None:
        """Applies the block after the newest one."""

    @abstractmethod
    def undo(self) -> None:
        """Undoes the newest block."""

    @abstractmethod
    def write(self, final: int) -> None:
        """Writes rows and cursors in one batch; blocks up to number `final` can no longer be undone."""

    @abstractmethod
    def drop(self) -> None:
        """Removes the whole index, also on disk."""

    @abstractmethod
    def save(self) -> Iterator[Pair]:
        """Iterates over everything written, as keys in order with values."""

    @abstractmethod
    def restore(self, pairs: Iterable[Pair]) -> None:
        """Replaces the content by what was saved."""

    def begin_at(self, cursor: Cursor, rows: Iterable[Change]) -> None:
        """Fills an empty index with the observable rows of the state after a block, which becomes its newest block.

        That block is the genesis, or the first block of a node restored from a snapshot. By default an index needs no
        rows but every block, and raises HistoryUnavailable for the latter. May be called again after a crash.
        """
        if cursor != BEGINNING:
            raise HistoryUnavailable(
                "",
                "Index ${name} is made from block 1 on, but the blocks of this node begin behind block ${number}.",
                name=self.name,
                number=cursor.number,
            )

    def take(self, answer: Answer, decode: Callable[[bytes], Record]) -> None:
        """Applies an answer of its source, and writes the result at once."""
        while self.head != answer.common:
            self.undo()
        for packed in answer.records:
            self.apply(decode(packed))
        self.write(min(answer.final, self.head.number))
