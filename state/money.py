"""Balances and supplies: every place where tokens change hands, come into being or vanish.

`move` shifts tokens between two accounts; `issue` and `burn` change a supply. The adjust_ functions are the parts
they are made of, for the rules that take from one place and give to another (orders, savings, rewards).
SBD pays interest whenever an account's SBD balance is touched, so a change of a balance may create tokens.

Source: libraries/chain/database.cpp, modify_balance to get_savings_balance.
"""

from typing import NamedTuple

from protocol.assets import SBD, STEEM, VESTS, Asset, Price, multiply
from protocol.errors import Rejected
from protocol.units import BASIS_POINTS
from protocol.virtual_operations import Interest
from state.context import SINGLETON, Context
from state.tables.accounts import Account


class InterestExplanation(NamedTuple):
    """What one SBD balance (thousandths) earns if it is touched at `time`.

    `sbd_seconds` is the sum of balance times seconds since the last payment. A payment is made by the first touch
    after `due_after`: seconds_held is then above the least time between payments. `interest` is 0 unless `is_due`.
    """

    time: int
    balance: int
    last_payment: int
    seconds_held: int
    sbd_seconds: int
    due_after: int
    is_due: bool
    interest: int


def get_balance(account: Account, symbol: int) -> Asset:
    """The liquid STEEM or SBD of an account. Raises Rejected for another symbol."""
    if symbol == STEEM:
        return Asset(account.balance, STEEM)
    if symbol == SBD:
        return Asset(account.sbd_balance, SBD)
    raise Rejected("symbol.space() == asset_symbol_type::smt_nai_space", "Invalid symbol: ${s}", s=symbol)


def adjust_balance(ctx: Context, name: str, delta: Asset) -> Account:
    """Adds `delta` to a liquid balance (or to the VESTS) of an account and returns its new row.

    Raises Rejected when the account holds less than is taken. Source: database::adjust_balance.
    """
    account = ctx.tables.accounts.get(name)
    if delta.amount < 0:
        available = get_balance(account, delta.symbol)
        if available.amount < -delta.amount:
            raise Rejected(
                "available >= -delta",
                "Account ${acc} does not have sufficient funds for balance adjustment. Required: ${r}, Available: ${a}",
                acc=name,
                r=delta.nai_json,
                a=available.nai_json,
            )
    return _modify_balance(ctx, account, delta)


class Payments:
    """Many payments to liquid balances in one go, each of which changes a row once or twice however many there are.

    The first payment of an account in a symbol is made at once, because it pays the interest of SBD in its place among
    the events. Later ones are summed until `finish`; nobody may read or take from these balances before that.
    """

    __slots__ = ("_ctx", "_waiting")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._waiting: dict[tuple[str, int], int] = {}

    def pay(self, name: str, amount: Asset) -> None:
        """Pays to an account, now or at the end."""
        place = (name, amount.symbol)
        waiting = self._waiting.get(place)
        if waiting is None:
            adjust_balance(self._ctx, name, amount)
            self._waiting[place] = 0
        else:
            self._waiting[place] = waiting + amount.amount

    def finish(self) -> None:
        """Adds what waits to the balances."""
        for (name, symbol), amount in self._waiting.items():
            if amount:
                adjust_balance(self._ctx, name, Asset(amount, symbol))
        self._waiting.clear()


def move(ctx: Context, source: str, destination: str, amount: Asset) -> None:
    """Moves liquid tokens from one account to another."""
    adjust_balance(ctx, source, Asset(-amount.amount, amount.symbol))
    adjust_balance(ctx, destination, amount)


def issue(ctx: Context, name: str, amount: Asset) -> Account:
    """Creates liquid tokens in an account and adds them to the supply."""
    account = adjust_balance(ctx, name, amount)
    adjust_supply(ctx, amount)
    return account


def burn(ctx: Context, name: str, amount: Asset) -> Account:
    """Destroys liquid tokens of an account and takes them off the supply."""
    account = adjust_balance(ctx, name, Asset(-amount.amount, amount.symbol))
    adjust_supply(ctx, Asset(-amount.amount, amount.symbol))
    return account


def _modify_balance(ctx: Context, account: Account, delta: Asset) -> Account:
    accounts = ctx.tables.accounts
    if delta.symbol == STEEM:
        balance = account.balance + delta.amount
        if balance < 0:
            raise Rejected("acnt.balance.amount.value >= 0", "Insufficient STEEM funds")
        return accounts.update(account, balance=balance)
    if delta.symbol == SBD:
        account = _pay_interest(ctx, account)
        sbd_balance = account.sbd_balance + delta.amount
        if sbd_balance < 0:
            raise Rejected("acnt.sbd_balance.amount.value >= 0", "Insufficient SBD funds")
        return accounts.update(account, sbd_balance=sbd_balance)
    if delta.symbol == VESTS:
        vesting_shares = account.vesting_shares + delta.amount
        if vesting_shares < 0:
            raise Rejected("acnt.vesting_shares.amount.value >= 0", "Insufficient VESTS funds")
        return accounts.update(account, vesting_shares=vesting_shares)
    raise Rejected("false", "invalid symbol")


def compute_interest(ctx: Context, sbd_seconds: int) -> int:
    """SBD satoshis that `sbd_seconds` (SBD satoshis times seconds) earn at the median interest rate."""
    interest = sbd_seconds // ctx.rules.seconds_per_year
    return interest * ctx.gpo.sbd_interest_rate // BASIS_POINTS


def compute_liquid_interest(ctx: Context, account: Account) -> InterestExplanation:
    """What a touch of the liquid SBD pays now."""
    updated, paid = account.sbd_seconds_last_update, account.sbd_last_interest_payment
    return _compute_payment(ctx, account.sbd_balance, account.sbd_seconds, updated, paid)


def compute_savings_interest(ctx: Context, account: Account) -> InterestExplanation:
    """What a touch of the SBD in savings pays now."""
    updated, paid = account.savings_sbd_seconds_last_update, account.savings_sbd_last_interest_payment
    return _compute_payment(ctx, account.savings_sbd_balance, account.savings_sbd_seconds, updated, paid)


def _compute_payment(ctx: Context, balance: int, sbd_seconds: int, updated: int, paid: int) -> InterestExplanation:
    now = ctx.time
    sbd_seconds += balance * (now - updated)
    due_after = paid + ctx.rules.sbd_interest_compound_interval_seconds
    is_due = updated != now and sbd_seconds > 0 and now > due_after
    interest = compute_interest(ctx, sbd_seconds) if is_due else 0
    return InterestExplanation(now, balance, paid, now - paid, sbd_seconds, due_after, is_due, interest)


def _pay_interest(ctx: Context, account: Account) -> Account:
    """Brings the account's SBD seconds up to now, and pays interest when the last payment is long enough ago."""
    now = ctx.time
    if account.sbd_seconds_last_update == now:
        return account
    earned = compute_liquid_interest(ctx, account)
    if not earned.is_due:
        return ctx.tables.accounts.update(account, sbd_seconds=earned.sbd_seconds, sbd_seconds_last_update=now)
    interest = earned.interest
    account = ctx.tables.accounts.update(
        account,
        sbd_balance=account.sbd_balance + interest,
        sbd_seconds=0,
        sbd_seconds_last_update=now,
        sbd_last_interest_payment=now,
    )
    _issue_interest(ctx, account.name, interest)
    return account


def _issue_interest(ctx: Context, name: str, interest: int) -> None:
    paid = Asset(interest, SBD)
    if interest > 0:
        ctx.emit(Interest(owner=name, interest=paid))
    gpo = ctx.gpo
    ctx.update_gpo(
        current_sbd_supply=gpo.current_sbd_supply + interest,
        virtual_supply=gpo.virtual_supply + multiply(paid, get_median_price(ctx)).amount,
    )


def get_median_price(ctx: Context) -> Price:
    """The median of the price feeds over the last window: SBD per STEEM."""
    return ctx.tables.feed_history.get(SINGLETON).current_median_history


def adjust_savings_balance(ctx: Context, name: str, delta: Asset) -> Account:
    """Adds `delta` to a savings balance; SBD in savings earn interest as liquid SBD do.

    Source: database::adjust_savings_balance.
    """
    accounts = ctx.tables.accounts
    account = accounts.get(name)
    if delta.symbol == STEEM:
        savings_balance = account.savings_balance + delta.amount
        if savings_balance < 0:
            raise Rejected("acnt.savings_balance.amount.value >= 0", "Insufficient savings STEEM funds")
        return accounts.update(account, savings_balance=savings_balance)
    if delta.symbol == SBD:
        account = _pay_savings_interest(ctx, account)
        savings_sbd_balance = account.savings_sbd_balance + delta.amount
        if savings_sbd_balance < 0:
            raise Rejected("acnt.savings_sbd_balance.amount.value >= 0", "Insufficient savings SBD funds")
        return accounts.update(account, savings_sbd_balance=savings_sbd_balance)
    raise Rejected('!"invalid symbol"')


def _pay_savings_interest(ctx: Context, account: Account) -> Account:
    now = ctx.time
    if account.savings_sbd_seconds_last_update == now:
        return account
    earned = compute_savings_interest(ctx, account)
    if not earned.is_due:
        seconds = earned.sbd_seconds
        return ctx.tables.accounts.update(account, savings_sbd_seconds=seconds, savings_sbd_seconds_last_update=now)
    interest = earned.interest
    account = ctx.tables.accounts.update(
        account,
        savings_sbd_balance=account.savings_sbd_balance + interest,
        savings_sbd_seconds=0,
        savings_sbd_seconds_last_update=now,
        savings_sbd_last_interest_payment=now,
    )
    _issue_interest(ctx, account.name, interest)
    return account


def adjust_reward_balance(ctx: Context, name: str, value: Asset, shares: int = 0) -> Account:
    """Adds to the rewards that wait to be claimed: liquid `value`, or VESTS `shares` worth `value` STEEM.

    Source: database::modify_reward_balance.
    """
    accounts = ctx.tables.accounts
    account = accounts.get(name)
    if value.symbol == STEEM:
        if shares == 0:
            reward_steem = account.reward_steem_balance + value.amount
            if reward_steem < 0:
                raise Rejected("acnt.reward_steem_balance.amount.value >= 0", "Insufficient reward STEEM funds")
            return accounts.update(account, reward_steem_balance=reward_steem)
        reward_vesting = account.reward_vesting_balance + shares
        if reward_vesting < 0:
            raise Rejected("acnt.reward_vesting_balance.amount.value >= 0", "Insufficient reward VESTS funds")
        return accounts.update(
            account,
            reward_vesting_steem=account.reward_vesting_steem + value.amount,
            reward_vesting_balance=reward_vesting,
        )
    if value.symbol == SBD:
        if shares != 0:
            raise Rejected("share_delta.amount.value == 0")
        reward_sbd = account.reward_sbd_balance + value.amount
        if reward_sbd < 0:
            raise Rejected("acnt.reward_sbd_balance.amount.value >= 0", "Insufficient reward SBD funds")
        return accounts.update(account, reward_sbd_balance=reward_sbd)
    raise Rejected("false", "invalid symbol")


def adjust_supply(ctx: Context, delta: Asset) -> None:
    """Changes the supply of STEEM or SBD, and with it the virtual supply (all SBD valued in STEEM).

    The reference's nine-fold vesting of new STEEM ended with its hard fork 16 and no caller asks for it.
    Source: database::adjust_supply.
    """
    gpo = ctx.gpo
    if delta.symbol == STEEM:
        current_supply = gpo.current_supply + delta.amount
        if current_supply < 0:
            raise Rejected("props.current_supply.amount.value >= 0")
        ctx.update_gpo(current_supply=current_supply, virtual_supply=gpo.virtual_supply + delta.amount)
    elif delta.symbol == SBD:
        current_sbd_supply = gpo.current_sbd_supply + delta.amount
        if current_sbd_supply < 0:
            raise Rejected("props.current_sbd_supply.amount.value >= 0")
        sbd_in_steem = multiply(Asset(current_sbd_supply, SBD), get_median_price(ctx)).amount
        ctx.update_gpo(current_sbd_supply=current_sbd_supply, virtual_supply=sbd_in_steem + gpo.current_supply)
    else:
        raise Rejected("false", "invalid symbol")
