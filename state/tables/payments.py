"""Payments that wait: withdrawals from savings, and escrows."""

from typing import NamedTuple

from protocol.assets import Asset


class SavingsWithdraw(NamedTuple):
    """A transfer on its way out of the savings. Source: steem_objects.hpp, savings_withdraw_object."""

    id: int
    from_: str
    to: str
    memo: str
    request_id: int
    amount: Asset
    complete: int


class Escrow(NamedTuple):
    """Money held until both sides or their agent agree. Source: steem_objects.hpp, escrow_object."""

    id: int
    escrow_id: int
    from_: str
    to: str
    agent: str
    ratification_deadline: int
    escrow_expiration: int
    sbd_balance: int
    steem_balance: int
    pending_fee: Asset
    to_approved: bool
    agent_approved: bool
    disputed: bool
