"""Actions that the chain itself schedules and a block producer must or may include in the block header.

Numbers and fields follow the branch in which tokens were finished. Test builds of branch 0.23.x had the two example
actions only, with number 0; release builds had no actions. No preserved chain of that branch contains one.
Source: libraries/protocol required_automated_actions.hpp, steem_required_actions.hpp, optional_automated_actions.hpp,
steem_optional_actions.hpp (branch master).
"""

from typing import NamedTuple

from protocol.types import (
    U32,
    AccountName,
    Asset,
    Bool,
    FutureExtensions,
    Share,
    SortedMap,
    StaticVariant,
    Symbol,
    Time,
    UnitTarget,
    Vector,
)


class SmtIcoLaunchAction(NamedTuple):
    """A token's sale begins."""

    control_account: AccountName
    symbol: Symbol


class SmtIcoEvaluationAction(NamedTuple):
    """A token's sale ends and its success is evaluated."""

    control_account: AccountName
    symbol: Symbol


class SmtTokenLaunchAction(NamedTuple):
    """A token goes into use."""

    control_account: AccountName
    symbol: Symbol


class SmtRefundAction(NamedTuple):
    """A contribution to a failed sale is refunded."""

    contributor: AccountName
    symbol: Symbol
    contribution_id: U32
    refund: Asset


class ContributionPayout(NamedTuple):
    """An amount, and whether it arrives vested."""

    payout: Asset
    to_vesting: Bool


class SmtContributorPayoutAction(NamedTuple):
    """A contributor gets what the sale promised."""

    contributor: AccountName
    symbol: Symbol
    contribution_id: U32
    contribution: Asset
    payouts: Vector[ContributionPayout]


class SmtFounderPayoutAction(NamedTuple):
    """The founders, the market maker and the reward fund get what the sale promised."""

    symbol: Symbol
    account_payouts: SortedMap[AccountName, Vector[ContributionPayout]]
    market_maker_steem: Share
    market_maker_tokens: Share
    reward_balance: Share


class ExampleRequiredAction(NamedTuple):
    """An action without effect, for tests."""

    account: AccountName


class SmtTokenEmissionAction(NamedTuple):
    """A scheduled issue of tokens; ``emissions`` holds the amount of each target."""

    control_account: AccountName
    symbol: Symbol
    emission_time: Time
    emissions: SortedMap[UnitTarget, Share]
    extensions: FutureExtensions

    def payer(self) -> str:
        """The account whose resource credits pay."""
        return self.control_account


class ExampleOptionalAction(NamedTuple):
    """An action without effect, for tests."""

    account: AccountName

    def payer(self) -> str:
        """The account whose resource credits pay."""
        return self.account


RequiredAction = StaticVariant[
    SmtIcoLaunchAction,
    SmtIcoEvaluationAction,
    SmtTokenLaunchAction,
    SmtRefundAction,
    SmtContributorPayoutAction,
    SmtFounderPayoutAction,
    ExampleRequiredAction,
]
OptionalAction = StaticVariant[SmtTokenEmissionAction, ExampleOptionalAction]
