"""Parameters of a token's launch, rewards and votes that its controller may set.

Source: smt_operations.hpp of master; smt_operations.cpp of master, smt_set_runtime_parameters_operation_visitor.
"""

from typing import Annotated, NamedTuple

from protocol.errors import Invalid, Rejected
from protocol.integers import UINT32_MAX
from protocol.rules import Rules
from protocol.types import U16, U32, U128, Bool, CurveId, Default, StaticVariant
from protocol.units import BASIS_POINTS, DAY_SECONDS
from state.context import Context
from state.tables.tokens import Token

CONTENT_CONSTANT_MAX = 1 << 62
"""With a greater one the curves' intermediate values would not fit 128 bits."""


class SmtParamAllowVoting(NamedTuple):
    """Whether posts may be voted on with the token."""

    value: Annotated[Bool, "Whether it is allowed.", Default(True)]

    def store(self, ctx: Context, token: Token) -> Token:
        """Sets it."""
        return ctx.tables.tokens.update(token, allow_voting=self.value)


SmtSetupParameter = StaticVariant[SmtParamAllowVoting]


class SmtParamWindowsV1(NamedTuple):
    """The token's payout window and reverse auction."""

    cashout_window_seconds: Annotated[U32, "Time from publication to payout, in seconds."]
    reverse_auction_window_seconds: Annotated[U32, "Time in which early curators lose a part, in seconds."]

    def validate(self, rules: Rules) -> None:
        """Checks that auction and lockout fit into the window, and the window into a withdrawal interval."""
        total = (self.reverse_auction_window_seconds + rules.smt_upvote_lockout_seconds) & UINT32_MAX
        if not total < self.cashout_window_seconds:
            raise Invalid(
                "sum < param_windows.cashout_window_seconds",
                "'reverse auction window + upvote lockout' interval must be less than cashout window (${c}). "
                "Was ${sum} seconds.",
                c=self.cashout_window_seconds,
                sum=total,
            )
        if not self.cashout_window_seconds <= rules.smt_vesting_withdraw_interval_seconds:
            raise Invalid(
                "param_windows.cashout_window_seconds <= SMT_VESTING_WITHDRAW_INTERVAL_SECONDS",
                "Cashout window second must be less than 'vesting withdraw' interval (${v}). Was ${val} seconds.",
                v=rules.smt_vesting_withdraw_interval_seconds,
                val=self.cashout_window_seconds,
            )

    def store(self, ctx: Context, token: Token) -> Token:
        """Sets both windows."""
        return ctx.tables.tokens.update(
            token,
            cashout_window_seconds=self.cashout_window_seconds,
            reverse_auction_window_seconds=self.reverse_auction_window_seconds,
        )


class SmtParamVoteRegenerationPeriodSecondsV1(NamedTuple):
    """How fast voting mana of the token grows and how many votes it holds."""

    vote_regeneration_period_seconds: Annotated[U32, "Time in which voting mana grows from 0 to 100 %, in seconds."]
    votes_per_regeneration_period: Annotated[U32, "Votes at full weight in that time."]

    def validate(self, rules: Rules) -> None:
        """Checks that the period fits into a withdrawal interval, and the limits of votes."""
        period, votes = self.vote_regeneration_period_seconds, self.votes_per_regeneration_period
        if not 0 < period <= rules.smt_vesting_withdraw_interval_seconds:
            raise Invalid(
                "vote_regeneration.vote_regeneration_period_seconds > 0 && "
                "vote_regeneration.vote_regeneration_period_seconds <= SMT_VESTING_WITHDRAW_INTERVAL_SECONDS",
                "Vote regeneration period must be greater than 0 and less than 'vesting withdraw' (${v}) interval. "
                "Was ${val} seconds.",
                v=rules.smt_vesting_withdraw_interval_seconds,
                val=period,
            )
        if not 0 < votes <= rules.smt_max_votes_per_regeneration:
            raise Invalid(
                "vote_regeneration.votes_per_regeneration_period > 0 && "
                "vote_regeneration.votes_per_regeneration_period <= SMT_MAX_VOTES_PER_REGENERATION",
                "Votes per regeneration period exceeds maximum (${max}). Was ${v}",
                max=rules.smt_max_votes_per_regeneration,
                v=period,
            )
        votes_per_day = (votes * DAY_SECONDS + period - 1) // period
        if not votes_per_day <= rules.smt_max_nominal_votes_per_day:
            raise Invalid(
                "nominal_votes_per_day <= SMT_MAX_NOMINAL_VOTES_PER_DAY",
                "Nominal votes per day exceeds maximum (${max}). Was ${v}",
                max=rules.smt_max_nominal_votes_per_day,
                v=votes_per_day,
            )

    def store(self, ctx: Context, token: Token) -> Token:
        """Sets period and votes."""
        return ctx.tables.tokens.update(
            token,
            vote_regeneration_period_seconds=self.vote_regeneration_period_seconds,
            votes_per_regeneration_period=self.votes_per_regeneration_period,
        )


class SmtParamRewardsV1(NamedTuple):
    """The token's reward curves and the curators' part. The codec already refuses unknown curves."""

    content_constant: Annotated[U128, "The constant s of the convergent curves, in rshares."]
    percent_curation_rewards: Annotated[U16, "Curators' part of a payout, in basis points."]
    author_reward_curve: Annotated[CurveId, "Curve of a post's claim."]
    curation_reward_curve: Annotated[CurveId, "Curve of a curator's weight."]

    def validate(self, rules: Rules) -> None:
        """Checks that the curators' share is at most 10,000 basis points."""
        if not self.percent_curation_rewards <= BASIS_POINTS:
            raise Invalid(
                "param_rewards.percent_curation_rewards <= STEEM_100_PERCENT",
                "Percent Curation Rewards must not exceed 10000. Was ${n}",
                n=self.percent_curation_rewards,
            )

    def store(self, ctx: Context, token: Token) -> Token:
        """Sets curves, constant and the curators' part. Raises Rejected for a constant that is too large for them."""
        if not self.content_constant <= CONTENT_CONSTANT_MAX:
            raise Rejected(
                "", "Content constant must not exceed ${n}. Was ${c}", n=CONTENT_CONSTANT_MAX, c=self.content_constant
            )
        return ctx.tables.tokens.update(
            token,
            content_constant=self.content_constant,
            percent_curation_rewards=self.percent_curation_rewards,
            author_reward_curve=self.author_reward_curve,
            curation_reward_curve=self.curation_reward_curve,
        )


class SmtParamAllowDownvotes(NamedTuple):
    """Whether votes with the token may be negative."""

    value: Annotated[Bool, "Whether it is allowed.", Default(True)]

    def validate(self, rules: Rules) -> None:
        """Accepts both values."""

    def store(self, ctx: Context, token: Token) -> Token:
        """Sets it."""
        return ctx.tables.tokens.update(token, allow_downvotes=self.value)


SmtRuntimeParameter = StaticVariant[
    SmtParamWindowsV1, SmtParamVoteRegenerationPeriodSecondsV1, SmtParamRewardsV1, SmtParamAllowDownvotes
]
