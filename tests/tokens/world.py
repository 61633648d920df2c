"""Worlds in which tokens are live, and short ways to make and launch one."""

from __future__ import annotations

from typing import Any

from chain.actions import choose_actions, process_required_actions
from operations.token import (
    SmtContribute,
    SmtCreate,
    SmtSetup,
    SmtSetupEmissions,
    SmtSetupIcoTier,
)
from operations.token_units import SmtCappedGenerationPolicy, SmtEmissionsUnit, SmtGenerationUnit
from protocol.operation import Operation
from state.balances import LIQUID
from state.context import SINGLETON, BlockInProgress
from state.issuance import issue
from state.tables.tokens import Token, TokenBalance
from tests.chains import TESTNET
from tests.harness import sbd, steem
from tests.operations.world import World
from tokens.emissions import process_token_emissions
from tokens.identifiers import process_identifier_pool

TEN_MINUTES = 600
INTERVAL = TESTNET.rules.smt_emission_min_interval_seconds
"""The least time between two emissions."""
WEEK = TESTNET.rules.smt_vesting_withdraw_interval_seconds
"""The time between two parts of a power down of tokens."""


class TokenWorld(World):
    """A state with live tokens, to which operations and steps are applied one by one."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(**{"tokens_live": True, **rules})
        self.create("alice", "bob", "charlie", "dan", "elaine", "fred", "george", "henry")
        for name in ("alice", "bob", "charlie"):
            self.fund(name, steem(10_000_000))
            self.fund(name, sbd(100_000))
        self.fill_pool()

    def fill_pool(self) -> None:
        """Ends a block as far as identifiers are concerned."""
        gpo = self.ctx.gpo
        self.ctx.update_gpo(head_block_id=bytes(16) + (1000 * gpo.head_block_number).to_bytes(4, "little"))
        self.run(process_identifier_pool)

    @property
    def pool(self) -> tuple[int, ...]:
        """The identifiers on offer."""
        return self.tables.identifier_pool.get(SINGLETON).nais

    def make_token(self, control: str = "alice", decimals: int = 3, ticker: str = "") -> int:
        """Creates a token of the first identifier on offer and returns its symbol."""
        symbol = self.pool[0] | decimals
        self.push(SmtCreate(control, symbol, ticker, sbd(1000), decimals, ()))
        return symbol

    def token(self, symbol: int) -> Token:
        """The row of a token."""
        return self.tables.tokens.get(symbol)

    def balance(self, name: str, symbol: int) -> TokenBalance:
        """What an account has of a token."""
        return self.tables.token_balances.get((name, symbol))

    def issue(self, name: str, symbol: int, amount: int) -> None:
        """Issues tokens to an account."""
        issue(self.ctx, symbol, (amount, (LIQUID, name)))

    def add_tier(self, symbol: int, cap: int, steem_unit: Any, token_unit: Any, control: str = "alice") -> None:
        """Adds a tier; units are given as maps."""
        self.push(tier(symbol, cap, steem_unit, token_unit, control))

    def setup(self, symbol: int, **changes: Any) -> SmtSetup:
        """Ends the setup of a token whose sale lasts ten minutes; what differs is given by name."""
        op = setup_of(self.now, symbol, **changes)
        self.push(op)
        return op

    def launch(self, symbol: int) -> None:
        """Lets a token without a sale go into use."""
        self.setup(symbol, contribution_end_time=self.now + 3, launch_time=self.now + 3)
        self.pass_time(3)

    def contribute(self, name: str, symbol: int, amount: int, number: int = 0) -> None:
        """Contributes STEEM satoshis."""
        self.push(SmtContribute(name, symbol, number, steem(amount), ()))

    def pass_time(self, seconds: int) -> list[Operation]:
        """Lets time pass, and does at its end what a block does for tokens; returns the events."""
        self.forward(seconds)
        events = self.run(process_token_emissions)
        return events + self.run_actions()

    def run_actions(self) -> list[Operation]:
        """Carries out all actions that are due, as a block with them does."""
        ctx = self.ctx
        self.store.begin()
        chosen = choose_actions(ctx, self.now, 0, self.store.session)
        self.store.rollback()
        ctx.events.clear()
        ctx.block = BlockInProgress(None, b"", *chosen)  # type: ignore[arg-type]
        try:
            return self.run(process_required_actions)
        finally:
            ctx.block = None


def setup_of(now: int, symbol: int, **changes: Any) -> SmtSetup:
    """A smt_setup of alice's token whose sale begins now and lasts ten minutes."""
    fields: dict[str, Any] = {
        "control_account": "alice",
        "symbol": symbol,
        "max_supply": 10**15,
        "contribution_begin_time": now,
        "contribution_end_time": now + TEN_MINUTES,
        "launch_time": now + TEN_MINUTES,
        "steem_satoshi_min": 0,
        "min_unit_ratio": 50,
        "max_unit_ratio": 100,
        "extensions": (),
    }
    return SmtSetup(**{**fields, **changes})


def tier(
    symbol: int, cap: int, steem_unit: Any, token_unit: Any, control: str = "alice", remove: bool = False
) -> SmtSetupIcoTier:
    """A smt_setup_ico_tier; units are given as maps."""
    unit = SmtGenerationUnit(tuple(sorted(steem_unit.items())), tuple(sorted(token_unit.items())))
    return SmtSetupIcoTier(control, symbol, cap, SmtCappedGenerationPolicy(unit, ()), remove, ())


def emissions_of(symbol: int, begin: int, unit: Any, **changes: Any) -> SmtSetupEmissions:
    """A smt_setup_emissions of alice's token: one emission of 1,000,000 unless something else is said."""
    fields: dict[str, Any] = {
        "control_account": "alice",
        "symbol": symbol,
        "schedule_time": begin,
        "emissions_unit": SmtEmissionsUnit(tuple(sorted(unit.items()))),
        "interval_seconds": INTERVAL,
        "emission_count": 1,
        "lep_time": begin,
        "rep_time": begin,
        "lep_abs_amount": 1_000_000,
        "rep_abs_amount": 1_000_000,
        "lep_rel_amount_numerator": 0,
        "rep_rel_amount_numerator": 0,
        "rel_amount_denom_bits": 0,
        "remove": False,
        "floor_emissions": False,
        "extensions": (),
    }
    return SmtSetupEmissions(**{**fields, **changes})
