"""Escrow: payments under the supervision of a third account."""

from typing import Annotated

from operations.checks import check_account_names, check_optional_json
from protocol.assets import SBD, STEEM, Asset
from protocol.errors import Invalid, NotUnique, Rejected, UnknownKey
from protocol.operation import Fields, Operation, operation
from protocol.resources import Resources, state_size
from protocol.rules import Rules
from protocol.types import U32, AccountName, Bool, Default, String, Time
from state.balances import LIQUID, hold, pay_out, release
from state.context import Context
from state.engine.errors import RowExists
from state.tables.payments import Escrow

ESCROW_ID_DEFAULT = 30
"""The reference's default of an escrow_id that is absent in JSON."""


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


def _get_escrow(ctx: Context, payer: str, escrow_id: int) -> Escrow:
    escrow = ctx.tables.escrows.find((payer, escrow_id))
    if escrow is None:
        raise UnknownKey(name=payer, escrow_id=escrow_id)
    return escrow


def _check_parties(escrow: Escrow, to: str, agent: str, variable: str) -> None:
    """Refuses parties other than those of the escrow. The text about the agent lacks a value, as in the reference.

    `variable` is the name of the escrow in the reference's assertion.
    """
    if escrow.to != to:
        raise Rejected(
            f"{variable}.to == o.to", "Operation 'to' (${o}) does not match escrow 'to' (${e}).", o=to, e=escrow.to
        )
    if escrow.agent != agent:
        raise Rejected(
            f"{variable}.agent == o.agent",
            "Operation 'agent' (${a}) does not match escrow 'agent' (${e}).",
            o=agent,
            e=escrow.agent,
        )


@operation(
    number=27,
    takes=Resources(19_100, state_size("escrow_object_base_size", 119)),
    active="from_",
    impacts=("from_", "to", "agent"),
)
class EscrowTransfer(Operation):
    """Sets STEEM and SBD aside for another account, supervised by an agent.

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
            raise Invalid("from != agent && to != agent", "agent must be a third party").named("escrow_agent_is_party")
        if self.fee.symbol not in (STEEM, SBD):
            raise Invalid("(fee.symbol == STEEM_SYMBOL) || (fee.symbol == SBD_SYMBOL)", "fee must be STEEM or SBD")
        _check_symbols(self.sbd_amount, self.steem_amount)
        if not self.ratification_deadline < self.escrow_expiration:
            raise Invalid(
                "ratification_deadline < escrow_expiration", "ratification deadline must be before escrow expiration"
            ).named("escrow_dates_crossed")
        check_optional_json(self.json_meta, "json_meta")

    def apply(self, ctx: Context) -> None:
        tables = ctx.tables
        for name in (self.from_, self.to, self.agent):
            tables.accounts.get(name)
        self._check_times(ctx.time)
        escrow = Escrow(
            id=tables.escrows.next_id(),
            escrow_id=self.escrow_id,
            from_=self.from_,
            to=self.to,
            agent=self.agent,
            ratification_deadline=self.ratification_deadline,
            escrow_expiration=self.escrow_expiration,
            sbd_balance=self.sbd_amount.amount,
            steem_balance=self.steem_amount.amount,
            pending_fee=self.fee,
            to_approved=False,
            agent_approved=False,
            disputed=False,
        )
        try:
            hold(ctx, (LIQUID, self.from_), tables.escrows, escrow)
        except RowExists:
            raise NotUnique(o=Fields(self)) from None

    def _check_times(self, now: int) -> None:
        if not self.ratification_deadline > now:
            raise Rejected(
                "o.ratification_deadline > _db.head_block_time()",
                "The escorw ratification deadline must be after head block time.",
            ).named("escrow_dates_past")
        if not self.escrow_expiration > now:
            raise Rejected(
                "o.escrow_expiration > _db.head_block_time()", "The escrow expiration must be after head block time."
            ).named("escrow_dates_past")


@operation(number=31, takes=Resources(9900), active="who", impacts=("from_", "to", "agent"))
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

    def apply(self, ctx: Context) -> None:
        escrows = ctx.tables.escrows
        escrow = _get_escrow(ctx, self.from_, self.escrow_id)
        _check_parties(escrow, self.to, self.agent, "escrow")
        if not escrow.ratification_deadline >= ctx.time:
            raise Rejected(
                "escrow.ratification_deadline >= _db.head_block_time()",
                "The escrow ratification deadline has passed. Escrow can no longer be ratified.",
            ).named("escrow_approval_over")
        self._check_not_approved(escrow)
        if not self.approve:
            release(ctx, escrows, escrow, (LIQUID, self.from_))
            return
        if self.who == self.to:
            escrow = escrows.update(escrow, to_approved=True)
        if self.who == self.agent:
            escrow = escrows.update(escrow, agent_approved=True)
        if escrow.to_approved and escrow.agent_approved:
            pay_out(ctx, escrows, escrow, (LIQUID, self.agent), pending_fee=Asset(0, escrow.pending_fee.symbol))

    def _check_not_approved(self, escrow: Escrow) -> None:
        if self.who == self.to and escrow.to_approved:
            raise Rejected(
                "!escrow.to_approved", "Account 'to' (${t}) has already approved the escrow.", t=self.to
            ).named("escrow_approved", by=self.to)
        if self.who == self.agent and escrow.agent_approved:
            raise Rejected(
                "!escrow.agent_approved", "Account 'agent' (${a}) has already approved the escrow.", a=self.agent
            ).named("escrow_approved", by=self.agent)


@operation(number=28, takes=Resources(11_500), active="who", impacts=("from_", "to", "agent"))
class EscrowDispute(Operation):
    """Raises a dispute, which the agent of the approved escrow decides.

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

    def apply(self, ctx: Context) -> None:
        ctx.tables.accounts.get(self.from_)
        escrow = _get_escrow(ctx, self.from_, self.escrow_id)
        if not ctx.time < escrow.escrow_expiration:
            raise Rejected(
                "_db.head_block_time() < e.escrow_expiration", "Disputing the escrow must happen before expiration."
            ).named("escrow_expired")
        if not (escrow.to_approved and escrow.agent_approved):
            raise Rejected(
                "e.to_approved && e.agent_approved",
                "The escrow must be approved by all parties before a dispute can be raised.",
            ).named("escrow_not_approved")
        if escrow.disputed:
            raise Rejected("!e.disputed", "The escrow is already under dispute.").named("escrow_disputed")
        _check_parties(escrow, self.to, self.agent, "e")
        ctx.tables.escrows.update(escrow, disputed=True)


@operation(number=29, takes=Resources(17_200), active="who", impacts=("from_", "to", "agent"))
class EscrowRelease(Operation):
    """Pays money out of an escrow to the payer or the receiver.

    Source: steem_operations.hpp, escrow_release_operation; steem_operations.cpp,
    escrow_release_operation::validate; steem_evaluator.cpp, escrow_release_evaluator.
    """

    from_: Annotated[AccountName, "Account that paid."]
    to: Annotated[AccountName, "Account that shall get the money."]
    agent: Annotated[AccountName, "Third account that decides a dispute."]
    who: Annotated[AccountName, "Party that releases; its active authority signs."]
    receiver: Annotated[AccountName, "Account that gets this money: the payer or the receiver."]
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

    def apply(self, ctx: Context) -> None:
        ctx.tables.accounts.get(self.from_)
        escrow = _get_escrow(ctx, self.from_, self.escrow_id)
        _check_released("steem", self.steem_amount, escrow.steem_balance)
        _check_released("sbd", self.sbd_amount, escrow.sbd_balance)
        _check_parties(escrow, self.to, self.agent, "e")
        if not (escrow.to_approved and escrow.agent_approved):
            raise Rejected(
                "e.to_approved && e.agent_approved", "Funds cannot be released prior to escrow approval."
            ).named("escrow_not_approved")
        self._check_right(escrow, ctx.time)
        escrow = pay_out(
            ctx,
            ctx.tables.escrows,
            escrow,
            (LIQUID, self.receiver),
            steem_balance=escrow.steem_balance - self.steem_amount.amount,
            sbd_balance=escrow.sbd_balance - self.sbd_amount.amount,
        )
        if escrow.steem_balance == 0 and escrow.sbd_balance == 0:
            release(ctx, ctx.tables.escrows, escrow, (LIQUID, self.receiver))

    def _check_right(self, escrow: Escrow, now: int) -> None:
        """Checks who may release: in a dispute the agent; else each side to the other, and to itself after expiry."""
        parties = {"f": escrow.from_, "t": escrow.to}
        if escrow.disputed:
            if self.who != escrow.agent:
                raise Rejected(
                    "o.who == e.agent",
                    "Only 'agent' (${a}) can release funds in a disputed escrow.",
                    a=escrow.agent,
                ).named("escrow_only_agent_releases")
            return
        if self.who not in (escrow.from_, escrow.to):
            raise Rejected(
                "o.who == e.from || o.who == e.to",
                "Only 'from' (${f}) and 'to' (${t}) can release funds from a non-disputed escrow",
                **parties,
            ).named("escrow_only_parties_release")
        if not escrow.escrow_expiration > now:
            return
        if self.who == escrow.from_:
            if self.receiver != escrow.to:
                raise Rejected(
                    "o.receiver == e.to", "Only 'from' (${f}) can release funds to 'to' (${t}).", **parties
                ).named("escrow_only_to_other_side")
        elif self.receiver != escrow.from_:
            raise Rejected(
                "o.receiver == e.from", "Only 'to' (${t}) can release funds to 'from' (${t}).", **parties
            ).named("escrow_only_to_other_side")


def _check_released(name: str, released: Asset, held: int) -> None:
    if not held >= released.amount:
        raise Rejected(
            f"e.{name}_balance >= o.{name}_amount",
            "Release amount exceeds escrow balance. Amount: ${a}, Balance: ${b}",
            a=released.nai_json,
            b=Asset(held, released.symbol).nai_json,
        ).named("escrow_balance_exceeded")
