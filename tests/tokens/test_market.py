"""Orders of STEEM and tokens, and the market maker."""

from __future__ import annotations

from math import isqrt
from random import Random

from operations.market import LimitOrderCancel, LimitOrderCreate, LimitOrderCreate2
from protocol.assets import SBD, STEEM, Asset, Price, nai_string, paired_symbol
from protocol.virtual_operations import FillOrder
from rpc.objects import real_price
from state.balances import LIQUID, MARKET_MAKER, move
from state.issuance import issue
from tests.harness import sbd, steem
from tests.operations.world import World, changed
from tests.tokens.examples import get_example
from tests.tokens.test_stake import launched
from tests.tokens.world import TokenWorld
from tokens.market_maker import SIDE_MIN, compute_out, compute_trade

HOUR = 3600


def order(
    world: TokenWorld, owner: str, number: int, sells: Asset, asks: Asset, kill: bool = False
) -> LimitOrderCreate:
    return LimitOrderCreate(owner, number, sells, asks, kill, world.now + HOUR)


def order2(world: TokenWorld, owner: str, number: int, sells: Asset, price: Price) -> LimitOrderCreate2:
    return LimitOrderCreate2(owner, number, sells, price, False, world.now + HOUR)


def left(world: TokenWorld, owner: str, number: int) -> int | None:
    """What an order still sells, None when it is gone."""
    row = world.tables.limit_orders.find((owner, number))
    return None if row is None else row.for_sale


def fill_maker(world: TokenWorld, symbol: int, steem_amount: int, tokens: int) -> None:
    """Gives the market maker STEEM of alice and new tokens."""
    world.fund("alice", steem(steem_amount))
    move(world.ctx, steem(steem_amount), (LIQUID, "alice"), (MARKET_MAKER, symbol))
    issue(world.ctx, symbol, (tokens, (MARKET_MAKER, symbol)))


def test_market_match(world: TokenWorld) -> None:
    example = get_example("market_match")
    given, expected = example["input"], example["expected"]
    symbol = launched(world, bob=100_000)
    price = Price(steem(given["price_base_steem"]), Asset(given["price_quote_tokens"], symbol))
    world.push(order2(world, "alice", 1, steem(given["alice_sells"]), price))
    before = world["bob"].balance
    world.push(order2(world, "bob", 1, Asset(given["bob_sells"], symbol), price.inverse()))
    assert world["bob"].balance == before + expected["bob_gets"]
    assert world.balance("alice", symbol).liquid == expected["alice_gets"]
    assert left(world, "alice", 1) == expected["alice_left"]


def test_smt_limit_order_create2_apply(world: TokenWorld) -> None:
    """The reference's figures without tick pricing (D21)."""
    symbol = launched(world, bob=1_000_000)

    def tokens(amount: int) -> Asset:
        return Asset(amount, symbol)

    price = Price(steem(666), tokens(1000))
    world.refuse(order2(world, "dan", 1, steem(10_000), price), "does not have sufficient funds")
    world.refuse(order(world, "alice", 1, steem(10), tokens(0)), "quote.amount > share_type(0)")
    world.refuse(order(world, "alice", 1, steem(0), tokens(10)), "base.amount > share_type(0)")
    late = changed(order2(world, "alice", 1, steem(10_000), price), expiration=world.now + 10**8)
    world.refuse(late, "Limit Order Expiration must not be more than")
    world.push(order2(world, "alice", 1, steem(10_000), price))
    row = world.tables.limit_orders.get(("alice", 1))
    assert (row.for_sale, row.sell_price) == (10_000, price)
    kill = changed(order2(world, "alice", 2, steem(10_000), price), fill_or_kill=True)
    world.refuse(kill, "Cancelling order because it was not filled.")
    (fill,) = world.push(order2(world, "bob", 1, tokens(7_500), price.inverse()))
    assert fill == FillOrder("bob", 1, tokens(7_500), "alice", 1, steem(4_995))
    assert left(world, "alice", 1) == 5_005
    world.push(order2(world, "bob", 2, tokens(15_000), price.inverse()))
    assert left(world, "alice", 1) is None
    assert left(world, "bob", 2) == 15_000 - 7_515
    before, held = world["alice"].balance, world.balance("alice", symbol).liquid
    unsold = world.balance("bob", symbol).liquid
    world.push(order2(world, "alice", 3, steem(4_985), price))
    assert left(world, "bob", 2) is None
    assert left(world, "alice", 3) is None
    assert world["alice"].balance == before - 4_985
    assert world.balance("alice", symbol).liquid == held + 7_484
    assert world.balance("bob", symbol).liquid == unsold + 1, "the last satoshi, which is worth nothing, comes back"
    world.push(order2(world, "alice", 4, steem(10_000), Price(steem(1000), tokens(1000))))
    world.push(order2(world, "bob", 4, tokens(12_000), Price(tokens(1000), steem(750))))
    assert left(world, "bob", 4) == 2_000
    world.push(LimitOrderCancel("bob", 4))
    world.push(order2(world, "alice", 5, steem(20_000), Price(steem(1000), tokens(1000))))
    world.push(order2(world, "bob", 5, tokens(12_000), Price(tokens(1000), steem(950))))
    assert left(world, "alice", 5) == 8_000
    world.recount()


def test_smt_limit_order_create_apply(world: TokenWorld) -> None:
    """The older operation trades tokens, too (D21)."""
    symbol = launched(world, bob=10_000)
    world.push(order(world, "alice", 1, steem(1_000), Asset(2_000, symbol)))
    world.refuse(order(world, "alice", 1, steem(1_000), Asset(2_000, symbol)), "alice")
    world.refuse(order(world, "bob", 1, Asset(500, symbol), steem(300), kill=True), "it was not filled.")
    world.push(order(world, "bob", 1, Asset(500, symbol), steem(250)))
    assert left(world, "alice", 1) == 750
    assert world.balance("alice", symbol).liquid == 500
    world.recount()


def test_tick_pricing_rules(world: TokenWorld) -> None:
    """The trades of the reference's case; no rule asks for powers of ten here (D21)."""
    symbol = launched(world, alice=1_000_000)
    world.fund("bob", steem(200_000))
    before = world["alice"].balance, world["bob"].balance
    world.push(order(world, "bob", 1, steem(125_000), Asset(1_000, symbol)))
    world.push(order(world, "alice", 1, Asset(1_000, symbol), steem(125_000)))
    assert (world["alice"].balance, world["bob"].balance) == (before[0] + 125_000, before[1] - 125_000)
    assert world.balance("bob", symbol).liquid == 1_000
    world.fund("alice", sbd(10_000_000))
    world.push(order(world, "bob", 2, steem(10_000), sbd(1_000_000)))
    world.push(order(world, "alice", 2, sbd(1_000_000), steem(10_000)))
    assert left(world, "bob", 2) is None
    assert left(world, "alice", 2) is None


def test_price_as_decimal_and_real() -> None:
    """What the node shows of a price: SBD for one STEEM, whichever side is the base."""
    for amount, steem_amount, shown in ((123_456, 1000, 123.456), (123, 10_000, 0.0123), (123, 10_001, 123 / 10_001)):
        price = Price(sbd(amount), steem(steem_amount))
        assert real_price(price) == real_price(price.inverse()) == shown


def test_smt_limit_order_cancel_apply(world: TokenWorld) -> None:
    symbol = launched(world, bob=1000)
    world.refuse(LimitOrderCancel("bob", 7), "unknown key")
    world.push(order(world, "bob", 7, Asset(400, symbol), steem(5)))
    assert world.balance("bob", symbol).liquid == 600
    world.recount()
    world.push(LimitOrderCancel("bob", 7))
    assert world.balance("bob", symbol).liquid == 1000
    assert left(world, "bob", 7) is None


def test_only_tokens_that_exist_are_traded(world: TokenWorld) -> None:
    """F34: also never a vesting symbol."""
    symbol = launched(world, bob=1000)
    twin = Asset(5, paired_symbol(symbol))
    world.refuse(order(world, "alice", 1, steem(5), twin), "Quote symbol cannot be a vesting symbol.")
    world.refuse(order(world, "bob", 1, twin, steem(5)), "Quote symbol cannot be a vesting symbol.")
    other = f'Unable to find quote token. Symbol: {{"nai":"{nai_string(symbol)}","precision":4}}'
    world.refuse(order(world, "alice", 1, steem(5), Asset(5, symbol + 1)), other)
    pair = "Limit order must be for the STEEM:SBD or SMT:(STEEM/SBD) market"
    world.refuse(order(world, "bob", 1, Asset(5, symbol), Asset(5, SBD)), pair)
    world.refuse(order(world, "bob", 1, Asset(5, symbol), Asset(5, world.make_token())), pair)


def test_without_live_tokens_orders_answer_as_before() -> None:
    world = World()
    world.create("alice")
    op = LimitOrderCreate("alice", 1, Asset(5, 320_000_019), steem(5), False, world.now + HOUR)
    text = "Assert Exception:symbol.space() == asset_symbol_type::smt_nai_space: Invalid symbol: 320000019"
    assert world.refuse(op, "Invalid symbol") == text


# The market maker


def test_market_maker_trades() -> None:
    example = get_example("market_maker_trades")
    own, other = example["input"]["steem"], example["input"]["tokens"]
    assert own * other == int(example["input"]["product"])
    for name, expected in example["expected"].items():
        if "there and back" in name:
            out = compute_out(own, other, 1_000_000)
            back = compute_out(other - out, own + 1_000_000, out)
            assert (back, 1_000_000 - back) == (expected["steem_back"], expected["loss"])
            continue
        amount, unit = name.split(" ")[:2]
        paid = int(amount.replace(",", "").replace(".", ""))
        is_steem = unit == "STEEM"
        sides = (own, other) if is_steem else (other, own)
        out = compute_out(*sides, paid)
        after = (sides[0] + paid, sides[1] - out)
        assert out == expected["out"]
        assert after if is_steem else after[::-1] == (expected["steem"], expected["tokens"])
        assert after[0] * after[1] == int(expected["product"])


def test_market_maker_limit(world: TokenWorld) -> None:
    example = get_example("market_maker_limit")
    given, expected = example["input"], example["expected"]
    symbol = launched(world)
    limit = Price(steem(given["limit_base_steem"]), Asset(given["limit_quote_tokens"], symbol))
    trade = compute_trade(given["steem"], given["tokens"], 10**12, limit)
    assert trade is not None
    assert (trade.pays, trade.gets) == (expected["steem_in"], expected["tokens_out"])
    fill_maker(world, symbol, given["steem"], given["tokens"])
    world.fund("bob", steem(10**8))
    events = world.push(order2(world, "bob", 1, steem(10**8), limit))
    assert events == [
        FillOrder("bob", 1, steem(trade.pays), "$market_maker", 0, Asset(trade.gets, symbol)),
    ]
    token = world.token(symbol)
    assert token.market_maker_steem == expected["steem_after"]
    assert token.market_maker_tokens == expected["tokens_after"]
    assert token.market_maker_steem * 10**6 // token.market_maker_tokens == expected["price_after_ppm"]
    assert left(world, "bob", 1) == 10**8 - trade.pays
    assert world.balance("bob", symbol).liquid == trade.gets


def test_the_market_maker_comes_after_better_orders(world: TokenWorld) -> None:
    """Orders that are better come first; before a worse one it trades up to its price, then on up to the limit."""
    symbol = launched(world, bob=1_000_000, charlie=1_000_000)
    fill_maker(world, symbol, 10**6, 10**6)  # At 1.
    world.push(order(world, "bob", 1, Asset(1_000, symbol), steem(2_000)))
    assert left(world, "bob", 1) == 1_000, "twice the market maker's price"
    world.push(order(world, "charlie", 1, Asset(5_000, symbol), steem(6_000)))
    world.fund("alice", steem(10**7))
    events = world.push(order(world, "alice", 1, steem(10**6), Asset(250_000, symbol)))
    owners = [event.open_owner for event in events if isinstance(event, FillOrder)]
    assert owners == ["$market_maker", "charlie", "$market_maker", "bob", "$market_maker"]
    token = world.token(symbol)
    assert token.market_maker_steem // token.market_maker_tokens <= 4
    first = events[0]
    assert isinstance(first, FillOrder)
    assert first.current_pays.amount == isqrt(10**12 * 6 // 5) - 10**6


def test_an_order_at_the_price_of_the_market_maker_rests(world: TokenWorld) -> None:
    symbol = launched(world, bob=1_000_000)
    fill_maker(world, symbol, 10**6, 10**6)
    assert world.push(order(world, "alice", 1, steem(100), Asset(100, symbol))) == []
    assert left(world, "alice", 1) == 100


def test_no_side_of_the_market_maker_falls_below_its_least(world: TokenWorld) -> None:
    symbol = launched(world, bob=10**12)
    fill_maker(world, symbol, 20_000, 20_000)
    world.push(order(world, "bob", 1, Asset(10**12, symbol), steem(1)))
    token = world.token(symbol)
    assert token.market_maker_steem >= SIDE_MIN
    assert token.market_maker_tokens > 20_000
    world.recount()


def test_a_market_maker_with_nothing_does_not_trade(world: TokenWorld) -> None:
    symbol = launched(world, bob=1000)
    assert world.push(order(world, "bob", 1, Asset(500, symbol), steem(1))) == []
    fill_maker(world, symbol, 10**6, 0)
    assert world.push(order(world, "bob", 2, Asset(500, symbol), steem(1))) == []


def test_a_rule_makes_it_a_purse_only() -> None:
    world = TokenWorld(smt_market_makers_trade=False)
    symbol = launched(world, bob=1000)
    fill_maker(world, symbol, 10**6, 10**6)
    assert world.push(order(world, "bob", 1, Asset(500, symbol), steem(1))) == []


def test_random_trades_never_lower_the_product_nor_break_a_limit() -> None:
    rng = Random(7)
    for _ in range(2_000):
        own, other = rng.randrange(1, 10 ** rng.randrange(1, 16)), rng.randrange(1, 10 ** rng.randrange(1, 16))
        most = rng.randrange(1, 10 ** rng.randrange(1, 16))
        limit = Price(Asset(rng.randrange(1, 10**9), STEEM), Asset(rng.randrange(1, 10**9), SBD))
        trade = compute_trade(own, other, most, limit)
        if trade is None:
            continue
        assert 0 < trade.pays <= most
        assert (own + trade.pays) * (other - trade.gets) >= own * other
        assert min(own + trade.pays, other - trade.gets) >= SIDE_MIN
        assert trade.gets * limit.base.amount >= trade.pays * limit.quote.amount
