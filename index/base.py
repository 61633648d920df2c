"""What every index is: it takes the records of blocks in, gives the newest ones back, and keeps how far it is.

An index is led by `cursors`: the last block that it can not give back any more, and each block behind it that it can.
Rows and cursors are written in one batch, so after a crash they fit together, and whoever feeds the index
(index/outbox.py) finds from the cursors alone where both agree.
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
    """A block that an index has; that of number 0 is the genesis."""

    number: int
    id: bytes


BEGINNING = Cursor(block_number(NULL_ID), NULL_ID)
"""Where an empty index is."""


class Answer(NamedTuple):
    """What a source has for an index.

    The index gives back its blocks down to `common`, takes the packed records in, and may then drop what it needs to
    give back the blocks up to number `final`. `head` is how far the source is.
    """

    common: Cursor
    records: tuple[bytes, ...]
    final: int
    head: Cursor

    def to_bytes(self) -> bytes:
        """The answer as bytes."""
        return pack(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The answer out of its bytes. Raises StoreCorrupt."""
        common, records, final, head = unpack(data)
        return cls(Cursor(*common), records, final, Cursor(*head))


class Index(ABC):
    """An index over a chain; `name` is unique among those of one node.

    `is_final_only` is for an index that is to get irreversible blocks only, and so never gives one back.
    """

    name: ClassVar[str]
    is_final_only: ClassVar[bool] = False

    @property
    @abstractmethod
    def cursors(self) -> list[Cursor]:
        """Its newest blocks, oldest first: the last one that it can not give back, then each that it can."""

    @property
    def head(self) -> Cursor:
        """The newest block that it has."""
        return self.cursors[-1]

    @abstractmethod
    def apply(self, record: Record) -> None:
        """Takes in the block behind the newest one."""

    @abstractmethod
    def undo(self) -> None:
        """Gives the newest block back."""

    @abstractmethod
    def write(self, final: int) -> None:
        """Writes rows and cursors in one batch; blocks up to number `final` are not given back any more."""

    @abstractmethod
    def drop(self) -> None:
        """Removes all that it holds, also on the disk."""

    @abstractmethod
    def save(self) -> Iterator[Pair]:
        """Gives all that it has written, as keys in their order with values."""

    @abstractmethod
    def restore(self, pairs: Iterable[Pair]) -> None:
        """Holds what was saved, and nothing else."""

    def begin_at(self, cursor: Cursor, rows: Iterable[Change]) -> None:
        """Fills the empty index with the observable rows that there are after a block, which is its newest one then.

        That block is the genesis, or the one with which a node begins that was restored from a snapshot. By default an
        index needs no rows, but every block: then HistoryUnavailable is raised for the latter. A crash may have it
        called again.
        """
        if cursor != BEGINNING:
            raise HistoryUnavailable(
                "",
                "Index ${name} is made from block 1 on, but the blocks of this node begin behind block ${number}.",
                name=self.name,
                number=cursor.number,
            )

    def take(self, answer: Answer, decode: Callable[[bytes], Record]) -> None:
        """Follows its source: what the answer says is written at once."""
        while self.head != answer.common:
            self.undo()
        for packed in answer.records:
            self.apply(decode(packed))
        self.write(min(answer.final, self.head.number))
