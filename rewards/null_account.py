"""Burning: whatever the null account received vanishes once per block.

Source: libraries/chain/database.cpp, database::clear_null_account_balance.
"""

from protocol.assets import SBD, STEEM, VESTS, Asset, multiply
from protocol.virtual_operations import ClearNullAccountBalance
from state.context import Context
from state.money import adjust_balance, adjust_reward_balance, adjust_savings_balance, adjust_supply
from state.resource_credits import regenerate_rc, update_max_rc
from state.stake import get_vesting_share_price
from state.tables.accounts import Account


def process_null_account(ctx: Context) -> None:
    """Destroys the balances, savings, rewards and VESTS of the null account and takes them off the supplies.

    Interest that its SBD earn at this touch stays until the next block.
    """
    account = ctx.tables.accounts.get(ctx.rules.null_account)
    shares_value = 0
    if account.vesting_shares > 0:
        shares_value = multiply(Asset(account.vesting_shares, VESTS), get_vesting_share_price(ctx.gpo)).amount
    steem = account.balance + account.savings_balance + shares_value + account.reward_steem_balance
    if account.reward_vesting_balance > 0:
        steem += account.reward_vesting_steem
    vests = account.vesting_shares + account.reward_vesting_balance
    sbd = account.sbd_balance + account.savings_sbd_balance + account.reward_sbd_balance
    if steem == 0 and sbd == 0 and vests == 0:
        return
    totals = (Asset(steem, STEEM), Asset(vests, VESTS), Asset(sbd, SBD))
    ctx.emit(ClearNullAccountBalance(total_cleared=tuple(total for total in totals if total.amount > 0)))
    credits = regenerate_rc(ctx, account.name)
    _clear_liquid(ctx, account)
    _clear_vesting(ctx, account, shares_value)
    update_max_rc(credits)
    if steem > 0:
        adjust_supply(ctx, Asset(-steem, STEEM))
    if sbd > 0:
        adjust_supply(ctx, Asset(-sbd, SBD))


def _clear_liquid(ctx: Context, account: Account) -> None:
    if account.balance > 0:
        adjust_balance(ctx, account.name, Asset(-account.balance, STEEM))
    if account.savings_balance > 0:
        adjust_savings_balance(ctx, account.name, Asset(-account.savings_balance, STEEM))
    if account.sbd_balance > 0:
        adjust_balance(ctx, account.name, Asset(-account.sbd_balance, SBD))
    if account.savings_sbd_balance > 0:
        adjust_savings_balance(ctx, account.name, Asset(-account.savings_sbd_balance, SBD))
    if account.reward_steem_balance > 0:
        adjust_reward_balance(ctx, account.name, Asset(-account.reward_steem_balance, STEEM))
    if account.reward_sbd_balance > 0:
        adjust_reward_balance(ctx, account.name, Asset(-account.reward_sbd_balance, SBD))


def _clear_vesting(ctx: Context, account: Account, shares_value: int) -> None:
    accounts = ctx.tables.accounts
    if account.vesting_shares > 0:
        gpo = ctx.gpo
        ctx.update_gpo(
            total_vesting_shares=gpo.total_vesting_shares - account.vesting_shares,
            total_vesting_fund_steem=gpo.total_vesting_fund_steem - shares_value,
        )
        accounts.update(accounts.get(account.name), vesting_shares=0)
    if account.reward_vesting_balance > 0:
        gpo = ctx.gpo
        ctx.update_gpo(
            pending_rewarded_vesting_shares=gpo.pending_rewarded_vesting_shares - account.reward_vesting_balance,
            pending_rewarded_vesting_steem=gpo.pending_rewarded_vesting_steem - account.reward_vesting_steem,
        )
        accounts.update(accounts.get(account.name), reward_vesting_steem=0, reward_vesting_balance=0)
