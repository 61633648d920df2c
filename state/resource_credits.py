"""Resource credits of accounts: how much stake gives, how they regrow, and how they follow changes of the stake.

Credits limit what this node accepts and produces; no block is invalid for the lack of them. Their rows still follow
every block, so that all nodes agree on them. Whatever changes the VESTS of an account calls `regenerate_rc` before and
`update_max_rc` after the change; what has many changes to make keeps `Credits` in between, and writes a row once.

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
    """The most credits an account can have: its effective stake and what its creation gave."""
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
    """The credits at `now`: they grow by `maximum` in `regeneration_seconds`, from below 0 too, and stop at it."""
    current = manabar.current_mana
    if current >= maximum:
        return maximum
    regenerated = maximum * (now - manabar.last_update_time) // regeneration_seconds & UINT64_MAX
    return min(current + regenerated, maximum)


def compute_waiting_seconds(current: int, maximum: int, needed: int, regeneration_seconds: int) -> int | None:
    """Seconds until `needed` credits are there, rounded up; None when the account can never hold as many."""
    if needed <= current:
        return 0
    if needed > maximum:
        return None
    return -((current - needed) * regeneration_seconds // maximum)


def compute_used_rc(current: int, cost: int, maximum: int, max_negative_bp: int) -> int:
    """What is left after `cost`: it may fall below 0, but only by a small part of the maximum."""
    lent = max_negative_bp * maximum
    if 0 <= cost <= current and lent <= INT64_MAX:
        return current - cost  # The least is not above 0, and so never above what is left.
    least = div_trunc(to_int64(-lent), BASIS_POINTS)
    return max(INT64_MIN, min(INT64_MAX, current - cost), least)


class Credits:
    """The credits of one account while they change; its row is read once, and `save` writes it once."""

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
        """Brings the credits up to now, with the stake there is; before that changes.

        An account whose maximum is negative stays as it is, as the reference leaves it when it finds that.
        """
        ctx, maximum = self._ctx, self.compute_max()
        if maximum >= 0:
            now = ctx.time
            current = compute_current_rc(self.manabar, maximum, ctx.rules.rc_regeneration_seconds, now)
            self.manabar = Manabar(current, now)

    def follow(self, fills: bool = True) -> None:
        """Takes over the new maximum after the stake changed; with `fills` an increase comes with credits."""
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
    """Whether credits are counted yet: from the end of the first block on."""
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
    """The credits of an account, brought up to now before its stake changes; None if they are not counted."""
    row = ctx.tables.rc_accounts.find(name)
    if row is None:
        return None
    credits = Credits(ctx, row)
    credits.regenerate()
    return credits


def update_max_rc(credits: Credits | None) -> None:
    """Lets credits follow a change of the stake, and writes them."""
    if credits is not None:
        credits.follow()
        credits.save()


def touch_rc(ctx: Context, name: str) -> None:
    """Regenerates an account's credits at an event that leaves its stake as it is, as the reference does."""
    update_max_rc(regenerate_rc(ctx, name))
