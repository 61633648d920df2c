"""What happens in every block after its transactions, in the order of the reference.

The order is consensus: steps read what earlier ones wrote. Positions that only operations which are not enabled yet
could give anything to do are empty, and named here so that their steps find their places: conversions (after
process_funds), savings withdrawals (after vesting withdrawals), escrow ratification and declined voting rights (after
recoveries), required and optional actions (before hard forks).
Liquidity rewards ended with hard fork 12.

Source: libraries/chain/database.cpp, database::_apply_block.
"""

from collections.abc import Callable

from chain.expiries import (
    process_account_recoveries,
    process_expired_delegations,
    process_expired_orders,
    process_expired_transactions,
)
from chain.withdrawals import process_vesting_withdrawals
from consensus.global_data import create_block_summary, update_global_dynamic_data, update_signing_witness
from consensus.hardfork import process_hardforks
from consensus.irreversibility import update_last_irreversible_block
from consensus.median_feed import update_median_feed
from consensus.schedule import update_witness_schedule
from consensus.subsidized_accounts import process_subsidized_accounts
from protocol.block import Block
from rewards.cashout import process_comment_cashout
from rewards.inflation import process_funds
from rewards.null_account import process_null_account
from rewards.proposals import process_proposals
from rewards.virtual_supply import process_virtual_supply
from state.context import Context
from state.schema import Witness

Step = Callable[[Context], None]
BlockStep = Callable[[Context, Block, Witness], None]


def _update_global_dynamic_data(ctx: Context, block: Block, _witness: Witness) -> None:
    update_global_dynamic_data(ctx, block)


def _create_block_summary(ctx: Context, block: Block, _witness: Witness) -> None:
    create_block_summary(ctx, block)


HEAD_STEPS: tuple[BlockStep, ...] = (
    _update_global_dynamic_data,
    update_signing_witness,
    lambda ctx, _block, _witness: update_last_irreversible_block(ctx),
    _create_block_summary,
)
"""Steps that take the block in as the new head; the witness row is the one its signature was checked against."""

STEPS: tuple[Step, ...] = (
    process_expired_transactions,
    process_expired_orders,
    process_expired_delegations,
    update_witness_schedule,
    update_median_feed,
    process_virtual_supply,
    process_null_account,
    process_funds,
    process_comment_cashout,
    process_vesting_withdrawals,
    process_subsidized_accounts,
    process_virtual_supply,
    process_account_recoveries,
    process_proposals,
    process_hardforks,
)
"""Steps that follow, over the state alone."""
