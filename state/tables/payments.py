"""Pending payments: withdrawals from savings, and escrows."""

from protocol.types import U32, AccountName, Asset, Bool, String, Time
from state.engine.declare import Index, derived, table
from state.engine.rows import Row
from state.tables.kinds import ObjectId, Sbd, Steem


@table(
    28,
    key=("from_", "request_id"),
    indexes=(
        Index("by_complete_from_id", "complete", "from_", "request_id"),
        Index("by_to_complete", "to", "complete", "id"),
    ),
    is_observable=True,
)
class SavingsWithdraw(Row):
    """A pending withdrawal from savings. Source: steem_objects.hpp, savings_withdraw_object."""

    id: ObjectId
    from_: AccountName
    to: AccountName
    memo: String
    request_id: U32
    amount: Asset
    complete: Time


def is_ratified(to_approved: bool, agent_approved: bool) -> tuple[bool]:
    """Whether both parties have approved an escrow, as a component of a key."""
    return (to_approved and agent_approved,)


@table(
    29,
    key=("from_", "escrow_id"),
    indexes=(
        Index(
            "by_ratification_deadline",
            derived(is_ratified, "to_approved", "agent_approved"),
            "ratification_deadline",
            "id",
        ),
    ),
    is_observable=True,
)
class Escrow(Row):
    """Money held until both sides or their agent agree. Source: steem_objects.hpp, escrow_object."""

    id: ObjectId
    escrow_id: U32
    from_: AccountName
    to: AccountName
    agent: AccountName
    ratification_deadline: Time
    escrow_expiration: Time
    sbd_balance: Sbd
    steem_balance: Steem
    pending_fee: Asset
    to_approved: Bool
    agent_approved: Bool
    disputed: Bool
