"""Converting SBD to STEEM at the median price of the days after."""

from dataclasses import dataclass
from typing import Annotated

from operations.checks import check_account_name
from protocol.assets import SBD, Asset
from protocol.errors import Invalid
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.rules import Rules
from protocol.types import U32, AccountName


@operation(number=8)
@dataclass(slots=True)
class Convert(Operation):
    """Asks for a conversion of SBD to STEEM, paid out after the conversion delay.

    Source: steem_operations.hpp, convert_operation; steem_operations.cpp, convert_operation::validate;
    steem_evaluator.cpp, convert_evaluator.
    """

    owner: Annotated[AccountName, "Account that converts; its active authority signs."]
    requestid: Annotated[U32, "Number of the request, chosen by the owner, unique among its open ones."]
    amount: Annotated[Asset, "SBD to convert, in thousandths; more than 0."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.owner)
        if self.amount.symbol != SBD:
            raise Invalid("is_asset_type( amount, SBD_SYMBOL )", "Can only convert SBD to STEEM")
        if not self.amount.amount > 0:
            raise Invalid("amount.amount > 0", "Must convert some SBD")

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.owner)
