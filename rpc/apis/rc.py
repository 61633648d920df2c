"""rc_api: resource credits. Source: plugins/apis/rc_api."""

from typing import Annotated, Final

from consensus.resource_pools import ResourceParams, get_resource_params
from operations.registry import EXECUTION_TIMES, TOKEN_EXECUTION_TIMES
from protocol.resources import RESOURCE_NAMES, STATE_BYTES_SCALE, STATE_SIZES, TOKEN_STATE_SIZES
from rpc.apis.access import ApiBase, NodeAccess
from rpc.kinds import Items, Name
from rpc.method import rpc_method
from rpc.objects import Json, big, manabar, rd_params
from rpc.slices import PAUSE, Steps
from state.context import SINGLETON
from state.resource_credits import compute_max_rc
from state.tables.credits import RcAccount

ACCOUNTS_MAX = 1000


_SIZES_ORDER: Final = [
    "authority_base_size",
    "authority_account_member_size",
    "authority_key_member_size",
    "account_object_base_size",
    "account_authority_object_base_size",
    "account_recovery_request_object_base_size",
    "comment_object_base_size",
    "comment_object_permlink_char_size",
    "comment_object_parent_permlink_char_size",
    "comment_object_beneficiaries_member_size",
    "comment_vote_object_base_size",
    "convert_request_object_base_size",
    "decline_voting_rights_request_object_base_size",
    "escrow_object_base_size",
    "limit_order_object_base_size",
    "savings_withdraw_object_byte_size",
    "transaction_object_base_size",
    "transaction_object_byte_size",
    "vesting_delegation_object_base_size",
    "vesting_delegation_expiration_object_base_size",
    "withdraw_vesting_route_object_base_size",
    "witness_object_base_size",
    "witness_object_url_char_size",
    "witness_vote_object_base_size",
    "proposal_object_base_size",
    "proposal_vote_object_base_size",
    "proposal_vote_object_member_size",
]

_TIMES_ORDER: Final = [
    "account_create",
    "account_create_with_delegation",
    "account_update",
    "account_update2",
    "account_witness_proxy",
    "account_witness_vote",
    "cancel_transfer_from_savings",
    "change_recovery_account",
    "claim_account",
    "claim_reward_balance",
    "comment",
    "comment_options",
    "convert",
    "create_claimed_account",
    "custom",
    "custom_json",
    "custom_binary",
    "decline_voting_rights",
    "delegate_vesting_shares",
    "delete_comment",
    "escrow_approve",
    "escrow_dispute",
    "escrow_release",
    "escrow_transfer",
    "feed_publish",
    "limit_order_cancel",
    "limit_order_create",
    "limit_order_create2",
    "request_account_recovery",
    "set_withdraw_vesting_route",
    "transfer_from_savings",
    "transfer",
    "transfer_to_savings",
    "transfer_to_vesting",
    "vote",
    "withdraw_vesting",
    "witness_set_properties",
    "witness_update",
    "claim_reward_balance2",
    "smt_setup",
    "smt_setup_emissions",
    "smt_set_setup_parameters",
    "smt_set_runtime_parameters",
    "smt_create",
    "smt_contribute",
    "create_proposal",
    "update_proposal_votes",
    "remove_proposal",
]
"""The order in which the reference publishes its figures; those that it does not have follow."""


def _arrange(figures: dict[str, int], order: list[str]) -> dict[str, int]:
    return {name: figures[name] for name in dict.fromkeys((*order, *figures))}


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
        has_tokens = ctx.rules.tokens_live
        sizes = STATE_SIZES | (TOKEN_STATE_SIZES if has_tokens else {})
        times = EXECUTION_TIMES | (TOKEN_EXECUTION_TIMES if has_tokens else {})
        return {
            "resource_names": list(RESOURCE_NAMES),
            "resource_params": {name: _show_params(one) for name, one in params},
            "size_info": {
                "resource_state_bytes": _arrange(sizes, _SIZES_ORDER) | {"STATE_BYTES_SCALE": STATE_BYTES_SCALE},
                "resource_execution_time": {
                    f"{name}_operation_exec_time": time for name, time in _arrange(times, _TIMES_ORDER).items()
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
