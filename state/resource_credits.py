"""Resource credits of accounts: how much stake gives, how they regrow, and how they follow changes of the stake.

Credits limit what this node accepts and produces; no block is invalid for the lack of them. Their rows still follow
every block, so that all nodes agree on them. Whatever changes the VESTS of an account calls `regenerate_rc` before and
`update_max_rc` after the change.

Source: libraries/plugins/rc/rc_plugin.cpp, get_maximum_rc, create_rc_account, regenerate and update_modified_accounts.
"""

from protocol.assets import STEEM, Asset, multiply
from protocol.integers import INT64_MAX, INT64_MIN, UINT64_MAX, div_trunc, to_int64
from protocol.units import BASIS_POINTS
from state.context import SINGLETON, Context
from state.stake import get_vesting_share_price
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
    least = div_trunc(to_int64(-max_negative_bp * maximum), BASIS_POINTS)
    return max(INT64_MIN, min(INT64_MAX, current - cost), least)


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
    ctx.tables.rc_accounts.insert(row._replace(rc_manabar=Manabar(maximum, ctx.time), last_max_rc=maximum))


def regenerate_rc(ctx: Context, name: str) -> None:
    """Brings the credits of an account up to now, with the stake it has; before its stake changes.

    An account whose maximum is negative stays as it is, as the reference leaves it when it finds that.
    """
    row = ctx.tables.rc_accounts.find(name)
    account = ctx.tables.accounts.find(name)
    if row is None or account is None:
        return
    maximum = compute_max_rc(account, row)
    if maximum < 0:
        return
    now, before = ctx.time, row.rc_manabar
    current = compute_current_rc(before, maximum, ctx.rules.rc_regeneration_seconds, now)
    if current != before.current_mana or now != before.last_update_time:
        ctx.tables.rc_accounts.update(row, rc_manabar=Manabar(current, now))


def update_max_rc(ctx: Context, name: str, fills: bool = True) -> None:
    """Takes over an account's new maximum after its stake changed; with `fills` an increase comes with credits."""
    row = ctx.tables.rc_accounts.find(name)
    if row is None:
        return
    maximum = compute_max_rc(ctx.tables.accounts.get(name), row)
    gained = maximum - row.last_max_rc
    if gained == 0:
        return
    manabar = row.rc_manabar
    if fills and gained > 0:
        manabar = Manabar(manabar.current_mana + gained, manabar.last_update_time)
    ctx.tables.rc_accounts.update(row, last_max_rc=maximum, rc_manabar=manabar)


def touch_rc(ctx: Context, name: str) -> None:
    """Regenerates an account's credits at an event that leaves its stake as it is, as the reference does."""
    regenerate_rc(ctx, name)
    update_max_rc(ctx, name)
