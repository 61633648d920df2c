"""The market against a slow order book of its own: a list of orders, exact fractions, and plain sums."""

from dataclasses import dataclass
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.expiries import process_expired_orders
from operations.market import LimitOrderCancel, LimitOrderCreate, LimitOrderCreate2
from protocol.assets import SBD, STEEM, Asset, Price
from protocol.errors import ProtocolError
from protocol.operation import Operation
from protocol.virtual_operations import FillOrder
from state.engine.errors import RowError
from tests.operations.world import World

NAMES = ("alice", "bob", "carol")
FUNDS = 3_000
OTHER = {STEEM: SBD, SBD: STEEM}


@dataclass
class Offer:
    """An open order: sells `left` of a token for at least `rate` of the other one for each."""

    owner: str
    number: int
    sells: int
    left: int
    rate: Fraction
    end: int


class Book:
    """The market as a list of offers, oldest first."""

    def __init__(self) -> None:
        self.offers: list[Offer] = []
        self.balances = {(name, symbol): FUNDS for name in NAMES for symbol in (STEEM, SBD)}
        self.fills: list[tuple[str, int, Asset, str, int, Asset]] = []

    def copy(self) -> "Book":
        other = Book()
        other.offers = [Offer(o.owner, o.number, o.sells, o.left, o.rate, o.end) for o in self.offers]
        other.balances = dict(self.balances)
        return other

    def find(self, owner: str, number: int) -> Offer | None:
        return next((o for o in self.offers if (o.owner, o.number) == (owner, number)), None)

    def place(self, new: Offer) -> bool:
        """Takes an offer in and trades it; returns whether the chain would take it at all."""
        if self.balances[new.owner, new.sells] < new.left or self.find(new.owner, new.number):
            return False
        self.balances[new.owner, new.sells] -= new.left
        self.offers.append(new)
        while new in self.offers:
            others = [o for o in self.offers if o.sells != new.sells]
            best = min(others, key=lambda o: o.rate, default=None)
            # The other side must give at least what the new offer asks: rates are inverse to each other.
            if best is None or best.rate * new.rate > 1:
                break
            self.trade(new, best)
        return True

    def trade(self, new: Offer, old: Offer) -> None:
        """The smaller one of the two gives all it has, at the rate of the old one; halves are rounded down."""
        worth = int(old.left * old.rate)
        if new.left <= worth:
            new_pays, old_pays = new.left, int(new.left / old.rate)
        else:
            new_pays, old_pays = worth, old.left
        self.fills.append(
            (new.owner, new.number, Asset(new_pays, new.sells), old.owner, old.number, Asset(old_pays, old.sells))
        )
        for offer, pays, gets in ((new, new_pays, old_pays), (old, old_pays, new_pays)):
            offer.left -= pays
            self.balances[offer.owner, OTHER[offer.sells]] += gets
            if int(offer.left * offer.rate) == 0:
                self.close(offer)

    def close(self, offer: Offer) -> None:
        """What is left goes back."""
        self.balances[offer.owner, offer.sells] += offer.left
        self.offers.remove(offer)


AMOUNT = st.one_of(st.integers(1, 20), st.integers(1, 900))
PLACE = st.tuples(
    st.just("place"),
    st.sampled_from(NAMES),
    st.integers(1, 4),
    st.sampled_from([STEEM, SBD]),
    AMOUNT,
    AMOUNT,
    st.none() | st.tuples(AMOUNT, AMOUNT),
    st.booleans(),
    st.sampled_from([9, 60, 600]),
)
CANCEL = st.tuples(st.just("cancel"), st.sampled_from(NAMES), st.integers(1, 4))
WAIT = st.tuples(st.just("wait"), st.sampled_from([3, 30]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(PLACE, PLACE, PLACE, CANCEL, WAIT), max_size=30))
def test_the_market_is_that_of_the_slow_book(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    follow(steps)


def test_busy_markets_are_those_of_the_slow_book() -> None:
    """Sixty markets with prices around one another, so that most orders trade."""
    chance = Random(7)
    fills = 0
    for market in range(60):
        scale = (5, 60, 900)[market % 3]
        steps: list[tuple] = []  # type: ignore[type-arg]
        for _ in range(60):
            kind = chance.random()
            owner, number = chance.choice(NAMES), chance.randrange(1, 9)
            if kind < 0.1:
                steps.append(("cancel", owner, number))
            elif kind < 0.2:
                steps.append(("wait", chance.choice([3, 30])))
            else:
                amounts = [chance.randint(1, scale) for _ in range(4)]
                rate = (amounts[2], amounts[3]) if chance.random() < 0.4 else None
                kills = chance.random() < 0.15
                sells = chance.choice([STEEM, SBD])
                steps.append(("place", owner, number, sells, *amounts[:2], rate, kills, chance.choice([9, 60, 600])))
        fills += follow(steps)
    assert fills > 600


def follow(steps: list[tuple]) -> int:  # type: ignore[type-arg]
    """Makes the same steps in both and compares after each one; returns how many trades there were."""
    world, book = World(), Book()
    traded = 0
    world.create(*NAMES)
    for name in NAMES:
        world.fund(name, Asset(FUNDS, STEEM))
        world.fund(name, Asset(FUNDS, SBD))
    for step in steps:
        fills: list[tuple[str, int, Asset, str, int, Asset]] = []
        if step[0] == "wait":
            world.forward(step[1])
            world.run(process_expired_orders)
            for offer in [o for o in book.offers if o.end < world.now]:
                book.close(offer)
        elif step[0] == "cancel":
            found = book.find(*step[1:])
            if found is None:
                assert not push(world, LimitOrderCancel(*step[1:]))[0]
            else:
                assert push(world, LimitOrderCancel(*step[1:]))[0]
                book.close(found)
        else:
            book, fills = place(world, book, step)
        compare(world, book)
        assert fills == book.fills
        traded += len(fills)
        book.fills = []
    world.recount()
    return traded


def place(world: World, book: Book, step: tuple) -> tuple[Book, list[tuple[str, int, Asset, str, int, Asset]]]:  # type: ignore[type-arg]
    """Places an order in both; returns the book after it and the fills of the chain."""
    _, owner, number, sells, amount, asks, rate, is_fill_or_kill, lifetime = step
    end = world.now + lifetime
    sold = Asset(amount, sells)
    op: Operation
    if rate is None:
        op = LimitOrderCreate(owner, number, sold, Asset(asks, OTHER[sells]), is_fill_or_kill, end)
        fraction = Fraction(asks, amount)
    else:
        price = Price(Asset(rate[0], sells), Asset(rate[1], OTHER[sells]))
        op = LimitOrderCreate2(owner, number, sold, price, is_fill_or_kill, end)
        fraction = Fraction(rate[1], rate[0])
    after = book.copy()
    is_placed = int(amount * fraction) > 0 and after.place(Offer(owner, number, sells, amount, fraction, end))
    if is_placed and is_fill_or_kill and after.find(owner, number):
        is_placed = False
    was_taken, events = push(world, op)
    assert was_taken == is_placed
    return (after if is_placed else book), events


def push(world: World, op: Operation) -> tuple[bool, list[tuple[str, int, Asset, str, int, Asset]]]:
    try:
        events = world.push(op)
    except (ProtocolError, RowError):
        world.ctx.events.clear()
        return False, []
    return True, [
        (e.current_owner, e.current_orderid, e.current_pays, e.open_owner, e.open_orderid, e.open_pays)
        for e in events
        if isinstance(e, FillOrder)
    ]


def compare(world: World, book: Book) -> None:
    """Orders and balances of both are equal."""
    mine = {
        (row.seller, row.orderid): (row.for_sale, row.sell_price.base.symbol)
        for row in world.tables.limit_orders.scan()
    }
    assert mine == {(o.owner, o.number): (o.left, o.sells) for o in book.offers}
    for name in NAMES:
        assert (world[name].balance, world[name].sbd_balance) == (book.balances[name, STEEM], book.balances[name, SBD])


@pytest.mark.parametrize("sells", [STEEM, SBD])
def test_the_slow_book_rounds_like_the_reference(sells: int) -> None:
    """A trade of limit_order_create_apply: 12,000 at 1.2 meet 20,000 at 1.1, which keep 9,091."""
    book = Book()
    book.balances = dict.fromkeys(book.balances, 1_000_000)
    book.place(Offer("alice", 5, sells, 20_000, Fraction(22, 20), 0))
    book.place(Offer("bob", 5, OTHER[sells], 12_000, Fraction(10, 12), 0))
    (rest,) = book.offers
    assert (rest.owner, rest.left) == ("alice", 9_091)
