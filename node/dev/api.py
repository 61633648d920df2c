"""dev_api: time travel for development chains; only `plaudit dev` offers it, and only to this machine.

A web page from elsewhere, which the browser of this machine shows, reaches the port as well: it may ask what everybody
may, and move no time.
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
        """Makes `count` blocks at once, the first one `skip_seconds` later than the next slot.

        `lost_transactions`, where it is there, names those that waited and expired meanwhile.
        """
        refuse_strangers()
        if count < 1:
            raise Rejected("1 <= count", "count is ${n}", n=count)
        return await self._mine(chain([skip_seconds], repeat(0, count - 1)))

    @rpc_method()
    async def advance_time(self, seconds: Seconds) -> dict[str, list[Any]]:
        """Lets `seconds` pass and makes a block then: payouts, withdrawals and expiries in between are due in it.

        What waits gets into blocks before. On the way it makes a block each time half of `recent_claims_decay_seconds`
        is over: the claims on the reward fund fade from block to block, and over a longer gap than the whole of it
        nothing would be left of them. `lost_transactions`, where it is there, names those that no block took.
        """
        refuse_strangers()
        return await self._mine(chain(self._blocks_for_pending(), self._strides(seconds)))

    def _blocks_for_pending(self) -> Iterator[int]:
        """Blocks without a gap as long as they take up what waits."""
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
        """Makes a block for each of these seconds to skip; other requests and peers get their turn between them."""
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
