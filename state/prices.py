"""Prices of SBD, STEEM and VESTS in each other, and of tokens in their shares, in the current state.

Source: libraries/chain/include/steem/chain/util/asset.hpp, to_sbd and to_steem; global_property_object.hpp,
get_vesting_share_price and get_reward_vesting_share_price; smt_objects/smt_token_object.hpp of master for tokens.
"""

from protocol.assets import SBD, STEEM, VESTS, Asset, Price, convert, scale
from protocol.integers import INT64_MAX
from state.context import SINGLETON, Context
from state.tables.globals import GlobalProperties
from state.tables.tokens import Token


def get_median_price(ctx: Context) -> Price:
    """The median of the price feeds over the last window: SBD per STEEM."""
    return ctx.tables.feed_history.get(SINGLETON).current_median_history


def compute_sbd_value(price: Price, steem_amount: int) -> int:
    """The value of STEEM satoshis in SBD satoshis, rounded down; 0 while there is no price."""
    return 0 if price.is_null() else convert(steem_amount, STEEM, price)


def compute_steem_value(price: Price, sbd_amount: int) -> int:
    """The value of SBD satoshis in STEEM satoshis, rounded down; 0 while there is no price."""
    return 0 if price.is_null() else convert(sbd_amount, SBD, price)


def _get_share_sums(gpo: GlobalProperties) -> tuple[int, int]:
    """The VESTS and the STEEM behind them; 1,000 to 1 (in satoshis: 1,000,000 per 1,000) while there are none."""
    if gpo.total_vesting_fund_steem == 0 or gpo.total_vesting_shares == 0:
        return 1_000_000, 1_000
    return gpo.total_vesting_shares, gpo.total_vesting_fund_steem


def get_vesting_share_price(gpo: GlobalProperties) -> Price:
    """VESTS per STEEM for a power up."""
    shares, steem = _get_share_sums(gpo)
    return Price(Asset(shares, VESTS), Asset(steem, STEEM))


def get_reward_vesting_share_price(gpo: GlobalProperties) -> Price:
    """VESTS per STEEM for a reward; includes the shares in unclaimed rewards."""
    return Price(
        Asset(gpo.total_vesting_shares + gpo.pending_rewarded_vesting_shares, VESTS),
        Asset(gpo.total_vesting_fund_steem + gpo.pending_rewarded_vesting_steem, STEEM),
    )


def compute_shares(gpo: GlobalProperties, steem_amount: int) -> int:
    """VESTS satoshis that STEEM satoshis buy now, rounded down; buying them does not move the price."""
    return scale(steem_amount, *_get_share_sums(gpo))


def compute_shares_value(gpo: GlobalProperties, vesting_shares: int) -> int:
    """STEEM satoshis that VESTS satoshis are worth now, rounded down."""
    shares, steem = _get_share_sums(gpo)
    return scale(vesting_shares, steem, shares)


def get_token_vesting_price(ctx: Context, token: Token, *, with_rewards: bool = False) -> tuple[int, int]:
    """Shares and the tokens that they are worth, in satoshis of both; with rewards that wait to be claimed, if asked.

    The ballast counts. While there are no shares, or nothing behind them, the first price of the rules holds.
    """
    shares = token.total_vesting_shares + token.total_vesting_shares_ballast
    fund = token.total_vesting_fund_smt + token.total_vesting_fund_ballast
    if with_rewards:
        shares += token.pending_rewarded_vesting_shares
        fund += token.pending_rewarded_vesting_smt
    return (shares, fund) if shares and fund else (ctx.rules.smt_initial_vesting_per_unit, 1)


def compute_token_shares(ctx: Context, token: Token, amount: int) -> int:
    """Shares that tokens buy now, rounded down; 0 also where more shares would not fit into 64 bits."""
    shares, fund = get_token_vesting_price(ctx, token)
    bought = amount * shares // fund
    there = token.total_vesting_shares + token.total_vesting_shares_ballast + token.pending_rewarded_vesting_shares
    return bought if there + bought <= INT64_MAX else 0


def compute_token_shares_value(ctx: Context, token: Token, vesting_shares: int) -> int:
    """Tokens that shares are worth now, rounded down."""
    shares, fund = get_token_vesting_price(ctx, token)
    return vesting_shares * fund // shares
