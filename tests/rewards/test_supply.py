"""Per-block steps that change supplies: inflation, the null account, the virtual supply."""

from collections.abc import Iterator

import pytest

from operations.savings import TransferToSavings
from operations.transfer import Transfer
from operations.vesting import TransferToVesting
from protocol.assets import SBD, STEEM, VESTS, Asset, Price
from protocol.virtual_operations import ClearNullAccountBalance, ProducerReward
from rewards.fund import get_reward_fund
from rewards.inflation import process_funds
from rewards.null_account import process_null_account
from rewards.virtual_supply import process_virtual_supply
from state.context import SINGLETON
from tests.chains import FIRST, NULL, TREASURY
from tests.operations.world import World, sbd, steem


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.recount()


def test_inflation_of_one_block(world: World) -> None:
    """The first block of a reference testnet; SBD are worth as many STEEM, and the treasury gets 0.232 SBD."""
    gpo = world.ctx.gpo
    supply = gpo.virtual_supply
    assert supply == 250_000_000_000
    events = world.run(process_funds)
    now = world.ctx.gpo
    assert get_reward_fund(world.ctx).reward_balance == 1511
    assert now.total_vesting_fund_steem - gpo.total_vesting_fund_steem == 348 + 196
    assert now.current_supply - gpo.current_supply == 1511 + 348 + 196
    assert now.virtual_supply - supply == 1511 + 348 + 196 + 232
    assert (now.current_sbd_supply, now.sps_interval_ledger) == (232, 232)
    assert world[TREASURY].sbd_balance == 232
    assert world[FIRST].vesting_shares == 196_000
    assert events == [ProducerReward(producer=FIRST, vesting_shares=Asset(196_000, VESTS))]
    world.run(process_virtual_supply)
    assert world.ctx.gpo.virtual_supply == 250_000_000_000 + 1511 + 348 + 196 + 232


def test_inflation_without_a_price(world: World) -> None:
    feed = world.tables.feed_history.get(SINGLETON)
    world.tables.feed_history.update(feed, current_median_history=Price())
    world.run(process_funds)
    assert world[TREASURY].sbd_balance == 0
    world.run(process_virtual_supply)
    gpo = world.ctx.gpo
    assert (gpo.virtual_supply, gpo.sbd_print_rate) == (gpo.current_supply, 10_000)


def test_print_rate_falls_with_the_debt(world: World) -> None:
    world.fund(FIRST, sbd(25_000_000_000))
    gpo = world.ctx.gpo
    world.run(process_virtual_supply)
    debt_bp = (25_000_000_000 * 10_000 + 137_500_000_000) // 275_000_000_000
    assert debt_bp == 909
    assert world.ctx.gpo.virtual_supply == gpo.current_supply + 25_000_000_000
    assert world.ctx.gpo.sbd_print_rate == 9100
    world.fund(FIRST, sbd(25_000_000_000))
    world.run(process_virtual_supply)
    assert world.ctx.gpo.sbd_print_rate == 0


def test_null_account_is_cleared(world: World) -> None:
    """Counterpart of clear_null_account."""
    world.create("alice")
    world.fund("alice", steem(10_000))
    world.fund("alice", sbd(10_000))
    world.push(Transfer("alice", NULL, steem(1000), ""))
    world.push(Transfer("alice", NULL, sbd(2000), ""))
    world.push(TransferToVesting("alice", NULL, steem(3000)))
    world.push(TransferToSavings("alice", NULL, steem(4000), ""))
    world.push(TransferToSavings("alice", NULL, sbd(5000), ""))
    gpo = world.ctx.gpo
    world.ctx.update_gpo(
        current_supply=gpo.current_supply + 2000,
        virtual_supply=gpo.virtual_supply + 3000,
        current_sbd_supply=gpo.current_sbd_supply + 1000,
        pending_rewarded_vesting_shares=1_000_000,
        pending_rewarded_vesting_steem=1000,
    )
    world.tables.accounts.update(
        world[NULL],
        reward_steem_balance=1000,
        reward_sbd_balance=1000,
        reward_vesting_balance=1_000_000,
        reward_vesting_steem=1000,
    )
    null = world[NULL]
    assert (null.balance, null.savings_balance, null.sbd_balance, null.savings_sbd_balance) == (1000, 4000, 2000, 5000)
    assert (world["alice"].balance, world["alice"].sbd_balance) == (2000, 3000)
    world.recount()
    shares = null.vesting_shares
    assert shares > 0
    supply, debt = world.ctx.gpo.current_supply, world.ctx.gpo.current_sbd_supply
    (event,) = world.run(process_null_account)
    assert event == ClearNullAccountBalance(
        total_cleared=(Asset(10_000, STEEM), Asset(shares + 1_000_000, VESTS), Asset(8000, SBD))
    )
    null = world[NULL]
    assert (null.balance, null.savings_balance, null.reward_steem_balance) == (0, 0, 0)
    assert (null.sbd_balance, null.savings_sbd_balance, null.reward_sbd_balance) == (0, 0, 0)
    assert (null.vesting_shares, null.reward_vesting_balance, null.reward_vesting_steem) == (0, 0, 0)
    assert (world["alice"].balance, world["alice"].sbd_balance) == (2000, 3000)
    world.recount()
    assert world.ctx.gpo.current_supply == supply - 10_000
    assert world.ctx.gpo.current_sbd_supply == debt - 8000
    assert world.run(process_null_account) == []


def test_printing_comes_back_as_the_supply_grows(world: World) -> None:
    """Counterpart of sbd_stability: printing slows above the start, never falls while the debt does, and comes back."""
    world.create("sam")
    price = 10  # STEEM for one SBD
    feed = world.tables.feed_history.get(SINGLETON)
    world.tables.feed_history.update(feed, current_median_history=Price(Asset(1000, SBD), Asset(10_000, STEEM)))
    world.run(process_virtual_supply)
    gpo = world.ctx.gpo
    assert (gpo.sbd_print_rate, gpo.sbd_start_percent, gpo.sbd_stop_percent) == (10_000, 900, 1_000)
    # SBD worth 9.9 per cent of the virtual supply, as the sum of both.
    world.fund("sam", sbd(gpo.current_supply * 99 // 901 // price))
    world.run(process_virtual_supply)
    assert world.ctx.gpo.sbd_print_rate == 1_000
    rates = [1_000]
    debt = world.ctx.gpo.current_sbd_supply * price
    while rates[-1] < 10_000:
        world.fund(FIRST, steem(1_000_000_000))
        world.run(process_virtual_supply)
        gpo = world.ctx.gpo
        assert gpo.virtual_supply == gpo.current_supply + debt
        part = (debt * 10_000 + gpo.virtual_supply // 2) // gpo.virtual_supply
        assert gpo.sbd_print_rate == (10_000 if part <= 900 else (1_000 - part) * 100)
        assert gpo.sbd_print_rate >= rates[-1]
        rates.append(gpo.sbd_print_rate)
        world.recount()
    assert len(rates) > 20
    assert debt * 10_000 // world.ctx.gpo.virtual_supply <= 900
