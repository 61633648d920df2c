"""The weekly parts of power downs, with the routes that send shares of them to other accounts.

Source: libraries/chain/database.cpp, process_vesting_withdrawals.
"""

from itertools import islice

from protocol.assets import STEEM, VESTS, Asset, multiply
from protocol.errors import Rejected
from protocol.units import BASIS_POINTS
from protocol.virtual_operations import FillVestingWithdraw
from state.context import Context
from state.resource_credits import Credits, regenerate_rc, update_max_rc
from state.stake import WitnessVoteSums, adjust_proxied_witness_votes, get_vesting_share_price
from state.tables.accounts import Account
from state.tables.kinds import TIME_MAX
from state.tables.vesting import WithdrawVestingRoute


def process_vesting_withdrawals(ctx: Context) -> None:
    """Pays every part that is due, the longest due account first.

    The account that comes next is looked up before one is paid, as in the reference. So after a gap of more than a
    week an account that moves back by one interval is paid again in this block only if another one stood before
    its new place.
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


def compute_part(account: Account) -> int:
    """VESTS satoshis of the part that is due: the rate, or what is left at the end."""
    remaining = account.to_withdraw - account.withdrawn
    rate = account.vesting_withdraw_rate
    return min(account.vesting_shares, account.to_withdraw % rate if remaining < rate else rate)


def _pay_part(ctx: Context, account: Account, sums: WitnessVoteSums) -> None:
    name = account.name
    part = compute_part(account)
    routes = list(ctx.tables.withdraw_vesting_routes.scan((name,)))
    routed = sum(_route_vesting(ctx, route, part, sums) for route in routes if route.auto_vest)
    routed += sum(_route_liquid(ctx, route, part) for route in routes if not route.auto_vest)
    rest = part - routed
    if rest < 0:
        raise Rejected("to_convert >= 0", "Deposited more vests than were supposed to be withdrawn")
    _pay_rest(ctx, name, part, rest, sums)


def _compute_share(route: WithdrawVestingRoute, part: int) -> int:
    return part * route.percent // BASIS_POINTS


def _route_vesting(ctx: Context, route: WithdrawVestingRoute, part: int, sums: WitnessVoteSums) -> int:
    """Gives a share of the part to another account as VESTS; returns how many."""
    share = _compute_share(route, part)
    if share > 0:
        accounts = ctx.tables.accounts
        vests = Asset(share, VESTS)
        ctx.emit(FillVestingWithdraw(route.from_account, route.to_account, vests, vests))
        credits = _regenerate_both(ctx, route)
        receiver = accounts.get(route.to_account)
        receiver = accounts.update(receiver, vesting_shares=receiver.vesting_shares + share)
        adjust_proxied_witness_votes(ctx, receiver, share, sums)
        _update_both(credits)
    return share


def _route_liquid(ctx: Context, route: WithdrawVestingRoute, part: int) -> int:
    """Gives a share of the part to another account as STEEM; returns the VESTS satoshis it took."""
    share = _compute_share(route, part)
    if share > 0:
        accounts = ctx.tables.accounts
        steem = _convert(ctx, share)
        ctx.emit(FillVestingWithdraw(route.from_account, route.to_account, Asset(share, VESTS), steem))
        credits = _regenerate_both(ctx, route)
        receiver = accounts.get(route.to_account)
        accounts.update(receiver, balance=receiver.balance + steem.amount)
        _shrink_fund(ctx, share, steem.amount)
        _update_both(credits)
    return share


def _regenerate_both(ctx: Context, route: WithdrawVestingRoute) -> list[Credits | None]:
    """The credits of both accounts of a route, which may be one."""
    return [regenerate_rc(ctx, name) for name in dict.fromkeys((route.from_account, route.to_account))]


def _update_both(opened: list[Credits | None]) -> None:
    for credits in opened:
        update_max_rc(credits)


def _convert(ctx: Context, vests: int) -> Asset:
    """STEEM that VESTS satoshis are worth at this moment."""
    return multiply(Asset(vests, VESTS), get_vesting_share_price(ctx.gpo))


def _shrink_fund(ctx: Context, vests: int, steem: int) -> None:
    gpo = ctx.gpo
    ctx.update_gpo(
        total_vesting_fund_steem=gpo.total_vesting_fund_steem - steem,
        total_vesting_shares=gpo.total_vesting_shares - vests,
    )


def _pay_rest(ctx: Context, name: str, part: int, rest: int, sums: WitnessVoteSums) -> None:
    """Turns what the routes left into STEEM of the account itself and moves its power down on."""
    accounts = ctx.tables.accounts
    steem = _convert(ctx, rest)
    ctx.emit(FillVestingWithdraw(name, name, Asset(rest, VESTS), Asset(steem.amount, STEEM)))
    credits = regenerate_rc(ctx, name)
    account = accounts.get(name)
    withdrawn = account.withdrawn + part
    vesting_shares = account.vesting_shares - part
    is_done = withdrawn >= account.to_withdraw or vesting_shares == 0
    following = account.next_vesting_withdrawal + ctx.rules.vesting_withdraw_interval_seconds
    account = accounts.update(
        account,
        vesting_shares=vesting_shares,
        balance=account.balance + steem.amount,
        withdrawn=withdrawn,
        vesting_withdraw_rate=0 if is_done else account.vesting_withdraw_rate,
        next_vesting_withdrawal=TIME_MAX if is_done else following,
    )
    _shrink_fund(ctx, rest, steem.amount)
    if part > 0:
        adjust_proxied_witness_votes(ctx, account, -part, sums)
    update_max_rc(credits)
