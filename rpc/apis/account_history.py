"""account_history_api: operations and events by account, by block, and in a range of blocks.

Source: plugins/apis/account_history_api, with the answers of the implementation over RocksDB.
"""

from functools import lru_cache
from typing import Annotated

from chain.effects import AppliedOperation
from protocol.errors import Rejected
from rpc.apis.access import ApiBase, NodeAccess
from rpc.kinds import AtMost, HexText, Name, Unsigned, Unsigned32
from rpc.method import rpc_method
from rpc.slices import PAUSE, Steps, StepsTo, collect

HISTORY_LIMIT_MAX = 10_000
BLOCK_RANGE_MAX = 2000

SHOWN_MAX = 8192
"""Number of cached JSON entries, as wallets and web pages request the newest ones repeatedly."""

SHOWN_BYTES_MAX = 512
"""Maximum encoded size of an entry whose JSON is cached."""

HistoryLimit = Annotated[
    Unsigned,
    AtMost(HISTORY_LIMIT_MAX, "args.limit <= 10000", "limit of ${l} is greater than maxmimum allowed", "l"),
]


class AccountHistoryApi(ApiBase):
    """The methods of account_history_api."""

    def __init__(self, node: NodeAccess, legacy: bool = False) -> None:
        super().__init__(node, legacy)
        self._show_often = lru_cache(SHOWN_MAX)(self._show)

    @rpc_method(rows="ops")
    def get_ops_in_block(self, block_num: Unsigned32, only_virtual: bool = False) -> Steps:
        """The operations of a block by transaction, each transaction's events after all its operations.

        Source: account_history_api.hpp, api_operation_object::operator<, whose op_in_trx is always 0.
        """
        for item in (yield from self.read_block_operations(block_num)):
            yield self.applied_operation(item) if item.virtual_op or not only_virtual else PAUSE

    def read_block_operations(self, number: int) -> StepsTo[list[AppliedOperation]]:
        """The operations and events of a block in this order."""
        operations = yield from collect(self.indexes.history.scan_block(number))
        operations.sort(key=lambda item: (item.trx_in_block, item.virtual_op))
        return operations

    @rpc_method()
    def get_transaction(self, id_: HexText) -> Steps:
        """A transaction of the chain by its id."""
        place = self.indexes.history.find_transaction(_parse_id(id_))
        number, position = place or (0, 0)
        shown = yield from self.read_block(
            number, lambda block: self.transaction_json(block.transactions[position], number, position)
        )
        if shown is None:
            raise Rejected("false", "Unknown Transaction ${t}", t=id_).named("transaction_unknown")
        return shown

    @rpc_method(rows="history")
    def get_account_history(
        self, account: Name, start: Unsigned = 0xFFFFFFFFFFFFFFFF, limit: HistoryLimit = 1000
    ) -> Steps:
        """Up to `limit` + 1 entries that end at sequence number `start`, oldest first."""
        if start < limit:
            raise Rejected("args.start >= args.limit", "start must be greater than limit")
        for sequence, block, data in self.indexes.history.scan_account(account, start, limit + 1):
            shown = self._show_often(block, data) if len(data) <= SHOWN_BYTES_MAX else self._show(block, data)
            yield b"[%d,%b]" % (sequence, shown)

    def _show(self, block: int, data: bytes) -> bytes:
        return self.applied_operation(self.indexes.history.decode(block, data))

    @rpc_method(rows="ops")
    def enum_virtual_ops(self, block_range_begin: Unsigned32, block_range_end: Unsigned32) -> Steps:
        """The events of the blocks from `begin` up to, not including, `end`, and the next block that has one (or 0)."""
        if block_range_end - block_range_begin > BLOCK_RANGE_MAX:
            text = "a range may hold ${max} blocks"
            raise Rejected("block_range_end - block_range_begin <= ${max}", text, max=BLOCK_RANGE_MAX)
        steps = self.indexes.history.enumerate_in_steps(block_range_begin, block_range_end)
        while True:
            try:
                applied = next(steps)
            except StopIteration as stop:
                return {"next_block_range_begin": stop.value}
            yield PAUSE if applied is None else self.applied_operation(applied)


def _parse_id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Rejected("false", "Unknown Transaction ${t}", t=text).named("transaction_unknown") from None
