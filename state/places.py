"""The classification of every row field that holds an amount: places of money, derived amounts, and figures.

A new field must be listed here; an unlisted one fails at import.
"""

from typing import Final

from protocol.assets import Asset
from state.balances import (
    HELD,
    LIQUID,
    MARKET_MAKER,
    REWARD_FUND,
    REWARDS,
    SALE,
    SAVINGS,
    TOKEN_REWARD_FUND,
    TOKEN_VESTING_FUND,
    VESTING_FUND,
)
from state.engine.errors import SchemaError
from state.engine.rows import list_fields
from state.reward_balances import REWARD_SHARES, REWARD_SHARES_FUND, TOKEN_REWARD_SHARES_FUND
from state.stake import STAKE
from state.tables.kinds import find_symbol, is_of_token
from state.tables.tables import Tables

PURSES: Final = (
    *(LIQUID, SAVINGS, REWARDS, STAKE, REWARD_SHARES, REWARD_FUND, VESTING_FUND[0], REWARD_SHARES_FUND[0]),
    *(SALE, MARKET_MAKER, TOKEN_REWARD_FUND, TOKEN_VESTING_FUND, TOKEN_REWARD_SHARES_FUND),
)
"""All purses. All other money is in rows that hold it (HELD)."""

SLOTS: Final = {
    spec.name: slots
    for spec in Tables.SPECS
    if (slots := [item for purse in PURSES for item in purse.slots.items() if item[1].table == spec.name])
}
"""The slots of all purses with their symbols, by table."""

TOKEN_SLOTS: Final = {
    spec.name: fields
    for spec in Tables.SPECS
    if (fields := [purse.tokens for purse in PURSES if purse.tokens and purse.token_row is spec.row])
}
"""The fields in which purses hold amounts of the token that their row names, by their tables."""

HELD_IN: Final = {spec.name: HELD[spec.row] for spec in Tables.SPECS if spec.row in HELD}
"""The fields of rows that hold money, by table."""

FOLLOWING: Final = {
    "accounts": {"reward_vesting_steem", "delegated_vesting_shares", "received_vesting_shares"},
    "vesting_delegations": {"vesting_shares"},
    "vesting_delegation_expirations": {"vesting_shares"},
    "global_properties": {
        "current_supply",
        "current_sbd_supply",
        "virtual_supply",
        "total_vesting_shares",
        "pending_rewarded_vesting_shares",
    },
    "token_delegations": {"vesting_shares"},
    "token_delegation_expirations": {"vesting_shares"},
    "tokens": {"current_supply", "total_vesting_shares", "pending_rewarded_vesting_shares"},
    "token_balances": {"delegated_vesting_shares", "received_vesting_shares", "pending_vesting_value"},
}
"""Amounts derived from the places, which change with them."""

FIGURES: Final = {
    "accounts": {"vesting_withdraw_rate"},
    "comments": {"total_payout_value", "curator_payout_value", "beneficiary_payout_value", "max_accepted_payout"},
    "proposals": {"daily_pay"},
    "rc_accounts": {"max_rc_creation_adjustment"},
    "global_properties": {
        "confidential_supply",
        "confidential_sbd_supply",
        "init_sbd_supply",
        "total_reward_fund_steem",
        "sps_interval_ledger",
        "smt_creation_fee",
    },
    "tokens": {"total_vesting_fund_ballast", "total_vesting_shares_ballast", "max_supply"},
    "token_posts": {"max_accepted_payout", "author_rewards"},
    "token_sales": {"contributed"},
    "token_contributions": {"contribution"},
    "token_emissions": {"lep_abs_amount", "rep_abs_amount"},
    "token_balances": {"vesting_withdraw_rate"},
}
"""Amounts that are not money: rates, limits, reports, and remains of old rules."""


def find_money_fields(table: str) -> set[str]:
    """The fields of a table that only transfers of money change: places, and amounts derived from them."""
    held = {slot.field for _, slot in SLOTS.get(table, ())}.union(TOKEN_SLOTS.get(table, ()))
    return held | set(HELD_IN.get(table, ())) | FOLLOWING.get(table, set())


for _spec in Tables.SPECS:
    _kinds = list_fields(_spec.row)
    _declared = {
        field for field, kind in _kinds.items() if kind is Asset or is_of_token(kind) or find_symbol(kind) is not None
    }
    _named = find_money_fields(_spec.name) | FIGURES.get(_spec.name, set())
    if not _declared <= _named <= set(_kinds):
        raise SchemaError(f"{_spec.name}: not all amounts are places or figures: {_declared ^ _named}")
