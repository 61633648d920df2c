"""Resource credits: what transactions take, what that costs, how credits come back, and who is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chain.resource_credits import explain_credits
from consensus.resource_pools import (
    EXECUTION_TIME,
    HISTORY_BYTES,
    STATE_BYTES,
    PriceCurve,
    compute_cost,
    compute_curve,
    compute_price,
    get_resource_params,
)
from node.core import NodeSettings
from node.shell.node_shell import NodeShell
from operations.account import ClaimAccount
from operations.actions import schedule_optional_action
from operations.content import Comment
from operations.custom import CustomJson
from operations.registry import ALL_OPERATIONS, EXECUTION_TIMES, TOKEN_EXECUTION_TIMES
from operations.transfer import Transfer
from operations.vesting import DelegateVestingShares, TransferToVesting, WithdrawVesting
from operations.vote import Vote
from operations.witness import FeedPublish
from protocol.actions import ExampleOptionalAction
from protocol.assets import SBD, STEEM, VESTS, Asset, Price
from protocol.errors import PluginRefused
from protocol.operation import OPERATIONS, Operation
from protocol.resources import STATE_SIZES, Resources
from protocol.types import Authority
from rpc.apis.registry import build_methods
from state.context import SINGLETON
from state.resource_credits import compute_current_rc, compute_max_rc, compute_used_rc, compute_waiting_seconds
from state.tables.accounts import Manabar
from state.tables.credits import RcAccount
from state.tables.witnesses import RdParams
from tests.chains import FIRST, NULL, TEMP
from tests.harness import Harness, empty_pool, steem
from tests.operations.samples import SAMPLES
from tests.vectors import recorded_path

WEEK = 7 * 86_400
REGENERATION = 432_000
HISTORICAL = 2_020_748_973


def world_with_credits(*names: str) -> Harness:
    """A chain on which credits are needed, with some accounts that have power and some STEEM."""
    world = Harness()
    for name in names:
        world.create_account(name)
        world.fund(name, 100_000)
        world.vest(name, 100_000_000)
    world.chain.refuses_without_credits = True
    return world


def row(world: Harness, name: str) -> RcAccount:
    return world.tables.rc_accounts.get(name)


def pools(world: Harness) -> tuple[int, ...]:
    return world.tables.rc_pools.get(SINGLETON).pools


# Counting

PUBLISHED_SIZES = {
    "authority_base_size": 4 * 10_000,
    "authority_account_member_size": 18 * 10_000,
    "authority_key_member_size": 35 * 10_000,
    "account_object_base_size": 480 * 10_000,
    "account_authority_object_base_size": 40 * 10_000,
    "account_recovery_request_object_base_size": 32 * 10_000,
    "comment_object_base_size": 201 * 10_000,
    "comment_object_permlink_char_size": 10_000,
    "comment_object_parent_permlink_char_size": 2 * 10_000,
    "comment_object_beneficiaries_member_size": 18 * 10_000,
    "comment_vote_object_base_size": 47 * 525,
    "convert_request_object_base_size": 48 * 10_000,
    "decline_voting_rights_request_object_base_size": 28 * 10_000,
    "escrow_object_base_size": 119 * 10_000,
    "limit_order_object_base_size": 76 * 1940,
    "savings_withdraw_object_byte_size": 64 * 229,
    "transaction_object_base_size": 35 * 174,
    "transaction_object_byte_size": 174,
    "vesting_delegation_object_base_size": 60 * 10_000,
    "vesting_delegation_expiration_object_base_size": 44 * 10_000,
    "withdraw_vesting_route_object_base_size": 43 * 10_000,
    "witness_object_base_size": 266 * 10_000,
    "witness_object_url_char_size": 10_000,
    "witness_vote_object_base_size": 40 * 10_000,
    "proposal_object_base_size": 68 * 10_000,
    "proposal_vote_object_base_size": 24 * 10_000,
    "proposal_vote_object_member_size": 8 * 10_000,
}

PUBLISHED_TIMES = {
    "account_create": 57_700,
    "account_create_with_delegation": 57_700,
    "account_update": 14_000,
    "account_update2": 14_000,
    "account_witness_proxy": 117_000,
    "account_witness_vote": 23_000,
    "cancel_transfer_from_savings": 11_500,
    "change_recovery_account": 12_000,
    "claim_account": 10_000,
    "claim_reward_balance": 50_300,
    "comment": 114_100,
    "comment_options": 13_200,
    "convert": 15_700,
    "create_claimed_account": 57_700,
    "custom": 11_400,
    "custom_json": 11_400,
    "custom_binary": 11_400,
    "decline_voting_rights": 5_300,
    "delegate_vesting_shares": 19_900,
    "delete_comment": 51_100,
    "escrow_approve": 9_900,
    "escrow_dispute": 11_500,
    "escrow_release": 17_200,
    "escrow_transfer": 19_100,
    "feed_publish": 6_200,
    "limit_order_cancel": 9_600,
    "limit_order_create": 31_700,
    "limit_order_create2": 31_700,
    "request_account_recovery": 54_400,
    "set_withdraw_vesting_route": 17_900,
    "transfer_from_savings": 17_500,
    "transfer": 9_600,
    "transfer_to_savings": 6_400,
    "transfer_to_vesting": 44_400,
    "vote": 26_500,
    "withdraw_vesting": 10_400,
    "witness_set_properties": 9_500,
    "witness_update": 9_500,
    "claim_reward_balance2": 0,
    "smt_setup": 0,
    "smt_setup_emissions": 0,
    "smt_set_setup_parameters": 0,
    "smt_set_runtime_parameters": 0,
    "smt_create": 0,
    "smt_contribute": 0,
    "create_proposal": 31_700,
    "update_proposal_votes": 12_000,
    "remove_proposal": 12_000,
}


def counts_of(world: Harness, *operations: Operation) -> tuple[int, tuple[int, ...]]:
    transaction = world.sign(world.build(*operations), world.key(FIRST))
    return transaction.size, transaction.counts


def test_a_transfer_takes_its_bytes_thrice_and_time() -> None:
    size, counts = counts_of(Harness(), Transfer("alice", "bob", steem(1), "memo"))
    assert counts == (size, 0, size, 35 * 174 + 174 * size, 9_600)


def test_a_reply_takes_state_for_its_permlinks_in_bytes() -> None:
    reply = Comment("bob", "über", "alice", "re-x", "", "text", "")
    size, counts = counts_of(Harness(), reply)
    assert counts == (size, 0, 0, 6_090 + 174 * size + 10_000 * (201 + 4 + 2 * len("über".encode())), 114_100)


def test_operations_of_a_transaction_add_up_and_market_bytes_count_once() -> None:
    free = ClaimAccount("alice", Asset(0, STEEM), ())
    paid = ClaimAccount("alice", Asset(3_000, STEEM), ())
    transfer = Transfer("alice", "bob", steem(1), "")
    size, counts = counts_of(Harness(), free, paid, free, transfer, transfer)
    assert counts == (size, 2, size, 6_090 + 174 * size, 3 * 10_000 + 2 * 9_600)


def test_a_follow_counts_twenty_times() -> None:
    world = Harness()
    times = [counts_of(world, CustomJson((), ("alice",), name, "{}"))[1][4] for name in ("follow", "follows")]
    assert times == [20 * 11_400, 11_400]


def test_the_published_figures_are_the_reference_s() -> None:
    """Source: resource_sizes.hpp. What has no figure there takes the bytes of its transaction only."""
    assert EXECUTION_TIMES == PUBLISHED_TIMES
    assert STATE_SIZES == PUBLISHED_SIZES
    uncounted = {cls.wire_name for cls in ALL_OPERATIONS.values() if not cls.virtual} - set(PUBLISHED_TIMES)
    uncounted -= set(TOKEN_EXECUTION_TIMES)
    assert all(SAMPLES[name].count_resources() == Resources() for name in uncounted)


@pytest.mark.parametrize("op", SAMPLES.values(), ids=lambda op: op.wire_name)
def test_counting_and_user_of_every_operation(op: Operation) -> None:
    transaction = Harness(first_block=False).build(op)
    history, _accounts, market, state, time = transaction.counts
    assert history == transaction.size and market in (0, history)
    assert state >= 6_090 + 174 * history and time >= 0
    required = transaction.required_authorities()
    if op.wire_name not in ("witness_set_properties", "recover_account"):
        signers = required.actives or required.owners or required.postings
        assert transaction.payer == min(signers, default="")
    assert op.changes_stake == bool(op.stake_accounts()) and all(op.stake_accounts())


def test_a_recovery_is_paid_by_an_account_in_the_authorities_or_the_recovered_one() -> None:
    recover = OPERATIONS[25]
    keys = Authority(1, (), ((bytes(33), 1),))
    named = Authority(1, (("zoe", 1), ("zzz", 1)), ())
    world = Harness()
    users = [
        world.build(recover("alice", new, recent, ())).payer  # type: ignore[call-arg]
        for new, recent in ((keys, keys), (keys, named), (named, keys))
    ]
    assert users == ["alice", "zoe", "zoe"]


def test_the_first_operation_that_names_a_signer_pays() -> None:
    world = Harness()
    mixed = world.build(
        CustomJson((), ("zoe", "bob"), "x", "{}"), Vote("alice", "bob", "x", 1), Transfer("al", "bob", steem(1), "")
    )
    assert mixed.payer == "bob"


# Prices and pools, against figures worked out from the formulas of rc_utility.cpp and rc_curve.cpp


def test_the_price_falls_with_the_pool_and_is_rounded_up() -> None:
    curve = PriceCurve(coeff_a=1 << 40, coeff_b=100, shift=40)
    params = HISTORY_BYTES._replace(curve=curve)
    assert compute_price(params, 900, 50) == (1, 51, 1000)
    assert compute_price(params, -5, 50) == (1, 51, 100)
    assert compute_cost(((1, 51, 1000), (10, 51, 1000)), (19, 0)) == 51 * 19 // 1000 + 1
    assert compute_cost(((1, 51, 1000), (10, 51, 1000)), (0, 4)) == 51 * 40 // 1000 + 1
    assert compute_cost((), (1, 1)) == 0


def test_the_curve_of_new_accounts_is_the_recorded_one() -> None:
    dynamics = RdParams(10_000, 797, 157_691_079, 157_691_079, 347_321, 36, 0)
    assert compute_curve(dynamics) == PriceCurve(16_484_671_763_857_882_971, 1_231_961, 51)


def test_resource_params_are_those_of_the_reference() -> None:
    recorded = json.loads(recorded_path("reference_common", "rc_resource_params.json").read_text())["result"]
    world = Harness()
    methods = build_methods(NodeShell(world.chain, world.indexes, NodeSettings()))
    answer = methods["rc_api.get_resource_params"].handler()
    assert json.dumps(answer) == json.dumps(recorded)


def test_pools_start_at_rest_and_move_by_budget_decay_and_use() -> None:
    world = Harness(first_block=False)
    assert world.tables.rc_pools.find(SINGLETON) is None
    world.generate_block()
    world.generate_block()
    before = pools(world)
    transaction = world.push(FeedPublish(FIRST, Price(Asset(1000, SBD), Asset(1000, STEEM))))
    world.generate_block()
    after = pools(world)
    for place, params, used in (
        (0, HISTORY_BYTES, transaction.size),
        (3, STATE_BYTES, 6_090 + 174 * transaction.size),
        (4, EXECUTION_TIME, 6_200),
    ):
        left = before[place] - used
        decay = left * params.dynamics.decay_per_time_unit >> params.dynamics.decay_per_time_unit_denom_shift
        assert after[place] == left - decay + params.dynamics.budget_per_time_unit
    assert after[1] == world.gpo.available_account_subsidies


# Accounts


def test_genesis_accounts_have_their_stake_and_the_historical_bonus() -> None:
    world = Harness()
    now = world.now
    for name in (FIRST, NULL, TEMP):
        maximum = world.account(name).vesting_shares + HISTORICAL
        assert row(world, name) == RcAccount(name, Manabar(maximum, now), HISTORICAL, maximum)


def test_a_creation_fee_counts_as_stake() -> None:
    world = Harness()
    median = world.tables.witness_schedule.get(SINGLETON)
    props = median.median_props._replace(account_creation_fee=steem(3_000))
    world.edit(lambda ctx: ctx.tables.witness_schedule.update(median, median_props=props))
    gpo, now = world.gpo, world.now
    world.create_account("alice", fee=3_000)
    bonus = 3_000 * gpo.total_vesting_shares // gpo.total_vesting_fund_steem
    assert row(world, "alice") == RcAccount("alice", Manabar(bonus, now), bonus, bonus)


def test_credits_grow_linearly_from_below_zero_and_stop() -> None:
    bar = Manabar(-1_000, 100)
    assert compute_current_rc(bar, 432_000, REGENERATION, 100) == -1_000
    assert compute_current_rc(bar, 432_000, REGENERATION, 600) == -500
    assert compute_current_rc(bar, 432_000, REGENERATION, 100 + 432_000 + 999) == 431_999
    assert compute_current_rc(bar, 432_000, REGENERATION, 100 + 432_000 + 5_000) == 432_000
    assert compute_current_rc(Manabar(7, 100), 5, REGENERATION, 100) == 5


def test_credits_fall_at_most_a_little_below_zero() -> None:
    assert compute_used_rc(100, 40, 10_000, 166) == 60
    assert compute_used_rc(100, 250, 10_000, 166) == -150
    assert compute_used_rc(100, 900, 10_000, 166) == -166
    assert compute_used_rc(0, 900, 10_007, 166) == -166


def test_waiting_is_rounded_up_and_never_ends_beyond_the_maximum() -> None:
    assert compute_waiting_seconds(10, 432_000, 10, REGENERATION) == 0
    assert compute_waiting_seconds(10, 432_000, 11, REGENERATION) == 1
    assert compute_waiting_seconds(0, 864_000, 1, REGENERATION) == 1
    assert compute_waiting_seconds(0, 100, 101, REGENERATION) is None


def test_a_transaction_is_paid_at_the_price_of_the_pools_before_its_block() -> None:
    world = world_with_credits("alice")
    world.generate_block()
    before, level, total, head = row(world, "alice"), pools(world), world.gpo.total_vesting_shares, world.now
    block = world.apply(Transfer("alice", FIRST, steem(1), "hello"))
    maximum = compute_max_rc(world.account("alice"), before)
    elapsed = head - before.rc_manabar.last_update_time
    current = min(before.rc_manabar.current_mana + maximum * elapsed // REGENERATION, maximum)
    cost = 0
    for params, pool, count in zip(get_resource_params(world.ctx), level, block.transactions[0].counts, strict=True):
        if count:
            curve = params.curve
            factor = (total // 144_000 * curve.coeff_a >> curve.shift) + 1
            cost += factor * count * params.dynamics.resource_unit // (curve.coeff_b + pool) + 1
    assert row(world, "alice").rc_manabar == Manabar(current - cost, head)


def test_power_brings_credits_at_once_and_a_power_down_takes_only_the_maximum() -> None:
    world = world_with_credits("alice")
    before = row(world, "alice")
    gained = world.vest("alice", 500_000)
    assert row(world, "alice").last_max_rc == before.last_max_rc + gained
    assert row(world, "alice").rc_manabar.current_mana >= before.rc_manabar.current_mana + gained
    world.apply(WithdrawVesting("alice", Asset(world.account("alice").vesting_shares, VESTS)))
    account = world.account("alice")
    assert row(world, "alice").last_max_rc == account.vesting_shares - account.vesting_withdraw_rate
    full = row(world, "alice").rc_manabar
    world.apply(WithdrawVesting("alice", Asset(0, VESTS)))
    after = row(world, "alice")
    assert after.last_max_rc == account.vesting_shares
    assert after.rc_manabar.current_mana <= min(
        full.current_mana, account.vesting_shares - account.vesting_withdraw_rate
    )


def test_delegated_power_moves_the_credits_and_comes_back_after_its_time() -> None:
    world = world_with_credits("alice", "bob")
    lent = 300_000_000
    before = {name: row(world, name).last_max_rc for name in ("alice", "bob")}
    world.apply(DelegateVestingShares("alice", "bob", Asset(lent, VESTS)))
    assert row(world, "alice").last_max_rc == before["alice"] - lent
    assert row(world, "bob").last_max_rc == before["bob"] + lent
    world.apply(DelegateVestingShares("alice", "bob", Asset(0, VESTS)))
    assert (row(world, "alice").last_max_rc, row(world, "bob").last_max_rc) == (before["alice"] - lent, before["bob"])
    world.pass_time(world.gpo.delegation_return_period + 6)
    assert row(world, "alice").last_max_rc == before["alice"]


def test_weekly_parts_of_a_power_down_lower_the_maximum() -> None:
    world = world_with_credits("alice")
    world.apply(WithdrawVesting("alice", Asset(world.account("alice").vesting_shares, VESTS)))
    for _ in range(15):
        world.pass_time(world.config.rules.vesting_withdraw_interval_seconds)
        account = world.account("alice")
        assert row(world, "alice").last_max_rc == compute_max_rc(account, row(world, "alice"))
    assert world.account("alice").vesting_shares == 0
    assert row(world, "alice").last_max_rc == 0


# Refusal


def test_a_broadcast_without_credits_is_refused_in_the_words_of_the_reference() -> None:
    world = Harness()
    world.create_account("alice")
    world.fund("alice", 1_000)
    world.chain.refuses_without_credits = True
    with pytest.raises(PluginRefused) as caught:
        world.push(Transfer("alice", FIRST, steem(1), ""))
    error = caught.value
    needed = error.data["rc_needed"]
    assert (error.code, error.name) == (4_100_000, "plugin_exception")
    assert error.message == (
        f"plugin exception:Account: alice has 0 RC, needs {needed} RC. "
        "Please wait to transact, or power up STEEM.rethrow"
    )
    assert error.advice is not None and error.advice["seconds_until_enough"] is None
    assert len(world.chain.pending) == 0 and world.account("alice").balance == 1_000
    world.apply(TransferToVesting(FIRST, "alice", steem(10_000)))
    world.apply(Transfer("alice", FIRST, steem(1), ""))


def drain(world: Harness, name: str, left: int) -> None:
    """Takes the credits of an account down to some."""

    def change(ctx: Any) -> None:
        table = ctx.tables.rc_accounts
        table.update(table.get(name), rc_manabar=Manabar(left, ctx.time + 3))

    world.edit(change)


@pytest.mark.parametrize(("more", "is_taken"), [(0, True), (-1, False)])
def test_a_charge_may_take_all_that_is_there(more: int, is_taken: bool) -> None:
    world = world_with_credits("alice")
    transaction = world.build(Transfer("alice", FIRST, steem(1), ""))
    transaction = world.sign(transaction, *world.signers_of(transaction))
    _payer, cost = world.chain.ledger.quote(transaction)
    world.chain.store.begin()
    table = world.tables.rc_accounts
    table.update(table.get("alice"), rc_manabar=Manabar(cost + more, world.now))
    assert explain_credits(world.ctx, transaction).is_enough is is_taken
    if is_taken:
        world.chain.push_transaction(transaction)
        assert row(world, "alice").rc_manabar.current_mana == 0
    else:
        with pytest.raises(PluginRefused, match=f"alice has {cost - 1} RC, needs {cost} RC"):
            world.chain.push_transaction(transaction)


def test_the_advice_says_how_long_to_wait() -> None:
    world = world_with_credits("alice")
    drain(world, "alice", 0)
    with pytest.raises(PluginRefused) as caught:
        world.push(Transfer("alice", FIRST, steem(1), ""))
    advice = caught.value.advice
    assert advice is not None
    seconds = advice["seconds_until_enough"]
    assert seconds == -(-caught.value.data["rc_needed"] * REGENERATION // advice["max_rc"]) > 0
    world.pass_time(seconds + 3)
    world.apply(Transfer("alice", FIRST, steem(1), ""))


def test_a_block_of_others_may_use_more_than_there_is() -> None:
    strict, lax = Harness(), Harness()
    strict.chain.refuses_without_credits = True
    lax.create_account("alice")
    lax.fund("alice", 100)
    lax.vest("alice", 1)
    for _ in range(80):
        lax.push(Transfer("alice", FIRST, steem(1), ""))
    lax.generate_block()
    maximum = lax.account("alice").vesting_shares
    assert row(lax, "alice").rc_manabar.current_mana == -(166 * maximum // 10_000) < 0
    for number in range(2, lax.chain.head_number + 1):
        block = lax.chain.reader.get_block(number)
        assert block is not None
        strict.chain.push_block(block)
    assert strict.chain.state_digest == lax.chain.state_digest


def test_a_producer_leaves_out_what_cannot_be_paid_and_keeps_it_waiting() -> None:
    world = world_with_credits("alice", "bob")
    world.chain.refuses_without_credits = False
    drain(world, "alice", 0)
    late = world.push(Transfer("alice", FIRST, steem(1), ""))
    paid = world.push(Transfer("bob", FIRST, steem(1), ""))
    world.chain.refuses_without_credits = True
    block = world.generate_block()
    assert block.transaction_ids == [paid.id]
    assert late.id in world.chain.pending
    while late.id not in block.transaction_ids:
        assert late.id in world.chain.pending and block.number < 200
        block = world.generate_block()
    assert row(world, "alice").rc_manabar.current_mana >= 0


# Forks


def test_undoing_blocks_restores_credits_and_pools_exactly() -> None:
    world = world_with_credits("alice", "bob")
    seen = []
    for number in range(1, 8):
        seen.append((world.chain.state_digest, row(world, "alice"), row(world, "bob"), pools(world)))
        world.push(Transfer("alice", "bob", steem(number), ""))
        world.push(DelegateVestingShares("alice", "bob", Asset(number * 100_000_000, VESTS)))
        world.generate_block()
    blocks = []
    while seen:
        block = world.chain.reader.find_block_by_id(world.chain.head_id)
        assert block is not None
        blocks.append(block)
        world.chain.undo_head()
        world.chain.pool.drop_state()
        empty_pool(world.chain.pending)
        assert (world.chain.state_digest, row(world, "alice"), row(world, "bob"), pools(world)) == seen.pop()
    for block in reversed(blocks):
        world.chain.push_block(block)
    assert world.chain.store.compute_digest_from_scratch() == world.chain.state_digest


def test_all_maxima_agree_with_the_stakes_after_much_has_happened() -> None:
    world = world_with_credits("alice", "bob")
    world.push(Comment("", "test", "alice", "post", "title", "body", ""))
    world.generate_block()
    world.push(Vote("bob", "alice", "post", 10_000))
    world.apply(DelegateVestingShares("bob", "alice", Asset(200_000_000, VESTS)))
    world.apply(WithdrawVesting("bob", Asset(500_000_000, VESTS)))
    world.apply(TransferToVesting("alice", NULL, steem(10)))
    world.pass_time(WEEK + 3_600)
    for account in world.tables.accounts.scan():
        assert row(world, account.name).last_max_rc == compute_max_rc(account, row(world, account.name)), account.name


def test_an_optional_action_is_paid_by_its_account_with_its_bytes() -> None:
    world = world_with_credits("alice")
    world.edit(lambda ctx: schedule_optional_action(ctx, ExampleOptionalAction("alice")))
    before = row(world, "alice"), pools(world)
    block = world.generate_block()
    size = 1 + 1 + len("alice")
    assert any(getattr(part, "actions", ()) == (ExampleOptionalAction("alice"),) for part in block.extensions)
    prices = [
        compute_price(params, pool, world.gpo.total_vesting_shares // 144_000)
        for params, pool in zip(get_resource_params(world.ctx), before[1], strict=True)
    ]
    manabar = row(world, "alice").rc_manabar
    current = compute_current_rc(before[0].rc_manabar, before[0].last_max_rc, REGENERATION, world.now)
    assert manabar == Manabar(current - compute_cost(tuple(prices), (size, 0, 0, 0, 0)), world.now)
