"""dev_api: time travel for development chains; only `plaudit dev` offers it, and only to this machine.

A web page from elsewhere, which the browser of this machine shows, reaches the port as well: it may ask what everybody
may, and move no time.
"""

from node.core import Node
from protocol.errors import Rejected
from rpc.method import Unsigned, rpc_method
from rpc.this_machine import refuse_strangers

BLOCKS_MAX = 10_000
SKIP_SECONDS_MAX = 10 * 365 * 86_400


class DevApi:
    """The methods of dev_api."""

    def __init__(self, node: Node) -> None:
        self.node = node

    @rpc_method()
    def mine(self, count: Unsigned = 1, skip_seconds: Unsigned = 0) -> dict[str, list[int]]:
        """Makes `count` blocks at once, the first one `skip_seconds` later than the next slot."""
        refuse_strangers()
        if not 1 <= count <= BLOCKS_MAX:
            raise Rejected("1 <= count <= ${max}", "count is ${n}", n=count, max=BLOCKS_MAX)
        if skip_seconds > SKIP_SECONDS_MAX:
            raise Rejected("skip_seconds <= ${max}", "skip_seconds is ${n}", n=skip_seconds, max=SKIP_SECONDS_MAX)
        return {"block_nums": self.node.mine(count, skip_seconds)}

    @rpc_method()
    def advance_time(self, seconds: Unsigned) -> dict[str, list[int]]:
        """Lets `seconds` pass and makes a block then: payouts, withdrawals and expiries in between are due in it.

        On the way it makes a block each time half of `recent_claims_decay_seconds` is over: the claims on the reward
        fund fade from block to block, and over a longer gap than the whole of it nothing would be left of them.
        """
        refuse_strangers()
        if seconds > SKIP_SECONDS_MAX:
            raise Rejected("seconds <= ${max}", "seconds is ${n}", n=seconds, max=SKIP_SECONDS_MAX)
        rules = self.node.chain.ctx.rules
        stride = max(rules.recent_claims_decay_seconds // 2, rules.block_interval_seconds)
        numbers: list[int] = []
        while seconds > stride:
            numbers += self.node.mine(1, stride - rules.block_interval_seconds)
            seconds -= stride
        return {"block_nums": numbers + self.node.mine(1, seconds)}
