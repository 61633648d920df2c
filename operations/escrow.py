"""Escrow: payments that a third account watches over."""

from dataclasses import dataclass
from typing import Annotated

from operations.checks import check_account_names, check_optional_json
from protocol.assets import SBD, STEEM, Asset
from protocol.errors import Invalid
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.rules import Rules
from protocol.types import U32, AccountName, Bool, Default, String, Time

ESCROW_ID_DEFAULT = 30
"""What the reference takes for an escrow_id that JSON input leaves out."""


def _check_symbols(sbd_amount: Asset, steem_amount: Asset) -> None:
    if sbd_amount.symbol != SBD:
        raise Invalid("sbd_amount.symbol == SBD_SYMBOL", "sbd amount must contain SBD")
    if steem_amount.symbol != STEEM:
        raise Invalid("steem_amount.symbol == STEEM_SYMBOL", "steem amount must contain STEEM")


def _check_amounts(sbd_amount: Asset, steem_amount: Asset, verb: str) -> None:
    if not sbd_amount.amount >= 0:
        raise Invalid("sbd_amount.amount >= 0", "sbd amount cannot be negative")
    if not steem_amount.amount >= 0:
        raise Invalid("steem_amount.amount >= 0", "steem amount cannot be negative")
    if not (sbd_amount.amount > 0 or steem_amount.amount > 0):
        raise Invalid("sbd_amount.amount > 0 || steem_amount.amount > 0", f"escrow must {verb} a non-zero amount")


@operation(number=27)
@dataclass(slots=True)
class EscrowTransfer(Operation):
    """Puts STEEM and SBD aside for another account, watched over by an agent.

    Source: steem_operations.hpp, escrow_transfer_operation; steem_operations.cpp,
    escrow_transfer_operation::validate; steem_evaluator.cpp, escrow_transfer_evaluator.
    """

    from_: Annotated[AccountName, "Account that pays; its active authority signs."]
    to: Annotated[AccountName, "Account that shall get the money."]
    sbd_amount: Annotated[Asset, "SBD put aside, in thousandths.", Default(Asset(0, SBD))]
    steem_amount: Annotated[Asset, "STEEM put aside, in thousandths."]
    escrow_id: Annotated[U32, "Number, chosen by the payer, unique among its escrows.", Default(ESCROW_ID_DEFAULT)]
    agent: Annotated[AccountName, "Third account that decides a dispute."]
    fee: Annotated[Asset, "STEEM or SBD for the agent, in thousandths, paid when all have approved."]
    json_meta: Annotated[String, "Terms as JSON text; may be empty."]
    ratification_deadline: Annotated[Time, "Until when the receiver and the agent must approve."]
    escrow_expiration: Annotated[Time, "From when either side may release to either side."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_, self.to, self.agent)
        if not self.fee.amount >= 0:
            raise Invalid("fee.amount >= 0", "fee cannot be negative")
        _check_amounts(self.sbd_amount, self.steem_amount, "transfer")
        if self.agent in (self.from_, self.to):
            raise Invalid("from != agent && to != agent", "agent must be a third party")
        if self.fee.symbol not in (STEEM, SBD):
            raise Invalid("(fee.symbol == STEEM_SYMBOL) || (fee.symbol == SBD_SYMBOL)", "fee must be STEEM or SBD")
        _check_symbols(self.sbd_amount, self.steem_amount)
        if not self.ratification_deadline < self.escrow_expiration:
            raise Invalid(
                "ratification_deadline < escrow_expiration", "ratification deadline must be before escrow expiration"
            )
        check_optional_json(self.json_meta, "json_meta")

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.from_)

    def impacted(self) -> set[str]:
        return {self.from_, self.to, self.agent}


@operation(number=31)
@dataclass(slots=True)
class EscrowApprove(Operation):
    """Approves or refuses an escrow; both the receiver and the agent must approve.

    Source: steem_operations.hpp, escrow_approve_operation; steem_operations.cpp,
    escrow_approve_operation::validate; steem_evaluator.cpp, escrow_approve_evaluator.
    """

    from_: Annotated[AccountName, "Account that pays."]
    to: Annotated[AccountName, "Account that shall get the money."]
    agent: Annotated[AccountName, "Third account that decides a dispute."]
    who: Annotated[AccountName, "The receiver or the agent; its active authority signs."]
    escrow_id: Annotated[U32, "Number of the escrow.", Default(ESCROW_ID_DEFAULT)]
    approve: Annotated[Bool, "Whether to approve; False sends everything back.", Default(True)]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_, self.to, self.agent, self.who)
        if self.who not in (self.to, self.agent):
            raise Invalid("who == to || who == agent", "to or agent must approve escrow")

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.who)

    def impacted(self) -> set[str]:
        return {self.from_, self.to, self.agent}


@operation(number=28)
@dataclass(slots=True)
class EscrowDispute(Operation):
    """Hands the decision over an approved escrow to the agent.

    Source: steem_operations.hpp, escrow_dispute_operation; steem_operations.cpp,
    escrow_dispute_operation::validate; steem_evaluator.cpp, escrow_dispute_evaluator.
    """

    from_: Annotated[AccountName, "Account that pays."]
    to: Annotated[AccountName, "Account that shall get the money."]
    agent: Annotated[AccountName, "Third account that decides a dispute."]
    who: Annotated[AccountName, "The payer or the receiver; its active authority signs."]
    escrow_id: Annotated[U32, "Number of the escrow.", Default(ESCROW_ID_DEFAULT)]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_, self.to, self.agent, self.who)
        if self.who not in (self.from_, self.to):
            raise Invalid("who == from || who == to", "who must be from or to")

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.who)

    def impacted(self) -> set[str]:
        return {self.from_, self.to, self.agent}


@operation(number=29)
@dataclass(slots=True)
class EscrowRelease(Operation):
    """Pays money out of an escrow to the payer or the receiver.

    Source: steem_operations.hpp, escrow_release_operation; steem_operations.cpp,
    escrow_release_operation::validate; steem_evaluator.cpp, escrow_release_evaluator.
    """

    from_: Annotated[AccountName, "Account that paid."]
    to: Annotated[AccountName, "Account that shall get the money."]
    agent: Annotated[AccountName, "Third account that decides a dispute."]
    who: Annotated[AccountName, "Party that releases; its active authority signs."]
    receiver: Annotated[AccountName, "The payer or the receiver, whoever gets this money."]
    escrow_id: Annotated[U32, "Number of the escrow.", Default(ESCROW_ID_DEFAULT)]
    sbd_amount: Annotated[Asset, "SBD released, in thousandths.", Default(Asset(0, SBD))]
    steem_amount: Annotated[Asset, "STEEM released, in thousandths."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_, self.to, self.agent, self.who, self.receiver)
        if self.who not in (self.from_, self.to, self.agent):
            raise Invalid("who == from || who == to || who == agent", "who must be from or to or agent")
        if self.receiver not in (self.from_, self.to):
            raise Invalid("receiver == from || receiver == to", "receiver must be from or to")
        _check_amounts(self.sbd_amount, self.steem_amount, "release")
        _check_symbols(self.sbd_amount, self.steem_amount)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.who)

    def impacted(self) -> set[str]:
        return {self.from_, self.to, self.agent}
