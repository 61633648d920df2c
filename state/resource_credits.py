"""Resource credits of accounts: their maximum, their regeneration, and their update when stake changes.

Credits limit which transactions this node accepts and produces; a lack of credits does not invalidate a block. Their
rows are still updated by every block, so that all nodes agree on them. Code that changes the VESTS of an account calls
`regenerate_rc` before and `update_max_rc` after the change; for many changes it keeps a `Credits` object and writes the
row once.

Source: libraries/plugins/rc/rc_plugin.cpp, get_maximum_rc, create_rc_account, regenerate and update_modified_accounts.
"""

from __future__ import annotations

from protocol.assets import STEEM, Asset, multiply
from protocol.integers import INT64_MAX, INT64_MIN, UINT64_MAX, div_trunc, to_int64
from protocol.units import BASIS_POINTS
from state.context import SINGLETON, Context
from state.prices import get_vesting_share_price
from state.tables.accounts import Account, Manabar
from state.tables.credits import RcAccount
from state.tables.kinds import TIME_MAX


def compute_max_rc(account: Account, row: RcAccount) -> int:
    """The maximum credits of an account: its effective stake plus the bonus from its creation fee."""
    maximum = (
        account.vesting_shares
        - account.delegated_vesting_shares
        + account.received_vesting_shares
        + row.max_rc_creation_adjustment
    )
    if account.next_vesting_withdrawal != TIME_MAX:
        maximum -= min(account.vesting_withdraw_rate, account.to_withdraw - account.withdrawn)
    return maximum


def compute_current_rc(manabar: Manabar, maximum: int, regeneration_seconds: int, now: int) -> int:
    """The credits at `now`: they grow by `maximum` in `regeneration_seconds`, also from below 0, up to `maximum`."""
    current = manabar.current_mana
    if current >= maximum:
        return maximum
    regenerated = maximum * (now - manabar.last_update_time) // regeneration_seconds & UINT64_MAX
    return min(current + regenerated, maximum)


def compute_waiting_seconds(current: int, maximum: int, needed: int, regeneration_seconds: int) -> int | None:
    """Seconds until `needed` credits are available, rounded up; None if the maximum is lower."""
    if needed <= current:
        return 0
    if needed > maximum:
        return None
    return -((current - needed) * regeneration_seconds // maximum)


def compute_used_rc(current: int, cost: int, maximum: int, max_negative_bp: int) -> int:
    """The credits after `cost`: may be negative, but only by a small share of the maximum."""
    lent = max_negative_bp * maximum
    if 0 <= cost <= current and lent <= INT64_MAX:
        return current - cost  # The minimum is at most 0, so it never exceeds the rest.
    least = div_trunc(to_int64(-lent), BASIS_POINTS)
    return max(INT64_MIN, min(INT64_MAX, current - cost), least)


class Credits:
    """The credits of one account during changes; the row is read once, and `save` writes it once."""

    __slots__ = ("_ctx", "_last_max", "manabar", "row")

    def __init__(self, ctx: Context, row: RcAccount) -> None:
        self._ctx = ctx
        self.row = row
        self._last_max = row.last_max_rc
        self.manabar = row.rc_manabar

    def compute_max(self) -> int:
        """The most credits that the account can have with the stake it has now."""
        return compute_max_rc(self._ctx.tables.accounts.get(self.row.account), self.row)

    def regenerate(self) -> None:
        """Regenerates the credits up to now; must be called before the stake changes.

        An account with a negative maximum stays unchanged, as in the reference.
        """
        ctx, maximum = self._ctx, self.compute_max()
        if maximum >= 0:
            now = ctx.time
            current = compute_current_rc(self.manabar, maximum, ctx.rules.rc_regeneration_seconds, now)
            self.manabar = Manabar(current, now)

    def follow(self, fills: bool = True) -> None:
        """Updates the maximum after the stake changed; with `fills` an increase is added to the credits."""
        maximum = self.compute_max()
        gained = maximum - self._last_max
        self._last_max = maximum
        if fills and gained > 0:
            self.manabar = Manabar(self.manabar.current_mana + gained, self.manabar.last_update_time)

    def save(self) -> None:
        """Writes the row if anything changed."""
        row = self.row
        if self.manabar != row.rc_manabar or self._last_max != row.last_max_rc:
            self._ctx.tables.rc_accounts.update(row, rc_manabar=self.manabar, last_max_rc=self._last_max)


def is_rc_counted(ctx: Context) -> bool:
    """Whether credits are counted, which begins at the end of the first block."""
    return ctx.tables.rc_pools.find(SINGLETON) is not None


def open_rc_account(ctx: Context, name: str, fee: Asset) -> None:
    """Gives a new account full credits; the fee paid for its creation (STEEM) counts as if it were stake."""
    if not is_rc_counted(ctx):
        return
    adjustment = multiply(fee, get_vesting_share_price(ctx.gpo)).amount if fee.symbol == STEEM else 0
    insert_rc_account(ctx, ctx.tables.accounts.get(name), adjustment)


def insert_rc_account(ctx: Context, account: Account, adjustment: int) -> None:
    """Inserts an account's row, with full credits; `adjustment` is its bonus in VESTS satoshis."""
    row = RcAccount(account.name, Manabar(0, ctx.time), adjustment, 0)
    maximum = compute_max_rc(account, row)
    ctx.tables.rc_accounts.insert(RcAccount(account.name, Manabar(maximum, ctx.time), adjustment, maximum))


def regenerate_rc(ctx: Context, name: str) -> Credits | None:
    """Regenerates the credits of an account before its stake changes; None if they are not counted yet."""
    row = ctx.tables.rc_accounts.find(name)
    if row is None:
        return None
    credits = Credits(ctx, row)
    credits.regenerate()
    return credits


def update_max_rc(credits: Credits | None) -> None:
    """Updates and writes credits after a change of the stake."""
    if credits is not None:
        credits.follow()
        credits.save()


def touch_rc(ctx: Context, name: str) -> None:
    """Regenerates an account's credits at an event that leaves its stake as it is, as the reference does."""
    update_max_rc(regenerate_rc(ctx, name))
