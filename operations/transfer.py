"""Transfers of liquid tokens between accounts."""

from typing import Annotated

from operations.checks import check_account_names, check_memo
from protocol.assets import SBD, Asset, is_vesting
from protocol.errors import Invalid, Rejected
from protocol.operation import Operation, operation
from protocol.resources import Resources
from protocol.rules import Rules
from protocol.types import AccountName, String
from state.balances import LIQUID, move
from state.context import Context


@operation(number=2, takes=Resources(9600, is_market=True), active="from_", impacts=("from_", "to"))
class Transfer(Operation):
    """Moves liquid tokens from one account to another.

    Source: steem_operations.hpp, transfer_operation; steem_operations.cpp, transfer_operation::validate;
    steem_evaluator.cpp, transfer_evaluator.
    """

    from_: Annotated[AccountName, "Account the tokens leave; its active authority signs."]
    to: Annotated[AccountName, "Account that receives."]
    amount: Annotated[Asset, "Liquid tokens to move, in the smallest unit; more than 0."]
    memo: Annotated[String, "Free text in UTF-8, less than the rule max_memo_size_bytes (2048)."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_, self.to)
        if is_vesting(self.amount.symbol):
            raise Invalid("amount.symbol.is_vesting() == false", "Transfer of vesting is not allowed.")
        if not self.amount.amount > 0:
            raise Invalid("amount.amount > 0", "Cannot transfer a negative amount (aka: stealing)")
        check_memo(self.memo, rules)

    def apply(self, ctx: Context) -> None:
        if self.amount.symbol != SBD and self.to == ctx.rules.treasury_account:
            raise Rejected(
                "o.amount.symbol == SBD_SYMBOL || o.to != STEEM_TREASURY_ACCOUNT",
                "Can only transfer SBD to ${s}",
                s=ctx.rules.treasury_account,
            )
        move(ctx, self.amount, (LIQUID, self.from_), (LIQUID, self.to))
