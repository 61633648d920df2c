"""Orders of the internal market, and pending conversions of SBD."""

from protocol.types import I64, U32, U128, AccountName, Asset, Price, Share, Time
from state.engine.declare import Index, derived, table
from state.engine.rows import Row
from state.tables.kinds import ObjectId

PRICE_RATIO_BITS = 128
"""Fraction bits of a price in an index key: two different prices of 63-bit amounts differ by more than 2**-126."""

PRICE_KEY_BYTES = 24

_PRICE_KEY_MAX = (1 << (8 * PRICE_KEY_BYTES)) - 1


def price_key(price: Price) -> tuple[int, int, bytes]:
    """The sort key of a price in an order book: by market, then by descending price, exactly."""
    ratio = (price.base.amount << PRICE_RATIO_BITS) // price.quote.amount
    return price.base.symbol, price.quote.symbol, (_PRICE_KEY_MAX - ratio).to_bytes(PRICE_KEY_BYTES, "big")


@table(
    25,
    key=("seller", "orderid"),
    indexes=(
        Index("by_expiration", "expiration", "id"),
        Index("by_price", derived(price_key, "sell_price"), "id"),
    ),
    is_observable=True,
)
class LimitOrder(Row):
    """An open offer on the market. Source: steem_objects.hpp, limit_order_object."""

    id: ObjectId
    created: Time
    expiration: Time
    seller: AccountName
    orderid: U32
    for_sale: Share
    sell_price: Price


@table(26, key="owner", indexes=(Index("by_volume_weight", "-weight", "owner_id"),))
class LiquidityRewardBalance(Row):
    """A market maker's volume. Source: steem_objects.hpp, liquidity_reward_balance_object."""

    id: ObjectId
    owner: AccountName
    owner_id: ObjectId
    steem_volume: I64
    sbd_volume: I64
    weight: U128
    last_update: Time


@table(
    27,
    key=("owner", "requestid"),
    indexes=(Index("by_conversion_date", "conversion_date", "id"),),
    is_observable=True,
)
class ConvertRequest(Row):
    """A pending conversion of SBD. Source: steem_objects.hpp, convert_request_object."""

    id: ObjectId
    owner: AccountName
    requestid: U32
    amount: Asset
    conversion_date: Time
