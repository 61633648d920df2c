"""What happens in every block after its transactions, in the order of the reference.

The order is consensus: steps read what earlier ones wrote. Liquidity rewards, which stood after the subsidised
accounts, ended with hard fork 12.

Source: libraries/chain/database.cpp, database::_apply_block.
"""

from collections.abc import Callable

from chain.actions import process_optional_actions, process_required_actions
from chain.delayed_payments import process_conversions, process_savings_withdrawals
from chain.expiries import (
    process_account_recoveries,
    process_declined_voting_rights,
    process_escrow_ratification,
    process_expired_delegations,
    process_expired_orders,
    process_expired_transactions,
)
from chain.withdrawals import process_vesting_withdrawals
from consensus.global_data import create_block_summary, update_global_dynamic_data, update_signing_witness
from consensus.hardfork import process_hardforks
from consensus.header import HeaderActions
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
from state.tables.witnesses import Witness

Step = Callable[[Context], None]
BlockStep = Callable[[Context, Block, Witness], None]
ActionStep = Callable[[Context, HeaderActions], None]


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
    process_conversions,
    process_comment_cashout,
    process_vesting_withdrawals,
    process_savings_withdrawals,
    process_subsidized_accounts,
    process_virtual_supply,
    process_account_recoveries,
    process_escrow_ratification,
    process_declined_voting_rights,
    process_proposals,
)
"""Steps that follow, over the state alone."""

ACTION_STEPS: tuple[ActionStep, ...] = (
    process_required_actions,
    process_optional_actions,
)
"""Steps that carry out the automated actions of the header."""

LAST_STEPS: tuple[Step, ...] = (process_hardforks,)
"""Steps after the actions, over the state alone."""
