"""market_history_api and what condenser_api makes of it."""

from __future__ import annotations

import pytest

from operations.market import LimitOrderCreate
from protocol.assets import Asset
from protocol.times import time_text
from rpc.apis import market_history
from tests.harness import Harness, dev_config, sbd, steem
from tests.rpc.service import Service

NOTHING = "0.00000000000000000"
EVER = {"start": "1970-01-01T00:00:00", "end": "2037-01-01T00:00:00"}


def place(world: Harness, owner: str, number: int, sells: Asset, asks: Asset) -> None:
    world.push(LimitOrderCreate(owner, number, sells, asks, False, world.now + 3600))
    world.generate_block()


@pytest.fixture
def market() -> Service:
    """Three trades: bob buys 2 STEEM at 0.3, sells 1 STEEM at 0.25, and buys 1 STEEM at 0.3 a minute later."""
    world = Harness(dev_config())
    place(world, "alice", 1, steem(4_000), sbd(1_200))
    place(world, "bob", 1, sbd(600), steem(2_000))
    place(world, "alice", 2, sbd(1_000), steem(4_000))
    place(world, "bob", 2, steem(1_000), sbd(250))
    world.pass_time(60)
    place(world, "bob", 3, sbd(300), steem(1_000))
    return Service(world)


async def test_an_empty_market(service: Service) -> None:
    assert await service.result("condenser_api.get_ticker", []) == {
        "latest": NOTHING,
        "lowest_ask": NOTHING,
        "highest_bid": NOTHING,
        "percent_change": NOTHING,
        "steem_volume": "0.000 STEEM",
        "sbd_volume": "0.000 SBD",
    }
    assert await service.result("market_history_api.get_volume", {}) == {
        "steem_volume": {"amount": "0", "precision": 3, "nai": "@@000000021"},
        "sbd_volume": {"amount": "0", "precision": 3, "nai": "@@000000013"},
    }
    assert await service.result("condenser_api.get_recent_trades", []) == []
    assert await service.result("market_history_api.get_order_book", {}) == {"bids": [], "asks": []}


async def test_ticker_and_volume(market: Service) -> None:
    ticker = await market.result("condenser_api.get_ticker")
    assert (ticker.pop("latest"), ticker.pop("percent_change")) == ("0.29999999999999999", NOTHING)
    assert ticker == {
        "lowest_ask": "0.29999999999999999",
        "highest_bid": "0.25000000000000000",
        "steem_volume": "4.000 STEEM",
        "sbd_volume": "1.150 SBD",
    }
    assert await market.result("condenser_api.get_volume", []) == {
        "steem_volume": "4.000 STEEM",
        "sbd_volume": "1.150 SBD",
    }


async def test_quiet_days_have_no_volume(market: Service) -> None:
    market.world.pass_time(2 * 86_400)
    ticker = await market.result("condenser_api.get_ticker")
    assert (ticker["latest"], ticker["percent_change"]) == ("0.29999999999999999", NOTHING)
    assert (ticker["steem_volume"], ticker["sbd_volume"]) == ("0.000 STEEM", "0.000 SBD")


async def test_the_chains_of_the_reference_keep_its_answers(market: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """There all figures but the best offers are those of the oldest candle of 15 seconds; plaudit_api is right."""
    monkeypatch.setattr(market_history, "CHAINS_WITH_FAULTS", ("steem", "testnet", "dev"))
    kept = Service(Harness(chain=market.world.chain, indexes=market.world.indexes))
    ticker = await kept.result("condenser_api.get_ticker")
    assert (ticker["latest"], ticker["percent_change"]) == ("0.25000000000000000", "-16.66666666666666430")
    kept.world.pass_time(2 * 86_400)
    assert (await kept.result("condenser_api.get_volume"))["steem_volume"] == "4.000 STEEM"
    assert (await kept.result("plaudit_api.get_volume"))["steem_volume"]["amount"] == "0"
    assert (await kept.result("plaudit_api.get_ticker"))["latest"] == "0.29999999999999999"


async def test_order_book_in_both_forms(market: Service) -> None:
    book = await market.result("condenser_api.get_order_book", [10])
    created = book["asks"][0]["created"]
    assert book["asks"] == [
        {
            "order_price": {"base": "4.000 STEEM", "quote": "1.200 SBD"},
            "real_price": "0.29999999999999999",
            "steem": 1000,
            "sbd": 300,
            "created": created,
        }
    ]
    assert [(row["steem"], row["sbd"]) for row in book["bids"]] == [(3000, 750)]
    numeric = await market.result("market_history_api.get_order_book", {"limit": 1})
    assert numeric["bids"][0]["order_price"]["base"] == {"amount": "1000", "precision": 3, "nai": "@@000000013"}
    assert numeric["bids"][0]["real_price"] == "0.25000000000000000"
    for method, params in (
        ("condenser_api.get_order_book", [501]),
        ("market_history_api.get_order_book", {"limit": 501}),
    ):
        error = await market.error(method, params)
        assert error["message"] == "Assert Exception:args.limit <= 500: "


async def test_trades(market: Service) -> None:
    recent = await market.result("condenser_api.get_recent_trades", [2])
    assert [(row["current_pays"], row["open_pays"]) for row in recent] == [
        ("0.300 SBD", "1.000 STEEM"),
        ("1.000 STEEM", "0.250 SBD"),
    ]
    every = await market.result("market_history_api.get_trade_history", EVER)
    assert [row["open_pays"]["amount"] for row in every["trades"]] == ["2000", "250", "1000"]
    assert await market.result("market_history_api.get_recent_trades", {"limit": 0}) == {"trades": []}
    old = every["trades"][0]["date"]
    assert len(await market.result("condenser_api.get_trade_history", [old, old])) == 1
    assert len(await market.result("condenser_api.get_trade_history", [old, EVER["end"], 2])) == 2
    error = await market.error("condenser_api.get_recent_trades", [1001])
    assert error["message"] == "Assert Exception:args.limit <= 1000: "
    error = await market.error("condenser_api.get_trade_history", [old, old, 1001])
    assert error["message"] == "Assert Exception:args.limit <= 1000: "
    error = await market.error("condenser_api.get_trade_history", [old])
    assert "Expected 2-3 arguments, was 1" in error["message"]
    assert "unable to convert" in (await market.error("condenser_api.get_trade_history", ["soon", old]))["message"]


async def test_candles(market: Service) -> None:
    sizes = [15, 60, 300, 3600, 86400]
    assert await market.result("condenser_api.get_market_history_buckets", []) == sizes
    assert await market.result("market_history_api.get_market_history_buckets", {}) == {"bucket_sizes": sizes}
    days = await market.result("condenser_api.get_market_history", [86400, EVER["start"], EVER["end"]])
    volume = {side: sum(int(row[side]["volume"]) for row in days) for side in ("steem", "non_steem")}
    assert volume == {"steem": 4000, "non_steem": 1150}
    first = days[0]
    assert list(first) == ["id", "open", "seconds", "steem", "symbol", "non_steem"]
    assert list(first["steem"]) == ["high", "low", "open", "close", "volume"]
    assert (first["seconds"], first["symbol"]) == (86400, {"nai": "@@000000013", "decimals": 3})
    opened = market.world.now // 86400 * 86400
    asked = {"bucket_seconds": 86400, "start": EVER["start"], "end": time_text(opened)}
    assert [row for row in (await market.result("market_history_api.get_market_history", asked))["buckets"]] == [
        row for row in days if row["open"] < time_text(opened)
    ]
    assert await market.result("condenser_api.get_market_history", [7, EVER["start"], EVER["end"]]) == []
