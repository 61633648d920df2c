"""What was proved of a transaction while it waited is not proved again in its block, unless something changed."""

from __future__ import annotations

from typing import Any

import pytest

from chain.ledger import Ledger
from operations.account import AccountUpdate
from operations.transfer import Transfer
from protocol.block import Block
from protocol.errors import MissingActiveAuthority
from protocol.keys import PrivateKey
from protocol.types import NULL_PUBLIC_KEY, Authority
from tests.harness import Harness, authority_of, steem

OTHER = PrivateKey.from_seed("another key")


@pytest.fixture
def world() -> Harness:
    harness = Harness()
    harness.create_accounts("alice", "bob")
    harness.fund("alice", steem_amount=100_000)
    return harness


class Counts:
    """How often transactions were checked from now on."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.authorities = self.validated = 0
        check, validate = Ledger._check_authority, Transfer.validate

        def check_counted(ledger: Ledger, transaction: Any) -> Any:
            self.authorities += 1
            return check(ledger, transaction)

        def validate_counted(op: Transfer, rules: Any) -> None:
            self.validated += 1
            validate(op, rules)

        patch.setattr(Ledger, "_check_authority", check_counted)
        patch.setattr(Transfer, "validate", validate_counted)

    def take(self) -> tuple[int, int]:
        """The checks of authorities and of operations since the last question."""
        taken = self.authorities, self.validated
        self.authorities = self.validated = 0
        return taken


def decode(world: Harness, block: Block) -> Block:
    """The block as a peer gets it."""
    return Block.from_bytes(world.codec, block.packed)


def test_the_own_block_proves_nothing_again(world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counts(monkeypatch)
    for number in range(3):
        world.push(Transfer("alice", "bob", steem(1 + number), ""))
    assert counts.take() == (3, 3)
    assert len(world.generate_block().transactions) == 3
    assert counts.take() == (0, 0)


def test_a_copy_in_the_block_of_another_node_takes_the_proof_over(
    world: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = world.twin()
    waiting = world.push(Transfer("alice", "bob", steem(1), ""))
    unknown = other.sign(other.build(Transfer("bob", "alice", steem(0), "")), other.key("bob"))
    other.chain.push_transaction(waiting)
    block = decode(world, other.generate_block())
    counts = Counts(monkeypatch)
    for transaction in block.transactions:
        transaction.take_checks(waiting)
        transaction.take_checks(unknown)
    assert world.chain.push_block(block).applied
    assert counts.take() == (0, 0)


def test_a_block_without_a_proof_is_checked(world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    other = world.twin()
    other.push(Transfer("alice", "bob", steem(1), ""))
    block = decode(world, other.generate_block())
    counts = Counts(monkeypatch)
    assert world.chain.push_block(block).applied
    assert counts.take() == (1, 1)


def test_a_proof_ends_with_the_authority_that_it_read(world: Harness) -> None:
    """The key is changed by a block that leaves the waiting transaction out; then a block holds it all the same."""
    other = world.twin()
    waiting = world.push(Transfer("alice", "bob", steem(1), ""))
    proof = waiting.proof
    assert proof is not None
    other.apply(AccountUpdate("alice", None, authority_of(OTHER), None, NULL_PUBLIC_KEY, ""))
    block = other.chain.reader.get_block(other.chain.head_number)
    assert block is not None
    world.chain.push_block(decode(world, block))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "_check_authority", lambda *_: ())
        other.chain.push_transaction(waiting)
        bad = other.generate_block()
    assert bad.transactions == (waiting,)
    waiting.proof = proof
    with pytest.raises(MissingActiveAuthority):
        world.chain.push_block(bad)


def test_a_proof_over_several_accounts_ends_with_any_of_them(world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """alice is controlled by bob: the walk reads both rows, and a change of the second one counts."""
    world.apply(AccountUpdate("alice", None, Authority(1, (("bob", 1),), ()), None, NULL_PUBLIC_KEY, ""))
    counts = Counts(monkeypatch)
    transaction = world.push(Transfer("alice", "bob", steem(1), ""), keys=[world.key("bob")])
    assert [row.account for row in transaction.proof.authorities] == ["alice", "bob"]  # type: ignore[attr-defined]
    counts.take()
    world.chain.pool.drop_state()
    world.chain.store.begin()
    authorities = world.tables.account_authorities
    authorities.update(authorities.get("bob"), active=authority_of(OTHER))
    with pytest.raises(MissingActiveAuthority):
        world.chain.ledger.apply_transaction(transaction)
    assert counts.take() == (1, 0)
    world.chain.store.rollback()
    world.chain.store.begin()
    world.chain.ledger.apply_transaction(transaction)
    assert counts.take() == (0, 0)
    world.chain.store.rollback()


def test_a_proof_is_one_of_its_rules_and_its_chain(world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    transaction = world.push(Transfer("alice", "bob", steem(1), ""))
    world.chain.pool.drop_state()
    counts, ledger = Counts(monkeypatch), world.chain.ledger
    for change in ("rules", "chain"):
        world.chain.store.begin()
        with pytest.MonkeyPatch.context() as patch:
            if change == "rules":
                patch.setattr(ledger.ctx, "rules", ledger.ctx.rules.replace(max_vote_changes=9))
            else:
                patch.setattr(ledger, "_chain_id", bytes(32))
            try:
                ledger.apply_transaction(transaction)
            except MissingActiveAuthority:
                assert change == "chain", "signed for another one"
        assert counts.take() == (1, 1)
        world.chain.store.rollback()
