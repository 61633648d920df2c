"""Claiming earned rewards."""

from typing import Annotated, Any

from operations.checks import check_account_name, is_token
from protocol.assets import (
    SBD,
    STEEM,
    VESTS,
    Asset,
    decimals,
    is_vesting,
    liquid_symbol,
    nai_string,
    symbol_json,
    symbol_to_nai,
)
from protocol.errors import Invalid, Rejected
from protocol.operation import Operation, operation
from protocol.resources import Resources
from protocol.rules import Rules
from protocol.types import AccountName, FutureExtensions, Vector
from state.context import Context
from state.reward_balances import claim_reward, claim_token_reward


@operation(number=39, takes=Resources(50_300), posting="account")
class ClaimRewardBalance(Operation):
    """Moves earned rewards to the account's balances.

    Source: steem_operations.hpp, claim_reward_balance_operation; steem_operations.cpp,
    claim_reward_balance_operation::validate; steem_evaluator.cpp, claim_reward_balance_evaluator.
    """

    account: Annotated[AccountName, "Account that claims; its posting authority signs."]
    reward_steem: Annotated[Asset, "STEEM to claim, in thousandths."]
    reward_sbd: Annotated[Asset, "SBD to claim, in thousandths."]
    reward_vests: Annotated[Asset, "VESTS to claim, in millionths."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account)
        if self.reward_steem.symbol != STEEM:
            raise Invalid("is_asset_type( reward_steem, STEEM_SYMBOL )", "Reward Steem must be STEEM")
        if self.reward_sbd.symbol != SBD:
            raise Invalid("is_asset_type( reward_sbd, SBD_SYMBOL )", "Reward Steem must be SBD")
        if self.reward_vests.symbol != VESTS:
            raise Invalid("is_asset_type( reward_vests, VESTS_SYMBOL )", "Reward Steem must be VESTS")
        rewards = (("steem", self.reward_steem), ("sbd", self.reward_sbd), ("vests", self.reward_vests))
        for name, reward in rewards:
            if not reward.amount >= 0:
                raise Invalid(f"reward_{name}.amount >= 0", "Cannot claim a negative amount")
        if not any(reward.amount > 0 for _, reward in rewards):
            raise Invalid(
                "reward_steem.amount > 0 || reward_sbd.amount > 0 || reward_vests.amount > 0", "Must claim something."
            ).named("claim_empty")

    def stake_accounts(self) -> tuple[str, ...]:
        return (self.account,)

    def apply(self, ctx: Context) -> None:
        account = ctx.tables.accounts.get(self.account)
        held = (
            ("steem", "STEEM", self.reward_steem, account.reward_steem_balance, "reward_steem_balance"),
            ("sbd", "SBD", self.reward_sbd, account.reward_sbd_balance, "reward_sbd_balance"),
            ("vests", "VESTS", self.reward_vests, account.reward_vesting_balance, "reward_vesting_balance"),
        )
        for name, symbol, claimed, available, field in held:
            _check_available(f"op.reward_{name} <= acnt.{field}", symbol, claimed, available)
        for reward in (self.reward_steem, self.reward_sbd, self.reward_vests):
            claim_reward(ctx, self.account, reward)


@operation(number=47, takes=Resources(0), posting="account")
class ClaimRewardBalance2(Operation):
    """Moves earned rewards, tokens among them, to the account's balances.

    The order of the fields and the rules are those of the 0.23.x branch built with tokens, because chains made by that
    node hold this operation; master puts extensions last and refuses amounts of 0.
    Source: steem_operations.hpp, claim_reward_balance2_operation; steem_operations.cpp,
    claim_reward_balance2_operation::validate; steem_evaluator.cpp, claim_reward_balance2_evaluator.
    """

    account: Annotated[AccountName, "Account that claims; its posting authority signs."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]
    reward_tokens: Annotated[Vector[Asset], "Amounts to claim, in ascending order of their NAI, each symbol once."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account)
        if not self.reward_tokens:
            raise Invalid("reward_tokens.empty() == false", "Must claim something.").named("claim_empty")
        if not self.reward_tokens[0].amount >= 0:
            raise Invalid("reward_tokens.begin()->amount >= 0", "Cannot claim a negative amount")
        for index in range(1, len(self.reward_tokens)):
            _check_follows(self.reward_tokens[index - 1], self.reward_tokens[index])
        if not any(token.amount > 0 for token in self.reward_tokens):
            raise Invalid("is_substantial_reward", "Must claim something.").named("claim_empty")

    def stake_accounts(self) -> tuple[str, ...]:
        return (self.account,)

    def apply(self, ctx: Context) -> None:
        for token in self.reward_tokens:
            if token.amount != 0:
                self._claim(ctx, token)

    def _claim(self, ctx: Context, token: Asset) -> None:
        if is_token(token.symbol):
            if ctx.rules.tokens_live:
                self._claim_token(ctx, token)
                return
            raise Rejected("delta.amount.value >= 0", "Insufficient SMT ${smt} funds", smt=_show_symbol(token.symbol))
        account = ctx.tables.accounts.find(self.account)
        if account is None:
            raise Rejected("a != nullptr", "Could NOT find account ${a}", a=self.account)
        name, available, assertion = {
            STEEM: (
                "STEEM",
                account.reward_steem_balance,
                "is_asset_type( token, STEEM_SYMBOL ) == false || token <= a->reward_steem_balance",
            ),
            SBD: (
                "SBD",
                account.reward_sbd_balance,
                "is_asset_type( token, SBD_SYMBOL ) == false || token <= a->reward_sbd_balance",
            ),
            VESTS: ("VESTS", account.reward_vesting_balance, "token <= a->reward_vesting_balance"),
        }[token.symbol]
        _check_available(assertion, name, token, available)
        claim_reward(ctx, self.account, token, with_mana=False)

    def _claim_token(self, ctx: Context, claimed: Asset) -> None:
        holder = ctx.tables.token_balances.find((self.account, liquid_symbol(claimed.symbol)))
        if holder is None:
            raise Rejected(
                "bal != nullptr",
                "Account ${a} has no rewards balance for SMT ${s}",
                a=self.account,
                s=symbol_json(claimed.symbol),
            )
        pending, field = holder.pending_liquid, "pending_liquid"
        if is_vesting(claimed.symbol):
            pending, field = holder.pending_vesting_shares, "pending_vesting_shares"
        if not claimed.amount <= pending:
            raise Rejected(
                f"token <= bal->{field}",
                "Account ${a} has only ${p} pending in their rewards balance. Claimed: ${c}",
                a=self.account,
                p=Asset(pending, claimed.symbol).nai_json,
                c=claimed.nai_json,
            ).named("claim_too_large")
        claim_token_reward(ctx, holder, claimed)

    def count_resources(self) -> Resources:
        return self.resources.more(execution_time=50_300 if any(is_token(a.symbol) for a in self.reward_tokens) else 0)


def _check_available(assertion: str, symbol: str, claimed: Asset, available: int) -> None:
    if not claimed.amount <= available:
        raise Rejected(
            assertion,
            f"Cannot claim that much {symbol}. Claim: ${{c}} Actual: ${{a}}",
            c=claimed.nai_json,
            a=Asset(available, claimed.symbol).nai_json,
        ).named("claim_too_large")


def _show_symbol(symbol: int) -> dict[str, Any]:
    return {"nai": nai_string(symbol), "decimals": decimals(symbol)}


def _check_follows(left: Asset, right: Asset) -> None:
    left_nai, right_nai = symbol_to_nai(left.symbol), symbol_to_nai(right.symbol)
    if not left_nai <= right_nai:
        raise Invalid(
            "itl->symbol.to_nai() <= itr->symbol.to_nai()", "Reward tokens have not been inserted in ascending order."
        )
    if left_nai == right_nai:
        raise Invalid(
            "itl->symbol.to_nai() != itr->symbol.to_nai()",
            "Duplicate symbol ${s} inserted into claim reward operation container.",
            s=_show_symbol(left.symbol),
        )
    if not right.amount >= 0:
        raise Invalid("itr->amount >= 0", "Cannot claim a negative amount")
