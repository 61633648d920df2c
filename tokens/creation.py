"""Making tokens: for a fee, anew after a failed sale, or from the beginning while nothing of them is set up.

Source: libraries/chain/smt_evaluator.cpp of master, smt_create_evaluator.
"""

from protocol.assets import SBD, STEEM, Asset, symbol_to_nai
from protocol.errors import Rejected
from state.balances import LIQUID, move
from state.context import Context
from state.prices import compute_sbd_value, get_median_price
from state.tables.tokens import PHASE_NAMES, Phase, Token
from state.tokens import find_token_of_identifier
from tokens.identifiers import take_identifier


def create_token(ctx: Context, control_account: str, symbol: int, ticker: str, fee: Asset) -> None:
    """Makes a token of an identifier of the pool, which the fee pays.

    A token whose sale failed can be made again by its account, and pays again. Raises Rejected.
    """
    former = find_token_of_identifier(ctx, symbol)
    if former is not None and not _has_failed(ctx, former, control_account):
        raise Rejected("token_ptr == nullptr", "SMT ${nai} has already been created.", nai=symbol_to_nai(symbol))
    if former is None:
        take_identifier(ctx, symbol)
    _check_fee(ctx, fee)
    move(ctx, fee, (LIQUID, control_account), (LIQUID, ctx.rules.null_account))
    if former is not None:
        _remove_token(ctx, former)
    insert_token(ctx, control_account, symbol, ticker)


def _has_failed(ctx: Context, token: Token, control_account: str) -> bool:
    """Whether an account may make its token again: its sale failed, and everybody has been paid back."""
    is_over = ctx.tables.token_sales.find(token.liquid_symbol) is None
    return token.phase == Phase.LAUNCH_FAILED and token.control_account == control_account and is_over


def _remove_token(ctx: Context, token: Token) -> None:
    emissions = ctx.tables.token_emissions
    for schedule in list(emissions.scan((token.liquid_symbol,))):
        emissions.delete(schedule)
    ctx.tables.tokens.delete(token)


def compute_least_steem(fee_sbd: int, price_base_sbd: int, price_quote_steem: int) -> int:
    """The least STEEM satoshis whose value, rounded down, covers a fee in SBD satoshis."""
    return -(-fee_sbd * price_quote_steem // price_base_sbd)


def _check_fee(ctx: Context, fee: Asset) -> None:
    """In STEEM the fee is the least amount that covers it; in the reference the value must be the fee exactly."""
    wanted = needed = ctx.gpo.smt_creation_fee
    value = fee.amount
    if fee.symbol == STEEM:
        price = get_median_price(ctx)
        if price.is_null():
            raise Rejected(
                "!fhistory.current_median_history.is_null()",
                "Cannot pay the fee using different asset symbol because there is no price feed.",
            )
        value = compute_sbd_value(price, fee.amount)
        needed = compute_least_steem(wanted, price.base.amount, price.quote.amount)
    if fee.amount != needed:
        raise Rejected(
            "creation_fee == dgpo.smt_creation_fee",
            "Fee of ${ef} does not match the creation fee of ${sf}",
            ef=Asset(value, SBD).nai_json,
            sf=Asset(wanted, SBD).nai_json,
        ).explain(f"the fee is {needed} satoshis of what it was paid in, which was {fee.amount}")


def reset_token(ctx: Context, control_account: str, symbol: int, ticker: str) -> None:
    """Gives a token that is set up its default parameters again, and perhaps other decimals. Raises Rejected."""
    tables = ctx.tables
    token = find_token_of_identifier(ctx, symbol)
    if token is None:
        raise Rejected(
            "token_ptr != nullptr",
            "Cannot reset a non-existent SMT. Did you forget to specify the creation fee?",
        )
    if token.control_account != control_account:
        raise Rejected(
            "token_ptr->control_account == o.control_account",
            "You do not control this SMT. Control Account: ${a}",
            a=token.control_account,
        )
    if token.phase != Phase.SETUP:
        raise Rejected(
            "token_ptr->phase == smt_phase::setup",
            "SMT cannot be reset if setup is completed. Phase: ${p}",
            p=PHASE_NAMES[token.phase],
        )
    if next(tables.token_emissions.scan((token.liquid_symbol,)), None) is not None:
        raise Rejected(
            "!util::smt::last_emission_time( _db, token_ptr->liquid_symbol )",
            "Cannot reset an SMT that has existing token emissions.",
        )
    if next(tables.token_tiers.scan((token.liquid_symbol,)), None) is not None:
        raise Rejected(
            "util::smt::ico::ico_tier_size(_db, token_ptr->liquid_symbol ) == 0",
            "Cannot reset an SMT that has existing ICO tiers.",
        )
    tables.tokens.delete(token)
    insert_token(ctx, control_account, symbol, ticker)


def insert_token(ctx: Context, control_account: str, symbol: int, ticker: str) -> Token:
    """Adds a token in its setup; some of the parameters that it has when none are set are the chain's."""
    rules, tokens = ctx.rules, ctx.tables.tokens
    return tokens.insert(
        Token(
            tokens.next_id(),
            symbol,
            control_account,
            ticker,
            cashout_window_seconds=rules.cashout_window_seconds,
            votes_per_regeneration_period=rules.smt_default_votes_per_regen_period,
            percent_curation_rewards=rules.smt_default_percent_curation_rewards_bp,
        )
    )
