"""The internal market: placing and cancelling limit orders."""

from typing import Annotated

from operations.checks import check_account_name, is_token
from operations.matching import apply_order
from protocol.assets import SBD, STEEM, Asset, Price, check_price, is_vesting, make_price, multiply, symbol_json
from protocol.errors import Invalid, Rejected, UnknownKey
from protocol.integers import TIME_MAX
from protocol.measures import duration_text
from protocol.operation import Operation, operation
from protocol.resources import Resources, state_size
from protocol.rules import Rules
from protocol.types import U32, AccountName, Bool, Default, Time
from state.balances import LIQUID, hold, release
from state.context import Context
from state.tables.market import LimitOrder

_MARKET_TEXT = "Limit order must be for the STEEM:SBD or SMT:(STEEM/SBD) market"


def _is_market(sell: int, receive: int) -> bool:
    """Whether two symbols form a market: STEEM and SBD, or STEEM and a token."""
    return (
        (sell == STEEM and receive == SBD)
        or (sell == SBD and receive == STEEM)
        or (is_token(sell) and receive == STEEM)
        or (sell == STEEM and is_token(receive))
    )


def _market_assertion(receive: str) -> str:
    """The reference's assertion; `receive` is its name of the asset to buy."""
    return (
        f"( is_asset_type( amount_to_sell, STEEM_SYMBOL ) && is_asset_type( {receive}, SBD_SYMBOL ) ) "
        f"|| ( is_asset_type( amount_to_sell, SBD_SYMBOL ) && is_asset_type( {receive}, STEEM_SYMBOL ) ) "
        "|| ( amount_to_sell.symbol.space() == asset_symbol_type::smt_nai_space "
        f"&& is_asset_type( {receive}, STEEM_SYMBOL ) ) "
        "|| ( is_asset_type( amount_to_sell, STEEM_SYMBOL ) "
        f"&& {receive}.symbol.space() == asset_symbol_type::smt_nai_space )"
    )


def _check_tokens(ctx: Context, *symbols: int) -> None:
    """Refuses tokens that do not exist with these decimals, and their vesting symbols."""
    for symbol in filter(is_token, symbols):
        if is_vesting(symbol):
            raise Rejected("price.quote.symbol.is_vesting() == false", "Quote symbol cannot be a vesting symbol.")
        if ctx.tables.tokens.find(symbol) is None:
            raise Rejected(
                "token != nullptr", "Unable to find quote token. Symbol: ${symbol}", symbol=symbol_json(symbol)
            )


def _place_order(ctx: Context, op: "LimitOrderCreate | LimitOrderCreate2", price: Price) -> None:
    """Takes the amount for sale from the owner, adds the order to the book and matches it.

    Raises RowExists when the owner has an open order of this number.
    """
    if ctx.rules.tokens_live:
        _check_tokens(ctx, price.base.symbol, price.quote.symbol)
    now = ctx.time
    if not op.expiration > now:
        raise Rejected(
            "o.expiration > _db.head_block_time()", "Limit order has to expire after head block time."
        ).named("order_expired")
    longest = ctx.rules.max_limit_order_expiration_seconds
    if not op.expiration <= now + longest:
        raise Rejected(
            "o.expiration <= _db.head_block_time() + STEEM_MAX_LIMIT_ORDER_EXPIRATION",
            f"Limit Order Expiration must not be more than {duration_text(longest)} in the future",
        ).named("order_too_long", longest=duration_text(longest))
    orders = ctx.tables.limit_orders
    order = hold(
        ctx,
        (LIQUID, op.owner),
        orders,
        LimitOrder(
            id=orders.next_id(),
            created=now,
            expiration=op.expiration,
            seller=op.owner,
            orderid=op.orderid,
            for_sale=op.amount_to_sell.amount,
            sell_price=price,
        ),
    )
    is_filled = apply_order(ctx, order)
    if op.fill_or_kill and not is_filled:
        raise Rejected("filled", "Cancelling order because it was not filled.").named("order_not_filled")


_ORDER = state_size("limit_order_object_base_size", 76, 1940)


@operation(number=5, takes=Resources(31_700, is_market=True), active="owner")
class LimitOrderCreate(Operation):
    """Sells an amount for at least another amount; matching orders are filled at once.

    Source: steem_operations.hpp, limit_order_create_operation; steem_operations.cpp,
    limit_order_create_operation::validate; steem_evaluator.cpp, limit_order_create_evaluator.
    """

    owner: Annotated[AccountName, "Account that sells; its active authority signs."]
    orderid: Annotated[U32, "Number of the order, chosen by the owner, unique among its open ones."]
    amount_to_sell: Annotated[Asset, "What is sold, in the smallest unit."]
    min_to_receive: Annotated[Asset, "Minimum total to receive, in the smallest unit."]
    fill_or_kill: Annotated[Bool, "Whether the order is refused unless it is filled whole at once."]
    expiration: Annotated[Time, "When the rest is cancelled.", Default(TIME_MAX)]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.owner)
        if not _is_market(self.amount_to_sell.symbol, self.min_to_receive.symbol):
            raise Invalid(_market_assertion("min_to_receive"), _MARKET_TEXT)
        make_price(self.amount_to_sell, self.min_to_receive)

    def count_resources(self) -> Resources:
        return self.resources if self.fill_or_kill else self.resources.more(state_bytes=_ORDER)

    def apply(self, ctx: Context) -> None:
        _place_order(ctx, self, Price(self.amount_to_sell, self.min_to_receive))


@operation(number=21, takes=Resources(31_700, is_market=True), active="owner")
class LimitOrderCreate2(Operation):
    """Like limit_order_create, with a price instead of the minimum amount to receive.

    Source: steem_operations.hpp, limit_order_create2_operation; steem_operations.cpp,
    limit_order_create2_operation::validate; steem_evaluator.cpp, limit_order_create2_evaluator.
    """

    owner: Annotated[AccountName, "Account that sells; its active authority signs."]
    orderid: Annotated[U32, "Number of the order, chosen by the owner, unique among its open ones."]
    amount_to_sell: Annotated[Asset, "What is sold, in the smallest unit."]
    exchange_rate: Annotated[Price, "Lowest price: sold amount as base, received amount as quote."]
    fill_or_kill: Annotated[Bool, "Whether the order is refused unless it is filled whole at once."]
    expiration: Annotated[Time, "When the rest is cancelled.", Default(TIME_MAX)]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.owner)
        if self.amount_to_sell.symbol != self.exchange_rate.base.symbol:
            raise Invalid(
                "amount_to_sell.symbol == exchange_rate.base.symbol", "Sell asset must be the base of the price"
            )
        check_price(self.exchange_rate)
        if not _is_market(self.amount_to_sell.symbol, self.exchange_rate.quote.symbol):
            raise Invalid(_market_assertion("exchange_rate.quote"), _MARKET_TEXT)
        if not multiply(self.amount_to_sell, self.exchange_rate).amount > 0:
            raise Invalid(
                "( amount_to_sell * exchange_rate ).amount > 0", "Amount to sell cannot round to 0 when traded"
            )

    def count_resources(self) -> Resources:
        return self.resources if self.fill_or_kill else self.resources.more(state_bytes=_ORDER)

    def apply(self, ctx: Context) -> None:
        _place_order(ctx, self, self.exchange_rate)


@operation(number=6, takes=Resources(9600), active="owner")
class LimitOrderCancel(Operation):
    """Cancels an open order; the unsold amount returns to its owner.

    Source: steem_operations.hpp, limit_order_cancel_operation; steem_operations.cpp,
    limit_order_cancel_operation::validate; steem_evaluator.cpp, limit_order_cancel_evaluator.
    """

    owner: Annotated[AccountName, "Account that placed the order; its active authority signs."]
    orderid: Annotated[U32, "Number of the order."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.owner)

    def apply(self, ctx: Context) -> None:
        order = ctx.tables.limit_orders.find((self.owner, self.orderid))
        if order is None:
            raise UnknownKey(name=self.owner, orderid=self.orderid)
        release(ctx, ctx.tables.limit_orders, order, (LIQUID, self.owner))
