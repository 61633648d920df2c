"""Any chain from one file: own tokens, keys, supply, witnesses, windows, curves and limits, lived through."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from consensus.global_data import UndoHistoryExhausted
from consensus.schedule import compute_shuffle
from consensus.slots import get_round_witnesses, get_scheduled_witness, get_slot_time
from operations.transfer import Transfer
from operations.witness import AccountWitnessVote, FeedPublish, WitnessUpdate
from protocol.assets import Price
from protocol.codec import Codec
from protocol.config import ChainConfig
from protocol.config_report import report_config
from protocol.errors import Invalid, MissingActiveAuthority, Rejected
from protocol.keys import decode_public_key
from protocol.transaction import Transaction
from protocol.types import NULL_PUBLIC_KEY, LegacyChainProperties
from protocol.virtual_operations import ShutdownWitness
from rewards.inflation import compute_block_inflation, compute_inflation_rate_bp
from rpc.apis.access import NodeAccess
from rpc.apis.registry import build_dispatcher
from state.context import SINGLETON
from state.tables.witnesses import SCHEDULE_ELECTED, SCHEDULE_TIMESHARE
from tests.chain.own_chains import assert_undo_and_redo, chain_text, key_text, live_through, open_chain
from tests.harness import Harness, sbd, steem

SHORT = """
cashout_window_seconds = 60
upvote_lockout_seconds = 10
reverse_auction_seconds = 10
min_root_comment_interval_seconds = 5
vesting_withdraw_interval_seconds = 120
"""


def open_short(witnesses: int = 1, rules: str = "", chain: str = "") -> Harness:
    return open_chain(chain_text(witnesses, rules=SHORT + rules, chain=chain))


# --- whole lives ------------------------------------------------------------------------------------------------


LIVES: dict[str, tuple[int, str]] = {
    "every second, linear and square root": (
        3,
        'block_interval_seconds = 1\nauthor_reward_curve = "linear"\ncuration_reward_curve = "square_root"',
    ),
    "every 5 seconds, quadratic and bounded": (
        7,
        'block_interval_seconds = 5\nauthor_reward_curve = "quadratic"\ncuration_reward_curve = "bounded_curation"',
    ),
    "every 10 seconds, square root and linear, no treasury": (
        20,
        'block_interval_seconds = 10\nauthor_reward_curve = "square_root"\ncuration_reward_curve = "linear"\n'
        "proposal_fund_percent_bp = 0\ncontent_reward_percent_bp = 8000",
    ),
    "convergent curves, rounds of 7, power down in 13 parts": (
        7,
        "max_witnesses = 7\nvesting_withdraw_intervals = 13\nvesting_withdraw_interval_seconds = 60",
    ),
    "all inflation to posts, 3/4 to authors": (
        1,
        "content_reward_percent_bp = 10000\nvesting_reward_percent_bp = 0\nproposal_fund_percent_bp = 0\n"
        "curation_rewards_bp = 2500",
    ),
    "no inflation at all, no dust, small limits": (
        1,
        "inflation_rate_start_bp = 0\ninflation_rate_stop_bp = 0\nvote_dust_threshold = 0\nmin_payout_sbd = 0\n"
        "max_account_witness_votes = 2\nmax_memo_size_bytes = 64\nmax_authority_membership = 3",
    ),
}


@pytest.mark.parametrize("life", LIVES)
def test_a_chain_of_ones_own_lives(life: str) -> None:
    witnesses, rules = LIVES[life]
    text = chain_text(witnesses, rules="\n".join(_without_repeats(SHORT, rules)))
    world = open_chain(text)
    earned = live_through(world)
    assert earned["alice"] > 0
    assert_undo_and_redo(world)


def test_quadratic_curation_is_for_small_stakes() -> None:
    """A curator's weight has 64 bits in the reference: its vote fails when the curve gives more."""
    rules = 'curation_reward_curve = "quadratic"\nauthor_reward_curve = "quadratic"\n'
    small = chain_text(
        1, rules=SHORT + rules + "content_constant = 0\nvote_dust_threshold = 0\n", power=100_000_000_000
    )
    world = open_chain(small)
    assert live_through(world)["alice"] > 0
    assert_undo_and_redo(world)
    large = open_short(1, rules)
    large.post("alice", "post")
    with pytest.raises(Rejected, match="hi == 0"):
        large.vote("bob", "alice", "post")


def _without_repeats(base: str, rules: str) -> list[str]:
    """The lines of both, where the later ones win."""
    lines = {line.split(" = ")[0]: line for line in (base + rules).splitlines() if line}
    return list(lines.values())


# --- witnesses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [*range(1, 22), 30])
def test_any_number_of_witnesses(count: int) -> None:
    """Election by votes, the 21st place in turn, the shuffle, and irreversibility by the witnesses from block 1."""
    world = open_short(count)
    favourites = [f"wit{number:02}" for number in range(count - 1, 0, -1)][:3]
    for name in favourites:
        world.push(AccountWitnessVote("alice", name, True))
    for witness in list(world.tables.witnesses.scan()):
        world.push(AccountWitnessVote("carol", witness.owner, True))  # Runners without any votes do not take turns.
    world.generate_blocks(20)
    seen: set[str] = set()
    confirmed: dict[str, int] = {}
    irreversible = world.gpo.last_irreversible_block_num
    for _round in range(12):
        names = get_round_witnesses(world.ctx)
        assert len(names) == len(set(names)) == min(count, 21)
        elected = [name for name in names if world.witness(name).schedule == SCHEDULE_ELECTED]
        timeshare = [name for name in names if world.witness(name).schedule == SCHEDULE_TIMESHARE]
        assert (len(elected), len(timeshare)) == (min(count, 20), 1 if count > 20 else 0)
        assert set(favourites) <= set(elected)
        rows = sorted(world.tables.witnesses.scan(), key=lambda row: (-row.votes, row.owner))
        assert sorted(elected) == sorted(row.owner for row in rows[:20])
        assert names == compute_shuffle([row.owner for row in rows[:20]] + timeshare, world.now)
        seen |= set(names)
        for _ in range(21):
            block = world.generate_block()
            confirmed[block.witness] = block.number
            stood_on = sorted(confirmed.get(name, 0) for name in names)
            expected = stood_on[len(names) * 2500 // 10_000]
            irreversible = max(irreversible, expected)
            if _round:
                assert world.gpo.last_irreversible_block_num == irreversible
                assert world.chain.irreversible_number == irreversible
    assert len(seen) == min(count, 20) + min(12, max(count - 20, 0)), "the timeshare witnesses take turns"
    assert irreversible > world.chain.head_number - 42
    world.recount()


@pytest.mark.parametrize(("slots", "voted", "runners"), [(1, 0, 1), (1, 1, 0), (4, 3, 1), (5, 5, 0), (51, 48, 3)])
def test_rounds_of_another_length(slots: int, voted: int, runners: int) -> None:
    world = open_short(9, f"max_witnesses = {slots}\nmax_voted_witnesses = {voted}\nmax_runner_witnesses = {runners}\n")
    world.generate_blocks(3 * slots + 10)
    names = get_round_witnesses(world.ctx)
    assert len(names) == min(slots, 9)
    schedule = world.tables.witness_schedule.get(SINGLETON)
    assert len(schedule.current_shuffled_witnesses) == slots
    assert schedule.next_shuffle_block_num > 0
    makers = {world.generate_block().witness for _ in range(2 * slots + 9 * runners)}
    assert len(makers) >= len(names)
    world.recount()
    assert_undo_and_redo(world)


def test_medians_of_three_witnesses() -> None:
    world = open_short(3, "min_feeds = 2\nfeed_interval_blocks = 10\nskip_price_feed_limit_check = true\n")
    for place, name in enumerate(("initminer", "wit01", "wit02")):
        props = LegacyChainProperties(steem(1000 * (place + 1)), 70_000 + place, 100 * place)
        key = world.witness(name).signing_key
        world.push(WitnessUpdate(name, "https://example.com", key, props, steem(0)))
        world.push(FeedPublish(name, Price(sbd(1000), steem(1000 * (place + 2)))))
    world.generate_blocks(42)
    median = world.tables.witness_schedule.get(SINGLETON).median_props
    assert (median.account_creation_fee, median.maximum_block_size) == (steem(2000), 70_001)
    assert world.gpo.sbd_interest_rate == 100
    assert world.tables.feed_history.get(SINGLETON).current_median_history == Price(sbd(1000), steem(3000))
    world.recount()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 21])
def test_witnesses_who_all_leave_do_not_end_the_chain(count: int) -> None:
    """Everybody sets the null key in one block; the maker of that block keeps its key and goes on alone."""
    world = open_short(count)
    world.generate_blocks(42)
    names = get_round_witnesses(world.ctx)
    props = LegacyChainProperties(steem(3000), 131_072, 0)
    for name in names:
        world.push(WitnessUpdate(name, "https://example.com", NULL_PUBLIC_KEY, props, steem(0)))
    last = world.generate_block()
    assert len(last.transactions) == count
    left = [name for name in names if world.witness(name).signing_key != NULL_PUBLIC_KEY]
    assert left == [last.witness]
    world.generate_blocks(50)
    assert get_round_witnesses(world.ctx) == (last.witness,)
    assert world.chain.irreversible_number == world.chain.head_number
    for name in names:
        key = decode_public_key(key_text(name, "block", "GLD"), "GLD")
        world.push(WitnessUpdate(name, "https://example.com", key, props, steem(0)))
    world.generate_blocks(60)
    assert len(get_round_witnesses(world.ctx)) == count
    world.recount()
    assert_undo_and_redo(world, at_most=60)


def lose_keys(world: Harness, *names: str) -> None:
    """Lets witnesses fall silent: the harness can not sign for them any more."""
    for name in names:
        world._keys.pop(world.witness(name).signing_key)


def test_without_the_rule_a_silent_witness_of_three_stops_irreversibility_and_then_the_chain() -> None:
    """As in the reference, where it takes 10,000 blocks."""
    world = open_short(3, "max_undo_history_blocks = 100\n")
    world.generate_blocks(42)
    lose_keys(world, "wit02")
    stuck = world.witness("wit02").last_confirmed_block_num
    with pytest.raises(UndoHistoryExhausted, match="enough undo history"):
        world.generate_blocks(150)
    assert world.gpo.last_irreversible_block_num == stuck


@pytest.mark.parametrize("silent", [("wit02",), ("wit01", "wit02"), ("initminer",), ("initminer", "wit01")])
def test_a_silent_witness_of_three_is_shut_down(silent: tuple[str, ...]) -> None:
    world = open_short(3, "max_undo_history_blocks = 200\nwitness_shutdown_blocks = 60\n")
    world.generate_blocks(42)
    lose_keys(world, *silent)
    world.generate_blocks(200)
    assert all(world.witness(name).signing_key == NULL_PUBLIC_KEY for name in silent)
    assert len(get_round_witnesses(world.ctx)) == 3 - len(silent)
    assert world.chain.irreversible_number > world.chain.head_number - 5
    shut_down = [
        entry.operation.op
        for name in silent
        for entry in world.history.get_account_operations(name, 10**9, 1000)
        if isinstance(entry.operation.op, ShutdownWitness)
    ]
    assert shut_down == [ShutdownWitness(name) for name in silent]
    world.recount()
    assert_undo_and_redo(world, at_most=240)


def test_the_dead_hours_of_a_stopped_chain_shut_nobody_down() -> None:
    """Missed slots without blocks are no silence: it is counted in blocks."""
    world = open_short(3, "witness_shutdown_blocks = 60\n")
    world.generate_blocks(42)
    world.pass_time(10 * 86_400)
    world.generate_blocks(42)
    assert len(get_round_witnesses(world.ctx)) == 3


def test_when_the_witness_of_the_first_round_is_gone_for_hours_it_can_still_go_on() -> None:
    world = open_short(3)
    world.pass_time(86_400)
    world.generate_blocks(30)
    assert len(get_round_witnesses(world.ctx)) == 3


# --- the block interval -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("interval", [1, 3, 5, 10, 60])
def test_what_follows_the_block_interval(interval: int) -> None:
    world = open_short(1, f"block_interval_seconds = {interval}\n")
    rules = world.config.rules
    genesis = world.config.genesis.time
    blocks = world.generate_blocks(30)
    assert [block.timestamp for block in blocks] == [genesis + interval * number for number in range(2, 32)]
    assert rules.feed_interval_blocks * interval == 3600
    report = report_config(world.config)
    assert report["STEEM_BLOCK_INTERVAL"] == interval
    assert report["STEEM_BLOCKS_PER_YEAR"] == 365 * 86_400 // interval
    assert report["STEEM_BLOCKS_PER_DAY"] == 86_400 // interval
    assert report["STEEM_BLOCKS_PER_HOUR"] == report["STEEM_FEED_INTERVAL_BLOCKS"] == 3600 // interval
    assert report["STEEM_MIN_TRANSACTION_EXPIRATION_LIMIT"] == 5 * interval
    assert report["STEEM_START_VESTING_BLOCK"] == 7 * 86_400 // interval
    assert report["STEEM_START_MINER_VOTING_BLOCK"] == 30 * 86_400 // interval
    assert report["STEEM_LIQUIDITY_REWARD_BLOCKS"] == 3600 // interval
    assert int(report["STEEM_MAX_BLOCK_SIZE"]) == min(65_536 * interval * 2000, 2**32 - 1)
    yearly = compute_block_inflation(rules, world.gpo, 1).new_steem * rules.blocks_per_year
    assert yearly == pytest.approx(world.gpo.virtual_supply * 978 // 10_000, rel=1e-2), "9.78 % a year at any pace"
    assert compute_inflation_rate_bp(rules, 250_000) == 977, "the narrowing period is a number of blocks, as there"
    world.recount()


@pytest.mark.parametrize("interval", [1, 10])
def test_the_median_price_is_taken_every_hour(interval: int) -> None:
    world = open_short(1, f"block_interval_seconds = {interval}\nmin_feeds = 1\nskip_price_feed_limit_check = true\n")
    world.apply(FeedPublish("initminer", Price(sbd(500), steem(1000))))
    while world.chain.head_number % (3600 // interval):
        assert world.tables.feed_history.get(SINGLETON).current_median_history == Price(sbd(250), steem(1000))
        world.generate_block()
    assert world.tables.feed_history.get(SINGLETON).current_median_history == Price(sbd(500), steem(1000))
    world.recount()


# --- identity ---------------------------------------------------------------------------------------------------


def test_the_chain_id_is_given_or_derived_and_signed() -> None:
    given = "ab" * 32
    world = open_short(chain=f'chain_id = "{given}"')
    assert world.config.chain_id.hex() == given
    other = open_short()
    assert other.config.chain_id == other.config.derive_chain_id() != world.config.chain_id
    transaction = world.push(Transfer("alice", "bob", steem(5), ""))
    with pytest.raises(MissingActiveAuthority, match="missing required active authority"):
        other.chain.push_transaction(transaction)


def test_transactions_in_both_json_forms_and_bytes_with_own_symbols() -> None:
    world = open_short()
    operations = (
        Transfer("alice", "bob", steem(1_500), "a"),
        Transfer("alice", "bob", sbd(7), "b"),
        FeedPublish("initminer", Price(sbd(1), steem(2))),
        WitnessUpdate("initminer", "u", key_of(world), LegacyChainProperties(steem(3000), 131_072, 0), steem(0)),
    )
    transaction = world.sign(world.build(*operations), world.key("alice"), world.key("initminer"))
    for legacy in (True, False):
        data = json.loads(json.dumps(transaction.to_json(world.codec, legacy)))
        again = Transaction.from_json(world.codec, data)
        assert (again.packed_signed, again.id) == (transaction.packed_signed, transaction.id)
        text = json.dumps(data)
        assert "STEEM" not in text
        assert "GLD" in text
        assert ("1.500 GOLD" in text) == ("0.007 CASH" in text) == legacy
        assert ('"@@000000021"' in text) != legacy
    assert Transaction.from_bytes(world.codec, transaction.packed_signed) == transaction
    assert b"\x03GOLD\0\0\0" in transaction.packed
    assert b"\x03CASH\0\0\0" in transaction.packed
    assert b"STEEM" not in transaction.packed
    world.chain.push_transaction(transaction)
    foreign = Codec(ChainConfig.preset("dev").identity)
    with pytest.raises(Invalid):
        Transaction.from_json(foreign, transaction.to_json(world.codec, True))
    with pytest.raises(Invalid):
        Transaction.from_bytes(foreign, transaction.packed_signed)


def key_of(world: Harness) -> bytes:
    return world.witness("initminer").signing_key


def ask(world: Harness, method: str, params: Any) -> Any:
    """The answer of a node over this chain to one JSON-RPC request."""
    node = cast(NodeAccess, SimpleNamespace(chain=world.chain, indexes=world.indexes, now=lambda: world.now))
    dispatcher = build_dispatcher(node, batch_length_max=10, batch_seconds_max=1.0)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    answer = json.loads(asyncio.run(dispatcher.answer(body)))
    assert "error" not in answer, answer
    return answer["result"]


def test_get_config_reports_the_own_values_and_what_clients_detect_a_chain_by() -> None:
    world = open_short(3, "block_interval_seconds = 5\nmax_witnesses = 7\nvesting_withdraw_intervals = 13\n")
    report = ask(world, "condenser_api.get_config", [])
    assert report == ask(world, "database_api.get_config", {})
    expected = {
        "STEEM_ADDRESS_PREFIX": "GLD",
        "STEEM_CHAIN_ID": world.config.chain_id.hex(),
        "STEEM_BLOCK_INTERVAL": 5,
        "STEEM_BLOCKS_PER_YEAR": 6_307_200,
        "STEEM_MAX_WITNESSES": 7,
        "STEEM_MAX_VOTED_WITNESSES_HF17": 6,
        "STEEM_HARDFORK_REQUIRED_WITNESSES": 6,
        "STEEM_MIN_FEEDS": 2,
        "STEEM_CASHOUT_WINDOW_SECONDS": 60,
        "STEEM_VESTING_WITHDRAW_INTERVALS_HF_23": 13,
        "STEEM_GENESIS_TIME": "2025-06-01T00:00:00",
        "STEEM_INIT_PUBLIC_KEY_STR": key_text("initminer", "block", "GLD"),
        "STEEM_INIT_SUPPLY": str(world.config.genesis.init_supply),
        "IS_TEST_NET": False,
        "SBD_SYMBOL": {"nai": "@@000000013", "decimals": 3},
        "STEEM_SYMBOL": {"nai": "@@000000021", "decimals": 3},
        "VESTS_SYMBOL": {"nai": "@@000000037", "decimals": 6},
    }
    assert {key: report[key] for key in expected} == expected
    assert "HIVE_CHAIN_ID" not in report
    words = [key.split("_")[0] for key in report]
    assert max(set(words), key=words.count) == "STEEM", "beem takes the commonest first word as the chain's family"
    assert ask(world, "database_api.get_version", {})["chain_id"] == world.config.chain_id.hex()
    gpo = ask(world, "condenser_api.get_dynamic_global_properties", [])
    assert gpo["current_supply"].endswith(" GOLD")
    assert gpo["current_sbd_supply"].endswith(" CASH")
    assert gpo["total_vesting_shares"].endswith(" POWER")
    account = ask(world, "condenser_api.get_accounts", [["alice"]])[0]
    assert account["balance"] == "90000.000 GOLD"
    assert account["memo_key"] == key_text("alice", "memo", "GLD")


# --- supply and windows -----------------------------------------------------------------------------------------


def test_the_supply_is_that_of_the_file() -> None:
    world = open_chain(chain_text(2))
    genesis = world.config.genesis
    assert genesis.init_supply == 5_000_000_000 + 4 * 90_000_000 + 30_000_000_000 + 700_000_000
    fresh = Harness(world.config, first_block=False)
    fresh.recount()
    assert fresh.gpo.current_supply == genesis.init_supply
    assert fresh.gpo.current_sbd_supply == 40_000_000 + 4 * 9_000_000
    assert fresh.gpo.virtual_supply == genesis.init_virtual_supply == genesis.init_supply + 4 * 76_000_000
    assert fresh.gpo.total_vesting_shares == 60_000_000_000_000_000


def test_a_chain_without_any_money_lives() -> None:
    """No supply, no price, no vesting shares: blocks, and the treasury waits for a price."""
    key = key_text("initminer", "block", "STM")
    world = open_chain(f"""
[genesis]
[[genesis.accounts]]
name = "initminer"
password = "own-chain"
owner_key = "{key_text("initminer", "owner", "STM")}"
active_key = "{key_text("initminer", "active", "STM")}"
posting_key = "{key_text("initminer", "posting", "STM")}"
memo_key = "{key_text("initminer", "memo", "STM")}"
[[genesis.witnesses]]
owner = "initminer"
signing_key = "{key}"
""")
    world.generate_blocks(60)
    assert world.gpo.current_supply == 0
    world.recount()
    assert_undo_and_redo(world)


def test_inflation_is_split_as_the_file_says() -> None:
    world = open_short(
        1,
        "inflation_rate_start_bp = 2000\ncontent_reward_percent_bp = 5000\nvesting_reward_percent_bp = 2500\n"
        "proposal_fund_percent_bp = 0\nmax_witnesses = 1\n",
    )
    world.generate_blocks(2)
    before, fund = world.gpo, world.tables.reward_funds.get("post").reward_balance
    new = before.virtual_supply * 2000 // (10_000 * 10_512_000)
    world.generate_block()
    after = world.gpo
    assert world.tables.reward_funds.get("post").reward_balance - fund == new // 2
    witness = new - new // 2 - new // 4
    factor = world.tables.witness_schedule.get(SINGLETON)
    paid = witness * factor.timeshare_weight // factor.witness_pay_normalization_factor
    assert after.current_supply - before.current_supply == new // 2 + new // 4 + paid
    assert after.current_sbd_supply == before.current_sbd_supply
    assert world.account("steem.dao").sbd_balance == 0
    world.recount()


def test_slots_of_absent_makers_pass_to_the_next() -> None:
    world = open_short(7)
    world.generate_blocks(42)
    skipped = get_scheduled_witness(world.ctx, 1)
    time = get_slot_time(world.ctx, 2)
    block = world.generate_block(skip_slots=1)
    assert block.timestamp == time
    assert block.witness != skipped
    assert world.witness(skipped).total_missed == 1
