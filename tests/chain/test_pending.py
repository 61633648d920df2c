"""The pool of pending transactions: order, limits, what is applied again after a block."""

from __future__ import annotations

import pytest

from chain.pending import PendingTransactions
from operations.transfer import Transfer
from protocol.errors import Rejected
from tests.harness import Harness, steem


def test_the_pool_keeps_order_and_counts_bytes() -> None:
    world = Harness()
    pool = PendingTransactions()
    transactions = [world.build(Transfer("initminer", "null", steem(1), "m" * number)) for number in range(1, 6)]
    for transaction in (*transactions, transactions[0]):
        pool.add(transaction)
    assert list(pool) == transactions
    assert pool.size_bytes == sum(transaction.size for transaction in transactions)
    assert pool.find(transactions[2].id) is transactions[2]
    assert pool.take_all() == transactions
    assert len(pool) == 0 and pool.size_bytes == 0


def test_the_pool_is_bounded_in_number_and_bytes() -> None:
    world = Harness()
    transactions = [world.build(Transfer("initminer", "null", steem(1), "m")) for _ in range(4)]
    few = PendingTransactions(count_max=2)
    few.restore(transactions)
    assert list(few) == transactions[:2]
    with pytest.raises(Rejected, match="Too many transactions"):
        few.check_room(transactions[3])
    small = PendingTransactions(bytes_max=3 * transactions[0].size)
    small.restore(transactions)
    assert len(small) == 3
    with pytest.raises(Rejected, match="Too many transactions"):
        small.check_room(transactions[3])


def test_a_full_pool_refuses_and_takes_again_after_a_block() -> None:
    world = Harness()
    world.chain._pending = PendingTransactions(count_max=3)
    for _ in range(3):
        world.push(Transfer("initminer", "null", steem(1), ""))
    with pytest.raises(Rejected, match="Too many transactions"):
        world.push(Transfer("initminer", "null", steem(1), ""))
    world.generate_block()
    world.push(Transfer("initminer", "null", steem(1), ""))


def test_beyond_the_limit_transactions_wait_without_being_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Harness()
    world.create_account("alice")
    for _ in range(5):
        world.push(Transfer("initminer", "alice", steem(1), ""))
    block = world.generate_block()
    world.chain.undo_head()
    for _ in range(5):
        world.push(Transfer("initminer", "alice", steem(10), ""))
    monkeypatch.setattr("chain.chain.REAPPLIED_MAX", 7)
    world.chain.push_block(block)
    assert [len(world.chain.pending), world.account("alice").balance] == [5, 25]
    monkeypatch.undo()
    world.generate_block()
    assert [len(world.chain.pending), world.account("alice").balance] == [0, 55]
