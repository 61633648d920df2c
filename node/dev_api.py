"""dev_api: time travel for development chains; only `plaudit dev` offers it, and only to this machine.

A web page from elsewhere, which the browser of this machine shows, reaches the port as well: it may ask what everybody
may, and move no time.
"""

from typing import Annotated

from node.core import Node
from protocol.errors import Rejected
from rpc.kinds import AtMost, Unsigned
from rpc.method import rpc_method
from rpc.this_machine import refuse_strangers

BLOCKS_MAX = 10_000
SKIP_SECONDS_MAX = 10 * 365 * 86_400

Seconds = Annotated[Unsigned, AtMost(SKIP_SECONDS_MAX)]


class DevApi:
    """The methods of dev_api."""

    def __init__(self, node: Node) -> None:
        self.node = node

    @rpc_method()
    def mine(
        self, count: Annotated[Unsigned, AtMost(BLOCKS_MAX)] = 1, skip_seconds: Seconds = 0
    ) -> dict[str, list[int]]:
        """Makes `count` blocks at once, the first one `skip_seconds` later than the next slot."""
        refuse_strangers()
        if count < 1:
            raise Rejected("1 <= count", "count is ${n}", n=count)
        return {"block_nums": self.node.mine(count, skip_seconds)}

    @rpc_method()
    def advance_time(self, seconds: Seconds) -> dict[str, list[int]]:
        """Lets `seconds` pass and makes a block then: payouts, withdrawals and expiries in between are due in it.

        On the way it makes a block each time half of `recent_claims_decay_seconds` is over: the claims on the reward
        fund fade from block to block, and over a longer gap than the whole of it nothing would be left of them.
        """
        refuse_strangers()
        rules = self.node.chain.ctx.rules
        stride = max(rules.recent_claims_decay_seconds // 2, rules.block_interval_seconds)
        numbers: list[int] = []
        while seconds > stride:
            numbers += self.node.mine(1, stride - rules.block_interval_seconds)
            seconds -= stride
        return {"block_nums": numbers + self.node.mine(1, seconds)}
