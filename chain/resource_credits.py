"""Accounting of resource credits: charges, pools, and refusals.

Every block updates the accounts and pools. A transaction is refused for a lack of credits only on arrival and when this
node selects it for a block. In a received block it is charged as far as the account can pay.

Source: libraries/plugins/rc/rc_plugin.cpp, on_first_block, on_post_apply_transaction, use_account_rcs and
on_post_apply_block.
"""

from typing import Any, NamedTuple

from consensus.resource_pools import (
    Price,
    compute_cost,
    compute_prices,
    insert_full_pools,
    process_resource_pools,
)
from protocol.actions import OptionalAction
from protocol.config import Chain as ChainNames
from protocol.errors import PluginRefused, Rejected
from protocol.operation import Operation
from protocol.resources import NOTHING, RESOURCE_NAMES, Counts
from protocol.transaction import Transaction
from state.action_queue import pack_optional
from state.context import SINGLETON, Context
from state.resource_credits import (
    Credits,
    compute_current_rc,
    compute_max_rc,
    compute_used_rc,
    compute_waiting_seconds,
    insert_rc_account,
    is_rc_counted,
    regenerate_rc,
)
from state.tables.accounts import Manabar
from state.tables.credits import RcPools

FREE: Price = (0, 0, 1)
"""The price of every resource while the stake generates no credits."""


class ResourceCost(NamedTuple):
    """A transaction's usage of one resource, and its cost in RC.

    A usage above 0 costs price_factor * price_unit * usage / price_divisor, rounded down, plus 1.
    """

    resource: str
    usage: int
    price_unit: int
    price_factor: int
    price_divisor: int
    cost: int


class CreditsExplanation(NamedTuple):
    """The charge for a transaction at `time`; `cost` is the sum over the resources.

    `payer` has `current` of at most `maximum` RC; `seconds_until_enough` is None when it can never have enough. Without
    a payer the transaction is refused. A payer whose maximum is negative is charged nothing, as in the reference.
    """

    time: int
    resources: tuple[ResourceCost, ...]
    cost: int
    payer: str | None
    current: int | None
    maximum: int | None
    is_enough: bool
    seconds_until_enough: int | None


def explain_credits(ctx: Context, transaction: Transaction) -> CreditsExplanation:
    """Computes the charge for a transaction (with signatures) that is not applied yet, without changes.

    If its operations change the payer's stake, the credits after them count. Raises Rejected before the first block,
    and for a payer that does not exist.
    """
    tables, seconds = ctx.tables, ctx.rules.rc_regeneration_seconds
    pools = tables.rc_pools.find(SINGLETON)
    if pools is None:
        raise Rejected("pools != nullptr", "Resource credits are counted from the first block on.")
    counts = transaction.counts
    prices = compute_prices(ctx, pools, ctx.gpo.total_vesting_shares) or (FREE,) * len(counts)
    resources = tuple(
        ResourceCost(name, count, *price, compute_cost((price,), (count,)) if price != FREE else 0)
        for name, count, price in zip(RESOURCE_NAMES, counts, prices, strict=True)
    )
    cost = sum(resource.cost for resource in resources)
    user = transaction.payer
    if not user:
        return CreditsExplanation(ctx.time, resources, cost, None, None, None, False, None)
    account, row = tables.accounts.find(user), tables.rc_accounts.find(user)
    if account is None or row is None:
        raise Rejected("account != nullptr", "Could not find account ${a}", a=user)
    maximum = compute_max_rc(account, row)
    current = compute_current_rc(row.rc_manabar, maximum, seconds, ctx.time)
    is_enough = maximum < 0 or not current < cost > 0
    waiting = 0 if is_enough else compute_waiting_seconds(current, maximum, cost, seconds)
    return CreditsExplanation(ctx.time, resources, cost, user, current, maximum, is_enough, waiting)


class CreditBooks:
    """Charges credits for one ledger. The rows are in the state; this object caches values within a block."""

    __slots__ = ("_ctx", "_priced_at", "_prices")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._priced_at: tuple[RcPools | None, int] = (None, 0)
        self._prices: tuple[Price, ...] = ()

    def charge(self, transaction: Transaction, touched: dict[str, Credits], refuses: bool = False) -> None:
        """Charges the account of a transaction that was just applied, and adds its usage to the block's.

        `touched` are the credits that its operations changed, which are written here. With `refuses`, raises
        PluginRefused for insufficient credits.
        """
        counts = transaction.counts
        pools = self._ctx.tables.rc_pools.find(SINGLETON)
        if pools is not None:
            payer = transaction.payer
            if payer:
                self._take(pools, payer, counts, touched, transaction if refuses else None)
            elif refuses:
                raise PluginRefused("", "Tried to execute transaction with no resource user")
        for credits in touched.values():
            credits.save()

    def quote(self, transaction: Transaction) -> tuple[str, int]:
        """The account that pays for a transaction, and its charge now; "" and 0 if nobody pays."""
        tables, user = self._ctx.tables, transaction.payer
        if not user:
            return "", 0
        pools, account, row = tables.rc_pools.find(SINGLETON), tables.accounts.find(user), tables.rc_accounts.find(user)
        if pools is None or account is None or row is None or compute_max_rc(account, row) < 0:
            return user, 0
        return user, compute_cost(self._find_prices(pools, self._ctx.gpo.total_vesting_shares), transaction.counts)

    def charge_action(self, action: OptionalAction) -> None:
        """Charges for an optional action that was just applied; only its bytes of history count.

        The operation that scheduled a required action has paid for it.
        """
        ctx = self._ctx
        counts = count_action(ctx, action)
        pools, user = ctx.tables.rc_pools.find(SINGLETON), action.payer()
        if pools is not None and ctx.tables.rc_accounts.find(user) is not None:
            touched: dict[str, Credits] = {}
            self._take(pools, user, counts, touched, None)
            for credits in touched.values():
                credits.save()

    def _take(
        self, pools: RcPools, user: str, counts: Counts, touched: dict[str, Credits], refusable: Transaction | None
    ) -> None:
        """Charges an account. Raises PluginRefused for insufficient credits if `refusable` is given."""
        ctx, tables = self._ctx, self._ctx.tables
        credits = touched.get(user)
        if credits is None:
            credits = touched[user] = Credits(ctx, tables.rc_accounts.get(user))
        maximum = compute_max_rc(tables.accounts.get(user), credits.row)
        if maximum < 0:
            return
        gpo, rules = tables.global_properties.get(SINGLETON), ctx.rules
        cost = compute_cost(self._find_prices(pools, gpo.total_vesting_shares), counts)
        current = compute_current_rc(credits.manabar, maximum, rules.rc_regeneration_seconds, gpo.time)
        if refusable is not None and current < cost > 0:
            raise _refusal(ctx, user, current, maximum, cost, refusable)
        credits.manabar = Manabar(compute_used_rc(current, cost, maximum, rules.rc_max_negative_bp), gpo.time)

    def apply(self, op: Operation, touched: dict[str, Credits]) -> None:
        """Applies an operation that may change the stake of accounts, and updates their credits in `touched`."""
        ctx = self._ctx
        names = op.stake_accounts()
        for name in names:
            credits = touched.get(name)
            if credits is not None:
                credits.regenerate()
            elif (opened := regenerate_rc(ctx, name)) is not None:
                touched[name] = opened
        op.apply(ctx)
        for name in names:
            if name in touched:
                touched[name].follow(op.gives_credits)

    def _find_prices(self, pools: RcPools, total: int) -> tuple[Price, ...]:
        """The prices at these pool levels and total VESTS, cached."""
        priced_pools, priced_total = self._priced_at
        if priced_pools is not pools or priced_total != total:
            self._prices = compute_prices(self._ctx, pools, total)
            self._priced_at = (pools, total)
        return self._prices


def charge_optional_actions(ctx: Context) -> None:
    """Charges for the optional actions of the block, which were just applied."""
    actions = ctx.applied_block.optional_actions
    if actions:
        books = CreditBooks(ctx)
        for action in actions:
            books.charge_action(action)


def process_resource_credits(ctx: Context) -> None:
    """Updates the pools at the end of a block; the first block starts the accounting."""
    if not is_rc_counted(ctx):
        open_books(ctx)
    block = ctx.applied_block
    usage = [transaction.counts for transaction in block.block.transactions]
    usage += [count_action(ctx, action) for action in block.optional_actions]
    process_resource_pools(ctx, tuple(map(sum, zip(NOTHING, *usage, strict=True))))


def count_action(ctx: Context, action: OptionalAction) -> Counts:
    """Resource usage of an optional action: bytes of history only."""
    return len(pack_optional(ctx, action)), 0, 0, 0, 0


def open_books(ctx: Context) -> None:
    """Starts the accounting: fills the pools and gives every account its credits."""
    insert_full_pools(ctx)
    adjustment = ctx.rules.rc_historical_account_creation_adjustment
    for account in list(ctx.tables.accounts.scan()):
        insert_rc_account(ctx, account, adjustment)


def _refusal(
    ctx: Context, user: str, current: int, maximum: int, needed: int, transaction: Transaction
) -> PluginRefused:
    """The refusal in the reference's words, with advice on how long to wait."""
    error = PluginRefused(
        "",
        "Account: ${account} has ${rc_current} RC, needs ${rc_needed} RC. Please wait to transact, or power up STEEM.",
        account=user,
        rc_needed=needed,
        rc_current=current,
    )
    error.add_context("", **{"mbparams.max_mana": maximum})
    error.add_context("", **{"note.transaction": transaction})
    error.add_context("rethrow")
    seconds = compute_waiting_seconds(current, maximum, needed, ctx.rules.rc_regeneration_seconds)
    advice: dict[str, Any] = {"rc_missing": needed - current, "max_rc": maximum, "seconds_until_enough": seconds}
    advice["remedy"] = _describe_remedy(ctx.config.chain, user, seconds, needed - maximum)
    error.advice = advice
    return error.named("credits_missing")


def _describe_remedy(chain: ChainNames, user: str, seconds: int | None, missing: int) -> str:
    power_up = f"power up {chain.steem_symbol}"
    if seconds is None:
        lent = f"be delegated {missing} {chain.vests_symbol} satoshis more"
        return f"{user} can never hold this many credits: {power_up} or {lent}."
    return f"Wait {seconds} seconds, or {power_up}."
