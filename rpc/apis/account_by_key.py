"""account_by_key_api: which accounts a public key belongs to. Source: plugins/account_by_key."""

from typing import Any

import orjson

from rpc.apis.access import ApiBase, NodeAccess
from rpc.json_bytes import dump_json
from rpc.kinds import Keys
from rpc.method import rpc_method
from rpc.slices import Steps, collect


class AccountByKeyApi(ApiBase):
    """The method of account_by_key_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=False)

    @rpc_method(rows="accounts")
    def get_key_references(self, keys: Keys) -> Steps:
        """For each key, the accounts with it in their owner, active or posting authority, ordered by name."""
        references = self.chain.ctx.tables.key_references
        shown: dict[bytes, Any] = {}
        for key in (yield from self.read_keys(keys)):
            if key not in shown:
                names = yield from collect(row.account for row in references.scan((key,)))
                shown[key] = orjson.Fragment(dump_json(names))
            yield shown[key]
