"""Transfers of money: `move` takes an amount from one place and adds it to another.

A place is a purse (a kind of place, declared below) with the key of a row: (LIQUID, "alice"). Rows that hold money,
such as orders, receive it with `hold`, return all of it with `release`, and pay a part with `pay_out`. Only
`state.issuance` creates or destroys money, except SBD interest, which is paid here whenever an account's SBD balance
changes. Stake is a place too, declared in `state.stake` and `state.reward_balances`.

Source: libraries/chain/database.cpp, modify_balance to get_savings_balance.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

from protocol.assets import CORE_SYMBOLS, SBD, STEEM, Asset
from protocol.errors import Rejected
from protocol.virtual_operations import Interest
from state.context import SINGLETON, Context
from state.engine.errors import SchemaError
from state.engine.rows import RowT, list_fields
from state.engine.table import Table
from state.interest import CLOCKS, Clock, compute_earned
from state.supply import add_interest, change_supply
from state.tables.accounts import Account
from state.tables.content import RewardFund
from state.tables.globals import GlobalProperties
from state.tables.kinds import find_symbol, is_of_token
from state.tables.market import ConvertRequest, LimitOrder
from state.tables.payments import Escrow, SavingsWithdraw
from state.tables.tables import Tables
from state.tables.tokens import Token, TokenBalance, TokenSale

_TABLES: Final[dict[type[Any], str]] = {spec.row: spec.name for spec in Tables.SPECS}


class Slot(NamedTuple):
    """Where one symbol is kept: a field of the rows of a table, with the clock of its interest if it earns any.

    Only a slot that `may_owe` may fall below zero, because the reference does not check it.
    """

    table: str
    field: str
    clock: Clock | None
    may_owe: bool


class Purse:
    """A kind of place: fields of a row, one for each symbol that can be there. Their kinds tell the symbols.

    `tokens` is the field of a token balance that holds community tokens, of all of them; the key names the account.
    """

    __slots__ = ("slots", "tokens")

    token_row: type[Any] = TokenBalance
    """The row that holds community tokens."""

    def __init__(self, row: type[Any], *fields: str, tokens: str = "", may_owe: bool = False) -> None:
        self.slots: dict[int, Slot] = {}
        self.tokens = tokens
        if tokens and not is_of_token(list_fields(self.token_row)[tokens]):
            raise SchemaError(f"{self.token_row.__name__}.{tokens} holds no amount of tokens")
        kinds = list_fields(row)
        for field in fields:
            symbol = find_symbol(kinds[field])
            if symbol is None or symbol in self.slots:
                raise SchemaError(f"{row.__name__}.{field} holds no amount, or one of the same symbol as another field")
            self.slots[symbol] = Slot(_TABLES[row], field, CLOCKS.get(field), may_owe)

    def read(self, ctx: Context, key: Any, symbol: int) -> int:
        """The satoshis of a core symbol in this place; raises Rejected for a symbol that cannot be there."""
        slot = self._find(symbol)
        satoshis: int = getattr(getattr(ctx.tables, slot.table).get(key), slot.field)
        return satoshis

    def change(self, ctx: Context, key: Any, symbol: int, delta: int) -> int:
        """Adds `delta` satoshis and returns how much arrived, for `move`, `issue` and `burn`.

        Raises Rejected for insufficient funds, and for a symbol that cannot be there.
        """
        slot = self.slots.get(symbol)
        if slot is None:
            return self.change_tokens(ctx, key, symbol, delta)
        table, field, clock, may_owe = slot
        rows = getattr(ctx.tables, table)
        row = rows.get(key)
        balance = getattr(row, field) + delta
        if balance < 0 and not may_owe:
            raise _missing(key, symbol, delta, balance - delta)
        if clock is None:
            rows.update(row, **{field: balance})
        else:
            rows.update(row, **_touch(ctx, row, clock, balance))
        return delta

    def change_tokens(self, ctx: Context, key: Any, symbol: int, delta: int) -> int:
        """As `change`, for community tokens; what arrives at the null account is gone."""
        if not self.can_hold_tokens(ctx, symbol):
            self._find(symbol)
        if key == ctx.rules.null_account and delta >= 0:
            change_supply(ctx, symbol, -delta)
            return delta
        balances, field = ctx.tables.token_balances, self.tokens
        row = balances.find((key, symbol)) if delta < 0 else get_token_balance(ctx, key, symbol)
        before: int = getattr(row, field, 0)
        if row is None or before + delta < 0:
            raise _missing(key, symbol, delta, before)
        balances.update(row, **{field: before + delta})
        return delta

    def can_hold_tokens(self, ctx: Context, symbol: int) -> bool:
        """Whether this place can hold a symbol that is none of its slots: that of a community token."""
        return self.tokens != "" and symbol not in CORE_SYMBOLS and ctx.rules.tokens_live

    def _find(self, symbol: int) -> Slot:
        slot = self.slots.get(symbol)
        if slot is None:
            raise Rejected("symbol.space() == asset_symbol_type::smt_nai_space", "Invalid symbol: ${s}", s=symbol)
        return slot


def _missing(name: str, symbol: int, delta: int, available: int) -> Rejected:
    return Rejected(
        "available >= -delta",
        "Account ${acc} does not have sufficient funds for balance adjustment. Required: ${r}, Available: ${a}",
        acc=name,
        r=Asset(delta, symbol).nai_json,
        a=Asset(available, symbol).nai_json,
    ).named("funds_missing")


def get_token_balance(ctx: Context, name: str, symbol: int) -> TokenBalance:
    """What an account has of a token; made if it is not there. Raises RowMissing for an unknown account."""
    balances = ctx.tables.token_balances
    row = balances.find((name, symbol))
    if row is None:
        ctx.tables.accounts.get(name)
        row = balances.insert(TokenBalance(balances.next_id(), name, symbol))
    return row


class TokenPurse(Purse):
    """What belongs to a token itself, and not to an account: the key is the token's symbol."""

    token_row = Token

    def change_tokens(self, ctx: Context, key: Any, symbol: int, delta: int) -> int:
        """As `change`, for tokens."""
        if not self.can_hold_tokens(ctx, symbol):
            self._find(symbol)
        tokens = ctx.tables.tokens
        token = tokens.get(key)
        before: int = getattr(token, self.tokens)
        if before + delta < 0 or symbol != key:
            raise AssertionError(f"{self.tokens} of {key} cannot change by {delta} of {symbol}")
        tokens.update(token, **{self.tokens: before + delta})
        return delta


Place = tuple[Purse, Any]
"""A purse and the key of the row in which it keeps the money."""

LIQUID: Final = Purse(Account, "balance", "sbd_balance", tokens="liquid")
"""Liquid balances of an account."""
SAVINGS: Final = Purse(Account, "savings_balance", "savings_sbd_balance")
"""Savings of an account, which can be withdrawn only after a delay."""
REWARDS: Final = Purse(Account, "reward_steem_balance", "reward_sbd_balance", tokens="pending_liquid")
"""Liquid rewards that an account has earned and not claimed."""
REWARD_FUND: Final = Purse(RewardFund, "reward_balance", may_owe=True)
"""The fund from which posts are paid."""
VESTING_FUND: Final[Place] = (Purse(GlobalProperties, "total_vesting_fund_steem"), SINGLETON)
"""The STEEM behind all VESTS; additions raise the value of each share."""
SALE: Final = Purse(TokenSale, "steem")
"""What was contributed to the sale of a token and is not paid out yet."""
MARKET_MAKER: Final = TokenPurse(Token, "market_maker_steem", tokens="market_maker_tokens")
"""What the market maker of a token has."""
TOKEN_REWARD_FUND: Final = TokenPurse(Token, tokens="reward_balance")
"""What posts are paid from in a token."""
TOKEN_VESTING_FUND: Final = TokenPurse(Token, tokens="total_vesting_fund_smt")
"""The tokens behind all shares of a token; what comes in makes each of them worth more."""


def _touch(ctx: Context, account: Account, clock: Clock, balance: int) -> dict[str, int]:
    """The changes of an account whose SBD balance becomes `balance`, including its SBD seconds up to now, and interest
    if it is due.
    """
    now = ctx.time
    if getattr(account, clock.updated) == now:
        return {clock.balance: balance}
    earned = compute_earned(ctx, account, clock)
    if not earned.is_due:
        return {clock.balance: balance, clock.seconds: earned.sbd_seconds, clock.updated: now}
    if earned.interest > 0:
        ctx.emit(Interest(owner=account.name, interest=Asset(earned.interest, SBD)))
    add_interest(ctx, earned.interest)
    return {clock.balance: balance + earned.interest, clock.seconds: 0, clock.updated: now, clock.paid: now}


def move(ctx: Context, amount: Asset, source: Place, destination: Place) -> int:
    """Moves an amount (not negative) from one place to another and returns what arrived.

    That is the amount in satoshis or, in a stake, the shares it bought. Raises Rejected when the source has less.
    """
    satoshis, symbol = amount
    if satoshis < 0:
        raise AssertionError(f"{satoshis} cannot be moved")
    purse, key = source
    purse.change(ctx, key, symbol, -satoshis)
    purse, key = destination
    return purse.change(ctx, key, symbol, satoshis)


# Rows that hold money

Held = Callable[[Any], tuple[int, int]]
"""Reads the amount in a field of a row, in satoshis, and its symbol."""

HELD: Final[dict[type[Any], dict[str, Held]]] = {
    ConvertRequest: {"amount": attrgetter("amount")},
    SavingsWithdraw: {"amount": attrgetter("amount")},
    LimitOrder: {"for_sale": attrgetter("for_sale", "sell_price.base.symbol")},
    Escrow: {
        "steem_balance": lambda row: (row.steem_balance, STEEM),
        "sbd_balance": lambda row: (row.sbd_balance, SBD),
        "pending_fee": attrgetter("pending_fee"),
    },
}
"""The fields that hold money in rows such as orders, by row class."""


def hold(ctx: Context, source: Place, table: Table[RowT, Any], row: RowT) -> RowT:
    """Inserts a row that holds money, and takes that money from `source`.

    Raises Rejected when the source has less, and RowExists.
    """
    sums: dict[int, int] = {}
    for read in HELD[type(row)].values():
        satoshis, symbol = read(row)
        sums[symbol] = sums.get(symbol, 0) + satoshis
    purse, key = source
    for symbol, satoshis in sums.items():
        purse.change(ctx, key, symbol, -satoshis)
    return table.insert(row)


def release(ctx: Context, table: Table[RowT, Any], row: RowT, destination: Place) -> None:
    """Deletes a row that holds money, and moves that money to `destination`."""
    table.delete(row)
    purse, key = destination
    for read in HELD[type(row)].values():
        satoshis, symbol = read(row)
        purse.change(ctx, key, symbol, satoshis)


def pay_out(ctx: Context, table: Table[RowT, Any], row: RowT, destination: Place, **changes: Any) -> RowT:
    """Changes a row that holds money; the decrease of the named fields goes to `destination`."""
    new = table.update(row, **changes)
    purse, key = destination
    for field, read in HELD[type(row)].items():
        if field in changes:
            before, symbol = read(row)
            left, _ = read(new)
            purse.change(ctx, key, symbol, before - left)
    return new


class Clearing(Purse):
    """A clearing place within one step: payments may precede receipts, but both must be equal at the end."""

    __slots__ = ("_sums",)

    def __init__(self) -> None:
        self.slots = {}
        self.tokens = ""
        self._sums: dict[int, int] = {}

    def change(self, ctx: Context, key: Any, symbol: int, delta: int) -> int:
        """Adds `delta`, which may be negative; the key is ignored."""
        self._sums[symbol] = self._sums.get(symbol, 0) + delta
        return delta

    def finish(self) -> None:
        """Ends the step; raises AssertionError unless receipts and payments are equal."""
        if any(self._sums.values()):
            raise AssertionError(f"money comes from nowhere or goes nowhere: {self._sums}")


class Payments(Purse):
    """A place that collects many payments to liquid balances and changes each row at most twice.

    The first payment to an account in a symbol is made at once, so that its SBD interest appears at the right place
    among the events. Later ones are summed until `finish`; these balances must not be read or reduced before that.
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self.slots = LIQUID.slots
        self.tokens = LIQUID.tokens
        self._waiting: dict[tuple[str, int], int] = {}

    def change(self, ctx: Context, key: Any, symbol: int, delta: int) -> int:
        """Pays to an account, at once or in `finish`."""
        waiting = self._waiting.get((key, symbol))
        if waiting is None:
            LIQUID.change(ctx, key, symbol, delta)
            self._waiting[key, symbol] = 0
        else:
            self._waiting[key, symbol] = waiting + delta
        return delta

    def finish(self, ctx: Context) -> None:
        """Adds the collected payments to the balances."""
        for (name, symbol), satoshis in self._waiting.items():
            if satoshis:
                LIQUID.change(ctx, name, symbol, satoshis)
        self._waiting.clear()
