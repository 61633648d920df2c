"""reputation_api: the reputations of accounts. Source: plugins/apis/reputation_api."""

from itertools import islice
from typing import Annotated

from rpc.apis.access import ApiBase, NodeAccess
from rpc.kinds import AtMost, Name, Unsigned
from rpc.method import rpc_method
from rpc.objects import big
from rpc.slices import Steps
from state.tables.tables import Tables

LIMIT_MAX = 1000

ReputationsLimit = Annotated[
    Unsigned,
    AtMost(LIMIT_MAX, "args.limit <= 1000", "Cannot retrieve more than 1000 account reputations at a time."),
]


class ReputationApi(ApiBase):
    """The method of reputation_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=False)

    @rpc_method(rows="reputations")
    def get_account_reputations(self, account_lower_bound: Name = "", limit: ReputationsLimit = LIMIT_MAX) -> Steps:
        """The reputations of accounts from a name on."""
        yield from list_reputations(self.chain.ctx.tables, account_lower_bound, limit)


def list_reputations(tables: Tables, lower_bound: str, limit: int) -> Steps:
    """Name and reputation of up to `limit` accounts from a name on."""
    for account in islice(tables.accounts.scan(start=(lower_bound,) if lower_bound else None), limit):
        row = tables.reputations.find(account.name)
        yield {"account": account.name, "reputation": big(row.reputation if row else 0)}
