"""Account history: numbering, order, fork switches, what is written and what is in memory."""

from __future__ import annotations

from chain.effects import AppliedOperation
from index.account_history import order_operations
from index.base import BEGINNING
from operations.transfer import Transfer
from protocol.virtual_operations import Interest
from tests.chains import FIRST, MINERS, NULL
from tests.harness import Harness, sbd, steem


def names(world: Harness, account: str) -> list[tuple[int, str]]:
    entries = world.history.get_account_operations(account, 10**9, 10**6)
    return [(entry.sequence, entry.operation.op.wire_name) for entry in entries]


def test_numbers_go_on_from_the_database_into_memory() -> None:
    world = Harness()
    world.create_accounts("alice", "bob")
    world.fund("alice", steem_amount=1000)
    for _ in range(30):
        world.apply(Transfer("alice", "bob", steem(1), ""))
    found = names(world, "alice")
    assert found == [(0, "account_create"), *((number, "transfer") for number in range(1, 32))]
    history = world.history
    assert history.count_operations("alice") == 32
    assert 0 < world.chain.finality.committed_number < world.chain.head_number
    assert [entry.sequence for entry in history.get_account_operations("alice", 9, 4)] == [6, 7, 8, 9]
    assert [entry.sequence for entry in history.get_account_operations("alice", 500, 3)] == [29, 30, 31]
    assert history.get_account_operations("alice", 2, 100)[0].sequence == 0
    assert history.get_account_operations("nobody", 10, 10) == []


def test_operations_and_events_of_a_block_before_and_after_it_is_written() -> None:
    world = Harness()
    transaction = world.push(Transfer(FIRST, NULL, steem(5), ""))
    block = world.generate_block()
    before = world.history.get_operations_in_block(block.number)
    assert [applied.op.wire_name for applied in before] == ["transfer", "producer_reward"]
    assert before[0].trx_id == transaction.id and before[0].timestamp == block.timestamp - 3
    assert before[1].trx_in_block == 0xFFFFFFFF and before[1].timestamp == block.timestamp
    world.generate_blocks(25)
    assert world.chain.finality.committed_number >= block.number
    assert world.history.get_operations_in_block(block.number) == before
    assert world.history.find_transaction(transaction.id) == (block.number, 0)
    assert world.history.find_transaction(bytes(20)) is None


def test_events_inside_an_operation_come_before_it() -> None:
    world = Harness()
    world.generate_blocks(22)
    world.pass_time(40 * 86_400)
    world.apply(Transfer(FIRST, MINERS, sbd(1000), ""))
    assert [name for _number, name in names(world, FIRST)][-3:] == ["interest", "transfer", "producer_reward"]
    operations = world.history.get_operations_in_block(world.chain.head_number)
    assert [(applied.op.wire_name, applied.virtual_op) for applied in operations][:2] == [
        ("interest", 1),
        ("transfer", 0),
    ]


def test_order_keeps_operations_of_one_transaction_apart() -> None:
    def make(op_in_trx: int, virtual_op: int) -> AppliedOperation:
        op = Interest("alice", sbd(1)) if virtual_op else Transfer("alice", "bob", sbd(1), "")
        return AppliedOperation(bytes(20), 1, 0, op_in_trx, virtual_op, 0, op)

    given = (make(0, 0), make(0, 1), make(1, 0), make(2, 0), make(2, 2), make(2, 3))
    places = [(applied.op_in_trx, applied.virtual_op) for applied in order_operations(given)]
    assert places == [(0, 1), (0, 0), (1, 0), (2, 2), (2, 3), (2, 0)]


def test_virtual_operations_are_enumerated_with_the_next_block() -> None:
    world = Harness()
    world.generate_blocks(40)
    history = world.history
    found, following = history.enumerate_virtual_operations(5, 8)
    assert [applied.block for applied in found if applied.op.wire_name == "producer_reward"] == [5, 6, 7]
    assert following == 8
    found, following = history.enumerate_virtual_operations(38, 100)
    assert found[-1].block == 41 and following == 0


def test_a_fork_switch_takes_history_along() -> None:
    world, other = Harness(), Harness(first_block=False)
    first = world.chain.reader.get_block(1)
    assert first is not None
    other.chain.push_block(first)
    gone = world.push(Transfer(FIRST, NULL, steem(1), "gone"), expires_in=3)
    world.generate_block()
    assert world.history.find_transaction(gone.id) == (2, 0)
    other.generate_block(skip_slots=1)
    other.push(Transfer(FIRST, MINERS, steem(1), "stays"))
    other.generate_block()
    for number in (2, 3):
        block = other.chain.reader.get_block(number)
        assert block is not None
        world.chain.push_block(block)
    assert world.history.find_transaction(gone.id) is None
    assert names(world, FIRST) == names(other, FIRST)
    assert NULL not in {name for _number, name in names(world, NULL)}
    assert names(world, NULL) == []


def test_dropping_empties_the_index() -> None:
    world = Harness()
    world.generate_blocks(30)
    expected = names(world, FIRST)
    world.history.drop()
    assert world.history.written == BEGINNING
    assert names(world, FIRST) == []
    world.indexes.rebuild()
    assert names(world, FIRST) == expected
