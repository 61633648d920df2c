"""Savings: balances that can be withdrawn only after a delay."""

from typing import Annotated

from operations.checks import check_account_name, check_account_names, check_memo
from protocol.assets import SBD, STEEM, Asset
from protocol.errors import Invalid, Rejected, UnknownKey
from protocol.operation import Operation, operation
from protocol.resources import Resources, state_size
from protocol.rules import Rules
from protocol.types import U32, AccountName, String
from state.balances import LIQUID, SAVINGS, hold, move, release
from state.context import Context
from state.tables.accounts import Account
from state.tables.payments import SavingsWithdraw


def _check_amount(amount: Asset) -> None:
    if not amount.amount > 0:
        raise Invalid("amount.amount > 0")
    if amount.symbol not in (STEEM, SBD):
        raise Invalid("amount.symbol == STEEM_SYMBOL || amount.symbol == SBD_SYMBOL")


@operation(number=32, takes=Resources(6400), active="from_", impacts=("from_", "to"))
class TransferToSavings(Operation):
    """Moves liquid tokens into an account's savings.

    Source: steem_operations.hpp, transfer_to_savings_operation; steem_operations.cpp,
    transfer_to_savings_operation::validate; steem_evaluator.cpp, transfer_to_savings_evaluator.
    """

    from_: Annotated[AccountName, "Account that pays; its active authority signs."]
    to: Annotated[AccountName, "Account whose savings grow."]
    amount: Annotated[Asset, "STEEM or SBD, in thousandths; more than 0."]
    memo: Annotated[String, "Free text in UTF-8, less than the rule max_memo_size_bytes (2048)."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_, self.to)
        _check_amount(self.amount)
        check_memo(self.memo, rules)

    def apply(self, ctx: Context) -> None:
        accounts, treasury = ctx.tables.accounts, ctx.rules.treasury_account
        accounts.get(self.from_)
        accounts.get(self.to)
        if self.to == treasury:
            raise Rejected("op.to != STEEM_TREASURY_ACCOUNT", "Cannot transfer savings to ${s}", s=treasury)
        move(ctx, self.amount, (LIQUID, self.from_), (SAVINGS, self.to))


@operation(
    number=33,
    takes=Resources(17_500, state_size("savings_withdraw_object_byte_size", 64, 229)),
    active="from_",
    impacts=("from_", "to"),
)
class TransferFromSavings(Operation):
    """Requests a withdrawal from savings, paid after the savings delay.

    Source: steem_operations.hpp, transfer_from_savings_operation; steem_operations.cpp,
    transfer_from_savings_operation::validate; steem_evaluator.cpp, transfer_from_savings_evaluator.
    """

    from_: Annotated[AccountName, "Account whose savings are used; its active authority signs."]
    request_id: Annotated[U32, "Number of the request, chosen by the owner, unique among its open ones."]
    to: Annotated[AccountName, "Account that receives."]
    amount: Annotated[Asset, "STEEM or SBD, in thousandths; more than 0."]
    memo: Annotated[String, "Free text in UTF-8, less than the rule max_memo_size_bytes (2048)."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_, self.to)
        _check_amount(self.amount)
        check_memo(self.memo, rules)

    def apply(self, ctx: Context) -> None:
        accounts, requests = ctx.tables.accounts, ctx.tables.savings_withdraws
        account = accounts.get(self.from_)
        accounts.get(self.to)
        self._check(ctx, account)
        hold(
            ctx,
            (SAVINGS, self.from_),
            requests,
            SavingsWithdraw(
                id=requests.next_id(),
                from_=self.from_,
                to=self.to,
                memo=self.memo,
                request_id=self.request_id,
                amount=self.amount,
                complete=ctx.time + ctx.rules.savings_withdraw_seconds,
            ),
        )
        account = accounts.get(self.from_)
        accounts.update(account, savings_withdraw_requests=account.savings_withdraw_requests + 1)

    def _check(self, ctx: Context, account: Account) -> None:
        if not account.savings_withdraw_requests < ctx.rules.savings_withdraw_request_limit:
            raise Rejected(
                "from.savings_withdraw_requests < STEEM_SAVINGS_WITHDRAW_REQUEST_LIMIT",
                "Account has reached limit for pending withdraw requests.",
            ).named("savings_withdrawals_used_up")
        treasury = ctx.rules.treasury_account
        if self.amount.symbol != SBD and self.to == treasury:
            raise Rejected(
                "op.amount.symbol == SBD_SYMBOL || op.to != STEEM_TREASURY_ACCOUNT",
                "Can only transfer SBD to ${s}",
                s=treasury,
            )
        saved = account.savings_balance if self.amount.symbol == STEEM else account.savings_sbd_balance
        if not saved >= self.amount.amount:
            raise Rejected("_db.get_savings_balance( from, op.amount.symbol ) >= op.amount").named("savings_missing")


@operation(number=34, takes=Resources(11_500), active="from_")
class CancelTransferFromSavings(Operation):
    """Cancels a withdrawal request; the tokens stay in savings.

    Source: steem_operations.hpp, cancel_transfer_from_savings_operation; steem_operations.cpp,
    cancel_transfer_from_savings_operation::validate; steem_evaluator.cpp, cancel_transfer_from_savings_evaluator.
    """

    from_: Annotated[AccountName, "Account that asked; its active authority signs."]
    request_id: Annotated[U32, "Number of the request."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.from_)

    def apply(self, ctx: Context) -> None:
        accounts, requests = ctx.tables.accounts, ctx.tables.savings_withdraws
        request = requests.find((self.from_, self.request_id))
        if request is None:
            raise UnknownKey(owner=self.from_, request_id=self.request_id)
        release(ctx, requests, request, (SAVINGS, request.from_))
        account = accounts.get(request.from_)
        accounts.update(account, savings_withdraw_requests=account.savings_withdraw_requests - 1)
