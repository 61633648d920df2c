"""Mana: the voting power of an account's stake, used by votes and regenerated over time.

Source: libraries/chain/include/steem/chain/util/manabar.hpp.
"""

from protocol.errors import Rejected
from protocol.integers import INT64_MAX, div_trunc, to_int64
from protocol.units import BASIS_POINTS
from state.context import Context
from state.tables.accounts import Account, Manabar
from state.tables.kinds import TIME_MAX


def compute_effective_vesting_shares(account: Account) -> int:
    """VESTS satoshis with voting power: own plus received, less delegated, less the next payment of a power down."""
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


def compute_manabars(ctx: Context, account: Account, new_mana: int = 0) -> tuple[Manabar, Manabar]:
    """Both mana bars of an account (voting, downvote), regenerated up to now, with the mana of new VESTS satoshis.

    In the reference the addition to the downvote bar is a product of signed 64-bit integers: from 2**63 divided by the
    downvote pool's basis points on (some 3.7 billion VESTS at once) it wraps around.
    Source: util/manabar.hpp, update_manabar.
    """
    gpo = ctx.gpo
    seconds, pool_percent = ctx.rules.voting_mana_regeneration_seconds, gpo.downvote_pool_percent
    effective = compute_effective_vesting_shares(account)
    voting = regenerate_mana(account.voting_manabar, effective, seconds, gpo.time)
    downvote = regenerate_mana(account.downvote_manabar, effective * pool_percent // BASIS_POINTS, seconds, gpo.time)
    if new_mana == 0:
        return voting, downvote
    new_downvote_mana = div_trunc(to_int64(-new_mana * pool_percent), BASIS_POINTS)
    return use_mana(voting, -new_mana), use_mana(downvote, new_downvote_mana)


def take_mana(pool_percent: int, bars: tuple[Manabar, Manabar], shares: int) -> tuple[Manabar, Manabar]:
    """Both mana bars less the mana of VESTS satoshis; the downvote pool is in basis points."""
    voting, downvote = bars
    return use_mana(voting, shares), use_mana(downvote, shares * pool_percent // BASIS_POINTS)


def update_manabars(ctx: Context, account: Account) -> Account:
    """Regenerates both mana bars of an account; stores and returns the row."""
    voting, downvote = compute_manabars(ctx, account)
    return ctx.tables.accounts.update(account, voting_manabar=voting, downvote_manabar=downvote)
