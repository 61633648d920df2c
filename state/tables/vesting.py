"""Delegations, their pending returns, and withdrawal routes."""

from protocol.types import U16, AccountName, Bool, Time
from state.engine.declare import Index, table
from state.engine.rows import Row
from state.tables.kinds import ObjectId, Vests


@table(9, key=("delegator", "delegatee"), is_observable=True)
class VestingDelegation(Row):
    """VESTS delegated to another account. Source: vesting_delegation_object."""

    id: ObjectId
    delegator: AccountName
    delegatee: AccountName
    vesting_shares: Vests
    min_delegation_time: Time


@table(
    10,
    key="id",
    indexes=(
        Index("by_expiration", "expiration", "id"),
        Index("by_account_expiration", "delegator", "expiration", "id"),
    ),
    is_observable=True,
)
class VestingDelegationExpiration(Row):
    """A pending return of VESTS to the delegator. Source: vesting_delegation_expiration_object."""

    id: ObjectId
    delegator: AccountName
    vesting_shares: Vests
    expiration: Time


@table(
    11,
    key=("from_account", "to_account"),
    indexes=(Index("by_destination", "to_account", "id"),),
    is_observable=True,
)
class WithdrawVestingRoute(Row):
    """A share of a power down that goes to another account. Source: withdraw_vesting_route_object."""

    id: ObjectId
    from_account: AccountName
    to_account: AccountName
    percent: U16
    auto_vest: Bool
