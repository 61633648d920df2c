"""The weekly payments of power downs, with the routes to other accounts.

Source: libraries/chain/database.cpp, process_vesting_withdrawals.
"""

from itertools import islice

from protocol.assets import STEEM, VESTS, Asset, paired_symbol
from protocol.units import BASIS_POINTS
from protocol.virtual_operations import FillVestingWithdraw
from state.context import Context
from state.mana import Staker
from state.resource_credits import regenerate_rc, update_max_rc
from state.stake import PowerDown, power_tokens_down
from state.tables.accounts import Account
from state.tables.kinds import TIME_MAX
from state.tables.tokens import TokenBalance
from state.tables.vesting import WithdrawVestingRoute
from state.witness_votes import WitnessVoteSums


def process_vesting_withdrawals(ctx: Context) -> None:
    """Pays every due part of a power down, ordered by due time.

    As in the reference, the next account is looked up before the current one is paid. So after a gap of more than a
    week, an account that moves back by one interval is paid again in this block only if another account was due before
    its new time.
    """
    accounts = ctx.tables.accounts
    now = ctx.time
    sums = WitnessVoteSums(ctx)
    account = accounts.index("by_next_vesting_withdrawal").first()
    while account is not None and account.next_vesting_withdrawal <= now:
        following = _find_following(ctx, account)
        _pay_part(ctx, account, sums)
        account = None if following is None else accounts.get(following)
    sums.finish()


def _find_following(ctx: Context, account: Account) -> str | None:
    place = (account.next_vesting_withdrawal, account.name)
    index = ctx.tables.accounts.index("by_next_vesting_withdrawal")
    behind = list(islice(index.scan(start=place), 1, 2))
    return behind[0].name if behind else None


def process_token_withdrawals(ctx: Context) -> None:
    """Pays every part of a power down of tokens that is due, in the order of time, account and symbol."""
    balances = ctx.tables.token_balances
    due: list[TokenBalance] = list(balances.index("by_next_vesting_withdrawal").scan(stop=(ctx.time + 1,)))
    for holder in due:
        part = compute_part(holder)
        withdrawn = holder.withdrawn + part
        is_done = withdrawn >= holder.to_withdraw or holder.vesting_shares == part
        following = holder.next_vesting_withdrawal + ctx.rules.smt_vesting_withdraw_interval_seconds
        paid = power_tokens_down(
            ctx,
            holder,
            part,
            withdrawn=withdrawn,
            vesting_withdraw_rate=0 if is_done else holder.vesting_withdraw_rate,
            next_vesting_withdrawal=TIME_MAX if is_done else following,
        )
        symbol = holder.symbol
        amounts = Asset(paid.shares, paired_symbol(symbol)), Asset(paid.tokens, symbol)
        ctx.emit(FillVestingWithdraw(holder.name, holder.name, *amounts))


def compute_part(account: Staker) -> int:
    """Satoshis of the due part: the rate, or the rest at the end."""
    remaining = account.to_withdraw - account.withdrawn
    rate = account.vesting_withdraw_rate
    return min(account.vesting_shares, account.to_withdraw % rate if remaining < rate else rate)


def _pay_part(ctx: Context, account: Account, sums: WitnessVoteSums) -> None:
    part = compute_part(account)
    power_down = PowerDown(ctx, account.name, part, sums)
    routes = list(ctx.tables.withdraw_vesting_routes.scan((account.name,)))
    for is_vesting in (True, False):
        for route in routes:
            if route.auto_vest is is_vesting:
                _pay_route(ctx, power_down, route, part)
    _pay_rest(ctx, power_down, account.name, part)


def _pay_route(ctx: Context, power_down: PowerDown, route: WithdrawVestingRoute, part: int) -> None:
    """Pays a share of the part to another account, as VESTS or as STEEM."""
    share = part * route.percent // BASIS_POINTS
    if share == 0:
        return
    names = (route.from_account, route.to_account)
    opened = [regenerate_rc(ctx, name) for name in dict.fromkeys(names)]
    deposited = withdrawn = Asset(share, VESTS)
    if route.auto_vest:
        power_down.give_shares(route.to_account, share)
    else:
        deposited = Asset(power_down.give_steem(route.to_account, share), STEEM)
    ctx.emit(FillVestingWithdraw(*names, withdrawn, deposited))
    for credits in opened:
        update_max_rc(credits)


def _pay_rest(ctx: Context, power_down: PowerDown, name: str, part: int) -> None:
    """Pays the rest after the routes to the account as STEEM, and advances its power down."""
    credits = regenerate_rc(ctx, name)
    account = ctx.tables.accounts.get(name)
    withdrawn = account.withdrawn + part
    is_done = withdrawn >= account.to_withdraw or account.vesting_shares == part
    following = account.next_vesting_withdrawal + ctx.rules.vesting_withdraw_interval_seconds
    rest, steem = power_down.finish(
        withdrawn=withdrawn,
        vesting_withdraw_rate=0 if is_done else account.vesting_withdraw_rate,
        next_vesting_withdrawal=TIME_MAX if is_done else following,
    )
    ctx.emit(FillVestingWithdraw(name, name, Asset(rest, VESTS), Asset(steem, STEEM)))
    update_max_rc(credits)
