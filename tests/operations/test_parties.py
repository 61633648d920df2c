"""Escrows and savings: every account that may act signs with its active authority, and every form that is right passes.

Counterparts of the reference's escrow_* and *_savings_* cases of kinds validate and authorities, beside test_validate
and test_authorities, which look at one right form of each operation and at all wrong ones.
"""

import pytest

from operations.escrow import EscrowApprove, EscrowDispute, EscrowRelease, EscrowTransfer
from operations.savings import CancelTransferFromSavings, TransferFromSavings, TransferToSavings
from protocol.errors import Invalid
from protocol.operation import Operation, RequiredAuthorities
from tests.chains import TESTNET
from tests.harness import sbd, steem

NOW = 1_600_000_000
RULES = TESTNET.rules


def transfer(deadline: int = NOW + 100, expiration: int = NOW + 200) -> EscrowTransfer:
    return EscrowTransfer("alice", "bob", sbd(1_000), steem(1_000), 0, "sam", steem(100), "", deadline, expiration)


@pytest.mark.parametrize(
    ("op", "name"),
    [
        (transfer(), "alice"),
        *((EscrowApprove("alice", "bob", "sam", name, 0, True), name) for name in ("bob", "sam")),
        *((EscrowDispute("alice", "bob", "sam", name, 0), name) for name in ("alice", "bob")),
        *(
            (EscrowRelease("alice", "bob", "sam", name, "bob", 0, sbd(0), steem(1)), name)
            for name in ("alice", "bob", "sam")
        ),
        *((TransferToSavings(name, "alice", steem(1_000), ""), name) for name in ("alice", "bob")),
        *((TransferFromSavings(name, 0, "alice", steem(1_000), ""), name) for name in ("alice", "bob")),
        *((CancelTransferFromSavings(name, 0), name) for name in ("alice", "bob")),
    ],
)
def test_whoever_acts_signs(op: Operation, name: str) -> None:
    required = RequiredAuthorities()
    op.authorities(required)
    assert required.actives == {name}
    assert (required.owners, required.postings, required.others) == (set(), set(), [])


@pytest.mark.parametrize(
    "op",
    [
        transfer(),
        *(EscrowApprove("alice", "bob", "sam", name, 0, True) for name in ("bob", "sam")),
        *(EscrowDispute("alice", "bob", "alice", name, 0) for name in ("alice", "bob")),
        EscrowRelease("alice", "bob", "sam", "alice", "bob", 0, sbd(1_000), steem(1_000)),
        EscrowRelease("alice", "bob", "sam", "sam", "alice", 0, sbd(0), steem(1_000)),
        *(TransferToSavings("alice", to, amount, "") for to in ("alice", "bob") for amount in (steem(1), sbd(1))),
        *(TransferFromSavings("alice", 0, to, amount, "") for to in ("alice", "bob") for amount in (steem(1), sbd(1))),
        CancelTransferFromSavings("alice", 0),
    ],
)
def test_forms_that_are_right(op: Operation) -> None:
    op.validate(RULES)


def test_the_deadline_of_an_escrow_lies_before_its_end() -> None:
    """The same moment and a later one are refused, one second before is right."""
    for deadline in (NOW + 200, NOW + 300):
        with pytest.raises(Invalid, match="ratification deadline must be before escrow expiration"):
            transfer(deadline).validate(RULES)
    transfer(NOW + 199).validate(RULES)
