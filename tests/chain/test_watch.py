"""Invariants that are checked while blocks are applied: a complaint names the block and the operation."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from chain import ledger
from chain.chain import Chain
from chain.effects import Applied, FeedItem
from chain.recount import recount
from chain.steps import STEPS
from index.indexes import Indexes
from operations.transfer import Transfer
from state.context import Context
from state.engine.errors import StoreError
from state.invariants import RECOUNTS
from state.tables.tokens import TokenBalance
from state.watch import CHECKS, Complaint
from tests.harness import Harness, config_with, steem


class Listener(Indexes):
    """Indexes that keep the complaints of the blocks that are applied."""

    def __init__(self) -> None:
        super().__init__()
        self.complaints: list[Complaint] = []

    def take(self, feed: Iterable[FeedItem]) -> None:
        items = list(feed)
        for item in items:
            if isinstance(item, Applied):
                self.complaints += [report for report in item.effects.reports if isinstance(report, Complaint)]
        super().take(items)


def make_world(*names: str) -> tuple[Harness, list[Complaint]]:
    """A dev chain that checks invariants, and their complaints."""
    indexes = Listener()
    chain = Chain.open(config_with("dev"), followers=(indexes,), invariants=names)
    return Harness(chain=chain, indexes=indexes), indexes.complaints


def plant(monkeypatch: pytest.MonkeyPatch, fault: Callable[[Transfer, Context], None]) -> None:
    """Has each transfer do something wrong as well."""
    honest = Transfer.apply

    def apply(op: Transfer, ctx: Context) -> None:
        honest(op, ctx)
        fault(op, ctx)

    monkeypatch.setattr(Transfer, "apply", apply)


def mint(op: Transfer, ctx: Context) -> None:
    accounts = ctx.tables.accounts
    row = accounts.get(op.to)
    accounts.update(row, balance=row.balance + 5)


def owe(op: Transfer, ctx: Context) -> None:
    accounts = ctx.tables.accounts
    accounts.update(accounts.get(op.to), balance=-5)


def delegate(op: Transfer, ctx: Context) -> None:
    accounts = ctx.tables.accounts
    accounts.update(accounts.get(op.to), delegated_vesting_shares=7)


def lose_an_index(_op: Transfer, ctx: Context) -> None:
    seen = ctx.tables.seen_transactions
    overlay = seen.index("by_expiration")._index.overlay
    overlay.added.clear()


def mint_tokens(op: Transfer, ctx: Context) -> None:
    balances = ctx.tables.token_balances
    balances.insert(TokenBalance(balances.next_id(), op.to, 320_000_019, vesting_shares=9))


FAULTS: dict[str, tuple[Callable[[Transfer, Context], None], str]] = {
    "supply": (mint, "supply of STEEM: the rows changed by 5 more than the figure that is kept of them"),
    "balances": (owe, "balance of accounts 'bob' is -5"),
    "delegation_sums": (
        delegate,
        "VESTS that accounts delegated or wait to get back: the rows changed by 7 more than the figure that is kept of "
        "them",
    ),
    "token_supply": (
        mint_tokens,
        "@@100000011: the rows changed by 9 more than the figure that is kept of them",
    ),
    "index": (lose_an_index, "is not in by_expiration under its key"),
}


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert set(FAULTS) == set(CHECKS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_complaint_names_block_and_operation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault, found = FAULTS[name]
    world, complaints = make_world(name)
    plant(monkeypatch, fault)
    transaction = world.push(Transfer("alice", "bob", steem(1000), ""))
    block = world.generate_block()
    (complaint,) = complaints
    assert (complaint.invariant, complaint.block, complaint.cause) == (name, block.number, "transfer")
    assert complaint.trx_id == transaction.id
    assert complaint.found.endswith(found)
    place = f"block {block.number}, transaction {transaction.id.hex()}"
    assert str(complaint) == f"transfer broke the invariant {name} in {place}: {complaint.found}"


def test_the_operation_among_many_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world, complaints = make_world(*CHECKS)
    plant(monkeypatch, lambda op, ctx: mint(op, ctx) if op.memo == "wrong" else None)
    for number in range(5):
        world.push(Transfer("alice", "bob", steem(1), "wrong" if number == 3 else str(number)))
    wrong = list(world.chain.pending)[3]
    world.generate_block()
    assert [(complaint.invariant, complaint.trx_id) for complaint in complaints] == [("supply", wrong.id)]


def test_two_faults_that_cancel_out_within_a_block_are_one_block_that_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cheap checks look at what the whole block changed; what it changed back is no fault of the state after it."""
    world, complaints = make_world("supply")
    signs = {"a": 5, "b": -5}

    def fault(op: Transfer, ctx: Context) -> None:
        row = ctx.tables.accounts.get(op.to)
        ctx.tables.accounts.update(row, balance=row.balance + signs[op.memo])

    plant(monkeypatch, fault)
    for memo in signs:
        world.push(Transfer("alice", "bob", steem(1), memo))
    world.generate_block()
    assert not complaints


def test_a_step_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world, complaints = make_world("supply")
    first = STEPS[0]

    def update_global_dynamic_data(ctx: Context) -> None:
        first.process(ctx)
        ctx.update_gpo(current_supply=ctx.gpo.current_supply - 1)

    monkeypatch.setattr(ledger, "STEPS", (first._replace(process=update_global_dynamic_data), *STEPS[1:]))
    world.chain.ledger._take_rules()
    world.generate_block()
    (complaint,) = complaints
    assert (complaint.cause, complaint.trx_id) == ("update_global_dynamic_data", b"")
    assert f"in block {world.chain.head_number}: supply of STEEM" in str(complaint)


def test_a_block_that_breaks_an_invariant_is_applied_as_without_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, mint)
    digests = []
    for names in ((), tuple(CHECKS)):
        world, complaints = make_world(*names)
        world.push(Transfer("alice", "bob", steem(1000), ""))
        world.generate_block()
        world.generate_block()
        assert bool(complaints) == bool(names)
        digests.append(world.chain.state_digest)
    assert digests[0] == digests[1]


def test_sound_blocks_are_applied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world, complaints = make_world(*CHECKS)
    monkeypatch.setattr(ledger, "Tracer", None)
    world.push(Transfer("alice", "bob", steem(1000), ""))
    world.generate_blocks(30)
    assert not complaints and world.chain.head_number > 30


def test_a_row_that_a_block_changes_back_breaks_nothing() -> None:
    world, complaints = make_world(*CHECKS)
    world.push(Transfer("alice", "alice", steem(1000), ""))
    world.generate_block()
    assert not complaints


# Recounts of the committed state


def spoil(world: Harness, change: Callable[[Context], Any]) -> None:
    """Changes the committed state behind the rules' back."""
    store = world.chain.store
    world.chain.pool.drop_state()
    store.commit(store.head.number)  # type: ignore[union-attr]
    store.begin()
    change(world.ctx)
    store.seal_block(world.chain.head_number + 1, bytes(20))
    store.commit(world.chain.head_number + 1)


def count(world: Harness, *names: str) -> list[Complaint]:
    return recount(world.chain.store.backend.snapshot(), world.config, names)


def test_a_sound_state_has_no_complaints() -> None:
    world, _ = make_world()
    world.generate_blocks(30)
    assert count(world, *RECOUNTS) == []


def test_a_recount_says_what_differs() -> None:
    world, _ = make_world()
    accounts = world.tables.accounts
    spoil(world, lambda ctx: accounts.update(accounts.get("alice"), withdraw_routes=3))
    (complaint,) = count(world, *RECOUNTS)
    assert (complaint.invariant, complaint.found) == (
        "withdrawals",
        "routes of alice: the state says 3, a recount gives 0",
    )


def test_a_recount_sees_the_moment_of_its_view(tmp_path: Any) -> None:
    """Over LevelDB the chain goes on while the view is read."""
    world = Harness(config_with("dev"), path=tmp_path)
    world.generate_blocks(3)
    world.chain.finality.commit()
    view = world.chain.store.backend.snapshot()
    spoil(world, lambda ctx: ctx.update_gpo(current_supply=1))
    assert recount(view, world.config, RECOUNTS) == []
    assert [complaint.invariant for complaint in count(world, "supply")] == ["supply"]
    world.chain.store.close()


def test_a_recount_ends_when_the_database_is_closed(tmp_path: Any) -> None:
    world = Harness(config_with("dev"), path=tmp_path)
    view = world.chain.store.backend.snapshot()
    world.chain.close()
    with pytest.raises(StoreError):
        recount(view, world.config, RECOUNTS)
