"""Chains that grow, fork, switch, refuse and go back; counterparts of block_tests.cpp."""

from __future__ import annotations

import pytest

from chain.effects import Applied, Irreversible, Undone
from consensus.slots import get_slot_time
from operations.account import AccountCreate
from operations.custom import CustomJson
from operations.transfer import Transfer
from protocol.block import Block
from protocol.errors import (
    BlockLinkError,
    Invalid,
    Rejected,
    TransactionExpired,
    TransactionTapos,
    UnknownKey,
)
from protocol.keys import PrivateKey, is_canonical, sign_digest
from protocol.types import HardforkVersionVote
from tests.chains import FIRST, NULL, TEMP
from tests.harness import Harness, authority_of, config_with, empty_pool, steem

INIT_KEY = PrivateKey.from_seed("init_key")


@pytest.fixture
def world() -> Harness:
    harness = Harness()
    harness.create_accounts("alice", "bob")
    harness.fund("alice", steem_amount=100_000)
    return harness


def remake(world: Harness, block: Block, **changes: object) -> Block:
    """The block with some fields changed, signed again."""
    fields = {
        "previous": block.previous,
        "timestamp": block.timestamp,
        "witness": block.witness,
        "transactions": block.transactions,
        "extensions": block.extensions,
    }
    made = Block.make(world.codec, **{**fields, **changes})  # type: ignore[arg-type]
    return made.with_signature(sign_digest(made.digest, INIT_KEY, is_canonical))


def test_empty_blocks_are_taken_by_another_node_and_become_irreversible() -> None:
    world = Harness(first_block=False)
    other = Harness(first_block=False)
    for number in range(1, 61):
        block = world.generate_block()
        result = other.chain.push_block(block)
        assert [applied.effects.number for applied in result.applied] == [number]
        assert other.chain.irreversible_number == max(0, number - 21)
        assert result.irreversible == (number - 21 if number > 21 else None)
    assert other.chain.state_digest == world.chain.state_digest
    assert other.chain.finality.committed_number == 39
    assert other.chain.reader.get_block(5) == world.chain.reader.get_block(5)


def test_undoing_blocks_gives_the_same_state_back(world: Harness) -> None:
    digests = [world.chain.state_digest]
    blocks = []
    transactions = [
        world.sign(world.build(Transfer("alice", "bob", steem(10), "")), world.key("alice")) for _ in range(6)
    ]
    for transaction in transactions:
        world.chain.push_transaction(transaction)
        blocks.append(world.generate_block())
        digests.append(world.chain.state_digest)
        assert world.chain.state_digest == world.chain.store.compute_digest_from_scratch()
    for block, digest in zip(reversed(blocks), reversed(digests[:-1]), strict=True):
        undone = world.chain.undo_head()
        assert undone == Undone(block.number, block.id)
        assert world.chain.state_digest == digest
    assert len(world.chain.pending) == 6
    world.recount()
    world.generate_block()
    assert world.account("bob").balance == 60


def test_the_longer_branch_wins_and_the_switch_is_exact(world: Harness) -> None:
    other = world.twin()
    for _ in range(3):
        world.push(Transfer("alice", "bob", steem(1), ""))
        world.generate_block()
    short = world.chain.state_digest
    other.push(Transfer("alice", "bob", steem(500), ""))
    branch = [other.generate_block(skip_slots=4), *other.generate_blocks(3)]
    for block in branch[:3]:
        assert world.chain.push_block(block).feed == ()
        assert world.chain.state_digest == short
    old_ids = [world.chain.reader.get_block_id(world.chain.head_number - back) for back in range(3)]
    result = world.chain.push_block(branch[3])
    assert [undone.id for undone in result.undone] == old_ids
    assert [applied.block for applied in result.applied] == branch
    assert all(isinstance(item, Undone) for item in result.feed[:3])
    assert all(isinstance(item, Applied) for item in result.feed[3:])
    assert world.chain.head_id == branch[-1].id
    assert world.account("bob").balance == 501, "the undone transfer that refers to a common block waits again"
    while world.chain.store.depth:
        world.chain.store.rollback()
    assert world.chain.state_digest == other.chain.state_digest
    world.recount()


def test_a_bad_block_on_the_longer_branch_leaves_everything_as_it_was(world: Harness) -> None:
    other = world.twin()
    mine = world.generate_blocks(2)
    digest = world.chain.state_digest
    history = world.history.count_operations(FIRST)
    good = [other.generate_block(skip_slots=2), other.generate_block()]
    bad = remake(other, other.generate_block(), witness="alice")
    child = remake(other, bad, previous=bad.id, timestamp=bad.timestamp + 3, witness=FIRST)
    assert [world.chain.push_block(block).feed for block in good] == [(), ()]
    with pytest.raises(UnknownKey):
        world.chain.push_block(bad)
    assert world.chain.head_id == mine[-1].id
    assert world.chain.state_digest == digest
    assert world.history.count_operations(FIRST) == history
    with pytest.raises(Rejected):
        world.chain.push_block(bad)
    with pytest.raises(Rejected):
        world.chain.push_block(child)
    world.generate_block()
    world.recount()


def test_a_block_with_its_transactions_taken_out_does_not_spoil_the_true_one(world: Harness) -> None:
    """Both have one id: it covers the header, and the transactions only through the merkle root stated there."""
    other = world.twin()
    world.push(Transfer("alice", "bob", steem(1), ""))
    block = world.generate_block()
    header = {name: getattr(block, name) for name in ("previous", "timestamp", "witness", "extensions")}
    hollow = Block.make(
        world.codec,
        **header,
        transaction_merkle_root=block.transaction_merkle_root,
        witness_signature=block.witness_signature,
    )
    assert hollow.id == block.id
    with pytest.raises(Rejected, match="Merkle check failed"):
        other.chain.push_block(hollow)
    following = world.generate_block()
    with pytest.raises(BlockLinkError):
        other.chain.push_block(following)
    other.chain.push_block(block)
    assert other.chain.head_id == following.id
    assert other.chain.state_digest == world.chain.state_digest


def test_trust_in_a_block_is_no_trust_in_those_that_wait_for_it(world: Harness) -> None:
    other = world.twin()
    block, following = world.generate_block(), world.generate_block()
    forged = following.with_signature(bytes(65))
    with pytest.raises(BlockLinkError):
        other.chain.push_block(forged)
    result = other.chain.push_block(block, skip_signatures=True)
    assert [applied.block.id for applied in result.applied] == [block.id]
    assert other.chain.reader.is_invalid_block(forged.id)
    other.chain.push_block(following)
    assert other.chain.head_id == following.id


def test_trust_in_a_block_is_no_trust_in_its_branch(world: Harness) -> None:
    other, third = world.twin(), world.twin()
    world.generate_block()
    other.generate_block(skip_slots=1)
    forged = remake(other, other.generate_block()).with_signature(bytes(65))
    first = other.chain.reader.get_block(other.chain.head_number - 1)
    assert first is not None
    main = world.generate_block()
    third.chain.push_block(world.chain.reader.get_block(main.number - 1) or main)
    third.chain.push_block(main)
    third.chain.push_block(first)
    third.chain.push_block(forged)  # As high as the head, so nobody looked at its signature.
    top = remake(other, other.generate_block(), previous=forged.id)
    with pytest.raises(Invalid):
        third.chain.push_block(top, skip_signatures=True)
    assert third.chain.head_id == main.id
    assert third.chain.reader.is_invalid_block(forged.id)


def test_a_block_whose_transactions_are_trusted_must_be_signed_by_its_witness(world: Harness) -> None:
    other = world.twin()
    unsigned = world.build(Transfer("alice", "bob", steem(1), ""))
    block = remake(world, world.generate_block(), transactions=(unsigned,))
    with pytest.raises(Invalid):
        other.chain.push_block(block.with_signature(bytes(65)), skip_authorities=True)
    other.chain.push_block(block, skip_authorities=True)
    assert other.chain.head_id == block.id


def test_ids_of_many_blocks_are_those_of_each(world: Harness) -> None:
    world.generate_blocks(40)
    chain, head = world.chain, world.chain.head_number
    assert 1 < chain.finality.committed_number < head
    each = [chain.reader.get_block_id(number) for number in range(1, head + 1)]
    committed = chain.finality.committed_number
    for first, last in ((1, head), (1, 1), (head, head), (5, committed), (committed, head), (committed - 1, committed)):
        assert chain.reader.get_block_ids(first, last) == each[first - 1 : last]
    assert chain.reader.get_block_ids(3, head + 5) == each[2:]
    assert chain.reader.get_block_ids(head + 1, head + 5) == []


def test_switch_forks_undo_create() -> None:
    world, other = Harness(), Harness(first_block=False)
    first = world.chain.reader.get_block(1)
    assert first is not None
    other.chain.push_block(first)
    transaction = world.sign(world.build(Transfer(FIRST, NULL, steem(7), "x")), INIT_KEY)
    world.chain.push_transaction(transaction)
    block = world.generate_block()
    assert block.transaction_ids == [transaction.id]
    world.chain.push_block(other.generate_block(skip_slots=1))
    result = world.chain.push_block(other.generate_block())
    assert len(result.undone) == 1 and len(result.applied) == 2
    assert transaction.id in world.chain.pending
    assert world.chain.pool.knows(transaction.id)
    other.chain.push_transaction(transaction)
    block = other.generate_block()
    assert block.transaction_ids == [transaction.id]
    world.chain.push_block(block)
    assert len(world.chain.pending) == 0
    assert world.history.find_transaction(transaction.id) == (block.number, 0)


def test_blocks_in_any_order_end_in_the_same_chain(world: Harness) -> None:
    other = world.twin()
    blocks = other.generate_blocks(5)
    for block in reversed(blocks[1:]):
        with pytest.raises(BlockLinkError):
            world.chain.push_block(block)
    result = world.chain.push_block(blocks[0])
    assert [applied.block for applied in result.applied] == blocks
    assert world.chain.state_digest == other.chain.state_digest
    assert world.chain.push_block(blocks[2]).feed == ()


def test_a_branch_from_before_the_irreversible_block_is_refused(world: Harness) -> None:
    other = world.twin()
    world.generate_blocks(40)
    with pytest.raises(Rejected, match="too old"):
        world.chain.push_block(other.generate_block())


def test_irreversible_comes_last_in_the_feed(world: Harness) -> None:
    other = world.twin()
    for block in other.generate_blocks(30):
        result = world.chain.push_block(block)
    assert result.feed[-1] == Irreversible(world.chain.head_number - 21)
    assert world.chain.finality.committed_number == world.chain.irreversible_number


def test_duplicate_transactions_are_refused_pending_and_in_blocks(world: Harness) -> None:
    transaction = world.push(Transfer("alice", "bob", steem(1), ""))
    for _ in range(2):
        with pytest.raises(Rejected, match="Duplicate transaction check failed"):
            world.chain.push_transaction(transaction)
        world.generate_block()
    head = world.generate_block()
    double = remake(world, head, previous=head.id, timestamp=head.timestamp + 3, transactions=(transaction,))
    with pytest.raises(Rejected, match="Duplicate"):
        world.chain.push_block(double)


def test_reference_block_and_expiration(world: Harness) -> None:
    longest = world.config.rules.max_time_until_expiration_seconds
    with pytest.raises(TransactionExpired):
        world.push(Transfer("alice", "bob", steem(1), ""), expires_in=0)
    with pytest.raises(TransactionExpired):
        world.push(Transfer("alice", "bob", steem(1), ""), expires_in=longest + 1)
    world.push(Transfer("alice", "bob", steem(1), ""), expires_in=longest)
    world.push(Transfer("alice", "bob", steem(1), ""), expires_in=1)
    unsigned = world.build(Transfer("alice", "bob", steem(1), ""))
    for number, prefix in ((unsigned.ref_block_num, 1), (60_000, unsigned.ref_block_prefix)):
        wrong = type(unsigned).make(
            world.codec,
            ref_block_num=number,
            ref_block_prefix=prefix,
            expiration=unsigned.expiration,
            operations=unsigned.operations,
        )
        with pytest.raises(TransactionTapos):
            world.chain.push_transaction(world.sign(wrong, world.key("alice")))
    unknown_block = type(unsigned).make(
        world.codec,
        ref_block_num=60_000,
        ref_block_prefix=0,
        expiration=unsigned.expiration,
        operations=unsigned.operations,
    )
    world.chain.push_transaction(world.sign(unknown_block, world.key("alice")))


def test_expired_transactions_are_forgotten_and_dropped(world: Harness) -> None:
    included = world.push(Transfer("alice", "bob", steem(1), ""), expires_in=9)
    world.generate_block()
    late = world.push(Transfer("alice", "bob", steem(1), ""), expires_in=2)
    block = world.generate_block(skip_slots=1)
    assert late.id not in block.transaction_ids
    assert late.id not in world.chain.pending
    assert world.chain.pool.knows(included.id)
    world.generate_block()
    assert not world.chain.pool.knows(included.id)


def test_pending_transactions_follow_a_new_head(world: Harness) -> None:
    other = world.twin()
    first = world.push(Transfer("alice", "bob", steem(60_000), ""))
    second = world.push(Transfer("alice", "bob", steem(30_000), ""))
    assert world.account("bob").balance == 90_000
    other.push(Transfer("alice", "bob", steem(65_000), ""))
    world.chain.push_block(other.generate_block())
    assert [transaction.id for transaction in world.chain.pending] == [second.id], "the first no longer has the money"
    assert world.account("bob").balance == 95_000
    block = world.generate_block()
    assert block.transaction_ids == [second.id]
    assert first.id not in world.chain.pending
    assert len(world.chain.pending) == 0


def test_a_refused_transaction_leaves_no_trace(world: Harness) -> None:
    before = world.chain.store.compute_digest_from_scratch()
    with pytest.raises(Rejected):
        world.push(Transfer("alice", "bob", steem(1), ""), Transfer("alice", "bob", steem(10_000_000), ""))
    while world.chain.store.depth:
        world.chain.store.rollback()
    assert world.chain.store.compute_digest_from_scratch() == before
    assert len(world.chain.pending) == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"witness": "alice"}, UnknownKey),
        ({"witness": "nobody"}, UnknownKey),
        ({"timestamp": -3}, Rejected),
        ({"timestamp": 0}, Rejected),
        ({"transaction_merkle_root": bytes([1] * 20)}, Rejected),
    ],
)
def test_header_faults_are_refused(world: Harness, changes: dict[str, object], error: type[Exception]) -> None:
    good = world.generate_block()
    world.chain.undo_head()
    digest = world.chain.state_digest
    if "timestamp" in changes:
        changes = {"timestamp": world.now + int(str(changes["timestamp"]))}
    with pytest.raises(error):
        world.chain.push_block(remake(world, good, **changes))
    assert world.chain.state_digest == digest
    assert world.chain.push_block(good).applied


def test_double_sign_check(world: Harness) -> None:
    transfer = Transfer("alice", "bob", steem(1), "")
    alice, bob = world.key("alice"), world.key("bob")
    with pytest.raises(Rejected, match="missing required active authority"):
        world.push(transfer, keys=[])
    with pytest.raises(Rejected, match="duplicate signature included"):
        world.push(transfer, keys=[alice, alice])
    with pytest.raises(Rejected, match="irrelevant signature included"):
        world.push(transfer, keys=[alice, bob])
    with pytest.raises(Rejected, match="missing required active authority"):
        world.push(transfer, keys=[world.key("alice", "posting")])
    with pytest.raises(UnknownKey):
        world.push(Transfer("nobody", "bob", steem(1), ""), keys=[alice])
    world.push(transfer, keys=[world.key("alice", "owner")])
    world.push(transfer)


def test_a_wrong_witness_key_is_refused(world: Harness) -> None:
    block = world.generate_block()
    world.chain.undo_head()
    forged = block.with_signature(sign_digest(block.digest, world.key("alice"), is_canonical))
    with pytest.raises(Rejected, match="validate_signee"):
        world.chain.push_block(forged)
    with pytest.raises(Invalid):
        world.chain.push_block(block.with_signature(bytes(65)))
    with pytest.raises(Rejected):
        world.chain.generate_block(FIRST, world.key("alice"), get_slot_time(world.ctx, 1))
    with pytest.raises(Rejected):
        world.chain.generate_block("alice", INIT_KEY, get_slot_time(world.ctx, 1))
    assert world.chain.push_block(block).applied


def test_blocks_respect_the_size_limit(world: Harness) -> None:
    world.edit(lambda ctx: ctx.update_gpo(maximum_block_size=20_000, required_actions_partition_percent=2500))
    for _ in range(60):
        world.push(Transfer("alice", "bob", steem(1), "m" * 500))
    with pytest.raises(Rejected, match="pack_size"):
        world.push(*(Transfer("alice", "bob", steem(1), "m" * 2000) for _ in range(10)))
    block = world.generate_block()
    assert 10_000 < block.size < 15_000
    left = len(world.chain.pending)
    assert left == 60 - len(block.transactions)
    while len(world.chain.pending):
        assert world.generate_block().size < 15_000
    assert world.account("bob").balance == 60


def test_a_block_larger_than_the_maximum_is_refused(world: Harness) -> None:
    other = world.twin()
    for _ in range(40):
        other.push(Transfer("alice", "bob", steem(1), "m" * 500))
    block = other.generate_block()
    world.edit(lambda ctx: ctx.update_gpo(maximum_block_size=10_000))
    moved = remake(world, block, previous=world.chain.head_id, timestamp=world.now + 3)
    with pytest.raises(Rejected, match="Block Size is too Big"):
        world.chain.push_block(moved)


def test_a_hard_fork_is_voted_applied_and_undone() -> None:
    text = config_with("testnet")
    future = {"number": 25, "version": "0.25.0", "time": 1_451_606_403, "rules": {"min_payout_sbd": 7}}
    plain = text.model_dump()
    plain["hardforks"] = {**plain["hardforks"], "future": [future]}
    plain["rules"] = text.rules
    world = Harness(type(text).model_validate(plain))
    assert world.chain.ctx.rules.min_payout_sbd == 20
    block = world.chain.reader.get_block(1)
    assert block is not None
    assert any(isinstance(extension, HardforkVersionVote) for extension in block.extensions)
    world.edit(
        lambda ctx: ctx.tables.witness_schedule.update(
            ctx.tables.witness_schedule.get(0), hardfork_required_witnesses=1
        )
    )
    while world.chain.head_number < 20:
        world.generate_block()
    before = world.chain.state_digest
    assert world.chain.ctx.rules.min_payout_sbd == 20
    world.generate_block()
    world.generate_block()
    assert world.tables.hardfork_property.get(0).last_hardfork == 25
    assert world.chain.ctx.rules.min_payout_sbd == 7
    world.chain.undo_head()
    world.chain.undo_head()
    assert world.chain.ctx.rules.min_payout_sbd == 20
    assert world.chain.state_digest == before


def test_custom_operations_of_one_account_are_limited_between_blocks(world: Harness) -> None:
    def push(number: int) -> None:
        world.push(CustomJson((), ("alice",), "id", f'{{"n":{number}}}'))

    for number in range(5):
        push(number)
    with pytest.raises(Rejected, match="already submitted 5 custom json"):
        push(5)
    world.generate_block()
    push(6)


def test_history_is_optional() -> None:
    world = Harness(has_history=False)
    world.generate_blocks(30)
    assert not world.indexes.has_history
    with pytest.raises(Rejected, match="This node keeps no account history"):
        _ = world.history
    with pytest.raises(Rejected, match="This node keeps no market history"):
        _ = world.market


def test_a_transaction_of_a_block_is_refused_by_every_node(world: Harness) -> None:
    """The second half of duplicate_transactions: the node that got the block refuses too, and paid once."""
    other = world.twin()
    transaction = world.push(Transfer(FIRST, "bob", steem(500), ""))
    with pytest.raises(Rejected, match="Duplicate"):
        world.chain.push_transaction(transaction)
    other.chain.push_block(world.generate_block())
    for node in (world, other):
        with pytest.raises(Rejected, match="Duplicate transaction check failed"):
            node.chain.push_transaction(transaction)
        assert node.account("bob").balance == 500
        node.recount()


def test_what_waits_again_of_undone_blocks_is_in_their_order(world: Harness) -> None:
    """Each of three blocks spends what the one before gave: out of order the transfers are refused, and lost."""
    other = world.twin()
    transfers = [("alice", "bob", 100_000), ("bob", "alice", 99_999), ("alice", "bob", 99_998)]
    built = [world.build(Transfer(giver, taker, steem(amount), "")) for giver, taker, amount in transfers]
    sent = [world.sign(transaction, *world.signers_of(transaction)) for transaction in built]
    for transaction in sent:  # All refer to a block that both branches have.
        world.chain.push_transaction(transaction)
        world.generate_block()
    for block in [other.generate_block(skip_slots=4), *other.generate_blocks(3)]:
        result = world.chain.push_block(block)
    assert len(result.undone) == 3
    assert [waiting.id for waiting in world.chain.pending] == [transaction.id for transaction in sent]
    assert world.chain.pool.take_dropped() == []
    assert world.generate_block().transaction_ids == [transaction.id for transaction in sent]


def test_an_account_that_a_fork_switch_takes_away_comes_back() -> None:
    """switch_forks_undo_create with the account it creates: in a block, then waiting only, then in another block."""
    world, other = Harness(), Harness(first_block=False)
    first = world.chain.reader.get_block(1)
    assert first is not None
    other.chain.push_block(first)
    keys = authority_of(INIT_KEY)
    create = AccountCreate(
        fee=steem(world.tables.witness_schedule.get(0).median_props.account_creation_fee.amount),
        creator=FIRST,
        new_account_name="alice",
        owner=keys,
        active=keys,
        posting=keys,
        memo_key=INIT_KEY.public_key,
        json_metadata="",
    )
    transaction = world.push(create)
    world.generate_block()
    number = world.account("alice").id
    for _ in range(2):
        world.chain.push_block(other.generate_block(skip_slots=1))
    assert other.tables.accounts.find("alice") is None
    assert world.account("alice").id == number, "it waits to be included again"
    empty_pool(world.chain.pending)
    while world.chain.store.depth:
        world.chain.store.rollback()
    assert world.tables.accounts.find("alice") is None
    other.chain.push_transaction(transaction)
    world.chain.push_block(other.generate_block())
    assert world.account("alice") == other.account("alice")
    assert world.account("alice").id == number
    world.recount()


@pytest.mark.parametrize(
    ("number", "prefix", "is_accepted"),
    [(0, 0, True), (None, None, True), (0, 0x12345678, False), (1, 0x12345678, False), (9999, 0x12345678, False)],
)
def test_optional_tapos(world: Harness, number: int | None, prefix: int | None, is_accepted: bool) -> None:
    """The references of optional_tapos; None is a right one."""
    plain = world.build(Transfer("alice", "bob", steem(1_000), ""))
    transaction = type(plain).make(
        world.codec,
        ref_block_num=plain.ref_block_num if number is None else number,
        ref_block_prefix=plain.ref_block_prefix if prefix is None else prefix,
        expiration=plain.expiration,
        operations=plain.operations,
    )
    signed = world.sign(transaction, world.key("alice"))
    if is_accepted:
        world.chain.push_transaction(signed)
        assert world.generate_block().transaction_ids == [signed.id]
    else:
        with pytest.raises(TransactionTapos):
            world.chain.push_transaction(signed)
    world.recount()


def test_a_transaction_expires_between_two_blocks(world: Harness) -> None:
    """The end of tapos: two seconds to live, two blocks later."""
    plain = world.build(Transfer(FIRST, "alice", steem(50), ""), expires_in=2)
    world.generate_blocks(2)
    with pytest.raises(TransactionExpired):
        world.chain.push_transaction(world.sign(plain, INIT_KEY))


def test_the_transaction_that_does_not_fit_waits() -> None:
    """Counterpart of generate_block_size with its two transactions."""
    world = Harness()
    world.edit(lambda ctx: ctx.update_gpo(maximum_block_size=65_536, required_actions_partition_percent=0))
    large = world.push(*(Transfer(FIRST, TEMP, steem(1_000), "x" * 131) for _ in range(395)))
    memo = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ123"
    small = world.push(Transfer(FIRST, TEMP, steem(1_000), memo))
    assert (large.size, small.size) == (79 + 395 * 165, 78 + 33 + 55)
    block = world.generate_block()
    assert block.transaction_ids == [large.id]
    assert len(world.chain.pending) == 1
    assert block.size < 65_536
    world.recount()
