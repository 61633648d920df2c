"""The effect record of a block, from which indexes are made.

It holds the block's operations and events, its payout explanations, and its changes of the rows of observable tables.
Its encoding is for external indexes and the outbox.
"""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple

from chain.effects import Applied, AppliedOperation
from protocol.codec import Codec
from protocol.config import ChainConfig
from protocol.rules import Rules
from rewards.payout import PayoutExplanation
from state.engine.rows import RowCodec, pack, unpack
from state.engine.store import Store
from state.engine.table import RowChange
from state.tables.tables import Tables

OBSERVABLE = tuple(spec for spec in Tables.SPECS if spec.is_observable)
"""The tables whose changes are recorded."""

PAYOUTS = RowCodec("payouts", PayoutExplanation, 1, {})
"""The encoding of payout explanations."""


class Change(NamedTuple):
    """A block's change of one row of an observable table; None stands for an absent row."""

    table: str
    key: Any
    before: Any
    after: Any


class Record(NamedTuple):
    """The effects of one block, and its rules; `changes` can be iterated over repeatedly."""

    number: int
    id: bytes
    previous: bytes
    timestamp: int
    witness: str
    operations: tuple[AppliedOperation, ...]
    payouts: tuple[PayoutExplanation, ...]
    rules: Rules
    changes: Iterable[Change]


class _Observed:
    """The changes of observable rows of a block, filtered lazily."""

    __slots__ = ("_changes",)

    def __init__(self, changes: tuple[RowChange, ...]) -> None:
        self._changes = changes

    def __iter__(self) -> Iterator[Change]:
        for change in self._changes:
            if change.table.spec.is_observable:
                yield Change(change.table.name, change.key, change.old, change.new)


def make_record(applied: Applied) -> Record:
    """The record of a block that was applied."""
    block, effects = applied
    payouts: tuple[PayoutExplanation, ...] = ()
    if effects.reports:
        payouts = tuple(found for found in effects.reports if type(found) is PayoutExplanation and not found.pending)
    return Record(
        effects.number,
        effects.id,
        block.previous,
        effects.timestamp,
        block.witness,
        effects.operations,
        payouts,
        effects.rules,
        _Observed(effects.changes),
    )


def scan_rows(store: Store[Tables]) -> Iterator[Change]:
    """Iterates over the observable rows of the committed state, as if its block had inserted them all.

    Reads a view of the backend, so the chain may continue meanwhile.
    """
    view = store.backend.snapshot()
    try:
        for spec in OBSERVABLE:
            table, key = getattr(store.tables, spec.name), attrgetter(*spec.primary)
            for _key, data in view.scan(table.prefix, table.prefix + b"\xff" * 8):
                row = table.codec.decode(data)
                yield Change(spec.name, key(row), None, row)
    finally:
        view.close()


class RecordCodec:
    """Packs and reads records of one chain."""

    def __init__(self, config: ChainConfig, codec: Codec) -> None:
        self._codec = codec
        first = config.hardforks.applied_at_genesis
        self._rules = [config.rules_at(number) for number in range(first, len(config.hard_forks) + 1)]
        self._rows = {spec.name: RowCodec(spec.name, spec.row, spec.version, spec.upgrades) for spec in OBSERVABLE}

    def encode(self, record: Record) -> bytes:
        """Packs a record."""
        encode = self._codec.encode_operation
        operations = tuple((applied[0], *applied[2:6], encode(applied.op)) for applied in record.operations)
        payouts = tuple(map(PAYOUTS.encode, record.payouts))
        changes = tuple(
            (table, key, self._encode_row(table, before), self._encode_row(table, after))
            for table, key, before, after in record.changes
        )
        return pack((*record[:5], operations, payouts, self._rules.index(record.rules), changes))

    def decode(self, data: bytes) -> Record:
        """Reads a record; rows of an older version of their table are brought up to date. Raises StoreCorrupt."""
        number, block_id, previous, timestamp, witness, operations, payouts, rules, changes = unpack(data)
        decode = self._codec.decode_operation
        return Record(
            number,
            block_id,
            previous,
            timestamp,
            witness,
            tuple(AppliedOperation(*(row[0], number, *row[1:5], decode(row[5]))) for row in operations),
            tuple(map(PAYOUTS.decode, payouts)),
            self._rules[rules],
            tuple(
                Change(table, key, self._decode_row(table, before), self._decode_row(table, after))
                for table, key, before, after in changes
            ),
        )

    def _encode_row(self, table: str, row: Any) -> bytes | None:
        return None if row is None else self._rows[table].encode(row)

    def _decode_row(self, table: str, data: bytes | None) -> Any:
        return None if data is None else self._rows[table].decode(data)
