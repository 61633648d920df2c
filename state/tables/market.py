"""Orders on the internal market, and SBD that wait for conversion."""

from typing import NamedTuple

from protocol.assets import Asset, Price

PRICE_RATIO_BITS = 128
"""Fraction bits of a price in an index key: two different prices of 63-bit amounts differ by more than 2**-126."""

PRICE_KEY_BYTES = 24

_PRICE_KEY_MAX = (1 << (8 * PRICE_KEY_BYTES)) - 1


class LimitOrder(NamedTuple):
    """An open offer on the market. Source: steem_objects.hpp, limit_order_object."""

    id: int
    created: int
    expiration: int
    seller: str
    orderid: int
    for_sale: int
    sell_price: Price


class LiquidityRewardBalance(NamedTuple):
    """A market maker's volume. Source: steem_objects.hpp, liquidity_reward_balance_object."""

    id: int
    owner: str
    owner_id: int
    steem_volume: int
    sbd_volume: int
    weight: int
    last_update: int


class ConvertRequest(NamedTuple):
    """SBD that wait for their conversion. Source: steem_objects.hpp, convert_request_object."""

    id: int
    owner: str
    requestid: int
    amount: Asset
    conversion_date: int


def price_key(price: Price) -> tuple[int, int, bytes]:
    """The place of a price in an order book: by market, then from the highest price to the lowest, exactly."""
    ratio = (price.base.amount << PRICE_RATIO_BITS) // price.quote.amount
    return price.base.symbol, price.quote.symbol, (_PRICE_KEY_MAX - ratio).to_bytes(PRICE_KEY_BYTES, "big")
