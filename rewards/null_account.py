"""Burning: everything that the null account received is destroyed once per block.

Source: libraries/chain/database.cpp, database::clear_null_account_balance.
"""

from operator import attrgetter

from protocol.assets import SBD, STEEM, VESTS, Asset
from protocol.virtual_operations import ClearNullAccountBalance
from state.balances import LIQUID, REWARDS, SAVINGS
from state.context import Context
from state.issuance import burn
from state.prices import compute_shares_value
from state.resource_credits import regenerate_rc, update_max_rc
from state.reward_balances import REWARD_SHARES
from state.stake import STAKE

_PLACES = (
    *((purse, symbol) for symbol in (STEEM, SBD) for purse in (LIQUID, SAVINGS)),
    *((REWARDS, symbol) for symbol in (STEEM, SBD)),
    (STAKE, VESTS),
    (REWARD_SHARES, VESTS),
)
"""The places and symbols to burn, in order."""
_read_held = attrgetter(*(purse.slots[symbol].field for purse, symbol in _PLACES))


def process_null_account(ctx: Context) -> None:
    """Destroys the balances, savings, rewards and VESTS of the null account and takes them off the supplies.

    Interest that the null account's SBD earn at this change is burned in the next block.
    """
    name = ctx.rules.null_account
    account = ctx.tables.accounts.get(name)
    held = _read_held(account)
    if not any(held):
        return
    totals = {STEEM: 0, VESTS: 0, SBD: 0}
    for (_, symbol), satoshis in zip(_PLACES, held, strict=True):
        totals[symbol] += satoshis
    if account.vesting_shares > 0:
        totals[STEEM] += compute_shares_value(ctx.gpo, account.vesting_shares)
    if account.reward_vesting_balance > 0:
        totals[STEEM] += account.reward_vesting_steem
    cleared = tuple(Asset(total, symbol) for symbol, total in totals.items() if total > 0)
    ctx.emit(ClearNullAccountBalance(total_cleared=cleared))
    credits = regenerate_rc(ctx, name)
    for (purse, symbol), satoshis in zip(_PLACES, held, strict=True):
        if satoshis > 0:
            burn(ctx, Asset(satoshis, symbol), (purse, name))
    update_max_rc(credits)
