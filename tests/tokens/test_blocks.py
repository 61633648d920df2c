"""Tokens on whole chains: actions in headers, undo, a second node, and a hard fork that switches tokens on."""

from __future__ import annotations

from typing import Any

from operations.content import AllowedVoteAssets, CommentOptions, CommentPayoutBeneficiaries, VotableAssetOptions
from operations.market import LimitOrderCreate
from operations.reward import ClaimRewardBalance2
from operations.token import SmtContribute, SmtCreate
from operations.transfer import Transfer
from operations.vesting import DelegateVestingShares, TransferToVesting, WithdrawVesting
from operations.vote import Vote2
from protocol.assets import SBD, STEEM, Asset, paired_symbol
from protocol.block import Block
from protocol.block_header import RequiredActions
from protocol.config import ChainConfig
from protocol.errors import Rejected
from protocol.operation import Operation
from protocol.virtual_operations import AuthorReward, SmtContributorPayout
from state.context import SINGLETON
from state.tables.tokens import Phase
from tests.chain.own_chains import PEOPLE, assert_undo_and_redo, chain_text
from tests.harness import Harness, sbd, steem
from tests.tokens.world import emissions_of, setup_of, tier

LIVE = "tokens_live = true\n"
FORK = """
[[hardforks.future]]
number = 25
version = "0.25.0"
time = "2025-06-01T00:05:00"
name = "tokens"
[hardforks.future.rules]
tokens_live = true
"""
ALICE, BOB = PEOPLE[:2]
BLOCK = 3


def open_world(rules: str = LIVE, more: str = "", witnesses: int = 1) -> Harness:
    return Harness(ChainConfig.parse(chain_text(witnesses, rules=rules, more=more)))


def make_token(world: Harness, control: str = ALICE) -> int:
    """Creates a token of the first identifier on offer."""
    symbol = world.tables.identifier_pool.get(SINGLETON).nais[0] | 3
    world.apply(SmtCreate(control, symbol, "", sbd(1000), 3, ()))
    return symbol


def actions_of(block: Block) -> list[str]:
    """The names of the required actions in a header."""
    parts = [part for part in block.extensions if isinstance(part, RequiredActions)]
    return [type(action).__name__ for part in parts for action in part.actions]


def events_of(world: Harness, block: Block) -> list[Operation]:
    """The events of a block by its history."""
    return [entry.op for entry in world.history.get_operations_in_block(block.number) if entry.op.virtual]


def of_alice(op: Any, **changes: Any) -> Any:
    """An operation whose control account is the first of this chain's people."""
    op.control_account = ALICE
    for name, value in changes.items():
        setattr(op, name, value)
    return op


def sell(world: Harness, symbol: int, *, begins_in: int = 6, seconds: int = 30) -> None:
    """Sets up a sale of two tiers."""
    now = world.now
    world.push(
        of_alice(tier(symbol, 1_000, {BOB: 3, "$market_maker": 2}, {"$from": 7, "$!" + BOB + ".vesting": 1})),
        of_alice(tier(symbol, 1_000_000, {BOB: 5}, {"$from": 5, "$from.vesting": 1, "$rewards": 1})),
        of_alice(emissions_of(symbol, now + 3600, {ALICE: 1, "$rewards": 1}, emission_count=0xFFFFFFFF)),
        of_alice(
            setup_of(
                now,
                symbol,
                contribution_begin_time=now + begins_in,
                contribution_end_time=now + begins_in + seconds,
                launch_time=now + begins_in + seconds + 6,
            )
        ),
    )


def test_a_launch_over_blocks() -> None:
    world = open_world()
    assert len(world.tables.identifier_pool.get(SINGLETON).nais) == 10
    symbol = make_token(world)
    sell(world, symbol)
    assert actions_of(world.generate_block()) == []
    assert actions_of(world.generate_block()) == ["SmtIcoLaunchAction"]
    for number in range(20):
        world.push(SmtContribute(BOB, symbol, number, steem(777), ()))
    world.generate_block()
    assert world.tables.token_sales.get(symbol).contributed == 20 * 777
    while not (actions := actions_of(block := world.generate_block())):
        pass
    assert actions == ["SmtIcoEvaluationAction"]
    world.generate_block()
    block = world.generate_block()
    assert actions_of(block) == [
        "SmtTokenLaunchAction",
        *["SmtContributorPayoutAction"] * 20,
        "SmtFounderPayoutAction",
    ]
    events = events_of(world, block)
    assert sum(isinstance(event, SmtContributorPayout) for event in events) == 20
    assert world.tables.tokens.get(symbol).phase == Phase.LAUNCH_SUCCESS
    newest = world.history.count_operations(BOB) - 1
    mine = [entry.operation.op for entry in world.history.get_account_operations(BOB, newest, 100)]
    assert sum(isinstance(op, SmtContributorPayout) for op in mine) == 20
    world.recount()
    world.pass_time(3600 * 13)
    assert world.tables.tokens.get(symbol).last_virtual_emission_time > 0
    world.apply(Transfer(ALICE, BOB, Asset(5, symbol), ""))
    world.recount()
    assert_undo_and_redo(world)


def test_smt_action_delay() -> None:
    """Launch, evaluation and token launch of two tokens, all due in one late block: producer and validator agree."""
    world = open_world()
    symbols = [make_token(world), make_token(world)]
    for symbol in symbols:
        sell(world, symbol, begins_in=60)
    world.generate_block()
    block = world.generate_block(skip_slots=100)
    assert actions_of(block) == [
        *["SmtIcoLaunchAction"] * 2,
        *["SmtIcoEvaluationAction"] * 2,
        *["SmtTokenLaunchAction"] * 2,
    ]
    assert all(world.tables.tokens.get(symbol).phase == Phase.LAUNCH_SUCCESS for symbol in symbols)
    assert_undo_and_redo(world)


def test_a_setup_that_waits_can_make_an_action_due_in_its_own_block() -> None:
    """The queue is looked at before the pending state is dropped; else the block would be refused by everybody."""
    world = open_world()
    symbol = make_token(world)
    sell(world, symbol, begins_in=BLOCK)
    block = world.generate_block()
    assert len(block.transactions) == 1
    assert actions_of(block) == ["SmtIcoLaunchAction"]
    world.twin()


def test_refunds_over_blocks_that_have_little_room() -> None:
    """As many as fit into each block; the chain goes on, and everybody is paid."""
    world = open_world()
    symbol = make_token(world)
    now = world.now
    world.push(
        of_alice(tier(symbol, 1_000_000, {BOB: 1}, {"$from": 1})),
        of_alice(
            setup_of(
                now,
                symbol,
                contribution_begin_time=now + BLOCK,
                contribution_end_time=now + 1500,
                launch_time=now + 1500,
                steem_satoshi_min=1_000_000,
            )
        ),
    )
    world.generate_block()
    before = world.account(BOB).balance
    for number in range(100):
        world.push(SmtContribute(BOB, symbol, number, steem(7), ()))
        world.generate_block()
    assert world.account(BOB).balance == before - 700
    while world.chain.head_number % world.config.rules.max_witnesses:
        world.generate_block()
    world.edit(lambda ctx: ctx.update_gpo(maximum_block_size=2_000))
    assert world.now < now + 1500
    world.generate_block(skip_slots=500)
    assert 0 < len(list(world.tables.token_contributions.scan())) < 100
    blocks = 1
    while world.tables.token_sales.find(symbol) is not None:
        world.generate_block()
        blocks += 1
    assert blocks > 1
    assert world.account(BOB).balance == before
    assert world.tables.tokens.get(symbol).phase == Phase.LAUNCH_FAILED
    world.recount()


def test_a_hard_fork_switches_tokens_on() -> None:
    """On a chain with posts and votes; before it nothing of tokens is there, and after it the chain lives on."""
    world = open_world(rules="", more=FORK, witnesses=21)
    world.post(BOB, "post")
    world.vote(ALICE, BOB, "post")
    early = SmtCreate(ALICE, 320_000_019, "", sbd(1000), 3, ())
    try:
        world.push(early)
    except Rejected as error:
        assert "smt_create_operation is not enabled on this chain." in str(error)
    else:
        raise AssertionError("tokens are not live yet")
    while not world.ctx.rules.tokens_live:
        assert world.tables.identifier_pool.find(SINGLETON) is None
        world.generate_block()
    world.generate_block()
    symbol = make_token(world)
    sell(world, symbol)
    world.generate_blocks(20)
    assert world.tables.tokens.get(symbol).phase == Phase.LAUNCH_SUCCESS
    world.recount()
    assert_undo_and_redo(world)


def test_the_life_of_a_token_over_blocks() -> None:
    """Sale, stake, lending, votes, payout, claims, power down and trade; every block undone and redone."""
    rules = LIVE + "cashout_window_seconds = 3600\nupvote_lockout_seconds = 60\nsmt_upvote_lockout_seconds = 60\n"
    world = open_world(rules + "smt_vesting_withdraw_interval_seconds = 7200\n")
    carol = PEOPLE[2]
    symbol = make_token(world)
    twin = paired_symbol(symbol)
    sell(world, symbol)
    world.generate_blocks(3)
    world.apply(SmtContribute(BOB, symbol, 0, steem(500_000), ()))
    while world.tables.tokens.get(symbol).phase != Phase.LAUNCH_SUCCESS:
        world.generate_block()
    world.generate_blocks(2)
    world.recount()
    held = world.tables.token_balances.get((BOB, symbol))
    assert held.liquid > 0 and held.vesting_shares > 0
    world.apply(TransferToVesting(BOB, "", Asset(held.liquid // 2, symbol)))
    world.apply(TransferToVesting(BOB, carol, Asset(held.liquid // 10, symbol)))
    world.apply(Transfer(BOB, ALICE, Asset(1_000, symbol), ""))
    world.apply(DelegateVestingShares(BOB, carol, Asset(10**9, twin)))
    world.post(ALICE, "post")
    world.generate_block()
    extension = AllowedVoteAssets(((symbol, VotableAssetOptions(10**12, True, CommentPayoutBeneficiaries(()))),))
    world.apply(CommentOptions(ALICE, "post", Asset(10**9, SBD), 10_000, True, True, (extension,)))
    world.pass_time(300)
    for voter in (BOB, carol):
        shares = world.tables.token_balances.get((voter, symbol)).vesting_shares
        world.apply(Vote2(voter, ALICE, "post", ((symbol, shares // 60), (STEEM, 10**9)), ()))
    world.recount()
    world.apply(WithdrawVesting(BOB, Asset(13 * 10**9, twin)))
    world.apply(DelegateVestingShares(BOB, carol, Asset(0, twin)))
    block = None
    while block is None or not any(isinstance(event, AuthorReward) for event in events_of(world, block)):
        block = world.generate_block(skip_slots=100)
    world.recount()
    pending = world.tables.token_balances.get((ALICE, symbol)).pending_vesting_shares
    assert pending > 0
    world.apply(ClaimRewardBalance2(ALICE, (), (Asset(pending, twin),)))
    world.pass_time(7200)
    assert world.tables.token_balances.get((BOB, symbol)).withdrawn > 0
    world.apply(LimitOrderCreate(BOB, 1, Asset(5_000, symbol), steem(9_000), False, world.now + 3600))
    world.apply(LimitOrderCreate(ALICE, 1, steem(1_000), Asset(100, symbol), False, world.now + 3600))
    world.pass_time(10 * 86_400)
    world.generate_block()
    assert list(world.tables.token_delegation_expirations.scan()) == []
    assert list(world.tables.limit_orders.scan()) == []
    world.recount()
    assert_undo_and_redo(world)
    world.twin()
