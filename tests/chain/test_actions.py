"""Automated actions in the headers of blocks; counterparts of the reference's automated_action_tests.cpp."""

from collections.abc import Callable
from typing import Any

import pytest

from chain.actions import compute_partition
from consensus.header import HeaderActions
from operations.actions import (
    ACTION_RULES,
    ActionRule,
    schedule_optional_action,
    schedule_required_action,
)
from operations.transfer import Transfer
from protocol.actions import (
    ExampleOptionalAction,
    ExampleRequiredAction,
    SmtTokenEmissionAction,
    SmtTokenLaunchAction,
)
from protocol.assets import STEEM
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.errors import Invalid, ProtocolError, Rejected
from protocol.keys import is_canonical, sign_digest
from state.action_queue import pack_required, unpack_optional, unpack_required
from state.balances import LIQUID
from state.context import Context
from state.issuance import issue
from tests.chains import FIRST, NULL, TEMP
from tests.harness import Harness, config_with, steem
from tests.operations.world import World

BLOCK = 3
INITMINER = FIRST
SMALL_BLOCK = 1_200
"""A maximum_block_size that a few actions fill."""


@pytest.fixture
def world() -> Harness:
    made = Harness()
    made.generate_block()
    return made


def remake(
    world: Harness, block: Block, change: Callable[[HeaderActions], HeaderActions], extensions: tuple[Any, ...] = ()
) -> Block:
    """The block with other actions in its header, signed anew."""
    found = HeaderActions(
        tuple(action for part in block.extensions if type(part).__name__ == "RequiredActions" for action in part[0]),
        tuple(action for part in block.extensions if type(part).__name__ == "OptionalActions" for action in part[0]),
    )
    made = Block.make(
        world.codec,
        previous=block.previous,
        timestamp=block.timestamp,
        witness=block.witness,
        transactions=block.transactions,
        extensions=(*extensions, *change(found).as_extensions()),
    )
    return made.with_signature(sign_digest(made.digest, world.key(INITMINER), is_canonical))


def build(world: Harness) -> Block:
    """The next block, not yet applied."""
    time = world.now + BLOCK
    return world.chain.build_block(INITMINER, world.key(INITMINER), time)


def actions_of(block: Block) -> HeaderActions:
    """The actions in the header of a block."""
    required = [part.actions for part in block.extensions if type(part).__name__ == "RequiredActions"]
    optional = [part.actions for part in block.extensions if type(part).__name__ == "OptionalActions"]
    return HeaderActions(sum(required, ()), sum(optional, ()))


def accounts_of(actions: tuple[Any, ...]) -> list[str]:
    """The accounts that example actions name."""
    return [action.account for action in actions]


def required_queue(ctx: Context) -> list[tuple[int, str]]:
    """When what is due, in the order of the queue."""
    rows = ctx.tables.pending_required_actions.index("by_execution").scan()
    return [(row.execution_time, unpack_required(ctx, row.action).account) for row in rows]


def offers(ctx: Context) -> list[tuple[int, str]]:
    """When which optional action is due."""
    rows = ctx.tables.pending_optional_actions.index("by_execution").scan()
    return [(row.execution_time, unpack_optional(ctx, row.action).account) for row in rows]


# --- scheduling ---------------------------------------------------------------------------------------------------


def test_push_pending_required_actions() -> None:
    world = World()
    ctx = world.ctx
    with pytest.raises(Invalid, match="Account name  is invalid"):
        schedule_required_action(ctx, ExampleRequiredAction(""))
    schedule_required_action(ctx, ExampleRequiredAction(INITMINER), world.now + BLOCK)
    assert required_queue(ctx) == [(world.now + BLOCK, INITMINER)]
    with pytest.raises(Rejected, match="Cannot push required action to execute in the past"):
        schedule_required_action(ctx, ExampleRequiredAction(INITMINER), world.now - BLOCK)
    schedule_required_action(ctx, ExampleRequiredAction(TEMP))
    assert required_queue(ctx) == [(world.now, TEMP), (world.now + BLOCK, INITMINER)]
    world.recount()


def test_push_pending_optional_actions() -> None:
    world = World()
    ctx = world.ctx
    with pytest.raises(Invalid, match="Account name  is invalid"):
        schedule_optional_action(ctx, ExampleOptionalAction(""))
    schedule_optional_action(ctx, ExampleOptionalAction(INITMINER), world.now + BLOCK)
    assert offers(ctx) == [(world.now + BLOCK, INITMINER)]
    with pytest.raises(Rejected, match="Cannot push optional action to execute in the past"):
        schedule_optional_action(ctx, ExampleOptionalAction(INITMINER), world.now - BLOCK)
    schedule_optional_action(ctx, ExampleOptionalAction(TEMP))
    assert offers(ctx) == [(world.now, TEMP), (world.now + BLOCK, INITMINER)]
    world.recount()


def test_actions_that_are_not_enabled() -> None:
    ctx = World().ctx
    with pytest.raises(Rejected, match="smt_token_launch_action is not enabled on this chain"):
        schedule_required_action(ctx, SmtTokenLaunchAction("alice", STEEM))
    ctx.config = ChainConfig.preset("dev").model_copy(
        update={"chain": ctx.config.chain.model_copy(update={"is_test_net": False})}
    )
    with pytest.raises(Rejected, match="example_required_action is not enabled on this chain"):
        schedule_required_action(ctx, ExampleRequiredAction("alice"))


# --- blocks -------------------------------------------------------------------------------------------------------


def test_a_full_block() -> None:
    """full_block: more than the part that is kept for required actions, and an optional one."""
    world = Harness()
    world.generate_block()
    added: list[str] = []

    def fill(ctx: Context) -> None:
        ctx.update_gpo(maximum_block_size=SMALL_BLOCK)
        total = 0
        while total < compute_partition(ctx):
            added.append(f"{INITMINER}{len(added)}")
            action = ExampleRequiredAction(added[-1])
            schedule_required_action(ctx, action, ctx.time + 2 * BLOCK)
            total += len(pack_required(ctx, action))
        schedule_optional_action(ctx, ExampleOptionalAction(TEMP), ctx.time + 2 * BLOCK)

    world.edit(fill)
    due = world.now + BLOCK
    whole = build(world)
    assert accounts_of(actions_of(whole).required) == added
    assert accounts_of(actions_of(whole).optional) == [TEMP]
    with pytest.raises(Rejected, match="Expected action was not included in block"):
        world.chain.push_block(remake(world, whole, lambda found: HeaderActions(found.required[:-2], ())))
    world.chain.push_block(remake(world, whole, lambda found: HeaderActions(found.required[:-1], ())))
    assert required_queue(world.ctx) == [(due, added[-1])]
    assert due == world.now
    assert offers(world.ctx) == [(due, TEMP)]
    delayed = world.generate_block()
    assert required_queue(world.ctx) == []
    assert actions_of(delayed) == HeaderActions((ExampleRequiredAction(added[-1]),), (ExampleOptionalAction(TEMP),))
    world.recount()


def test_a_producer_leaves_room_for_required_actions() -> None:
    """Transactions fill their part of the block; what is due still fits, and the block stays below its limit."""
    world = Harness()
    world.create_account("alice")
    world.vest("alice", 10_000_000)

    def fill(ctx: Context) -> None:
        ctx.update_gpo(maximum_block_size=SMALL_BLOCK)
        issue(ctx, STEEM, (1_000_000, (LIQUID, "alice")))
        for number in range(40):
            schedule_required_action(ctx, ExampleRequiredAction(f"account{number}"), ctx.time + 2 * BLOCK)

    world.edit(fill)
    for number in range(20):
        world.push(Transfer("alice", INITMINER, steem(1), f"memo {number}"))
    sizes = []
    while required_queue(world.ctx) or len(world.chain.pending):
        block = world.generate_block()
        sizes.append(block.size)
        assert block.transactions or len(sizes) > 3
    assert max(sizes) <= SMALL_BLOCK
    assert len(sizes) > 3
    world.recount()


def test_pending_required_execution(world: Harness) -> None:
    """What is due later waits."""

    def schedule(ctx: Context) -> None:
        schedule_required_action(ctx, ExampleRequiredAction(NULL), ctx.time + 3 * BLOCK)
        schedule_required_action(ctx, ExampleRequiredAction(INITMINER), ctx.time + 2 * BLOCK)

    world.edit(schedule)
    assert [name for _, name in required_queue(world.ctx)] == [INITMINER, NULL]
    block = world.generate_block()
    assert actions_of(block).required == (ExampleRequiredAction(INITMINER),)
    assert [name for _, name in required_queue(world.ctx)] == [NULL]
    assert actions_of(world.generate_block()).required == (ExampleRequiredAction(NULL),)
    assert required_queue(world.ctx) == []
    world.recount()


def refuse(world: Harness, block: Block, expected: str) -> None:
    """Checks that a block is refused with a message, and that it changes nothing."""
    before = world.chain.state_digest, world.chain.head_number
    with pytest.raises(ProtocolError) as refused:
        world.chain.push_block(block)
    assert expected in refused.value.message
    assert (world.chain.state_digest, world.chain.head_number) == before


def test_unexpected_required_action(world: Harness) -> None:
    block = remake(world, build(world), lambda _: HeaderActions((ExampleRequiredAction(TEMP),), ()))
    refuse(world, block, "Block included required action that does not exist in queue")
    world.edit(lambda ctx: schedule_required_action(ctx, ExampleRequiredAction(INITMINER), ctx.time + 2 * BLOCK))
    block = remake(world, build(world), lambda _: HeaderActions((ExampleRequiredAction(TEMP),), ()))
    refuse(
        world,
        block,
        "actions_itr->visit( equal_visitor ): Unexpected action included. "
        f'Expected: {{"type":"example_required_action","value":{{"account":"{FIRST}"}}}} '
        f'Observed: {{"type":"example_required_action","value":{{"account":"{TEMP}"}}}}',
    )
    world.generate_block()
    world.recount()


def test_missing_required_action(world: Harness) -> None:
    world.edit(lambda ctx: schedule_required_action(ctx, ExampleRequiredAction(INITMINER), ctx.time + 2 * BLOCK))
    block = remake(world, build(world), lambda _: HeaderActions((), ()))
    refuse(world, block, "Expected action was not included in block. total_actions_size: 11, ")
    world.generate_block()
    assert required_queue(world.ctx) == []
    world.recount()


def test_an_early_required_action_is_accepted(world: Harness) -> None:
    """The reference looks at the time only of what a block leaves out."""
    world.edit(lambda ctx: schedule_required_action(ctx, ExampleRequiredAction(INITMINER), ctx.time + 100 * BLOCK))
    assert actions_of(build(world)).required == ()
    world.chain.push_block(
        remake(world, build(world), lambda _: HeaderActions((ExampleRequiredAction(INITMINER),), ()))
    )
    assert required_queue(world.ctx) == []
    world.recount()


def test_optional_action_expiration() -> None:
    """An offer ends when the first block in which it could be is irreversible."""
    world = Harness()
    world.generate_blocks(25)
    world.edit(lambda ctx: schedule_optional_action(ctx, ExampleOptionalAction(NULL), ctx.time + 2 * BLOCK))
    due = world.chain.head_number + 1
    while world.gpo.last_irreversible_block_num < due:
        assert len(offers(world.ctx)) == 1
        found = build(world)
        assert actions_of(found).optional == (
            (ExampleOptionalAction(NULL),) if world.chain.head_number + 1 >= due else ()
        )
        world.chain.push_block(remake(world, found, lambda _: HeaderActions((), ())))
    assert offers(world.ctx) == []
    world.recount()


def test_an_offer_of_now_counts_from_the_head() -> None:
    world = Harness()
    world.generate_blocks(25)
    world.edit(lambda ctx: schedule_optional_action(ctx, ExampleOptionalAction(NULL)))
    head = world.chain.head_number - 1
    while world.gpo.last_irreversible_block_num < head:
        assert len(offers(world.ctx)) == 1
        world.generate_block()
    assert offers(world.ctx) == []
    world.recount()


def test_unexpected_optional_action(world: Harness) -> None:
    """What nobody offered may be carried out."""
    world.chain.push_block(remake(world, build(world), lambda _: HeaderActions((), (ExampleOptionalAction(NULL),))))
    world.recount()


def test_reject_optional_action(world: Harness) -> None:
    block = remake(world, build(world), lambda _: HeaderActions((), (ExampleOptionalAction("_foobar"),)))
    refuse(world, block, "is_valid_account_name( name ): Account name _foobar is invalid")
    emission = SmtTokenEmissionAction("alice", STEEM, 0, (), ())
    block = remake(world, build(world), lambda _: HeaderActions((), (emission,)))
    refuse(world, block, "smt_token_emission_action is not enabled on this chain.")
    world.recount()


def test_no_actions_before_their_hard_fork() -> None:
    world = Harness(config_with("testnet", tokens_enabled=False))
    expected = "Automated actions are not enabled until SMT hardfork."
    required = HeaderActions((ExampleRequiredAction(TEMP),), ())
    optional = HeaderActions((), (ExampleOptionalAction(TEMP),))
    refuse(world, remake(world, build(world), lambda _: required), expected)
    refuse(world, remake(world, build(world), lambda _: optional), expected)
    world.recount()


# --- effects ------------------------------------------------------------------------------------------------------


def test_actions_that_do_something(world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """They change the state of their block, and undoing the block takes that back; a failing offer is left out."""

    def pay(ctx: Context, action: Any) -> None:
        issue(ctx, STEEM, (7, (LIQUID, action.account)))

    def fail(_ctx: Context, _action: Any) -> None:
        raise Rejected("false", "not now")

    check = ACTION_RULES[ExampleRequiredAction].validate
    monkeypatch.setitem(ACTION_RULES, ExampleRequiredAction, ActionRule(check, pay, lambda _ctx: True))
    monkeypatch.setitem(ACTION_RULES, ExampleOptionalAction, ActionRule(check, fail, lambda _ctx: True))

    def schedule(ctx: Context) -> None:
        schedule_required_action(ctx, ExampleRequiredAction(INITMINER), ctx.time + 2 * BLOCK)
        schedule_optional_action(ctx, ExampleOptionalAction(NULL), ctx.time + 2 * BLOCK)

    world.edit(schedule)
    before, digest = world.account(INITMINER).balance, world.chain.state_digest
    block = world.generate_block()
    assert actions_of(block) == HeaderActions((ExampleRequiredAction(INITMINER),), ())
    assert world.account(INITMINER).balance == before + 7
    world.recount()
    world.chain.ledger.undo_block()
    assert (world.account(INITMINER).balance, world.chain.state_digest) == (before, digest)
    world.recount()
