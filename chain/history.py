"""Account history: which operations touched an account, what happened in a block, where a transaction is.

The index of irreversible blocks lies in the state database under its own prefix and is written in the same batch as
the state, with its own cursor. Blocks that can still be undone are answered from memory. The index can be dropped and
made anew by replaying the block log.

An account's operations are numbered from 0 in the order in which the reference's account history notes them: events
inside an operation before the operation. Operations that touch nobody are left out.

Source: libraries/plugins/account_history_rocksdb/account_history_rocksdb_plugin.cpp.
"""

from collections.abc import Generator, Iterator
from hashlib import blake2b
from struct import Struct
from typing import Any, NamedTuple

from chain.effects import NO_TRANSACTION_ID, AppliedOperation, BlockEffects
from protocol.codec import Codec
from protocol.errors import Rejected
from protocol.operation import impacted
from rewards.payout import PayoutExplanation
from state.engine.kv import Backend, Reads
from state.engine.rows import RowCodec, pack, unpack

PREFIX = b"\x20"
"""First byte of every key of the index."""

CURSOR = PREFIX + b"\x00"
"""Key of the number of the last block in the index, with the layout of the index before it."""

_OPERATIONS = PREFIX + b"\x01"
_ACCOUNTS = PREFIX + b"\x02"
_TRANSACTIONS = PREFIX + b"\x03"
_PAYOUTS = PREFIX + b"\x04"
_END = bytes((PREFIX[0] + 1,))
_FORMAT = 1

_PLACE = Struct(">II")
_NUMBER = Struct(">I")
_PLACES_MAX = 0xFFFFFFFF

SEQUENCES_CACHED_MAX = 200_000
"""Accounts whose next sequence number is kept in memory; beyond it the cache starts anew."""

_DROP_BATCH = 10_000

Put = tuple[bytes, bytes | None]


class HistoryEntry(NamedTuple):
    """An operation in the history of an account, with its number there."""

    sequence: int
    operation: AppliedOperation


class _Block:
    """The history of one block that is not written yet: operations in history order, and where accounts occur."""

    __slots__ = ("by_account", "number", "operations", "payouts", "transactions")

    def __init__(self, effects: BlockEffects) -> None:
        self.number = effects.number
        self.operations: list[AppliedOperation] = []
        self.by_account: dict[str, list[int]] = {}
        self.transactions: dict[bytes, int] = {}
        self.payouts: list[PayoutExplanation] = [
            report for report in effects.reports if type(report) is PayoutExplanation and not report.pending
        ]
        operations, by_account, transactions = self.operations, self.by_account, self.transactions
        rules = effects.rules
        for applied in order_operations(effects.operations):
            accounts = impacted(applied.op, rules)
            if not accounts:
                continue
            place = len(operations)
            operations.append(applied)
            for account in accounts:
                places = by_account.get(account)
                if places is None:
                    by_account[account] = [place]
                else:
                    places.append(place)
            if applied.trx_id != NO_TRANSACTION_ID:
                transactions[applied.trx_id] = applied.trx_in_block


def order_operations(operations: tuple[AppliedOperation, ...]) -> Iterator[AppliedOperation]:
    """Iterates in history order: an operation comes after the events that happened inside it."""
    waiting: AppliedOperation | None = None
    for applied in operations:
        if waiting is not None and (
            applied.virtual_op == 0
            or (applied.trx_in_block, applied.op_in_trx) != (waiting.trx_in_block, waiting.op_in_trx)
        ):
            yield waiting
            waiting = None
        if applied.virtual_op == 0:
            waiting = applied
        else:
            yield applied
    if waiting is not None:
        yield waiting


class History:
    """The index over a backend that it shares with the state."""

    def __init__(self, backend: Backend, codec: Codec) -> None:
        self._backend = backend
        self._codec = codec
        self._payout_codec = RowCodec("payouts", PayoutExplanation, 1, {})
        self._blocks: dict[int, _Block] = {}
        self._next: dict[str, int] = {}
        self._prepared: dict[str, int] = {}
        self._cursor = read_cursor(backend)

    @property
    def cursor(self) -> int | None:
        """Number of the last block in the database; None when there is no index yet."""
        return self._cursor

    # Following the chain

    def add_block(self, effects: BlockEffects) -> None:
        """Takes in what a new head block did."""
        self._blocks[effects.number] = _Block(effects)

    def undo_block(self, number: int) -> None:
        """Forgets the newest block."""
        del self._blocks[number]

    def prepare(self, number: int) -> list[Put]:
        """Returns the puts that make everything up to block `number` part of the index; `finish` follows the write."""
        puts: list[Put] = []
        self._prepared = {}
        for block in self._blocks.values():
            if block.number <= number:
                self._collect(block, puts)
        puts.append((CURSOR, pack((_FORMAT, number))))
        return puts

    def finish(self, number: int) -> None:
        """Drops from memory what was written up to block `number`."""
        if len(self._next) > SEQUENCES_CACHED_MAX:
            self._next.clear()
        self._next.update(self._prepared)
        self._prepared = {}
        for old in [block for block in self._blocks if block <= number]:
            del self._blocks[old]
        self._cursor = number

    def drop(self) -> None:
        """Removes the whole index from the database."""
        self._blocks.clear()
        self._next.clear()
        while True:
            keys = [key for key, _ in zip(self._scan_keys(), range(_DROP_BATCH), strict=False)]
            if not keys:
                break
            self._backend.write([(key, None) for key in keys], sync=False)
        self._cursor = None

    def _scan_keys(self) -> Iterator[bytes]:
        # The cursor is the first key, so an index that is half dropped has none.
        return (key for key, _value in self._backend.scan(PREFIX, _END))

    def _collect(self, block: _Block, puts: list[Put]) -> None:
        number, encode = block.number, self._codec.encode_operation
        for place, applied in enumerate(block.operations):
            value = pack((applied[0], *applied[2:6], encode(applied.op)))
            puts.append((_OPERATIONS + _PLACE.pack(number, place), value))
        for account, places in block.by_account.items():
            sequence = self._next_sequence(account)
            prefix = _account_prefix(account)
            for place in places:
                puts.append((prefix + _NUMBER.pack(sequence), _PLACE.pack(number, place)))
                sequence += 1
            self._prepared[account] = sequence
        for trx_id, index in block.transactions.items():
            puts.append((_TRANSACTIONS + trx_id, _PLACE.pack(number, index)))
        for payout in block.payouts:
            key = _payout_prefix(payout.author, payout.permlink) + _NUMBER.pack(number)
            puts.append((key, self._payout_codec.encode(payout)))

    def _next_sequence(self, account: str) -> int:
        known = self._prepared.get(account)
        if known is None:
            known = self._next.get(account)
        return self._read_next_sequence(account) if known is None else known

    def _read_next_sequence(self, account: str) -> int:
        prefix = _account_prefix(account)
        for key, _value in self._backend.scan(prefix, prefix + b"\xff\xff\xff\xff\xff", reverse=True):
            return int(_NUMBER.unpack(key[-4:])[0]) + 1
        return 0

    # Questions

    def get_operations_in_block(self, number: int) -> list[AppliedOperation]:
        """Returns the operations and events of a block in history order."""
        return list(self.scan_block(number))

    def scan_block(self, number: int) -> Iterator[AppliedOperation]:
        """Iterates over the operations and events of a block in history order."""
        block = self._blocks.get(number)
        if block is not None:
            yield from block.operations
            return
        low, high = _OPERATIONS + _NUMBER.pack(number), _OPERATIONS + _PLACE.pack(number, _PLACES_MAX)
        for _key, value in self._backend.scan(low, high):
            yield self._decode(number, value)

    def count_operations(self, account: str) -> int:
        """Returns how many operations touched an account; the newest has this number less one."""
        return self._count_written(account) + sum(
            len(block.by_account.get(account, ())) for block in self._blocks.values()
        )

    def get_account_operations(self, account: str, newest: int, count: int) -> list[HistoryEntry]:
        """Returns at most `count` operations of an account, ascending, up to number `newest` or the last one."""
        return list(self.scan_account(account, newest, count))

    def scan_account(self, account: str, newest: int, count: int) -> Iterator[HistoryEntry]:
        """Iterates over at most `count` operations of an account, ascending, up to number `newest` or the last one."""
        written = self._count_written(account)
        places = [
            (block.number, place) for block in self._blocks.values() for place in block.by_account.get(account, ())
        ]
        last = min(newest, written + len(places) - 1)
        first = max(last - count + 1, 0)
        for sequence, place in self._scan_account(account, first, min(last + 1, written)):
            yield HistoryEntry(sequence, self._read(*place))
        for sequence in range(max(first, written), last + 1):
            number, position = places[sequence - written]
            yield HistoryEntry(sequence, self._blocks[number].operations[position])

    def find_transaction(self, trx_id: bytes) -> tuple[int, int] | None:
        """Returns (block number, index in the block) of a transaction, or None."""
        for block in self._blocks.values():
            index = block.transactions.get(trx_id)
            if index is not None:
                return block.number, index
        data = self._backend.get(_TRANSACTIONS + trx_id)
        if data is None:
            return None
        number, index = _PLACE.unpack(data)
        return int(number), int(index)

    def enumerate_virtual_operations(self, first: int, end: int) -> tuple[list[AppliedOperation], int]:
        """Returns the events of blocks first <= number < end, and the number of the next block that has events, or 0.

        Raises Rejected when the range is empty. Source: enumVirtualOperationsFromBlockRange.
        """
        found: list[AppliedOperation] = []
        steps = self.enumerate_in_steps(first, end)
        while True:
            try:
                applied = next(steps)
            except StopIteration as stop:
                return found, stop.value
            if applied is not None:
                found.append(applied)

    def enumerate_in_steps(self, first: int, end: int) -> Generator[AppliedOperation | None, None, int]:
        """Gives one operation of the blocks a step, None for one that is no event; returns the number of the next."""
        if not end > first:
            raise Rejected("blockRangeEnd > blockRangeBegin", "Block range must be upward")
        last = 0
        for applied in self._scan_virtual(first, end):
            if applied is not None:
                last = applied.block
            yield applied
        for applied in self._scan_virtual(last + 1, _PLACES_MAX):
            if applied is not None:
                return applied.block
            yield None
        return 0

    def get_payouts(self, author: str, permlink: str) -> list[PayoutExplanation]:
        """Returns how each payout of a post came about, oldest first."""
        prefix = _payout_prefix(author, permlink)
        found = [self._payout_codec.decode(value) for _key, value in self._backend.scan(prefix, prefix + b"\xff" * 5)]
        for block in self._blocks.values():
            found += [payout for payout in block.payouts if (payout.author, payout.permlink) == (author, permlink)]
        return found

    def _count_written(self, account: str) -> int:
        known = self._next.get(account)
        return self._read_next_sequence(account) if known is None else known

    def _scan_account(self, account: str, first: int, end: int) -> Iterator[tuple[int, tuple[int, int]]]:
        prefix = _account_prefix(account)
        if first < end:
            for key, value in self._backend.scan(prefix + _NUMBER.pack(first), prefix + _NUMBER.pack(end)):
                number, place = _PLACE.unpack(value)
                yield int(_NUMBER.unpack(key[-4:])[0]), (int(number), int(place))

    def _scan_virtual(self, first: int, end: int) -> Iterator[AppliedOperation | None]:
        """Iterates over the events of blocks, with None for each other operation."""
        low, high = _OPERATIONS + _NUMBER.pack(first), _OPERATIONS + _NUMBER.pack(end)
        for key, value in self._backend.scan(low, high):
            fields = unpack(value)
            yield self._build(int(_PLACE.unpack(key[-8:])[0]), fields) if fields[3] > 0 else None
        for block in self._blocks.values():
            if first <= block.number < end:
                yield from (applied if applied.virtual_op > 0 else None for applied in block.operations)

    def _read(self, number: int, place: int) -> AppliedOperation:
        data = self._backend.get(_OPERATIONS + _PLACE.pack(number, place))
        if data is None:
            raise Rejected("found", "Missing operation?")
        return self._decode(number, data)

    def _decode(self, number: int, data: bytes) -> AppliedOperation:
        return self._build(number, unpack(data))

    def _build(self, number: int, fields: Any) -> AppliedOperation:
        trx_id, trx_in_block, op_in_trx, virtual_op, timestamp, packed = fields
        op = self._codec.decode_operation(packed)
        return AppliedOperation(trx_id, number, trx_in_block, op_in_trx, virtual_op, timestamp, op)


def read_cursor(values: Reads) -> int | None:
    """Number of the last block in the index of a database; None when there is no index, or one of another layout."""
    data = values.get(CURSOR)
    if data is None:
        return None
    layout, number = unpack(data)
    return int(number) if layout == _FORMAT else None


def _account_prefix(account: str) -> bytes:
    """Names are at most 16 bytes long on the wire."""
    return _ACCOUNTS + account.encode("utf-8", "surrogateescape").ljust(16, b"\x00")


def _payout_prefix(author: str, permlink: str) -> bytes:
    text = f"{author}/{permlink}".encode("utf-8", "surrogateescape")
    return _PAYOUTS + blake2b(text, digest_size=16).digest()
