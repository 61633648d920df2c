"""Stake that is lent, on its way back, or routed elsewhere when it is powered down."""

from typing import NamedTuple


class VestingDelegation(NamedTuple):
    """VESTS lent to another account. Source: vesting_delegation_object."""

    id: int
    delegator: str
    delegatee: str
    vesting_shares: int
    min_delegation_time: int


class VestingDelegationExpiration(NamedTuple):
    """VESTS on their way back to the delegator. Source: vesting_delegation_expiration_object."""

    id: int
    delegator: str
    vesting_shares: int
    expiration: int


class WithdrawVestingRoute(NamedTuple):
    """A share of a power down that goes to another account. Source: withdraw_vesting_route_object."""

    id: int
    from_account: str
    to_account: str
    percent: int
    auto_vest: bool
