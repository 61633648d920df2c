"""Savings: balances that can only be taken out after a delay."""

from dataclasses import dataclass
from typing import Annotated

from operations.checks import check_account_name, check_account_names, check_memo
from protocol.assets import SBD, STEEM, Asset
from protocol.errors import Invalid
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.rules import Rules
from protocol.types import U32, AccountName, String


def _check_amount(amount: Asset) -> None:
    if not amount.amount > 0:
        raise Invalid("amount.amount > 0")
    if amount.symbol not in (STEEM, SBD):
        raise Invalid("amount.symbol == STEEM_SYMBOL || amount.symbol == SBD_SYMBOL")


@operation(number=32)
@dataclass(slots=True)
class TransferToSavings(Operation):
    """Moves liquid tokens into an account's savings.

    Source: steem_operations.hpp, transfer_to_savings_operation; steem_operations.cpp,
    transfer_to_savings_operation::validate; steem_evaluator.cpp, transfer_to_savings_evaluator.
    """

    from_: Annotated[AccountName, "Account that pays; its active authority signs."]
    to: Annotated[AccountName, "Account whose savings grow."]
    amount: Annotated[Asset, "STEEM or SBD, in thousandths; more than 0."]
    memo: Annotated[String, "Free text in UTF-8, at most 2047 bytes."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_, self.to)
        _check_amount(self.amount)
        check_memo(self.memo, rules)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.from_)

    def impacted(self) -> set[str]:
        return {self.from_, self.to}


@operation(number=33)
@dataclass(slots=True)
class TransferFromSavings(Operation):
    """Asks for tokens from savings, paid out after the savings delay.

    Source: steem_operations.hpp, transfer_from_savings_operation; steem_operations.cpp,
    transfer_from_savings_operation::validate; steem_evaluator.cpp, transfer_from_savings_evaluator.
    """

    from_: Annotated[AccountName, "Account whose savings are used; its active authority signs."]
    request_id: Annotated[U32, "Number of the request, chosen by the owner, unique among its open ones."]
    to: Annotated[AccountName, "Account that receives."]
    amount: Annotated[Asset, "STEEM or SBD, in thousandths; more than 0."]
    memo: Annotated[String, "Free text in UTF-8, at most 2047 bytes."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_, self.to)
        _check_amount(self.amount)
        check_memo(self.memo, rules)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.from_)

    def impacted(self) -> set[str]:
        return {self.from_, self.to}


@operation(number=34)
@dataclass(slots=True)
class CancelTransferFromSavings(Operation):
    """Takes a request back; the tokens stay in savings.

    Source: steem_operations.hpp, cancel_transfer_from_savings_operation; steem_operations.cpp,
    cancel_transfer_from_savings_operation::validate; steem_evaluator.cpp, cancel_transfer_from_savings_evaluator.
    """

    from_: Annotated[AccountName, "Account that asked; its active authority signs."]
    request_id: Annotated[U32, "Number of the request."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.from_)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.from_)
