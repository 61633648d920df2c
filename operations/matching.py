"""The order book: matching, filling and cancelling orders.

Liquidity rewards for market makers, which ended with hard fork 12, are not implemented.

Source: libraries/chain/database.cpp, apply_order, match, fill_order and cancel_order.
"""

from collections.abc import Iterator
from itertools import islice

from protocol.assets import CORE_SYMBOLS, Asset, Price, multiply, price_less
from protocol.errors import ChainError, known_as
from protocol.virtual_operations import FillOrder
from state.balances import MARKET_MAKER, Payments, Place, move, pay_out, release
from state.context import Context
from state.tables.market import LimitOrder
from tokens.market_maker import MARKET_MAKER_NAME, compute_trade, find_market_maker, read_sides

READ_AHEAD_MAX = 128
"""Maximum number of orders of a book to read in one scan. Bounds the rows read but not matched."""


@known_as(4120100, "order_match_exception", "order match exception")
class OrderMatchError(ChainError):
    """Internal inconsistency: two orders do not match. Cannot happen with valid orders."""


@known_as(4120100, "order_fill_exception", "order fill exception")
class OrderFillError(ChainError):
    """Internal inconsistency: an order cannot pay its side of a trade. Cannot happen with valid orders."""


def compute_for_sale(order: LimitOrder) -> Asset:
    """The amount that an order still sells."""
    return Asset(order.for_sale, order.sell_price.base.symbol)


def compute_to_receive(order: LimitOrder) -> Asset:
    """The amount that an order still asks for, rounded down."""
    return multiply(compute_for_sale(order), order.sell_price)


def apply_order(ctx: Context, order: LimitOrder) -> bool:
    """Matches an order of the book with the other side; returns whether it is no longer in the book.

    Orders match by best price, then by age; trades execute at the price of the older order.
    """
    worst = order.sell_price.inverse()
    payments = Payments()
    new: LimitOrder | None = order
    has_maker = worst.base.symbol not in CORE_SYMBOLS or worst.quote.symbol not in CORE_SYMBOLS
    for old in _take_from_book(ctx, worst.base.symbol, worst.quote.symbol):
        if price_less(old.sell_price, worst):
            break
        if has_maker:
            new = _trade_with_maker(ctx, payments, order, old.sell_price.inverse())
            if new is None:
                break
            order = new
        new = _match(ctx, payments, order, old, old.sell_price)
        if new is None:
            break
        order = new
    if has_maker and new is not None:
        new = _trade_with_maker(ctx, payments, new, new.sell_price)
    payments.finish(ctx)
    return new is None


def _trade_with_maker(ctx: Context, payments: Payments, order: LimitOrder, limit: Price) -> LimitOrder | None:
    """Trades with the token's market maker up to a price; returns what is left of the order, or None."""
    sells, asks = order.sell_price.base.symbol, order.sell_price.quote.symbol
    token = find_market_maker(ctx, sells, asks)
    trade = None if token is None else compute_trade(*read_sides(token, sells), order.for_sale, limit)
    if token is None or trade is None:
        return order
    pays, gets = Asset(trade.pays, sells), Asset(trade.gets, asks)
    ctx.emit(
        FillOrder(
            current_owner=order.seller,
            current_orderid=order.orderid,
            current_pays=pays,
            open_owner=MARKET_MAKER_NAME,
            open_orderid=0,
            open_pays=gets,
        )
    )
    maker = (MARKET_MAKER, token.liquid_symbol)
    move(ctx, gets, maker, (payments, order.seller))
    return _fill(ctx, payments, order, pays, maker, gets)


def _take_from_book(ctx: Context, sells: int, asks: int) -> Iterator[LimitOrder]:
    """Iterates over one side of a market, the best order first.

    The caller must remove each order before it asks for the next. Orders are read ahead in batches of doubling size,
    because starting a scan costs more than reading a row.
    """
    book = ctx.tables.limit_orders.index("by_price")
    size = 1
    while batch := list(islice(book.scan((sells, asks)), size)):
        yield from batch
        size = min(2 * size, READ_AHEAD_MAX)


def _match(ctx: Context, payments: Payments, new: LimitOrder, old: LimitOrder, price: Price) -> LimitOrder | None:
    """Executes the largest possible trade between two orders; returns the rest of the new order, or None.

    If the new order has a rest, the old one is filled.
    """
    _check_market(new, old, price)
    new_sells, old_sells = compute_for_sale(new), compute_for_sale(old)
    if new_sells.amount <= multiply(old_sells, price).amount:
        new_pays = new_sells
        old_pays = multiply(new_sells, price)
    else:
        # Both may be filled here: the old order's amount at its price can round down to exactly what the new one sells.
        old_pays = old_sells
        new_pays = multiply(old_sells, price)
    if new_pays != new_sells and old_pays != old_sells:
        raise _mismatch(new, old, price)
    ctx.emit(
        FillOrder(
            current_owner=new.seller,
            current_orderid=new.orderid,
            current_pays=new_pays,
            open_owner=old.seller,
            open_orderid=old.orderid,
            open_pays=old_pays,
        )
    )
    old_left = _fill(ctx, payments, old, old_pays, (payments, new.seller), new_pays)
    new_left = _fill(ctx, payments, new, new_pays, (payments, old.seller), old_pays)
    if new_left is not None and old_left is not None:
        raise _mismatch(new, old, price)
    return new_left


def _check_market(new: LimitOrder, old: LimitOrder, price: Price) -> None:
    sells, asks = new.sell_price.base.symbol, new.sell_price.quote.symbol
    is_one_market = asks == old.sell_price.base.symbol and sells == old.sell_price.quote.symbol
    is_price_of_market = price.quote.symbol == sells and price.base.symbol == old.sell_price.base.symbol
    if not (is_one_market and is_price_of_market and new.for_sale > 0 and old.for_sale > 0):
        raise _mismatch(new, old, price)


def _mismatch(new: LimitOrder, old: LimitOrder, price: Price) -> OrderMatchError:
    return OrderMatchError(
        "",
        "error matching orders: ${new_order} ${old_order} ${match_price}",
        new_order=_order_json(new),
        old_order=_order_json(old),
        match_price=price.nai_json,
    )


def _order_json(order: LimitOrder) -> dict[str, object]:
    return {
        "id": order.id,
        "created": order.created,
        "expiration": order.expiration,
        "seller": order.seller,
        "orderid": order.orderid,
        "for_sale": order.for_sale,
        "sell_price": order.sell_price.nai_json,
    }


def _fill(
    ctx: Context, payments: Payments, order: LimitOrder, pays: Asset, place: Place, receives: Asset
) -> LimitOrder | None:
    """Pays one side of a trade to a place of the other side; returns the rest of the paying order, or None.

    An order whose rest is worth nothing at its price is cancelled: the rest is refunded to the seller.
    """
    for_sale = compute_for_sale(order)
    if for_sale.symbol != pays.symbol or pays.symbol == receives.symbol or pays.amount > for_sale.amount:
        raise OrderFillError(
            "",
            "error filling orders: ${order} ${pays} ${receives}",
            order=_order_json(order),
            pays=pays.nai_json,
            receives=receives.nai_json,
        )
    orders = ctx.tables.limit_orders
    if pays == for_sale:
        release(ctx, orders, order, place)
        return None
    order = pay_out(ctx, orders, order, place, for_sale=order.for_sale - pays.amount)
    if compute_to_receive(order).amount == 0:
        release(ctx, orders, order, (payments, order.seller))
        return None
    return order
