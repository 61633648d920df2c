"""Mana: the voting power of an account's stake, used by votes and regenerated over time.

Source: libraries/chain/include/steem/chain/util/manabar.hpp.
"""

from typing import Any, TypeVar

from protocol.errors import Rejected
from protocol.integers import INT64_MAX, div_trunc, to_int64
from protocol.units import BASIS_POINTS
from state.context import Context
from state.tables.accounts import Account, Manabar
from state.tables.kinds import TIME_MAX
from state.tables.tokens import TokenBalance

Staker = Account | TokenBalance
"""Who has a stake: an account with its VESTS, or with its shares of a community token."""
StakerT = TypeVar("StakerT", bound=Staker)


def compute_effective_vesting_shares(account: Staker) -> int:
    """Shares with voting power: own plus received, less delegated, less the next payment of a power down."""
    effective = account.vesting_shares + account.received_vesting_shares - account.delegated_vesting_shares
    if account.next_vesting_withdrawal != TIME_MAX:
        effective -= min(account.vesting_withdraw_rate, account.to_withdraw - account.withdrawn)
    return effective


def regenerate_mana(manabar: Manabar, max_mana: int, regeneration_seconds: int, now: int) -> Manabar:
    """The mana bar regenerated up to `now`, linearly from 0 to `max_mana` in `regeneration_seconds`."""
    if max_mana < 0:
        raise Rejected("max_mana >= 0")
    if now < manabar.last_update_time:
        raise Rejected("now >= last_update_time")
    if manabar.current_mana >= max_mana:
        return Manabar(max_mana, now)
    elapsed = min(now - manabar.last_update_time, regeneration_seconds)
    regenerated = max_mana * elapsed // regeneration_seconds
    if regenerated > INT64_MAX:
        raise Rejected("u_regen <= std::numeric_limits< int64_t >::max()")
    return Manabar(min(manabar.current_mana + regenerated, max_mana, INT64_MAX), now)


def use_mana(manabar: Manabar, used: int) -> Manabar:
    """The mana bar less `used`, at least 0 (a negative `used` adds, even beyond the maximum)."""
    return Manabar(max(min(manabar.current_mana - used, INT64_MAX), 0), manabar.last_update_time)


def compute_manabars(ctx: Context, account: Staker, new_mana: int = 0) -> tuple[Manabar, Manabar]:
    """Both mana bars of a stake (voting, downvote), regenerated up to now, with the mana of new shares.

    The time of regeneration is a rule of the chain for VESTS, and a parameter of each token.

    In the reference the addition to the downvote bar is a product of signed 64-bit integers: from 2**63 divided by the
    downvote pool's basis points on (some 3.7 billion VESTS at once) it wraps around. That of a token does not.
    Source: util/manabar.hpp, update_manabar.
    """
    gpo = ctx.gpo
    pool_percent = gpo.downvote_pool_percent
    if type(account) is TokenBalance:
        seconds = ctx.tables.tokens.get(account.symbol).vote_regeneration_period_seconds
    else:
        seconds = ctx.rules.voting_mana_regeneration_seconds
    effective = compute_effective_vesting_shares(account)
    voting = regenerate_mana(account.voting_manabar, effective, seconds, gpo.time)
    downvote = regenerate_mana(account.downvote_manabar, effective * pool_percent // BASIS_POINTS, seconds, gpo.time)
    if new_mana == 0:
        return voting, downvote
    scaled = -new_mana * pool_percent
    new_downvote_mana = div_trunc(to_int64(scaled) if type(account) is Account else scaled, BASIS_POINTS)
    return use_mana(voting, -new_mana), use_mana(downvote, new_downvote_mana)


def take_mana(pool_percent: int, bars: tuple[Manabar, Manabar], shares: int) -> tuple[Manabar, Manabar]:
    """Both mana bars less the mana of VESTS satoshis; the downvote pool is in basis points."""
    voting, downvote = bars
    return use_mana(voting, shares), use_mana(downvote, shares * pool_percent // BASIS_POINTS)


def update_manabars(ctx: Context, account: StakerT) -> StakerT:
    """Regenerates both mana bars of a stake; stores and returns the row."""
    voting, downvote = compute_manabars(ctx, account)
    table: Any = ctx.tables.accounts if type(account) is Account else ctx.tables.token_balances
    new: StakerT = table.update(account, voting_manabar=voting, downvote_manabar=downvote)
    return new
