"""Per-block steps that execute delayed payments: conversions of SBD and withdrawals from savings.

Source: libraries/chain/database.cpp, process_conversions and process_savings_withdraws.
"""

from protocol.assets import SBD, STEEM, Asset, multiply
from protocol.virtual_operations import FillConvertRequest, FillTransferFromSavings
from state.balances import Clearing, Payments, Place, release
from state.context import Context
from state.issuance import burn, issue
from state.prices import get_median_price
from state.tables.market import ConvertRequest
from state.tables.payments import SavingsWithdraw


def process_conversions(ctx: Context) -> None:
    """Converts the SBD of every due request to new STEEM at the median price; without a price all requests wait."""
    price = get_median_price(ctx)
    if price.is_null():
        return
    requests = ctx.tables.convert_requests
    due: list[ConvertRequest] = list(requests.index("by_conversion_date").scan(stop=(ctx.time + 1,)))
    if not due:
        return
    converted = Clearing()
    parts: list[tuple[int, Place]] = []
    payments = Payments()
    for request in due:
        paid = multiply(request.amount, price)
        release(ctx, requests, request, (converted, None))
        parts.append((paid.amount, (payments, request.owner)))
        ctx.emit(FillConvertRequest(request.owner, request.requestid, request.amount, paid))
    burn(ctx, Asset(sum(request.amount.amount for request in due), SBD), (converted, None))
    issue(ctx, STEEM, *parts)
    payments.finish(ctx)
    converted.finish()


def process_savings_withdrawals(ctx: Context) -> None:
    """Pays every due withdrawal from savings, ordered by time, payer's name and request number."""
    accounts, requests = ctx.tables.accounts, ctx.tables.savings_withdraws
    due: list[SavingsWithdraw] = list(requests.index("by_complete_from_id").scan(stop=(ctx.time + 1,)))
    payments = Payments()
    for request in due:
        release(ctx, requests, request, (payments, request.to))
        account = accounts.get(request.from_)
        accounts.update(account, savings_withdraw_requests=account.savings_withdraw_requests - 1)
        ctx.emit(FillTransferFromSavings(request.from_, request.to, request.amount, request.request_id, request.memo))
    payments.finish(ctx)
