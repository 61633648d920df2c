"""dev_api: time travel for development chains; only `plaudit dev` serves it, for local requests only.

A foreign web page in a browser of this machine reaches the port as well; it may use the public methods, but not these.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Annotated, Any

from node.core import Node
from protocol.errors import Rejected
from protocol.units import DAY_SECONDS
from rpc.kinds import AtMost, Unsigned
from rpc.method import rpc_method
from rpc.this_machine import refuse_strangers

BLOCKS_MAX = 10_000
BLOCKS_FOR_PENDING_MAX = 20
SKIP_SECONDS_MAX = 10 * 365 * DAY_SECONDS

Seconds = Annotated[Unsigned, AtMost(SKIP_SECONDS_MAX)]


class DevApi:
    """The methods of dev_api."""

    def __init__(self, node: Node) -> None:
        self.node = node

    @rpc_method()
    async def mine(
        self, count: Annotated[Unsigned, AtMost(BLOCKS_MAX)] = 1, skip_seconds: Seconds = 0
    ) -> dict[str, list[Any]]:
        """Produces `count` blocks at once, the first one `skip_seconds` later than the next slot.

        `lost_transactions`, if present, lists pending transactions that expired meanwhile.
        """
        refuse_strangers()
        if count < 1:
            raise Rejected("1 <= count", "count is ${n}", n=count)
        return await self._mine(chain([skip_seconds], repeat(0, count - 1)))

    @rpc_method()
    async def advance_time(self, seconds: Seconds) -> dict[str, list[Any]]:
        """Advances the time by `seconds` and produces a block, in which all payouts and expirations in between are due.

        Pending transactions are included before. A block is also produced every half of `recent_claims_decay_seconds`,
        because the claims on the reward fund decay per block, and would be lost in a gap longer than that time.
        `lost_transactions`, if present, lists those that no block included.
        """
        refuse_strangers()
        return await self._mine(chain(self._blocks_for_pending(), self._strides(seconds)))

    def _blocks_for_pending(self) -> Iterator[int]:
        """Yields blocks without a gap while they include pending transactions."""
        pending = self.node.chain.pending
        for _ in range(BLOCKS_FOR_PENDING_MAX):
            before = len(pending)
            if before:
                yield 0
            if len(pending) == before:
                return

    def _strides(self, seconds: int) -> Iterator[int]:
        rules = self.node.chain.ctx.rules
        stride = max(rules.recent_claims_decay_seconds // 2, rules.block_interval_seconds)
        while seconds > stride:
            yield stride - rules.block_interval_seconds
            seconds -= stride
        yield seconds

    async def _mine(self, skips: Iterable[int]) -> dict[str, list[Any]]:
        """Produces a block for each number of seconds to skip, yielding to other requests and peers in between."""
        node = self.node
        waiting = {transaction.id: None for transaction in node.chain.pending}
        numbers: list[int] = []
        for skip_seconds in skips:
            (number,) = node.miner.mine(1, skip_seconds)
            block = node.chain.reader.get_block(number)
            for trx_id in () if block is None else block.transaction_ids:
                waiting.pop(trx_id, None)
            numbers.append(number)
            await asyncio.sleep(0)
        lost = [trx_id.hex() for trx_id in waiting if trx_id not in node.chain.pending]
        return {"block_nums": numbers} | ({"lost_transactions": lost} if lost else {})
