"""When the next block's transactions are tried again: only if something could have changed since they were accepted."""

from typing import Any

import pytest

import chain.pool
from chain.ledger import Ledger
from operations.account import ClaimAccount
from operations.transfer import Transfer
from state.context import SINGLETON
from tests.chains import FIRST
from tests.harness import Harness, config_with, steem

PAYMENT = Transfer("alice", "bob", steem(1), "")
REVERSIBLE = config_with("dev", irreversible_by_witness_from_block=1_000_000)


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The ids of transactions that were applied outside a block."""
    found: list[bytes] = []
    original = Ledger.apply_transaction

    def apply_transaction(self: Ledger, transaction: Any, *arguments: Any, **options: Any) -> None:
        found.append(transaction.id)
        original(self, transaction, *arguments, **options)

    monkeypatch.setattr(Ledger, "apply_transaction", apply_transaction)
    return found


def test_what_was_accepted_on_the_head_is_not_tried_again(tries: list[bytes]) -> None:
    world = Harness(REVERSIBLE)
    sent = [world.push(Transfer("alice", "bob", steem(number), "")).id for number in (1, 2, 3)]
    assert world.generate_block().transaction_ids == sent == tries


def test_what_waits_longer_is_tried_once_for_each_head(tries: list[bytes]) -> None:
    world = Harness(REVERSIBLE)
    world.generate_block()
    world.push(PAYMENT)
    world.generate_block()
    world.chain.undo_head()
    assert len(tries) == 2
    assert len(world.generate_block().transactions) == 1
    assert len(tries) == 2


def test_claims_depend_on_the_producer_and_are_tried_again(tries: list[bytes]) -> None:
    world = Harness(REVERSIBLE)
    world.push(
        ClaimAccount("alice", world.tables.witness_schedule.get(SINGLETON).median_props.account_creation_fee, ())
    )
    world.push(PAYMENT)
    assert len(world.generate_block().transactions) == 2
    assert len(tries) == 4


def test_more_than_is_applied_again_is_tried(tries: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain.pool, "REAPPLIED_OPERATIONS_MAX", 1)
    world = Harness(REVERSIBLE)
    for number in (1, 2):
        world.push(Transfer("alice", "bob", steem(number), ""))
    world.generate_block()
    world.chain.undo_head()
    tries.clear()
    assert len(world.generate_block().transactions) == 2
    assert len(tries) == 2


def test_a_block_that_was_built_and_not_pushed_leaves_everything_to_be_tried(tries: list[bytes]) -> None:
    world = Harness(REVERSIBLE)
    world.push(PAYMENT)
    block = world.generate_block()
    world.chain.undo_head()
    key = world.key(FIRST, "active")
    world.chain.build_block(block.witness, key, block.timestamp)
    world.push(Transfer("alice", "bob", steem(2), ""))
    tries.clear()
    assert len(world.generate_block().transactions) == 2
    assert len(tries) == 2


def test_what_lacks_credits_on_a_new_head_waits_and_is_left_out() -> None:
    strict, lax = Harness(first_block=False), Harness()
    strict.chain.refuses_without_credits = True
    lax.create_account("alice")
    lax.fund("alice", 100)
    lax.vest("alice", 1)
    follow(strict, lax)
    late = strict.push(Transfer("alice", FIRST, steem(2), "")).id
    for _ in range(80):
        lax.push(Transfer("alice", FIRST, steem(1), ""))
    lax.generate_block()
    follow(strict, lax)
    assert strict.generate_block().transaction_ids == []
    assert late in strict.chain.pending


def follow(behind: Harness, ahead: Harness) -> None:
    """Pushes the blocks that a chain lacks."""
    for number in range(behind.chain.head_number + 1, ahead.chain.head_number + 1):
        block = ahead.chain.reader.get_block(number)
        assert block is not None
        behind.chain.push_block(block)
