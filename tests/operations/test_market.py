"""The internal market."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.expiries import process_expired_orders
from operations.market import LimitOrderCancel, LimitOrderCreate, LimitOrderCreate2
from operations.matching import apply_order, compute_to_receive
from protocol.assets import SBD, STEEM, Asset, Price, price_less
from protocol.operation import Operation, RequiredAuthorities
from protocol.virtual_operations import FillOrder
from state.tables.market import LimitOrder
from tests.operations.world import World, changed, sbd, steem, vests

LONGEST = 28 * 86_400
CREATES = ("create", "create2")


def order(
    world: World, kind: str, owner: str, orderid: int, sells: Asset, asks: Asset, fill_or_kill: bool = False
) -> Operation:
    """An order of either kind that lives as long as possible."""
    expiration = world.now + LONGEST
    if kind == "create":
        return LimitOrderCreate(owner, orderid, sells, asks, fill_or_kill, expiration)
    return LimitOrderCreate2(
        owner=owner,
        orderid=orderid,
        amount_to_sell=sells,
        exchange_rate=Price(sells, asks),
        fill_or_kill=fill_or_kill,
        expiration=expiration,
    )


def find(world: World, owner: str, orderid: int) -> LimitOrder | None:
    """The open order of this number."""
    return world.tables.limit_orders.find((owner, orderid))


def balances(world: World, name: str) -> tuple[int, int]:
    """Liquid STEEM and SBD of an account."""
    return world[name].balance, world[name].sbd_balance


@pytest.fixture
def market(world: World) -> World:
    """Alice has 1,000 STEEM, bob 1,000 SBD."""
    world.create("alice", "bob", "sam")
    world.fund("alice", steem(1_000_000))
    world.fund("bob", sbd(1_000_000))
    return world


# limit_order_create and limit_order_create2


@pytest.mark.parametrize("kind", CREATES)
@pytest.mark.windows
def test_refusals(market: World, kind: str) -> None:
    world = market
    world.refuse(order(world, kind, "bob", 1, steem(10_000), sbd(10_000)), "available >= -delta")
    world.refuse(order(world, kind, "nobody", 1, steem(10_000), sbd(10_000)), "nobody")
    world.refuse(order(world, kind, "alice", 1, steem(10_000), sbd(0)), "quote.amount > share_type(0)")
    world.refuse(order(world, kind, "alice", 1, steem(0), sbd(10_000)), "base.amount > share_type(0)")
    world.refuse(order(world, kind, "alice", 1, steem(10_000), vests(1)), "Limit order must be for the STEEM:SBD or")
    good = order(world, kind, "alice", 1, steem(10_000), sbd(15_000))
    assert isinstance(good, (LimitOrderCreate, LimitOrderCreate2))
    too_late = changed(good, expiration=world.now + LONGEST + 1)
    message = world.refuse(too_late, "o.expiration <= _db.head_block_time() + STEEM_MAX_LIMIT_ORDER_EXPIRATION")
    assert message.endswith("Limit Order Expiration must not be more than 28 days in the future")
    message = world.refuse(changed(good, expiration=world.now), "o.expiration > _db.head_block_time()")
    assert message.endswith("Limit order has to expire after head block time.")


@pytest.mark.parametrize("kind", CREATES)
def test_open_order(market: World, kind: str) -> None:
    world = market
    assert world.push(order(world, kind, "alice", 1, steem(10_000), sbd(15_000))) == []
    row = find(world, "alice", 1)
    assert row is not None
    assert (row.seller, row.orderid, row.for_sale) == ("alice", 1, 10_000)
    assert row.sell_price == Price(steem(10_000), sbd(15_000))
    assert (row.created, row.expiration) == (world.now, world.now + LONGEST)
    assert balances(world, "alice") == (990_000, 0)
    world.refuse(order(world, kind, "alice", 1, steem(20_000), sbd(15_000)), "alice")
    message = world.refuse(order(world, kind, "alice", 2, steem(20_000), sbd(15_000), True), "filled: ")
    assert message.endswith("Cancelling order because it was not filled.")


@pytest.mark.parametrize("kind", CREATES)
def test_trades(market: World, kind: str) -> None:
    world = market

    # The new order is filled, the old one in part.
    world.push(order(world, kind, "alice", 1, steem(10_000), sbd(15_000)))
    events = world.push(order(world, kind, "bob", 1, sbd(7_500), steem(5_000)))
    assert events == [FillOrder("bob", 1, sbd(7_500), "alice", 1, steem(5_000))]
    assert find(world, "bob", 1) is None
    row = find(world, "alice", 1)
    assert row is not None
    assert (row.for_sale, row.sell_price) == (5_000, Price(steem(10_000), sbd(15_000)))
    assert (balances(world, "alice"), balances(world, "bob")) == ((990_000, 7_500), (5_000, 992_500))

    # The old order is filled, the new one in part.
    world.push(order(world, kind, "bob", 1, sbd(15_000), steem(10_000)))
    assert find(world, "alice", 1) is None
    row = find(world, "bob", 1)
    assert row is not None
    assert (row.for_sale, row.sell_price) == (7_500, Price(sbd(15_000), steem(10_000)))
    assert (balances(world, "alice"), balances(world, "bob")) == ((990_000, 15_000), (10_000, 977_500))

    # Both are filled.
    world.push(order(world, kind, "alice", 3, steem(5_000), sbd(7_500)))
    assert (find(world, "alice", 3), find(world, "bob", 1)) == (None, None)
    assert (balances(world, "alice"), balances(world, "bob")) == ((985_000, 22_500), (15_000, 977_500))

    # The new order gets the old one's better price.
    world.push(order(world, kind, "alice", 4, steem(10_000), sbd(11_000)))
    world.push(order(world, kind, "bob", 4, sbd(12_000), steem(10_000)))
    row = find(world, "bob", 4)
    assert row is not None
    assert (row.for_sale, find(world, "alice", 4)) == (1_000, None)
    assert (balances(world, "alice"), balances(world, "bob")) == ((975_000, 33_500), (25_000, 965_500))
    world.push(LimitOrderCancel("bob", 4))

    # The same, and the old order is larger.
    world.push(order(world, kind, "alice", 5, steem(20_000), sbd(22_000)))
    world.push(order(world, kind, "bob", 5, sbd(12_000), steem(10_000)))
    row = find(world, "alice", 5)
    assert row is not None
    assert (row.for_sale, find(world, "bob", 5)) == (9_091, None)
    assert (balances(world, "alice"), balances(world, "bob")) == ((955_000, 45_500), (35_909, 954_500))


@pytest.mark.parametrize("kind", CREATES)
def test_best_price_first_then_the_oldest(market: World, kind: str) -> None:
    world = market
    for orderid, asks in ((1, 1_200), (2, 1_100), (3, 1_000), (4, 1_100)):
        world.push(order(world, kind, "alice", orderid, steem(1_000), sbd(asks)))
    events = world.push(order(world, kind, "bob", 1, sbd(10_000), steem(9_000)))
    assert [(fill.open_orderid, fill.current_pays) for fill in events if isinstance(fill, FillOrder)] == [
        (3, sbd(1_000)),
        (2, sbd(1_100)),
        (4, sbd(1_100)),
    ]
    assert find(world, "alice", 1) is not None
    row = find(world, "bob", 1)
    assert row is not None
    assert row.for_sale == 6_800


def test_equal_prices_written_differently_are_equal(market: World) -> None:
    world = market
    world.push(order(world, "create", "alice", 1, steem(20_000), sbd(30_000)))
    world.push(order(world, "create", "alice", 2, steem(2), sbd(3)))
    events = world.push(order(world, "create", "bob", 1, sbd(30_003), steem(20_002)))
    assert [fill.open_orderid for fill in events if isinstance(fill, FillOrder)] == [1, 2]
    assert find(world, "bob", 1) is None


@pytest.mark.parametrize("kind", CREATES)
def test_fill_or_kill(market: World, kind: str) -> None:
    world = market
    world.push(order(world, kind, "alice", 1, steem(1_000), sbd(1_000)))
    world.refuse(order(world, kind, "bob", 1, sbd(1_001), steem(1_001), True), "filled: ")
    world.push(order(world, kind, "bob", 1, sbd(1_000), steem(1_000), True))
    assert (find(world, "alice", 1), find(world, "bob", 1)) == (None, None)


def test_orders_of_one_account_match_each_other(market: World) -> None:
    world = market
    world.fund("alice", sbd(1_000))
    world.push(order(world, "create", "alice", 1, steem(1_000), sbd(1_000)))
    events = world.push(order(world, "create", "alice", 2, sbd(1_000), steem(1_000)))
    assert events == [FillOrder("alice", 2, sbd(1_000), "alice", 1, steem(1_000))]
    assert balances(world, "alice") == (1_000_000, 1_000)


def test_a_rest_worth_nothing_goes_back_to_its_seller(market: World) -> None:
    world = market
    # Alice asks 1 SBD satoshi for 1,000 STEEM satoshis; bob pays for 300 of them and the rest buys less than 1.
    world.push(order(world, "create", "alice", 1, steem(1_000), sbd(1)))
    world.push(order(world, "create", "bob", 1, sbd(3), steem(300)))
    assert (find(world, "alice", 1), balances(world, "alice")) == (None, (999_000, 1))
    row = find(world, "bob", 1)
    assert row is not None
    assert (row.for_sale, balances(world, "bob")) == (2, (1_000, 999_997))


def test_trade_amount_equals_zero(market: World) -> None:
    """A trade whose one side rounds to nothing still ends with an order gone and nothing lost."""
    world = market
    world.fund("sam", steem(10))
    world.push(order(world, "create", "sam", 1, steem(1), sbd(2)))
    world.push(order(world, "create", "bob", 1, sbd(3), steem(1)))
    world.recount()
    world.push(order(world, "create", "alice", 1, steem(100), sbd(300)))
    world.push(order(world, "create", "bob", 2, sbd(1), steem(1)))
    world.recount()


def test_a_price_that_does_not_meet_is_left_alone(market: World) -> None:
    world = market
    world.push(order(world, "create", "alice", 1, steem(1_000), sbd(1_001)))
    assert world.push(order(world, "create", "bob", 1, sbd(1_000), steem(1_000))) == []
    row = find(world, "alice", 1)
    assert row is not None
    assert apply_order(world.ctx, row) is False


def test_create2_refusals(market: World) -> None:
    world = market
    good = LimitOrderCreate2(
        owner="alice",
        orderid=1,
        amount_to_sell=steem(1_000),
        exchange_rate=Price(steem(2), sbd(1)),
        fill_or_kill=False,
        expiration=world.now + 60,
    )
    world.refuse(
        changed(good, exchange_rate=Price(sbd(2), steem(1))), "amount_to_sell.symbol == exchange_rate.base.symbol"
    )
    world.refuse(changed(good, amount_to_sell=steem(1)), "Amount to sell cannot round to 0 when traded")
    world.push(good)
    row = find(world, "alice", 1)
    assert row is not None
    assert (row.for_sale, row.sell_price) == (1_000, good.exchange_rate)


PRICES = st.tuples(st.booleans(), st.integers(1, 400), st.integers(1, 400))


@given(st.lists(PRICES, max_size=25))
@settings(max_examples=40, deadline=None)
def test_the_book_is_never_crossed_and_nothing_is_lost(orders: list[tuple[bool, int, int]]) -> None:
    world = World()
    world.create("alice", "bob")
    world.fund("alice", steem(100_000))
    world.fund("bob", sbd(100_000))
    for number, (is_alice, sold, asked) in enumerate(orders):
        if is_alice:
            world.push(order(world, "create", "alice", number, steem(sold), sbd(asked)))
        else:
            world.push(order(world, "create", "bob", number, sbd(sold), steem(asked)))
    world.recount()
    book = world.tables.limit_orders.index("by_price")
    best, worst = book.first((STEEM, SBD)), book.first((SBD, STEEM))
    if best is not None and worst is not None:
        assert price_less(best.sell_price, worst.sell_price.inverse())
    for row in world.tables.limit_orders.scan():
        assert row.for_sale > 0
        assert row.for_sale == row.sell_price.base.amount or compute_to_receive(row).amount > 0


# limit_order_cancel and expiration


def test_cancel(market: World) -> None:
    world = market
    world.refuse(LimitOrderCancel("alice", 5), "unknown key")
    world.push(order(world, "create", "alice", 5, steem(5_000), sbd(7_500)))
    assert balances(world, "alice") == (995_000, 0)
    assert world.push(LimitOrderCancel("alice", 5)) == []
    assert (find(world, "alice", 5), balances(world, "alice")) == (None, (1_000_000, 0))


def test_expired_orders_are_cancelled_after_their_last_second(market: World) -> None:
    world = market
    for owner, orderid, sells, asks in (("alice", 1, steem(100), sbd(200)), ("bob", 1, sbd(100), steem(200))):
        op = order(world, "create", owner, orderid, sells, asks)
        assert isinstance(op, LimitOrderCreate)
        world.push(changed(op, expiration=world.now + 60))
    world.push(order(world, "create", "alice", 2, steem(100), sbd(200)))
    world.forward(60)
    world.run(process_expired_orders)
    assert find(world, "alice", 1) is not None
    world.forward(3)
    assert world.run(process_expired_orders) == []
    assert (find(world, "alice", 1), find(world, "bob", 1)) == (None, None)
    assert find(world, "alice", 2) is not None
    assert (balances(world, "alice"), balances(world, "bob")) == ((999_900, 0), (0, 1_000_000))


def test_orders_need_the_owners_active_authority(market: World) -> None:
    for op in (
        order(market, "create", "alice", 1, steem(1), sbd(1)),
        order(market, "create2", "alice", 1, steem(1), sbd(1)),
        LimitOrderCancel("alice", 1),
    ):
        required = RequiredAuthorities()
        op.authorities(required)
        assert (required.owners, required.actives, required.postings) == (set(), {"alice"}, set())


def rate_order(world: World, owner: str, orderid: int, sells: Asset, base: Asset, quote: Asset) -> LimitOrderCreate2:
    """An order with a price that is written in other amounts than those sold."""
    return LimitOrderCreate2(
        owner=owner,
        orderid=orderid,
        amount_to_sell=sells,
        exchange_rate=Price(base, quote),
        fill_or_kill=False,
        expiration=world.now + LONGEST,
    )


def test_trades_at_given_rates(market: World) -> None:
    """Counterpart of limit_order_create2_apply from its first trade on."""
    world = market
    world.create("dave")
    world.fund("sam", steem(1_000_000))
    world.fund("dave", sbd(1_000_000))
    two_three = (steem(2_000), sbd(3_000))
    world.push(rate_order(world, "alice", 1, steem(10_000), *two_three))
    for orderid in (1, 2):
        world.refuse(changed(rate_order(world, "alice", orderid, steem(20_000), *two_three), fill_or_kill=True), "")
    three_two = (sbd(3_000), steem(2_000))
    events = world.push(rate_order(world, "bob", 1, sbd(7_500), *three_two))
    assert events == [FillOrder("bob", 1, sbd(7_500), "alice", 1, steem(5_000))]
    row = find(world, "alice", 1)
    assert row is not None
    assert (row.seller, row.orderid, row.for_sale, row.sell_price) == ("alice", 1, 5_000, Price(*two_three))
    assert (balances(world, "alice"), balances(world, "bob")) == ((990_000, 7_500), (5_000, 992_500))

    world.push(rate_order(world, "bob", 1, sbd(15_000), *three_two))
    row = find(world, "bob", 1)
    assert row is not None
    assert (row.for_sale, row.sell_price, find(world, "alice", 1)) == (7_500, Price(*three_two), None)
    assert (balances(world, "alice"), balances(world, "bob")) == ((990_000, 15_000), (10_000, 977_500))

    world.push(rate_order(world, "alice", 3, steem(5_000), *two_three))
    assert (find(world, "alice", 3), find(world, "bob", 1)) == (None, None)
    assert (balances(world, "alice"), balances(world, "bob")) == ((985_000, 22_500), (15_000, 977_500))

    world.push(rate_order(world, "alice", 4, steem(10_000), steem(1_000), sbd(1_100)))
    world.push(rate_order(world, "bob", 4, sbd(12_000), sbd(1_200), steem(1_000)))
    row = find(world, "bob", 4)
    assert row is not None
    assert (row.for_sale, row.sell_price, find(world, "alice", 4)) == (1_000, Price(sbd(1_200), steem(1_000)), None)
    assert (balances(world, "alice"), balances(world, "bob")) == ((975_000, 33_500), (25_000, 965_500))
    world.push(LimitOrderCancel("bob", 4))

    world.push(rate_order(world, "alice", 5, steem(20_000), steem(1_000), sbd(1_100)))
    world.push(rate_order(world, "bob", 5, sbd(12_000), sbd(1_200), steem(1_000)))
    row = find(world, "alice", 5)
    assert row is not None
    assert (row.for_sale, row.sell_price, find(world, "bob", 5)) == (9_091, Price(steem(1_000), sbd(1_100)), None)
    assert (balances(world, "alice"), balances(world, "bob")) == ((955_000, 45_500), (35_909, 954_500))
    world.recount()

    # One order meets three others, the best first; the last of them stays.
    world.push(rate_order(world, "bob", 6, steem(20_000), steem(1_000), sbd(1_000)))
    world.push(rate_order(world, "sam", 1, steem(20_000), steem(1_000), sbd(500)))
    world.push(rate_order(world, "alice", 6, steem(20_000), steem(1_000), sbd(2_000)))
    events = world.push(rate_order(world, "dave", 1, sbd(25_000), sbd(1_000), steem(10)))
    assert events == [
        FillOrder("dave", 1, sbd(10_000), "sam", 1, steem(20_000)),
        FillOrder("dave", 1, sbd(15_000), "bob", 6, steem(15_000)),
    ]
    rests = {(row.seller, row.orderid): (row.for_sale, row.sell_price) for row in world.tables.limit_orders.scan()}
    assert rests["bob", 6] == (5_000, Price(steem(1_000), sbd(1_000)))
    assert rests["alice", 6] == (20_000, Price(steem(1_000), sbd(2_000)))
    assert sorted(rests) == [("alice", 5), ("alice", 6), ("bob", 6)]
