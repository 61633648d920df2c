"""Each operation as a signed transaction: which signatures are enough, too few, too many or doubled.

Counterparts of the reference's *_authorities cases that push transactions.
"""

from collections.abc import Callable

import pytest

from operations.account import AccountUpdate
from operations.content import Comment
from operations.market import LimitOrderCancel, LimitOrderCreate, LimitOrderCreate2
from operations.transfer import Transfer
from operations.vesting import DelegateVestingShares, TransferToVesting, WithdrawVesting
from operations.witness import AccountWitnessProxy, AccountWitnessVote, FeedPublish, WitnessUpdate
from protocol.assets import Price
from protocol.errors import (
    DuplicateSignature,
    IrrelevantSignature,
    MissingActiveAuthority,
    MissingOwnerAuthority,
    MissingPostingAuthority,
)
from protocol.operation import Operation
from protocol.types import NULL_PUBLIC_KEY, LegacyChainProperties
from tests.chains import FIRST
from tests.harness import Harness, authority_of, sbd, steem, vests

DAY = 86_400


def make_witness_update(chain: Harness) -> WitnessUpdate:
    """Alice says anew that she is a witness, with another key for blocks."""
    props = LegacyChainProperties(steem(0), 131_072, 1000)
    return WitnessUpdate("alice", "foo.bar", chain.key("alice", "block").public_key, props, steem(1_000))


OPERATIONS: dict[str, Callable[[Harness], Operation]] = {
    "transfer": lambda chain: Transfer("alice", "bob", steem(2_500), ""),
    "transfer_to_vesting": lambda chain: TransferToVesting("alice", "bob", steem(2_500)),
    "withdraw_vesting": lambda chain: WithdrawVesting("alice", vests(1_000)),
    "delegate_vesting_shares": lambda chain: DelegateVestingShares("alice", "bob", vests(300_000_000)),
    "witness_update": make_witness_update,
    "account_witness_vote": lambda chain: AccountWitnessVote("alice", FIRST, True),
    "account_witness_proxy": lambda chain: AccountWitnessProxy("alice", "bob"),
    "feed_publish": lambda chain: FeedPublish("alice", Price(sbd(1_000), steem(1_000))),
    "limit_order_create": lambda chain: LimitOrderCreate("alice", 2, steem(1_000), sbd(1_000), False, chain.now + DAY),
    "limit_order_create2": lambda chain: LimitOrderCreate2(
        "alice", 2, steem(1_000), Price(steem(1_000), sbd(1_000)), False, chain.now + DAY
    ),
    "limit_order_cancel": lambda chain: LimitOrderCancel("alice", 1),
    "comment": lambda chain: Comment(
        "", "ipsum", "alice", "lorem", "Lorem Ipsum", "Lorem ipsum dolor", '{"foo":"bar"}'
    ),
}


@pytest.fixture
def chain() -> Harness:
    """Alice is a witness with stake, 10 STEEM and an open order; bob and sam only exist."""
    chain = Harness()
    chain.create_accounts("alice", "bob", "sam")
    chain.fund("alice", 10_000)
    chain.vest("alice", 10_000_000)
    chain.make_witness("alice")
    chain.apply(LimitOrderCreate("alice", 1, steem(1_000), sbd(1_000), False, chain.now + DAY))
    return chain


@pytest.mark.parametrize("name", OPERATIONS)
def test_signatures(chain: Harness, name: str) -> None:
    op = OPERATIONS[name](chain)
    assert op.wire_name == name
    right, stranger = chain.key("alice", "active"), chain.key("bob", "active")
    wrong, missing = [chain.key("alice", "posting"), stranger], MissingActiveAuthority
    if name == "comment":
        right, wrong, missing = chain.key("alice", "posting"), [stranger], MissingPostingAuthority  # type: ignore[assignment]
    wrong += [chain.key("alice", "memo"), chain.key("alice", "block")]
    with pytest.raises(missing):
        chain.push(op, keys=[])
    for key in wrong:
        with pytest.raises(missing):
            chain.push(op, keys=[key])
    with pytest.raises(DuplicateSignature):
        chain.push(op, keys=[right, right])
    with pytest.raises(IrrelevantSignature):
        chain.push(op, keys=[right, stranger])
    assert len(chain.chain.pending) == 0
    chain.apply(op, keys=[right])
    chain.recount()


@pytest.mark.parametrize("name", ["transfer", "comment"])
def test_the_owner_key_is_enough(chain: Harness, name: str) -> None:
    chain.apply(OPERATIONS[name](chain), keys=[chain.key("alice", "owner")])
    chain.recount()


def test_a_proxy_does_not_sign_for_the_account(chain: Harness) -> None:
    """Bob's proxy may neither vote in his name nor take the proxy back."""
    chain.apply(AccountWitnessProxy("bob", "sam"))
    for op in (AccountWitnessVote("bob", "alice", True), AccountWitnessProxy("bob", "")):
        with pytest.raises(MissingActiveAuthority):
            chain.push(op, keys=[chain.key("sam")])
    chain.recount()


def test_account_update_is_signed_by_what_it_does_not_replace(chain: Harness) -> None:
    """Counterpart of account_update_authorities; the active key of alice is a new one."""
    new = chain.remember(chain.key("new", "key"))
    chain.apply(AccountUpdate("alice", None, authority_of(new), None, NULL_PUBLIC_KEY, ""))
    owner = chain.key("alice", "owner")
    plain = AccountUpdate("alice", None, None, None, NULL_PUBLIC_KEY, '{"success":true}')
    with pytest.raises(MissingActiveAuthority):
        chain.push(plain, keys=[])
    with pytest.raises(MissingActiveAuthority):
        chain.push(plain, keys=[chain.key("bob")])
    with pytest.raises(IrrelevantSignature):
        chain.push(plain, keys=[chain.key("bob"), owner])
    with pytest.raises(DuplicateSignature):
        chain.push(plain, keys=[new, new])
    chain.push(plain, keys=[new])
    chain.push(plain, keys=[owner])

    replacing = AccountUpdate("alice", authority_of(new), None, None, NULL_PUBLIC_KEY, '{"success":true}')
    with pytest.raises(MissingOwnerAuthority):
        chain.push(replacing, keys=[new])
    with pytest.raises(IrrelevantSignature):
        chain.push(replacing, keys=[new, owner])
    with pytest.raises(MissingOwnerAuthority):
        chain.push(replacing, keys=[chain.key("alice", "posting")])
    with pytest.raises(DuplicateSignature):
        chain.push(replacing, keys=[owner, owner])
    chain.apply(replacing, keys=[owner])
    assert chain.tables.account_authorities.get("alice").owner == authority_of(new)
    chain.recount()
