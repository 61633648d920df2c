"""Account history: operations by account and by block, and the location of transactions.

An account's operations are numbered from 0 in the order of the reference's account history: events inside an operation
come before the operation. Operations that affect no account are left out.

Source: libraries/plugins/account_history_rocksdb/account_history_rocksdb_plugin.cpp.
"""

from collections import defaultdict
from collections.abc import Generator, Iterator
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from msgspec import DecodeError
from msgspec.msgpack import Decoder

from chain.effects import NO_TRANSACTION_ID, AppliedOperation
from index.record import PAYOUTS, Record
from index.state_index import StateIndex, Values
from protocol.codec import Codec
from protocol.errors import Rejected
from protocol.operation import impacted
from rewards.payout import PayoutExplanation
from state.engine.errors import StoreCorrupt
from state.engine.kv import Backend
from state.engine.rows import pack

_PREFIX = b"\x20"
_OPERATIONS = _PREFIX + b"\x01"
_ACCOUNTS = _PREFIX + b"\x02"
_TRANSACTIONS = _PREFIX + b"\x03"
_PAYOUTS = _PREFIX + b"\x04"
_COUNTS = _PREFIX + b"\x05"

_PLACE = Struct(">II")
_NUMBER = Struct(">I")
_NUMBER_MAX = 0xFFFFFFFF

_decode_kept = Decoder(tuple[bytes, int, int, int, int, bytes]).decode


class HistoryEntry(NamedTuple):
    """An operation in the history of an account, with its sequence number."""

    sequence: int
    operation: AppliedOperation


def order_operations(operations: tuple[AppliedOperation, ...]) -> Iterator[AppliedOperation]:
    """Iterates in history order: an operation comes after the events inside it."""
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


class AccountHistory(StateIndex):
    """The index of operations by account, block and transaction, and of payout explanations."""

    name = "account_history"
    prefix = _PREFIX
    layout = 1

    def __init__(self, backend: Backend, codec: Codec) -> None:
        super().__init__(backend)
        self._codec = codec

    # Following

    def index(self, record: Record) -> Values:
        """Returns the entries of a block: its operations, and references by account and transaction."""
        number, rules, encode = record.number, record.rules, self._codec.encode_operation
        puts: Values = {}
        by_account: defaultdict[str, list[bytes]] = defaultdict(list)
        position = 0
        for applied in order_operations(record.operations):
            accounts = impacted(applied.op, rules)
            if not accounts:
                continue
            place = _PLACE.pack(number, position)
            position += 1
            trx_id, _block, trx_in_block, op_in_trx, virtual_op, timestamp, op = applied
            puts[_OPERATIONS + place] = pack((trx_id, trx_in_block, op_in_trx, virtual_op, timestamp, encode(op)))
            for account in accounts:
                by_account[account].append(place)
            if trx_id != NO_TRANSACTION_ID:
                puts[_TRANSACTIONS + trx_id] = _PLACE.pack(number, trx_in_block)
        for account, places in by_account.items():
            key, first = self._find(account)
            for sequence, place in enumerate(places, start=first):
                puts[_ACCOUNTS + key + _NUMBER.pack(sequence)] = place
            puts[_COUNTS + key] = _NUMBER.pack(first + len(places))
        for payout in record.payouts:
            puts[_payout_prefix(payout.author, payout.permlink) + _NUMBER.pack(number)] = PAYOUTS.encode(payout)
        return puts

    # Questions

    def get_operations_in_block(self, number: int) -> list[AppliedOperation]:
        """Returns the operations and events of a block in history order."""
        return list(self.scan_block(number))

    def scan_block(self, number: int) -> Iterator[AppliedOperation]:
        """Iterates over the operations and events of a block in history order."""
        low, high = _OPERATIONS + _NUMBER.pack(number), _OPERATIONS + _PLACE.pack(number, _NUMBER_MAX)
        return (self.decode(number, data) for _key, data in self.scan(low, high))

    def count_operations(self, account: str) -> int:
        """Returns the number of operations of an account; the newest has this number less one."""
        return self._find(account)[1]

    def _find(self, account: str) -> tuple[bytes, int]:
        """The key of an account, and its number of operations; names have at most 16 bytes on the wire."""
        key = account.encode("utf-8", "surrogateescape").ljust(16, b"\x00")
        place = _COUNTS + key
        data = self._values.get(place) or self.backend.get(place)
        if data is not None:
            return key, int.from_bytes(data, "big")
        # An index of an older program has no counts, and all its entries of the account are written.
        prefix = _ACCOUNTS + key
        for last, _place in self.backend.scan(prefix, prefix + b"\xff" * 5, reverse=True):
            return key, int.from_bytes(last[-4:], "big") + 1
        return key, 0

    def get_account_operations(self, account: str, newest: int, count: int) -> list[HistoryEntry]:
        """Returns at most `count` operations of an account, ascending, up to number `newest` or the last one."""
        return [
            HistoryEntry(sequence, self.decode(block, data))
            for sequence, block, data in self.scan_account(account, newest, count)
        ]

    def scan_account(self, account: str, newest: int, count: int) -> Iterator[tuple[int, int, bytes]]:
        """Iterates over the same operations as (number, block, stored bytes)."""
        key, known = self._find(account)
        end = min(newest + 1, known)
        first = max(end - count, 0)
        if first >= end:
            return
        prefix, get, unpack_place = _ACCOUNTS + key, self.get, _PLACE.unpack
        places = self.scan(prefix + _NUMBER.pack(first), prefix + _NUMBER.pack(end))
        for sequence, (_key, place) in enumerate(places, start=first):
            data = get(_OPERATIONS + place)
            if data is None:
                raise Rejected("found", "Missing operation?")
            yield sequence, unpack_place(place)[0], data

    def decode(self, number: int, data: bytes) -> AppliedOperation:
        """Decodes a stored operation or event of a block."""
        trx_id, trx_in_block, op_in_trx, virtual_op, timestamp, packed = _read_kept(data)
        op = self._codec.decode_operation(packed)
        return AppliedOperation(trx_id, number, trx_in_block, op_in_trx, virtual_op, timestamp, op)

    def find_transaction(self, trx_id: bytes) -> tuple[int, int] | None:
        """Returns (block number, index in the block) of a transaction, or None."""
        data = self.get(_TRANSACTIONS + trx_id)
        if data is None:
            return None
        number, position = _PLACE.unpack(data)
        return int(number), int(position)

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
        """Yields one operation per step, None unless it is an event; returns the number of the next block."""
        if not end > first:
            raise Rejected("blockRangeEnd > blockRangeBegin", "Block range must be upward")
        last = 0
        for applied in self._scan_virtual(first, end):
            if applied is not None:
                last = applied.block
            yield applied
        for applied in self._scan_virtual(last + 1, _NUMBER_MAX):
            if applied is not None:
                return applied.block
            yield None
        return 0

    def _scan_virtual(self, first: int, end: int) -> Iterator[AppliedOperation | None]:
        """Iterates over the events of blocks, with None for each other operation."""
        for key, data in self.scan(_OPERATIONS + _NUMBER.pack(first), _OPERATIONS + _NUMBER.pack(end)):
            is_event = _read_kept(data)[3] > 0
            yield self.decode(int(_PLACE.unpack(key[-8:])[0]), data) if is_event else None

    def get_payouts(self, author: str, permlink: str) -> list[PayoutExplanation]:
        """Returns the explanations of a post's payouts, oldest first."""
        prefix = _payout_prefix(author, permlink)
        return [PAYOUTS.decode(data) for _key, data in self.scan(prefix, prefix + b"\xff" * 5)]


def _payout_prefix(author: str, permlink: str) -> bytes:
    text = f"{author}/{permlink}".encode("utf-8", "surrogateescape")
    return _PAYOUTS + blake2b(text, digest_size=16).digest()


def _read_kept(data: bytes) -> tuple[bytes, int, int, int, int, bytes]:
    """Reads a stored AppliedOperation: without its block, with the operation packed. Raises StoreCorrupt."""
    try:
        return _decode_kept(data)
    except DecodeError as error:
        raise StoreCorrupt(f"an operation of the account history cannot be read: {error}") from error
