"""Power up, power down, its routes, and delegation of vesting shares."""

from typing import Annotated, Any, ClassVar

from operations.checks import check_account_name, check_account_names, is_token
from operations.delegation import DELEGATION_BYTES, change_delegation
from protocol.assets import STEEM, VESTS, Asset, is_vesting
from protocol.errors import Invalid, Rejected
from protocol.integers import TIME_MAX
from protocol.operation import Operation, operation
from protocol.resources import Resources, state_size
from protocol.rules import Rules
from protocol.types import U16, AccountName, Bool
from protocol.units import BASIS_POINTS
from state.balances import LIQUID, move
from state.context import Context
from state.mana import Staker
from state.stake import STAKE, find_staker
from state.tables.vesting import WithdrawVestingRoute


@operation(number=3, takes=Resources(44_400, is_market=True), active="from_", impacts=("from_", "to"))
class TransferToVesting(Operation):
    """Turns liquid STEEM into vesting shares at the current price (power up).

    Source: steem_operations.hpp, transfer_to_vesting_operation; steem_operations.cpp,
    transfer_to_vesting_operation::validate; steem_evaluator.cpp, transfer_to_vesting_evaluator.
    """

    from_: Annotated[AccountName, "Account that pays; its active authority signs."]
    to: Annotated[AccountName, "Account that gets the vesting shares; empty means the paying account."]
    amount: Annotated[Asset, "STEEM (or the liquid variant of a token) to power up; more than 0."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.from_)
        symbol = self.amount.symbol
        if not (symbol == STEEM or (is_token(symbol) and not is_vesting(symbol))):
            raise Invalid(
                "amount.symbol == STEEM_SYMBOL || ( amount.symbol.space() == asset_symbol_type::smt_nai_space && "
                "amount.symbol.is_vesting() == false )",
                "Amount must be STEEM or SMT liquid",
            )
        if self.to:
            check_account_name(self.to)
        if not self.amount.amount > 0:
            raise Invalid("amount.amount > 0", "Must transfer a nonzero amount")

    def stake_accounts(self) -> tuple[str, ...]:
        return (self.to or self.from_,)

    def apply(self, ctx: Context) -> None:
        accounts = ctx.tables.accounts
        receiver = accounts.get(self.from_).name
        if self.to:
            receiver = accounts.get(self.to).name
        if self.to == ctx.rules.treasury_account:
            raise Rejected(
                "o.amount.symbol == SBD_SYMBOL || o.to != STEEM_TREASURY_ACCOUNT",
                "Can only transfer SBD to ${s}",
                s=self.to,
            )
        move(ctx, self.amount, (LIQUID, self.from_), (STAKE, receiver))


_NO_STAKE = "Account does not have sufficient Steem Power for withdraw."
_NO_TOKEN_STAKE = "Account does not have sufficient Token Power for withdrawal."
_NO_CHANGE = "This operation would not change the vesting withdraw rate."


def compute_withdraw_rate(vesting_shares: int, intervals: int) -> int:
    """VESTS satoshis of one part of a power down, rounded up, at least 1."""
    return max(-(-vesting_shares // intervals), 1)


@operation(number=4, takes=Resources(10_400), active="account")
class WithdrawVesting(Operation):
    """Starts, changes or (with 0) stops the weekly withdrawal of vesting shares (power down).

    Source: steem_operations.hpp, withdraw_vesting_operation; steem_operations.cpp,
    withdraw_vesting_operation::validate; steem_evaluator.cpp, withdraw_vesting_evaluator.
    """

    gives_credits: ClassVar[bool] = False

    account: Annotated[AccountName, "Account that powers down; its active authority signs."]
    vesting_shares: Annotated[Asset, "VESTS to withdraw in all, in millionths; 0 stops a running withdrawal."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account)
        symbol = self.vesting_shares.symbol
        if rules.tokens_live and is_token(symbol):
            if not is_vesting(symbol):
                raise Invalid("vesting_shares.symbol.is_vesting()", "Vesting shares must be a vesting symbol.")
        elif symbol != VESTS:
            raise Invalid("is_asset_type( vesting_shares, VESTS_SYMBOL)", "Amount must be VESTS")

    def stake_accounts(self) -> tuple[str, ...]:
        return (self.account,)

    def apply(self, ctx: Context) -> None:
        wanted, symbol = self.vesting_shares
        account = ctx.tables.accounts.get(self.account) if symbol == VESTS else self._get_holder(ctx)
        if wanted < 0:
            raise Rejected(
                "false",
                "Cannot withdraw negative VESTS. account: ${account}, vests:${vests}",
                account=self.account,
                vests=self.vesting_shares.nai_json,
            )
        if not account.vesting_shares >= 0:
            raise Rejected("account.vesting_shares >= asset( 0, VESTS_SYMBOL )", _NO_STAKE).named("power_missing")
        if not account.vesting_shares - account.delegated_vesting_shares >= wanted:
            owner, text = ("account.", _NO_STAKE) if symbol == VESTS else ("bal_obj->", _NO_TOKEN_STAKE)
            raise Rejected(f"{owner}vesting_shares - {owner}delegated_vesting_shares >= o.vesting_shares", text).named(
                "power_missing"
            )
        stakers: Any = ctx.tables.accounts if symbol == VESTS else ctx.tables.token_balances
        if wanted == 0:
            self._stop(stakers, account)
        else:
            self._start(ctx, stakers, account)

    def _get_holder(self, ctx: Context) -> Staker:
        holder = find_staker(ctx, self.account, self.vesting_shares.symbol)
        if holder is None:
            raise Rejected("bal_obj != nullptr", _NO_TOKEN_STAKE).named("power_missing")
        return holder

    def _stop(self, stakers: Any, account: Staker) -> None:
        if account.vesting_withdraw_rate == 0:
            raise Rejected("account.vesting_withdraw_rate.amount != 0", _NO_CHANGE).named("power_down_unchanged")
        stakers.update(account, vesting_withdraw_rate=0, next_vesting_withdrawal=TIME_MAX, to_withdraw=0, withdrawn=0)

    def _start(self, ctx: Context, stakers: Any, account: Staker) -> None:
        """Starts a power down with the first payment in one interval; an earlier power down is discarded."""
        rules = ctx.rules
        intervals, interval = rules.vesting_withdraw_intervals, rules.vesting_withdraw_interval_seconds
        if self.vesting_shares.symbol != VESTS:
            intervals, interval = rules.smt_vesting_withdraw_intervals, rules.smt_vesting_withdraw_interval_seconds
        rate = compute_withdraw_rate(self.vesting_shares.amount, intervals)
        if account.vesting_withdraw_rate == rate:
            raise Rejected("account.vesting_withdraw_rate != new_vesting_withdraw_rate", _NO_CHANGE).named(
                "power_down_unchanged"
            )
        stakers.update(
            account,
            vesting_withdraw_rate=rate,
            next_vesting_withdrawal=ctx.time + interval,
            to_withdraw=self.vesting_shares.amount,
            withdrawn=0,
        )


@operation(
    number=20,
    takes=Resources(17_900, state_size("withdraw_vesting_route_object_base_size", 43)),
    active="from_account",
    impacts=("from_account", "to_account"),
)
class SetWithdrawVestingRoute(Operation):
    """Sends a share of an account's withdrawals to another account, as STEEM or again as vesting shares.

    Source: steem_operations.hpp, set_withdraw_vesting_route_operation; steem_operations.cpp,
    set_withdraw_vesting_route_operation::validate; steem_evaluator.cpp, set_withdraw_vesting_route_evaluator.
    """

    gives_credits: ClassVar[bool] = False

    from_account: Annotated[AccountName, "Account that powers down; its active authority signs."]
    to_account: Annotated[AccountName, "Account that gets the share."]
    percent: Annotated[U16, "Share of each payment, in basis points; 0 removes the route."]
    auto_vest: Annotated[Bool, "Whether the share is powered up for the receiver at once."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.from_account, self.to_account)
        if not 0 <= self.percent <= BASIS_POINTS:
            raise Invalid("0 <= percent && percent <= STEEM_100_PERCENT", "Percent must be valid steem percent")

    def stake_accounts(self) -> tuple[str, ...]:
        return (self.from_account,)

    def apply(self, ctx: Context) -> None:
        accounts, routes = ctx.tables.accounts, ctx.tables.withdraw_vesting_routes
        source = accounts.get(self.from_account)
        accounts.get(self.to_account)
        if self.to_account == ctx.rules.treasury_account:
            raise Rejected(
                "o.to_account != STEEM_TREASURY_ACCOUNT", "Cannot withdraw vesting to ${s}", s=self.to_account
            )
        route = routes.find((self.from_account, self.to_account))
        if route is None:
            self._add(ctx)
        elif self.percent == 0:
            routes.delete(route)
            accounts.update(source, withdraw_routes=source.withdraw_routes - 1)
        else:
            routes.update(route, percent=self.percent, auto_vest=self.auto_vest)
        if not sum(route.percent for route in routes.scan((self.from_account,))) <= BASIS_POINTS:
            raise Rejected(
                "total_percent <= STEEM_100_PERCENT",
                "More than 100% of vesting withdrawals allocated to destinations.",
            )

    def _add(self, ctx: Context) -> None:
        accounts, routes = ctx.tables.accounts, ctx.tables.withdraw_vesting_routes
        source = accounts.get(self.from_account)
        if self.percent == 0:
            raise Rejected("o.percent != 0", "Cannot create a 0% destination.")
        if not source.withdraw_routes < ctx.rules.max_withdraw_routes:
            raise Rejected(
                "from_account.withdraw_routes < STEEM_MAX_WITHDRAW_ROUTES",
                "Account already has the maximum number of routes.",
            )
        routes.insert(
            WithdrawVestingRoute(routes.next_id(), self.from_account, self.to_account, self.percent, self.auto_vest)
        )
        accounts.update(source, withdraw_routes=source.withdraw_routes + 1)


_RETURN_BYTES = state_size("vesting_delegation_expiration_object_base_size", 44)


@operation(
    number=40,
    takes=Resources(19_900, max(DELEGATION_BYTES, _RETURN_BYTES)),
    active="delegator",
    impacts=("delegator", "delegatee"),
)
class DelegateVestingShares(Operation):
    """Sets how many vesting shares one account lends to another; 0 ends the delegation.

    Source: steem_operations.hpp, delegate_vesting_shares_operation; steem_operations.cpp,
    delegate_vesting_shares_operation::validate; steem_evaluator.cpp, delegate_vesting_shares_evaluator.
    """

    delegator: Annotated[AccountName, "Account that lends; its active authority signs."]
    delegatee: Annotated[AccountName, "Account that may use the shares."]
    vesting_shares: Annotated[Asset, "VESTS lent in all after this operation, in millionths."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.delegator, self.delegatee)
        symbol = self.vesting_shares.symbol
        is_of_token = rules.tokens_live and is_token(symbol)
        if self.delegator == self.delegatee:
            what = "vesting shares" if is_of_token else "VESTS"
            raise Invalid("delegator != delegatee", f"You cannot delegate {what} to yourself")
        if is_of_token and not is_vesting(symbol):
            raise Invalid("vesting_shares.symbol.is_vesting()", "Delegation must be a vesting type.")
        if symbol != VESTS and not is_of_token:
            raise Invalid("is_asset_type( vesting_shares, VESTS_SYMBOL )", "Delegation must be VESTS")
        if not self.vesting_shares.amount >= 0:
            raise Invalid("vesting_shares >= asset( 0, VESTS_SYMBOL )", "Delegation cannot be negative")

    def stake_accounts(self) -> tuple[str, ...]:
        return self.delegator, self.delegatee

    def apply(self, ctx: Context) -> None:
        change_delegation(ctx, self.delegator, self.delegatee, self.vesting_shares)
