"""account_by_key_api: which accounts a public key belongs to. Source: plugins/account_by_key."""

from protocol.keys import decode_public_key
from rpc.apis.access import ApiBase, NodeAccess
from rpc.kinds import Keys
from rpc.method import rpc_method
from rpc.objects import Json


class AccountByKeyApi(ApiBase):
    """The method of account_by_key_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=False)

    @rpc_method()
    def get_key_references(self, keys: Keys) -> Json:
        """For each key the accounts in whose owner, active or posting authority it stands, in order of name."""
        references = self.chain.ctx.tables.key_references
        prefix = self.chain.config.identity.address_prefix
        decoded = [decode_public_key(text, prefix) for text in keys]
        return {"accounts": [[row.account for row in references.scan((key,))] for key in decoded]}
