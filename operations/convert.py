"""Conversion of SBD to STEEM at the median price over the conversion delay."""

from typing import Annotated

from operations.checks import check_account_name
from protocol.assets import SBD, Asset
from protocol.errors import Invalid, Rejected
from protocol.operation import Operation, operation
from protocol.resources import Resources, state_size
from protocol.rules import Rules
from protocol.types import U32, AccountName
from state.balances import LIQUID, hold
from state.context import Context
from state.prices import get_median_price
from state.tables.market import ConvertRequest


@operation(number=8, takes=Resources(15_700, state_size("convert_request_object_base_size", 48)), active="owner")
class Convert(Operation):
    """Requests a conversion of SBD to STEEM, paid after the conversion delay.

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

    def apply(self, ctx: Context) -> None:
        requests = ctx.tables.convert_requests
        hold(
            ctx,
            (LIQUID, self.owner),
            requests,
            ConvertRequest(
                id=requests.next_id(),
                owner=self.owner,
                requestid=self.requestid,
                amount=self.amount,
                conversion_date=ctx.time + ctx.rules.conversion_delay_seconds,
            ),
        )
        if get_median_price(ctx).is_null():
            raise Rejected(
                "!fhistory.current_median_history.is_null()", "Cannot convert SBD because there is no price feed."
            ).named("price_unknown")
