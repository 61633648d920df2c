"""rc_api: resource credits. Source: plugins/apis/rc_api."""

from typing import Annotated

from consensus.resource_pools import ResourceParams, get_resource_params
from operations.registry import EXECUTION_TIMES
from protocol.resources import RESOURCE_NAMES, STATE_BYTES_SCALE, STATE_SIZES
from rpc.apis.access import ApiBase, NodeAccess
from rpc.kinds import Items, Name
from rpc.method import rpc_method
from rpc.objects import Json, big, manabar, rd_params
from rpc.slices import PAUSE, Steps
from state.context import SINGLETON
from state.resource_credits import compute_max_rc
from state.tables.credits import RcAccount

ACCOUNTS_MAX = 1000


class RcApi(ApiBase):
    """The methods of rc_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=False)

    @rpc_method()
    def get_resource_params(self) -> Json:
        """The parameters of resource pools and prices, and the resource usage of operations."""
        ctx = self.chain.ctx
        ctx.tables.rc_pools.get(SINGLETON)
        params = zip(RESOURCE_NAMES, get_resource_params(ctx), strict=True)
        return {
            "resource_names": list(RESOURCE_NAMES),
            "resource_params": {name: _show_params(one) for name, one in params},
            "size_info": {
                "resource_state_bytes": dict(sorted(STATE_SIZES.items())) | {"STATE_BYTES_SCALE": STATE_BYTES_SCALE},
                "resource_execution_time": {
                    f"{name}_operation_exec_time": time for name, time in sorted(EXECUTION_TIMES.items())
                },
            },
        }

    @rpc_method()
    def get_resource_pool(self) -> Json:
        """The available amount of each resource."""
        pools = self.chain.ctx.tables.rc_pools.get(SINGLETON).pools
        return {"resource_pool": {name: {"pool": big(pool)} for name, pool in zip(RESOURCE_NAMES, pools, strict=True)}}

    @rpc_method(rows="rc_accounts")
    def find_rc_accounts(
        self, accounts: Annotated[list[Name], Items(ACCOUNTS_MAX, "args.accounts.size() <= RC_API_SINGLE_QUERY_LIMIT")]
    ) -> Steps:
        """Resource credits of accounts at their last change, and their maximum."""
        for name in accounts:
            row = self.chain.ctx.tables.rc_accounts.find(name)
            yield PAUSE if row is None else self._rc_account(row)

    def _rc_account(self, row: RcAccount) -> Json:
        return {
            "account": row.account,
            "rc_manabar": manabar(row.rc_manabar),
            "max_rc_creation_adjustment": self.forms.vests(row.max_rc_creation_adjustment),
            "max_rc": big(compute_max_rc(self.chain.ctx.tables.accounts.get(row.account), row)),
        }


def _show_params(params: ResourceParams) -> Json:
    curve = params.curve
    return {
        "resource_dynamics_params": rd_params(params.dynamics),
        "price_curve_params": {"coeff_a": big(curve.coeff_a), "coeff_b": big(curve.coeff_b), "shift": curve.shift},
    }
