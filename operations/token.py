"""Tokens (smart media tokens): creation, launch, parameters and emissions.

Source of all rules here: the master branch's smt_operations.hpp, smt_operations.cpp and smt_util.cpp.
"""

from typing import Annotated, ClassVar

from operations.checks import check_account_name, check_token_symbol
from operations.token_parameters import SmtRuntimeParameter, SmtSetupParameter
from operations.token_units import SmtCappedGenerationPolicy, SmtEmissionsUnit, SmtGenerationPolicy
from protocol.assets import SBD, STEEM, Asset, decimals, is_vesting, symbol_to_nai
from protocol.errors import Invalid, Rejected
from protocol.identity import ChainIdentity
from protocol.integers import INT32_MAX, UINT32_MAX
from protocol.operation import operation
from protocol.resources import UNCOUNTED, Resources, token_state_size
from protocol.rules import Rules
from protocol.times import time_text
from protocol.types import (
    I64,
    U8,
    U32,
    AccountName,
    Bool,
    Default,
    FutureExtensions,
    Share,
    SortedSet,
    Symbol,
    TickerName,
    Time,
)
from state.context import Context
from state.tables.tokens import Phase, TokenEmissions, TokenSale
from tokens.control import get_controlled_token, get_token_in_setup
from tokens.creation import create_token, reset_token
from tokens.launch import contribute
from tokens.operation import TokenOperation
from tokens.setup import add_emissions, add_tier, complete_setup, remove_emissions, remove_tier

__all__ = [
    "SmtCappedGenerationPolicy",
    "SmtContribute",
    "SmtCreate",
    "SmtSetRuntimeParameters",
    "SmtSetSetupParameters",
    "SmtSetup",
    "SmtSetupEmissions",
    "SmtSetupIcoTier",
]

SHARE_SUPPLY_MAX = 1_000_000_000_000_000
"""Maximum supply of a token in its smallest unit, and the default of smt_setup. Source: config.hpp."""
TICKER_LETTERS_MIN = 3


def _check_admin(control_account: str, symbol: int) -> None:
    """Source: smt_operations.cpp, smt_admin_operation_validate."""
    check_account_name(control_account)
    check_token_symbol(symbol)


@operation(number=49, takes=Resources(), active="control_account")
class SmtSetup(TokenOperation):
    """Sets a token's supply and the times of its launch, and completes its setup.

    Source: smt_operations.cpp of master, smt_setup_operation::validate; smt_evaluator.cpp of master,
    smt_setup_evaluator.
    """

    live: ClassVar[Resources] = Resources(180_000, token_state_size("smt_ico_object_size", 208, 1940))

    control_account: Annotated[AccountName, "Account that controls the token; its active authority signs."]
    symbol: Annotated[Symbol, "The token."]
    max_supply: Annotated[I64, "Greatest supply, in the smallest unit.", Default(SHARE_SUPPLY_MAX)]
    contribution_begin_time: Annotated[Time, "From when contributions are taken; after the genesis."]
    contribution_end_time: Annotated[Time, "Until when contributions are taken."]
    launch_time: Annotated[Time, "When the token starts."]
    steem_satoshi_min: Annotated[Share, "Minimum of STEEM to be contributed, in thousandths."]
    min_unit_ratio: Annotated[U32, "Minimum of token units per STEEM unit."]
    max_unit_ratio: Annotated[U32, "Maximum of token units per STEEM unit."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        _check_admin(self.control_account, self.symbol)
        if not self.max_supply > 0:
            raise Invalid("max_supply > 0", "Max supply must be greater than 0")
        if not self.max_supply <= rules.max_share_supply:
            raise Invalid(
                "max_supply <= STEEM_MAX_SHARE_SUPPLY",
                "Max supply must be less than ${n}",
                n=rules.max_share_supply,
            )
        if not self.contribution_end_time >= self.contribution_begin_time:
            raise Invalid(
                "contribution_end_time >= contribution_begin_time",
                "Contribution end time must be equal to or later than contribution begin time",
            )
        if not self.launch_time >= self.contribution_end_time:
            raise Invalid(
                "launch_time >= contribution_end_time",
                "Launch time must be equal to or later than the contribution end time",
            )
        if not self.steem_satoshi_min >= 0:
            raise Invalid("steem_satoshi_min >= 0", "Steem satoshi minimum must be greater than or equal to 0")

    def check_genesis(self, genesis_time: int) -> None:
        """The one check of the fields that needs to know the chain: contributions begin after the genesis."""
        if not self.contribution_begin_time > genesis_time:
            raise Invalid(
                "contribution_begin_time > STEEM_GENESIS_TIME",
                "Contribution begin time must be greater than ${t}",
                t=time_text(genesis_time),
            )

    def apply_live(self, ctx: Context) -> None:
        self.check_genesis(ctx.config.genesis.time)
        token = get_token_in_setup(ctx, self.control_account, self.symbol)
        sale = TokenSale(
            id=ctx.tables.token_sales.next_id(),
            symbol=self.symbol,
            contribution_begin_time=self.contribution_begin_time,
            contribution_end_time=self.contribution_end_time,
            launch_time=self.launch_time,
            steem_satoshi_min=self.steem_satoshi_min,
            min_unit_ratio=self.min_unit_ratio,
            max_unit_ratio=self.max_unit_ratio,
        )
        complete_setup(ctx, token, sale, self.max_supply)


@operation(number=50, takes=Resources(), active="control_account")
class SmtSetupEmissions(TokenOperation):
    """Schedules regular emissions of a token.

    Source: smt_operations.cpp of master, smt_setup_emissions_operation::validate; smt_evaluator.cpp of master,
    smt_setup_emissions_evaluator.
    """

    live: ClassVar[Resources] = Resources(13_000, token_state_size("smt_token_emissions_object_size", 104))

    control_account: Annotated[AccountName, "Account that controls the token; its active authority signs."]
    symbol: Annotated[Symbol, "The token."]
    schedule_time: Annotated[Time, "When the first emission is made; after the genesis."]
    emissions_unit: Annotated[SmtEmissionsUnit, "How an emission is shared out."]
    interval_seconds: Annotated[U32, "Time between two emissions, in seconds."]
    emission_count: Annotated[U32, "Number of emissions; 4,294,967,295 means no end."]
    lep_time: Annotated[Time, "Left end of the time in which the amount changes."]
    rep_time: Annotated[Time, "Right end of the time in which the amount changes."]
    lep_abs_amount: Annotated[Share, "Amount at the left end, in the token's smallest unit."]
    rep_abs_amount: Annotated[Share, "Amount at the right end, in the token's smallest unit."]
    lep_rel_amount_numerator: Annotated[U32, "Part of the supply at the left end: numerator."]
    rep_rel_amount_numerator: Annotated[U32, "Part of the supply at the right end: numerator."]
    rel_amount_denom_bits: Annotated[U8, "Part of the supply: the denominator is 2 to this power."]
    remove: Annotated[Bool, "Whether to remove this schedule instead."]
    floor_emissions: Annotated[Bool, "Whether the lesser of absolute and relative amount counts, not the greater."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        _check_admin(self.control_account, self.symbol)
        self.emissions_unit.validate(rules)
        if not self.interval_seconds >= rules.smt_emission_min_interval_seconds:
            raise Invalid(
                "interval_seconds >= SMT_EMISSION_MIN_INTERVAL_SECONDS",
                "Interval seconds must be greater than or equal to ${seconds}",
                seconds=rules.smt_emission_min_interval_seconds,
            )
        if not self.emission_count > 0:
            raise Invalid("emission_count > 0", "Emission count must be greater than 0")
        if not self.lep_time <= self.rep_time:
            raise Invalid(
                "lep_time <= rep_time", "Left endpoint time must be less than or equal to right endpoint time"
            )
        if self.lep_time != self.rep_time:
            self._check_modulation(rules)
        if is_vesting(self.symbol):
            raise Invalid(
                "symbol.is_vesting() == false", "Use liquid variant of SMT symbol to specify emission amounts"
            )
        self._check_amounts()

    def _check_modulation(self, rules: Rules) -> None:
        """Checks the change of the amount over time: both ends must lie inside the schedule."""
        if not self.lep_time >= self.schedule_time:
            raise Invalid("lep_time >= schedule_time", "Left endpoint time cannot be before the schedule time")
        if self.emission_count == rules.smt_emit_indefinitely:
            return
        end = self.schedule_time + self.interval_seconds * (self.emission_count - 1)
        if not end <= INT32_MAX:
            raise Invalid(
                "uint64_t( interval_seconds ) * ( emission_count - 1 ) + uint64_t( schedule_time.sec_since_epoch() ) "
                "<= std::numeric_limits< int32_t >::max()",
                "Schedule end time overflow",
            )
        if not self.rep_time <= end & UINT32_MAX:
            raise Invalid(
                "rep_time <= schedule_time + fc::seconds( uint64_t( interval_seconds ) * ( emission_count - 1 ) )",
                "Right endpoint time cannot be after the schedule end time",
            )

    def _check_amounts(self) -> None:
        if not self.lep_abs_amount >= 0:
            raise Invalid("lep_abs_amount >= 0", "Left endpoint cannot have negative emission")
        if not self.rep_abs_amount >= 0:
            raise Invalid("rep_abs_amount >= 0", "Right endpoint cannot have negative emission")
        amounts = (
            self.lep_abs_amount,
            self.lep_rel_amount_numerator,
            self.rep_abs_amount,
            self.rep_rel_amount_numerator,
        )
        if not any(amount > 0 for amount in amounts):
            raise Invalid(
                "lep_abs_amount > 0 || lep_rel_amount_numerator > 0 || rep_abs_amount > 0 || "
                "rep_rel_amount_numerator > 0",
                "An emission operation must have positive non-zero emission",
            )

    def check_genesis(self, genesis_time: int) -> None:
        """The one check of the fields that needs to know the chain: the schedule begins after the genesis."""
        if not self.schedule_time > genesis_time:
            raise Invalid("schedule_time > STEEM_GENESIS_TIME")

    def apply_live(self, ctx: Context) -> None:
        self.check_genesis(ctx.config.genesis.time)
        token = get_token_in_setup(ctx, self.control_account, self.symbol)
        if self.remove:
            remove_emissions(ctx, token, self.schedule_time, self)
            return
        schedule = TokenEmissions(
            id=ctx.tables.token_emissions.next_id(),
            symbol=self.symbol,
            schedule_time=self.schedule_time,
            token_unit=self.emissions_unit.token_unit,
            interval_seconds=self.interval_seconds,
            emission_count=self.emission_count,
            lep_time=self.lep_time,
            rep_time=self.rep_time,
            lep_abs_amount=self.lep_abs_amount,
            rep_abs_amount=self.rep_abs_amount,
            lep_rel_amount_numerator=self.lep_rel_amount_numerator,
            rep_rel_amount_numerator=self.rep_rel_amount_numerator,
            rel_amount_denom_bits=self.rel_amount_denom_bits,
            floor_emissions=self.floor_emissions,
        )
        add_emissions(ctx, schedule)


@operation(number=51, takes=UNCOUNTED, active="control_account")
class SmtSetupIcoTier(TokenOperation):
    """Adds or removes a tier of a token's launch: how contributions up to a cap are turned into tokens.

    Source: smt_operations.cpp of master, smt_setup_ico_tier_operation::validate; smt_evaluator.cpp of master,
    smt_setup_ico_tier_evaluator.
    """

    live: ClassVar[Resources] = Resources(13_000, token_state_size("smt_ico_tier_object_size", 96, 1940))

    control_account: Annotated[AccountName, "Account that controls the token; its active authority signs."]
    symbol: Annotated[Symbol, "The token."]
    steem_satoshi_cap: Annotated[Share, "STEEM up to which the tier reaches, in thousandths."]
    generation_policy: Annotated[SmtGenerationPolicy, "What a contributed unit becomes."]
    remove: Annotated[Bool, "Whether to remove this tier instead."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        _check_admin(self.control_account, self.symbol)
        if not self.steem_satoshi_cap >= 0:
            raise Invalid("steem_satoshi_cap >= 0", "Steem satoshi cap must be greater than or equal to 0")
        if not self.steem_satoshi_cap <= rules.max_share_supply:
            raise Invalid(
                "steem_satoshi_cap <= STEEM_MAX_SHARE_SUPPLY",
                "Steem satoshi cap must be less than or equal to ${n}",
                n=rules.max_share_supply,
            )
        self.generation_policy.validate(rules)

    def apply_live(self, ctx: Context) -> None:
        token = get_token_in_setup(ctx, self.control_account, self.symbol)
        if self.remove:
            remove_tier(ctx, token, self.steem_satoshi_cap)
        else:
            add_tier(ctx, token, self.steem_satoshi_cap, *self.generation_policy.generation_unit)


@operation(number=52, takes=Resources(), active="control_account")
class SmtSetSetupParameters(TokenOperation):
    """Sets parameters of a token before its launch.

    Source: smt_operations.cpp of master, smt_set_setup_parameters_operation::validate; smt_evaluator.cpp of master,
    smt_set_setup_parameters_evaluator.
    """

    live: ClassVar[Resources] = Resources(40_000)

    control_account: Annotated[AccountName, "Account that controls the token; its active authority signs."]
    symbol: Annotated[Symbol, "The token."]
    setup_parameters: Annotated[SortedSet[SmtSetupParameter], "Parameters, each kind at most once; at least one."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        _check_admin(self.control_account, self.symbol)
        if not self.setup_parameters:
            raise Invalid("setup_parameters.empty() == false")

    def apply_live(self, ctx: Context) -> None:
        token = get_token_in_setup(ctx, self.control_account, self.symbol)
        for parameter in self.setup_parameters:
            token = parameter.store(ctx, token)


@operation(number=53, takes=Resources(), active="control_account")
class SmtSetRuntimeParameters(TokenOperation):
    """Sets parameters of a token's rewards and votes.

    Source: smt_operations.cpp of master, smt_set_runtime_parameters_operation::validate; smt_evaluator.cpp of master,
    smt_set_runtime_parameters_evaluator.
    """

    live: ClassVar[Resources] = Resources(39_000)

    control_account: Annotated[AccountName, "Account that controls the token; its active authority signs."]
    symbol: Annotated[Symbol, "The token."]
    runtime_parameters: Annotated[SortedSet[SmtRuntimeParameter], "Parameters, each kind at most once; at least one."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        _check_admin(self.control_account, self.symbol)
        if not self.runtime_parameters:
            raise Invalid("!runtime_parameters.empty()")
        for parameter in self.runtime_parameters:
            parameter.validate(rules)

    def apply_live(self, ctx: Context) -> None:
        token = get_controlled_token(ctx, self.control_account, self.symbol)
        if token.phase == Phase.LAUNCH_FAILED:
            raise Rejected("", "The launch of SMT ${smt} has failed", smt=symbol_to_nai(self.symbol))
        for parameter in self.runtime_parameters:
            token = parameter.store(ctx, token)


@operation(number=54, takes=Resources(), active="control_account")
class SmtCreate(TokenOperation):
    """Creates a token for a fee.

    Source: smt_operations.cpp of master, smt_create_operation::validate; smt_evaluator.cpp of master,
    smt_create_evaluator.
    """

    live: ClassVar[Resources] = Resources(50_000, token_state_size("smt_token_object_size", 240))

    control_account: Annotated[AccountName, "Account that pays and will control the token; its active authority signs."]
    symbol: Annotated[Symbol, "Liquid symbol from the pool of unused ones."]
    desired_ticker: Annotated[TickerName, "Name for people, 3 to 8 capital letters; may be empty."]
    smt_creation_fee: Annotated[Asset, "STEEM or SBD paid, in thousandths."]
    precision: Annotated[U8, "Decimals, equal to those of the symbol."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        _check_admin(self.control_account, self.symbol)
        if self.desired_ticker:
            if not len(self.desired_ticker) >= TICKER_LETTERS_MIN:
                raise Invalid("ticker_str.length() >= 3", "SMT Ticker Symbol must be at least 3 characters long.")
            if not all("A" <= letter <= "Z" for letter in self.desired_ticker):
                raise Invalid(
                    "ticker_str[i] >= 'A' && ticker_str[i] <= 'Z'",
                    "SMT Ticker Symbol can only contain capital letters.",
                )
        if not self.smt_creation_fee.amount >= 0:
            raise Invalid("smt_creation_fee.amount >= 0", "fee cannot be negative")
        if not self.smt_creation_fee.amount <= rules.max_share_supply:
            raise Invalid(
                "smt_creation_fee.amount <= STEEM_MAX_SHARE_SUPPLY", "Fee must be smaller than STEEM_MAX_SHARE_SUPPLY"
            )
        if self.smt_creation_fee.symbol not in (STEEM, SBD):
            raise Invalid(
                "is_asset_type( smt_creation_fee, STEEM_SYMBOL ) || is_asset_type( smt_creation_fee, SBD_SYMBOL )",
                "Fee must be STEEM or SBD",
            )
        if decimals(self.symbol) != self.precision:
            raise Invalid(
                "symbol.decimals() == precision",
                "Mismatch between redundantly provided precision ${prec1} vs ${prec2}",
                prec1=decimals(self.symbol),
                prec2=self.precision,
            )

    def check_ticker(self, identity: ChainIdentity) -> None:
        """The one check of the fields that needs to know the chain: the ticker is not a core symbol's name."""
        names = (
            ("STEEM", identity.steem_symbol),
            ("SBD", identity.sbd_symbol),
            ("VESTS", identity.vests_symbol),
        )
        for constant, name in names:
            if self.desired_ticker == name:
                raise Invalid(f"desired_ticker != {constant}_SYMBOL_STR", "SMT Ticker Symbol cannot be ${s}", s=name)

    def apply_live(self, ctx: Context) -> None:
        self.check_ticker(ctx.config.identity)
        if not self.precision <= ctx.rules.smt_max_decimal_places:
            raise Rejected(
                "", "A token has ${n} decimals at most. Was ${p}", n=ctx.rules.smt_max_decimal_places, p=self.precision
            )
        fee = self.smt_creation_fee
        if fee.amount > 0:
            create_token(ctx, self.control_account, self.symbol, self.desired_ticker, fee)
        else:
            reset_token(ctx, self.control_account, self.symbol, self.desired_ticker)


@operation(number=55, takes=Resources(), active="contributor")
class SmtContribute(TokenOperation):
    """Contributes STEEM to the launch of a token.

    Source: smt_operations.cpp of master, smt_contribute_operation::validate; smt_evaluator.cpp of master,
    smt_contribute_evaluator.
    """

    live: ClassVar[Resources] = Resources(92_000, token_state_size("smt_contribution_object_size", 56, 1940))

    contributor: Annotated[AccountName, "Account that contributes; its active authority signs."]
    symbol: Annotated[Symbol, "The token."]
    contribution_id: Annotated[U32, "Number, chosen by the contributor, unique among its contributions to the token."]
    contribution: Annotated[Asset, "STEEM, in thousandths; more than 0."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.contributor)
        check_token_symbol(self.symbol)
        if self.contribution.symbol != STEEM:
            raise Invalid("contribution.symbol == STEEM_SYMBOL", "Contributions must be made in STEEM")
        if not self.contribution.amount > 0:
            raise Invalid("contribution.amount > 0", "Contribution amount must be greater than 0")

    def apply_live(self, ctx: Context) -> None:
        contribute(ctx, self.contributor, self.symbol, self.contribution_id, self.contribution.amount)
