"""network_broadcast_api: broadcasts transactions and blocks. Source: plugins/apis/network_broadcast_api."""

from protocol.block import Block
from protocol.errors import Rejected
from rpc.apis.access import ApiBase, NodeAccess
from rpc.kinds import AnyJson
from rpc.method import rpc_method
from rpc.slices import Aside, Steps

NO_LIMIT = -1


class NetworkBroadcastApi(ApiBase):
    """The methods of network_broadcast_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=False)

    @rpc_method(broadcast=True)
    def broadcast_transaction(self, trx: AnyJson, max_block_age: int = NO_LIMIT) -> Steps:
        """Applies a transaction to the pending state and relays it.

        Rejected when the head block is older than `max_block_age` seconds (-1: no limit).
        """
        if max_block_age >= 0 and self.chain.ctx.time < self.node.now() - max_block_age:
            raise Rejected("!check_max_block_age( args.max_block_age )")
        transaction = yield from self.read_transaction(trx)
        self.node.broadcast(transaction)
        return {}

    @rpc_method(broadcast=True)
    def broadcast_block(self, block: AnyJson) -> Steps:
        """Applies a block as if a peer had sent it."""
        chain_id = self.chain.config.chain_id

        def read() -> Block:
            found = Block.from_json(self.codec, block)
            for transaction in found.transactions:
                transaction.signers(chain_id)
            return found

        self.node.submit_block((yield Aside(read)))
        return {}
