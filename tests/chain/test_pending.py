"""The pool: its bounds, who leaves first, what a block is filled with, and what is applied again after one."""

from __future__ import annotations

from itertools import chain as join

import pytest

from chain.chain import Chain
from chain.finality import Mode
from chain.pending import FAILURES_MAX, RATE_BYTES, Payment, PendingTransactions
from chain.pool import SLICE_OPERATIONS_MAX, Budget
from operations.account import ClaimAccount
from operations.content import Comment
from operations.transfer import Transfer
from protocol.errors import PluginRefused, Rejected
from protocol.transaction import Transaction
from state.context import Context
from tests.chains import FIRST, NULL, TEMP
from tests.harness import Harness, config_with, empty_pool, steem

REVERSIBLE = config_with("testnet", irreversible_by_witness_from_block=1_000_000)
BLOCK_BYTES = 65_536


def begin_head(chain: Chain) -> None:
    """Looks at what waits from the head, and applies it."""
    chain.pool.begin_head()
    chain.pool.reapply(Budget(10_000))


def make(world: Harness, count: int, memo: str = "m", operations: int = 1) -> list[Transaction]:
    return [world.build(*(Transfer(FIRST, NULL, steem(1), memo) for _ in range(operations))) for _ in range(count)]


def credits_for(transaction: Transaction, per_byte: int) -> int:
    return transaction.size * per_byte


def crowded(*names: str, partition_bp: int = 0) -> Harness:
    """A chain of small blocks with some accounts that have money."""
    world = Harness(REVERSIBLE)
    world.create_accounts(*names)
    for name in names:
        world.fund(name, 1_000_000)
    world.edit(
        lambda ctx: ctx.update_gpo(
            maximum_block_size=BLOCK_BYTES,
            required_actions_partition_percent=partition_bp,
            available_account_subsidies=0,
        )
    )
    return world


def pay(world: Harness, sender: str, count: int = 1, memo: str = "") -> Transaction:
    return world.push(*(Transfer(sender, NULL, steem(1), memo) for _ in range(count)))


# The pool by itself


def test_the_pool_keeps_order_and_counts_bytes() -> None:
    world = Harness()
    pool = PendingTransactions()
    transactions = [world.build(Transfer(FIRST, NULL, steem(1), "m" * number)) for number in range(1, 6)]
    for transaction in (*transactions, transactions[0]):
        pool.add(transaction)
    assert list(pool) == transactions
    assert pool.size_bytes == sum(transaction.size for transaction in transactions)
    assert pool.find(transactions[2].id) is transactions[2]
    assert pool.earliest_expiration == min(transaction.expiration for transaction in transactions)
    empty_pool(pool)
    assert len(pool) == 0 and pool.size_bytes == 0 and pool.earliest_expiration is None


@pytest.mark.parametrize("bounds", [{"operations_max": 10}, {"bytes_max": 10 * 112}])
def test_a_full_pool_takes_what_pays_more_and_lets_go_of_what_pays_least(bounds: dict[str, int]) -> None:
    world = Harness()
    pool = PendingTransactions(**bounds)
    transactions = make(world, 12)
    transactions = [world.sign(transaction, world.key(FIRST)) for transaction in transactions]
    assert transactions[0].size == 112
    for number, transaction in enumerate(transactions[:10]):
        assert pool.check_room(transaction, Payment(f"account{number}", 0)) == []
        pool.add(transaction, Payment(f"account{number}", credits_for(transaction, 3 if number == 4 else 5)))
    cheap, good = transactions[10:]
    with pytest.raises(Rejected, match="Too many transactions are waiting: 10 with 1120 bytes and 10 operations"):
        pool.check_room(cheap, Payment("other", credits_for(cheap, 3)))
    assert pool.check_room(good, Payment("other", credits_for(good, 4))) == [transactions[4].id]
    assert pool.check_room(good, Payment("other", credits_for(good, 6))) == [transactions[4].id]
    (dropped,) = pool.drop([transactions[4].id])
    assert dropped.trx_id == transactions[4].id
    assert "pool is full" in dropped.error.message and "another one may still include it" in dropped.error.message
    pool.add(good, Payment("other", credits_for(good, 6)))
    best = world.sign(make(world, 1)[0], world.key(FIRST))
    assert pool.check_room(best, Payment("b", credits_for(best, 6))) == [transactions[9].id], "of equals the youngest"


def test_a_large_newcomer_does_not_take_the_place_of_what_pays_as_much() -> None:
    world = Harness()
    pool = PendingTransactions(operations_max=10)
    for number, transaction in enumerate(make(world, 10)):
        pool.add(transaction, Payment(f"account{number}", credits_for(transaction, number)))
    (large,) = make(world, 1, operations=2)
    with pytest.raises(Rejected, match="Too many"):
        pool.check_room(large, Payment("other", credits_for(large, 1)))
    assert len(pool.check_room(large, Payment("other", credits_for(large, 2)))) == 2
    assert len(pool) == 10


def test_one_account_has_a_share_of_the_pool() -> None:
    world = Harness()
    pool = PendingTransactions(operations_max=10)
    one, other, third = make(world, 3)
    pool.add(one, Payment("alice", 9_999))
    pool.add(other, Payment("alice", 9_999))
    with pytest.raises(Rejected, match="Too many transactions of alice are waiting: with this one 3 operations"):
        pool.check_room(third, Payment("alice", 9_999))
    assert pool.check_room(third, Payment("bob", 0)) == []


def test_the_order_of_payment_keeps_the_order_of_each_account() -> None:
    pool = PendingTransactions()
    transactions = make(Harness(), 5)
    payers = [("alice", 5), ("bob", 7), ("alice", 9), ("carol", 5), ("bob", 6)]
    for transaction, (name, rate) in zip(transactions, payers, strict=True):
        pool.add(transaction, Payment(name, credits_for(transaction, rate)))
    order = [transactions.index(waiting.transaction) for waiting in pool.by_payment()]
    assert order == [1, 4, 0, 2, 3], "the second of alice pays best and waits for the first"
    assert [pool.find_place(transactions[number].id)[0] for number in order] == [0, 1, 2, 3, 4]
    size = transactions[0].size
    assert pool.find_place(transactions[2].id) == (3, 3 * size, size)


def test_what_is_undone_comes_first_again() -> None:
    pool = PendingTransactions()
    transactions = make(Harness(), 6)
    for transaction in transactions[4:]:
        pool.add(transaction)
    pool.add_first([(transaction, Payment("", 0)) for transaction in transactions[2:4]])
    pool.add_first([(transaction, Payment("", 0)) for transaction in transactions[:2]])
    assert list(pool) == transactions
    assert [waiting.transaction for waiting in pool.by_payment()] == transactions


# What is accepted


def test_what_no_block_has_room_for_is_refused_with_the_limit() -> None:
    world = crowded(partition_bp=2_500)
    with pytest.raises(Rejected) as caught:
        world.push(*(Transfer(FIRST, TEMP, steem(1_000), "") for _ in range(1_500)))
    room = BLOCK_BYTES * 3 // 4
    assert caught.value.data == {
        "found": 79 + 1_500 * 33,
        "needed": room - 256,
        "maximum": BLOCK_BYTES,
        "room": room,
    }
    largest = (room - 256 - 79) // 132
    trx = world.push(*(Transfer(FIRST, TEMP, steem(1_000), "x" * 99) for _ in range(largest)))
    assert world.generate_block().transaction_ids == [trx.id]


def test_a_full_pool_refuses_and_takes_again_after_a_block() -> None:
    world = Harness()
    world.chain.pool.pending = PendingTransactions(operations_max=15)
    for _ in range(3):
        world.push(Transfer(FIRST, NULL, steem(1), ""))
    with pytest.raises(Rejected, match="Too many transactions of initminer"):
        world.push(Transfer(FIRST, NULL, steem(1), ""))
    world.generate_block()
    world.push(Transfer(FIRST, NULL, steem(1), ""))


def test_a_transaction_that_waits_unapplied_is_known_and_not_taken_twice() -> None:
    world = crowded()
    world.push(*(Transfer(FIRST, NULL, steem(1), "") for _ in range(SLICE_OPERATIONS_MAX + 1)))
    (large,) = world.chain.pending
    world.chain.pool.drop_state()
    begin_head(world.chain)
    assert world.tables.seen_transactions.find(large.id) is None, "it is too large to be applied again"
    assert world.chain.pool.knows(large.id)
    with pytest.raises(Rejected, match="Duplicate transaction"):
        world.chain.push_transaction(large)
    assert world.generate_block().transaction_ids == [large.id]


# What a block holds


def test_what_asks_for_much_work_is_refused_on_arrival_and_valid_in_a_block() -> None:
    world = Harness()
    operations = [Transfer(FIRST, NULL, steem(1), "")] * 641
    trx = world.build(*operations)
    trx = world.sign(trx, *world.signers_of(trx))
    with pytest.raises(PluginRefused, match=r"asks for 160250 steps of work; .* 160000 at most"):
        world.chain.push_transaction(trx)
    assert not len(world.chain.pending)
    world.chain.store.begin()
    world.chain.ledger.apply_transaction(trx)  # As a block would.
    world.chain.store.rollback()
    world.push(*operations[1:])


def test_six_that_do_not_fit_do_not_empty_the_block() -> None:
    """Found by a stranger: those that no block could hold were looked at first, and the search ended with the sixth."""
    world = crowded("alice", "bob", "carol")
    large = [pay(world, name, 500, "x" * 66) for name in ("alice", "carol") * 4]
    world.edit(lambda ctx: ctx.update_gpo(required_actions_partition_percent=5_000))
    large = [trx for trx in large if trx.id in world.chain.pending]
    small = [pay(world, "bob") for _ in range(5)]
    assert world.generate_block().transaction_ids == [trx.id for trx in small]
    assert [trx.id in world.chain.pending for trx in large] == [True] * 7


def test_what_pays_more_for_its_bytes_comes_first_when_not_all_fits() -> None:
    world = crowded("alice", "bob", "carol", "dave", "erin")
    large = [pay(world, name, 400, "x" * 20) for name in ("alice", "bob", "carol", "dave")]
    small = pay(world, "erin")
    rates = {trx.id: world.chain.pending.find_waiting(trx.id).rate for trx in (*large, small)}  # type: ignore[union-attr]
    assert rates[small.id] > max(rates[trx.id] for trx in large)
    block = world.generate_block()
    assert block.transaction_ids[0] == small.id and 1 < len(block.transactions) < 5
    best = sorted(rates, key=lambda trx_id: (-rates[trx_id], [trx.id for trx in (*large, small)].index(trx_id)))
    assert block.transaction_ids == best[: len(block.transactions)]


def test_no_account_gets_more_than_a_quarter_while_others_wait() -> None:
    world = crowded("alice", "bob", "carol")
    for name in ("alice", "bob"):
        for _ in range(40):
            pay(world, name, 20, "x" * 15)
    late = [pay(world, "carol", 20, "x" * 150) for _ in range(3)]
    block = world.generate_block()
    senders = [trx.operations[0].from_ for trx in block.transactions]  # type: ignore[attr-defined]
    assert {trx.id for trx in late} <= set(block.transaction_ids)
    first = block.transactions[: senders.index("carol")]
    for name in ("alice", "bob"):
        taken = sum(trx.size for trx, sender in zip(first, senders, strict=False) if sender == name)
        assert 0.2 * BLOCK_BYTES < taken < 0.25 * BLOCK_BYTES
    assert block.size > 0.95 * BLOCK_BYTES, "what is left is for those who had their share"


def fill_up(world: Harness) -> None:
    """More than a block holds, so that not everything waiting gets in."""
    for name in ("carol", "dave"):
        for _ in range(3):
            pay(world, name, 450)


def test_what_depends_on_what_pays_less_gets_in_behind_it() -> None:
    world = crowded("alice", "bob", "carol", "dave")
    fill_up(world)
    everything = world.account("alice").balance
    gift = world.push(*(Transfer("alice", "bob", steem(everything // 200), "") for _ in range(200)))
    spent = world.push(Transfer("bob", NULL, steem(world.account("bob").balance), ""))
    post = world.push(Comment("", "test", "alice", "post", "title", "body" * 2_000, ""))
    reply = world.push(Comment("alice", "post", "bob", "reply", "", "yes", ""))
    assert world.chain.pending.find_waiting(gift.id).rate < world.chain.pending.find_waiting(spent.id).rate  # type: ignore[union-attr]
    ids = world.generate_block().transaction_ids
    assert len(world.chain.pending) > 0, "not everything fits"
    assert ids.index(gift.id) < ids.index(spent.id)
    assert ids.index(post.id) < ids.index(reply.id)


def test_filling_a_block_ends_with_its_budget() -> None:
    world = crowded("alice", "bob", "carol", "dave")
    fill_up(world)
    ticks = iter(range(100))
    key = world.key(FIRST)
    name, time = FIRST, world.now + 3
    block = world.chain.build_block(name, key, time, True, Budget(20_000, lambda: next(ticks) >= 2))
    assert len(block.transactions) == 2
    begin_head(world.chain)
    assert len(world.chain.build_block(name, key, time, True, Budget(500)).transactions) == 2


def test_the_place_of_a_transaction_says_when_it_comes_and_what_keeps_it() -> None:
    world = crowded("alice", "bob", "carol", "dave")
    fill_up(world)
    *_, last = (waiting.transaction for waiting in world.chain.pending.by_payment())
    place = world.chain.builder.find_place(last.id)
    assert place is not None
    assert (place.position, place.bytes_ahead) == (5, sum(trx.size for trx in world.chain.pending) - last.size)
    assert place.rate == place.credits * RATE_BYTES // last.size > 0
    assert place.block == world.chain.head_number + 2, "a block does not hold all six"
    best = world.chain.builder.find_place(next(world.chain.pending.by_payment()).transaction.id)
    assert best is not None and (best.position, best.block) == (0, world.chain.head_number + 1)
    assert place.problem is None
    assert world.chain.builder.find_place(bytes(20)) is None


# What is applied again


def test_beyond_the_limit_transactions_wait_without_being_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Harness()
    world.create_account("alice")
    for _ in range(5):
        world.push(Transfer(FIRST, "alice", steem(1), ""))
    block = world.generate_block()
    world.chain.undo_head()
    for _ in range(5):
        world.push(Transfer(FIRST, "alice", steem(10), ""))
    monkeypatch.setattr("chain.pool.REAPPLIED_OPERATIONS_MAX", 2)
    world.chain.push_block(block)
    assert [len(world.chain.pending), world.account("alice").balance] == [5, 25]
    monkeypatch.undo()
    world.generate_block()
    assert [len(world.chain.pending), world.account("alice").balance] == [0, 55]


def test_what_waits_is_applied_again_in_pieces() -> None:
    world = crowded("alice")
    for _ in range(10):
        world.push(*(Transfer(FIRST, "alice", steem(1), "") for _ in range(3)))
    chain, before = world.chain, world.account("alice").balance
    chain.enter(Mode.LIVE)
    chain.pool.drop_state()
    chain.pool.begin_head()
    assert world.account("alice").balance == before - 30
    seen = []
    while chain.pool.reapply(Budget(5)):
        seen.append(world.account("alice").balance - before)
    assert seen == [-24, -18, -12, -6] and world.account("alice").balance == before
    assert not chain.pool.reapply(Budget(5))


def test_stopped_re_application_leaves_the_rest_waiting() -> None:
    world = crowded("alice")
    for _ in range(4):
        world.push(Transfer(FIRST, "alice", steem(1), ""))
    chain, before = world.chain, world.account("alice").balance
    chain.enter(Mode.LIVE)
    chain.pool.drop_state()
    chain.pool.begin_head()
    assert chain.pool.reapply(Budget(2))
    chain.pool.stop_reapplying()
    assert not chain.pool.reapply(Budget(9))
    assert [len(chain.pending), world.account("alice").balance] == [4, before - 2]
    assert len(world.generate_block().transactions) == 4


def test_what_fails_on_a_new_head_is_dropped_and_told() -> None:
    world = crowded("alice")
    everything = world.account("alice").balance
    block = world.apply(Transfer("alice", FIRST, steem(everything), ""))
    world.chain.undo_head()
    empty_pool(world.chain.pending)
    world.chain.pool.drop_state()
    lost = world.push(Transfer("alice", NULL, steem(1), ""))
    world.chain.push_block(block)
    (dropped,) = world.chain.pool.take_dropped()
    assert dropped.trx_id == lost.id and "balance" in dropped.error.message
    assert len(world.chain.pending) == 0 and world.chain.pool.take_dropped() == []


def test_what_fails_behind_something_unapplied_has_some_more_chances() -> None:
    world = crowded("alice")
    balance = world.account("alice").balance
    large = world.push(*(Transfer(FIRST, "alice", steem(1), "") for _ in range(SLICE_OPERATIONS_MAX + 1)))
    needs = world.push(Transfer("alice", NULL, steem(balance + SLICE_OPERATIONS_MAX), ""))
    for _ in range(FAILURES_MAX - 1):
        world.chain.pool.drop_state()
        begin_head(world.chain)
        assert list(world.chain.pending) == [large, needs]
    place = world.chain.builder.find_place(needs.id)
    assert place is not None and place.block is None and "balance" in (place.problem or "")
    assert world.generate_block().transaction_ids == [large.id, needs.id]


def test_a_claim_is_tried_for_the_witness_that_makes_the_block() -> None:
    """When it arrives nobody knows who that is, so that the witness's part is not asked for."""
    world = Harness()

    def leave_nothing_to_the_witness(ctx: Context) -> None:
        ctx.update_gpo(available_account_subsidies=10**6)
        witnesses = ctx.tables.witnesses
        witnesses.update(witnesses.get(FIRST), available_witness_account_subsidies=0)

    world.edit(leave_nothing_to_the_witness)
    world.push(ClaimAccount(FIRST, steem(0), ()))
    assert world.generate_block().transaction_ids == []


def test_a_block_is_not_made_of_what_no_longer_waits() -> None:
    world = crowded("alice", "bob")
    first, second = pay(world, "alice"), pay(world, "bob")
    world.chain.pending.remove(first.id)
    assert world.generate_block().transaction_ids == [second.id]


@pytest.mark.parametrize("lifetimes", [(6,), (5,), (6, 5), (5, 6)])
def test_a_block_holds_what_expires_in_its_slot_but_nothing_older(lifetimes: tuple[int, ...]) -> None:
    """Its slot is six seconds later. Source: block_producer.cpp, apply_pending_transactions."""
    world = crowded("alice")
    pushed = {
        world.push(Transfer("alice", NULL, steem(1), str(lifetime)), expires_in=lifetime).id: lifetime
        for lifetime in lifetimes
    }
    block = world.generate_block(skip_slots=1)
    assert block.transaction_ids == [trx_id for trx_id, lifetime in pushed.items() if lifetime == 6]


def test_choice_is_the_same_for_the_same_pool() -> None:
    worlds = [crowded("alice", "bob", "carol", "dave") for _ in range(2)]
    for world in worlds:
        fill_up(world)
    first, second = (world.generate_block() for world in worlds)
    assert first.packed == second.packed
    assert len(list(join(first.transactions, worlds[0].chain.pending))) == 6
