"""Escrows: from the transfer over approval and dispute to release and expiry.

Counterparts of the reference's escrow_*_apply cases; *_validate and *_authorities are in test_validate and
test_authorities.
"""

from typing import Any

import pytest

from chain.expiries import process_escrow_ratification
from operations.escrow import EscrowApprove, EscrowDispute, EscrowRelease, EscrowTransfer
from protocol.assets import Asset
from protocol.errors import NotUnique, UnknownKey
from state.tables.payments import Escrow
from tests.harness import Harness, sbd, steem
from tests.operations.world import World, changed

BLOCK = 3
MISSING = "unknown key"
NOBODY = "no row with key 'sue'"


def make_transfer(now: int, **fields: Any) -> EscrowTransfer:
    """Alice puts 1 STEEM aside for bob, with sam as the agent for 0.100 STEEM."""
    op = EscrowTransfer("alice", "bob", sbd(0), steem(1_000), 0, "sam", steem(100), "", now + 100, now + 200)
    return changed(op, **fields)


def approve(who: str, does: bool = True, **fields: Any) -> EscrowApprove:
    return changed(EscrowApprove("alice", "bob", "sam", who, 0, does), **fields)


def dispute(who: str, **fields: Any) -> EscrowDispute:
    return changed(EscrowDispute("alice", "bob", "sam", who, 0), **fields)


def release(who: str, receiver: str, amount: Asset | None = None, **fields: Any) -> EscrowRelease:
    op = EscrowRelease("alice", "bob", "sam", who, receiver, 0, sbd(0), steem(100) if amount is None else amount)
    return changed(op, **fields)


@pytest.fixture
def world(world: World) -> World:
    """Alice has 10 STEEM and 10 SBD."""
    world.create("alice", "bob", "sam", "dave")
    world.fund("alice", steem(10_000))
    world.fund("alice", sbd(10_000))
    return world


@pytest.fixture
def offered(world: World) -> World:
    """An escrow of 1 STEEM and 2 SBD that nobody approved yet."""
    world.push(make_transfer(world.now, sbd_amount=sbd(2_000)))
    return world


@pytest.fixture
def approved(offered: World) -> World:
    """The same after both approvals."""
    offered.push(approve("bob"))
    offered.push(approve("sam"))
    return offered


def get_escrow(world: World) -> Escrow:
    return world.tables.escrows.get(("alice", 0))


def balances(world: World) -> list[tuple[int, int]]:
    return [(world[name].balance, world[name].sbd_balance) for name in ("alice", "bob", "sam")]


# Transfers


def test_transfer(world: World) -> None:
    """Counterpart of escrow_transfer_apply, with SBD."""
    op = make_transfer(world.now, sbd_amount=sbd(2_000))
    world.push(op)
    deadline, expiration = world.now + 100, world.now + 200
    assert get_escrow(world) == Escrow(
        0, 0, "alice", "bob", "sam", deadline, expiration, 2_000, 1_000, steem(100), False, False, False
    )
    assert balances(world) == [(8_900, 8_000), (0, 0), (0, 0)]
    world.recount()


def test_a_fee_in_sbd_goes_with_the_sbd(world: World) -> None:
    world.push(make_transfer(world.now, fee=sbd(300)))
    assert balances(world) == [(9_000, 9_700), (0, 0), (0, 0)]
    assert get_escrow(world).pending_fee == sbd(300)
    world.push(approve("bob"))
    world.push(approve("sam"))
    assert balances(world) == [(9_000, 9_700), (0, 0), (0, 300)]
    assert get_escrow(world).pending_fee == sbd(0)
    world.recount()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"from_": "sue"}, NOBODY),
        ({"to": "sue"}, NOBODY),
        ({"agent": "sue"}, NOBODY),
        ({"sbd_amount": sbd(10_001)}, "available >= -delta"),
        ({"steem_amount": steem(10_000)}, "available >= -delta"),
        ({"sbd_amount": sbd(10_000), "fee": sbd(1)}, "available >= -delta"),
    ],
)
def test_a_transfer_is_refused(world: World, fields: dict[str, Any], message: str) -> None:
    world.refuse(make_transfer(world.now, **fields), message)


def test_a_transfer_must_end_in_the_future(world: World) -> None:
    late = (
        "o.ratification_deadline > _db.head_block_time(): "
        "The escorw ratification deadline must be after head block time."
    )
    now = world.now
    world.refuse(make_transfer(now, ratification_deadline=now), late)
    world.refuse(make_transfer(now, ratification_deadline=now - 200, escrow_expiration=now - 100), late)
    world.push(make_transfer(now, ratification_deadline=now + 1, escrow_expiration=now + 2))


def test_an_expiration_in_the_past(world: World) -> None:
    """The form alone refuses it already, because the deadline comes before it; the state refuses it too."""
    op = make_transfer(world.now, escrow_expiration=world.now)
    with pytest.raises(Exception, match="The escrow expiration must be after head block time"):
        op.apply(world.ctx)


def test_numbers_are_unique_for_each_payer(offered: World) -> None:
    offered.refuse(make_transfer(offered.now), "could not insert object")
    offered.push(make_transfer(offered.now, escrow_id=1))
    offered.fund("dave", steem(2_000))
    offered.push(make_transfer(offered.now, from_="dave"))
    assert len(list(offered.tables.escrows.scan())) == 3
    offered.recount()


# Approvals


def test_approvals(offered: World) -> None:
    """Counterpart of escrow_approve_apply, its approvals."""
    offered.push(approve("bob"))
    escrow = get_escrow(offered)
    assert (escrow.to_approved, escrow.agent_approved, escrow.disputed) == (True, False, False)
    assert (escrow.steem_balance, escrow.sbd_balance, escrow.pending_fee) == (1_000, 2_000, steem(100))
    for does in (True, False):
        offered.refuse(approve("bob", does), "!escrow.to_approved: Account 'to' (bob) has already approved the escrow.")
    assert offered["sam"].balance == 0
    offered.push(approve("sam"))
    escrow = get_escrow(offered)
    assert (escrow.to_approved, escrow.agent_approved, escrow.disputed) == (True, True, False)
    assert (escrow.steem_balance, escrow.sbd_balance, escrow.pending_fee) == (1_000, 2_000, steem(0))
    assert offered["sam"].balance == 100
    for does in (True, False):
        offered.refuse(
            approve("sam", does), "!escrow.agent_approved: Account 'agent' (sam) has already approved the escrow."
        )
    offered.recount()


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (approve("bob", escrow_id=1), MISSING),
        (approve("bob", from_="dave"), MISSING),
        (
            approve("dave", to="dave"),
            "escrow.to == o.to: Operation 'to' (dave) does not match escrow 'to' (bob).",
        ),
        (
            approve("dave", agent="dave"),
            "escrow.agent == o.agent: Operation 'agent' (${a}) does not match escrow 'agent' (sam).",
        ),
    ],
)
def test_an_approval_is_refused(offered: World, op: EscrowApprove, message: str) -> None:
    offered.refuse(op, message)


def test_an_approval_may_come_at_the_deadline_but_not_later(offered: World) -> None:
    offered.forward(100)
    offered.push(approve("bob"))
    offered.forward(1)
    offered.refuse(
        approve("sam"),
        "escrow.ratification_deadline >= _db.head_block_time(): "
        "The escrow ratification deadline has passed. Escrow can no longer be ratified.",
    )


@pytest.mark.parametrize("refusing", ["bob", "sam"])
def test_a_refusal_gives_everything_back(offered: World, refusing: str) -> None:
    offered.push(approve("sam" if refusing == "bob" else "bob"))
    offered.push(approve(refusing, False))
    assert list(offered.tables.escrows.scan()) == []
    assert balances(offered) == [(10_000, 10_000), (0, 0), (0, 0)]
    offered.recount()


# Deadlines


@pytest.mark.parametrize("approving", [(), ("bob",), ("sam",)])
def test_an_escrow_without_both_approvals_ends_at_its_deadline(offered: World, approving: tuple[str, ...]) -> None:
    """Counterpart of escrow_approve_apply, its three cases of an automatic refund."""
    for who in approving:
        offered.push(approve(who))
    offered.forward(99)
    offered.run(process_escrow_ratification)
    assert get_escrow(offered).escrow_id == 0
    offered.forward(1)
    offered.run(process_escrow_ratification)
    assert list(offered.tables.escrows.scan()) == []
    assert balances(offered) == [(10_000, 10_000), (0, 0), (0, 0)]
    offered.recount()


def test_an_approved_escrow_outlives_its_deadline(approved: World) -> None:
    before = get_escrow(approved)
    approved.forward(1_000)
    approved.run(process_escrow_ratification)
    assert get_escrow(approved) == before
    assert approved["sam"].balance == 100
    approved.recount()


# Disputes


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_dispute(approved: World, who: str) -> None:
    """Counterpart of escrow_dispute_apply."""
    before = get_escrow(approved)
    approved.push(dispute(who))
    assert get_escrow(approved) == before.replace(disputed=True)
    for again in ("alice", "bob"):
        approved.refuse(dispute(again), "!e.disputed: The escrow is already under dispute.")
    approved.recount()


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (dispute("bob", escrow_id=1), MISSING),
        (dispute("bob", from_="sue"), NOBODY),
        (dispute("alice", to="dave"), "e.to == o.to: Operation 'to' (dave) does not match escrow 'to' (bob)."),
        (
            dispute("alice", agent="dave"),
            "e.agent == o.agent: Operation 'agent' (${a}) does not match escrow 'agent' (sam).",
        ),
    ],
)
def test_a_dispute_is_refused(approved: World, op: EscrowDispute, message: str) -> None:
    approved.refuse(op, message)


@pytest.mark.parametrize("approving", [(), ("bob",), ("sam",)])
def test_a_dispute_needs_both_approvals(offered: World, approving: tuple[str, ...]) -> None:
    for who in approving:
        offered.push(approve(who))
    offered.refuse(
        dispute("bob"),
        "e.to_approved && e.agent_approved: The escrow must be approved by all parties before a dispute can be raised.",
    )


def test_a_dispute_must_come_before_the_expiration(approved: World) -> None:
    approved.forward(200)
    approved.refuse(
        dispute("alice"),
        "_db.head_block_time() < e.escrow_expiration: Disputing the escrow must happen before expiration.",
    )


# Releases


def test_a_release_needs_both_approvals(offered: World) -> None:
    for who in ("", "bob"):
        if who:
            offered.push(approve(who))
        offered.refuse(
            release("alice", "bob"),
            "e.to_approved && e.agent_approved: Funds cannot be released prior to escrow approval.",
        )


ONLY_PARTIES = (
    "o.who == e.from || o.who == e.to: Only 'from' (alice) and 'to' (bob) can release funds from a non-disputed escrow"
)


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (release("alice", "bob", escrow_id=1), MISSING),
        (release("bob", "bob", from_="sue"), NOBODY),
        (release("sam", "bob"), ONLY_PARTIES),
        (release("sam", "alice"), ONLY_PARTIES),
        (release("bob", "bob"), "o.receiver == e.from: Only 'to' (bob) can release funds to 'from' (bob)."),
        (release("alice", "alice"), "o.receiver == e.to: Only 'from' (alice) can release funds to 'to' (bob)."),
        (release("alice", "dave", to="dave"), "e.to == o.to: Operation 'to' (dave) does not match escrow 'to' (bob)."),
        (release("alice", "bob", agent="dave"), "e.agent == o.agent: Operation 'agent' (${a}) does not match"),
        (
            release("alice", "bob", steem(1_001)),
            "e.steem_balance >= o.steem_amount: Release amount exceeds escrow balance. "
            'Amount: {"amount":"1001","precision":3,"nai":"@@000000021"}, '
            'Balance: {"amount":"1000","precision":3,"nai":"@@000000021"}',
        ),
        (
            release("alice", "bob", sbd_amount=sbd(2_001)),
            "e.sbd_balance >= o.sbd_amount: Release amount exceeds escrow balance.",
        ),
        (release("sam", "dave"), "receiver == from || receiver == to: receiver must be from or to"),
        (release("dave", "bob"), "who == from || who == to || who == agent: who must be from or to or agent"),
    ],
)
def test_a_release_is_refused(approved: World, op: EscrowRelease, message: str) -> None:
    approved.refuse(op, message)


def test_each_side_gives_to_the_other(approved: World) -> None:
    """Counterpart of escrow_release_apply without a dispute, before the expiration."""
    approved.push(release("bob", "alice"))
    assert (get_escrow(approved).steem_balance, approved["alice"].balance) == (900, 9_000)
    approved.push(release("alice", "bob"))
    assert (get_escrow(approved).steem_balance, approved["bob"].balance) == (800, 100)
    approved.push(release("alice", "bob", steem(0), sbd_amount=sbd(500)))
    assert (get_escrow(approved).sbd_balance, approved["bob"].sbd_balance) == (1_500, 500)
    approved.recount()


@pytest.mark.parametrize("is_expired", [False, True])
def test_a_dispute_is_settled_by_the_agent(approved: World, is_expired: bool) -> None:
    """Counterpart of escrow_release_apply with a dispute, before and after the expiration."""
    approved.push(dispute("alice"))
    if is_expired:
        approved.forward(300)
    for who, receiver in (("bob", "alice"), ("alice", "bob")):
        approved.refuse(
            release(who, receiver), "o.who == e.agent: Only 'agent' (sam) can release funds in a disputed escrow."
        )
    approved.refuse(release("sam", "dave"), "receiver must be from or to")
    approved.refuse(release("dave", "alice"), "who must be from or to or agent")
    approved.push(release("sam", "bob"))
    assert (get_escrow(approved).steem_balance, approved["bob"].balance) == (900, 100)
    approved.push(release("sam", "alice"))
    assert (get_escrow(approved).steem_balance, approved["alice"].balance) == (800, 9_000)
    approved.push(release("sam", "alice", steem(800)))
    assert get_escrow(approved).sbd_balance == 2_000
    approved.push(release("sam", "bob", steem(0), sbd_amount=sbd(2_000)))
    assert list(approved.tables.escrows.scan()) == []
    assert balances(approved) == [(9_800, 8_000), (100, 2_000), (100, 0)]
    approved.recount()


def test_an_expired_escrow_is_free_for_both_sides(approved: World) -> None:
    """Counterpart of escrow_release_apply after the expiration; at that very moment it counts as expired."""
    approved.forward(199)
    approved.refuse(release("bob", "bob"), "o.receiver == e.from")
    approved.forward(1)
    for receiver in ("alice", "bob"):
        approved.refuse(release("sam", receiver), ONLY_PARTIES)
    approved.refuse(release("bob", "sam"), "receiver must be from or to")
    for who in ("bob", "alice"):
        for receiver in ("bob", "alice"):
            approved.push(release(who, receiver))
    assert balances(approved) == [(9_100, 8_000), (200, 0), (100, 0)]
    approved.push(release("alice", "alice", steem(600), sbd_amount=sbd(2_000)))
    assert list(approved.tables.escrows.scan()) == []
    assert balances(approved) == [(9_700, 10_000), (200, 0), (100, 0)]
    approved.recount()


@pytest.mark.parametrize("state", ["approved", "disputed", "expired", "disputed and expired"])
def test_who_may_release_to_whom(approved: World, state: str) -> None:
    """Counterpart of escrow_release_apply, each party and a stranger against each receiver."""
    if "disputed" in state:
        approved.push(dispute("alice"))
    if "expired" in state:
        approved.forward(200)
    allowed = {
        "approved": {("alice", "bob"), ("bob", "alice")},
        "expired": {("alice", "alice"), ("alice", "bob"), ("bob", "alice"), ("bob", "bob")},
    }.get(state, {("sam", "alice"), ("sam", "bob")})
    left = 1_000
    for who in ("alice", "bob", "sam", "dave"):
        for receiver in ("alice", "bob", "sam", "dave"):
            op = release(who, receiver, steem(10))
            if (who, receiver) in allowed:
                before = approved[receiver].balance
                approved.push(op)
                left -= 10
                assert approved[receiver].balance == before + 10
            else:
                approved.refuse(op, "")
            assert get_escrow(approved).steem_balance == left
    assert left == 1_000 - 10 * len(allowed)
    approved.recount()


# In blocks


def test_an_escrow_over_blocks() -> None:
    """The way of one escrow through signed transactions, with the refund of another that ran out."""
    chain = Harness()
    chain.create_accounts("alice", "bob", "sam")
    for name in ("alice", "bob", "sam"):
        chain.vest(name, 10_000)
    chain.fund("alice", 10_000)
    deadline = chain.now + 10 * BLOCK
    chain.apply(
        make_transfer(0, ratification_deadline=deadline, escrow_expiration=deadline + BLOCK),
        make_transfer(0, escrow_id=1, ratification_deadline=deadline, escrow_expiration=deadline + BLOCK),
        approve("bob"),
    )
    with pytest.raises(NotUnique):
        chain.push(make_transfer(chain.now))
    with pytest.raises(UnknownKey):
        chain.push(approve("bob", escrow_id=77))
    chain.apply(approve("sam"), approve("bob", escrow_id=1))
    chain.recount()
    chain.generate_until(deadline - BLOCK)
    assert (chain.now, chain.account("alice").balance) == (deadline - BLOCK, 10_000 - 2 * 1_100)
    chain.generate_block()
    assert chain.account("alice").balance == 10_000 - 1_100
    assert [row.escrow_id for row in chain.tables.escrows.scan()] == [0]
    chain.apply(dispute("bob"))
    chain.apply(release("sam", "alice", steem(1_000)))
    assert chain.account("alice").balance == 9_900
    assert chain.account("sam").balance == 100
    assert list(chain.tables.escrows.scan()) == []
    chain.recount()
