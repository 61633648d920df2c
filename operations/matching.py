"""The order book: matching a new order with the old ones, filling orders and taking them back.

Market makers were paid liquidity rewards before hard fork 12; nothing of that is left.

Source: libraries/chain/database.cpp, apply_order, match, fill_order and cancel_order.
"""

from protocol.assets import Asset, Price, multiply, price_less
from protocol.errors import ChainError
from protocol.virtual_operations import FillOrder
from state.context import Context
from state.money import adjust_balance
from state.schema import LimitOrder


class OrderMatchError(ChainError):
    """Two orders do not fit each other; never seen with valid orders."""

    code = 4120100
    name = "order_match_exception"
    what = "order match exception"


class OrderFillError(ChainError):
    """An order cannot be filled with what it should pay; never seen with valid orders."""

    code = 4120100
    name = "order_fill_exception"
    what = "order fill exception"


def compute_for_sale(order: LimitOrder) -> Asset:
    """What an order still sells."""
    return Asset(order.for_sale, order.sell_price.base.symbol)


def compute_to_receive(order: LimitOrder) -> Asset:
    """What an order still asks for, rounded down."""
    return multiply(compute_for_sale(order), order.sell_price)


def apply_order(ctx: Context, order: LimitOrder) -> bool:
    """Matches an order that is in the book already with those of the other side; returns whether it is gone.

    The best price comes first, of equal prices the oldest order; trades happen at the price of the old order.
    """
    orders = ctx.tables.limit_orders
    key = (order.seller, order.orderid)
    worst = order.sell_price.inverse()
    market = (worst.base.symbol, worst.quote.symbol)
    while True:
        new = orders.find(key)
        if new is None:
            return True
        old = orders.index("by_price").first(market)
        if old is None or price_less(old.sell_price, worst):
            return False
        if _match(ctx, new, old, old.sell_price):
            return orders.find(key) is None


def _match(ctx: Context, new: LimitOrder, old: LimitOrder, price: Price) -> bool:
    """Trades as much between two orders as the smaller one allows; returns whether the new order is done."""
    _check_market(new, old, price)
    new_sells, old_sells = compute_for_sale(new), compute_for_sale(old)
    if new_sells.amount <= multiply(old_sells, price).amount:
        new_pays = new_sells
        old_pays = multiply(new_sells, price)
    else:
        # Both may be used up here: the old order's amount at its price can round down to just what the new one sells.
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
    is_new_done = _fill(ctx, new, new_pays, old_pays)
    is_old_done = _fill(ctx, old, old_pays, new_pays)
    if not (is_new_done or is_old_done):
        raise _mismatch(new, old, price)
    return is_new_done


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


def _fill(ctx: Context, order: LimitOrder, pays: Asset, receives: Asset) -> bool:
    """Books one side of a trade; returns whether the order is gone.

    An order is also gone when what it has left is worth nothing at its price; that goes back to the seller.
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
    adjust_balance(ctx, order.seller, receives)
    orders = ctx.tables.limit_orders
    if pays == for_sale:
        orders.delete(order)
        return True
    order = orders.update(order, for_sale=order.for_sale - pays.amount)
    if compute_to_receive(order).amount == 0:
        cancel_order(ctx, order)
        return True
    return False


def cancel_order(ctx: Context, order: LimitOrder) -> None:
    """Gives what is left of an order back to its seller and removes it."""
    adjust_balance(ctx, order.seller, compute_for_sale(order))
    ctx.tables.limit_orders.delete(order)
