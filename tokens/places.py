"""Where a payout of the chain itself goes: it never fails, so what cannot be powered up is paid liquid."""

from protocol.assets import STEEM
from protocol.integers import INT64_MAX
from state.balances import LIQUID, Place
from state.context import Context
from state.prices import compute_token_shares, get_vesting_share_price
from state.stake import STAKE


def choose_place(ctx: Context, name: str, symbol: int, amount: int, is_powered_up: bool) -> Place:
    """The place for STEEM or tokens that an account is to get, powered up if it is meant so and can be."""
    return (STAKE if is_powered_up and _buys_shares(ctx, symbol, amount) else LIQUID, name)


def _buys_shares(ctx: Context, symbol: int, amount: int) -> bool:
    if symbol != STEEM:
        return compute_token_shares(ctx, ctx.tables.tokens.get(symbol), amount) > 0
    gpo = ctx.gpo
    vests, steem = get_vesting_share_price(gpo)
    bought = amount * vests.amount // steem.amount
    return gpo.total_vesting_shares + gpo.pending_rewarded_vesting_shares + bought <= INT64_MAX
