"""Who may change a token, and until when.

Source: libraries/chain/smt_evaluator.cpp of master, get_controlled_smt and common_pre_setup_evaluation.
"""

from protocol.assets import symbol_to_nai
from protocol.errors import Rejected
from state.context import Context
from state.tables.tokens import Phase, Token


def get_controlled_token(ctx: Context, control_account: str, symbol: int) -> Token:
    """The token of a symbol, which the account must control. Raises Rejected."""
    token = ctx.tables.tokens.find(symbol)
    if token is None:
        raise Rejected("smt != nullptr", "SMT numerical asset identifier ${smt} not found", smt=symbol_to_nai(symbol))
    if token.control_account != control_account:
        raise Rejected(
            "smt->control_account == control_account",
            "The account ${account} does NOT control the SMT ${smt}",
            account=control_account,
            smt=symbol_to_nai(symbol),
        )
    return token


def get_token_in_setup(ctx: Context, control_account: str, symbol: int) -> Token:
    """The token of a symbol, which the account must control and still set up. Raises Rejected."""
    token = get_controlled_token(ctx, control_account, symbol)
    if not token.phase < Phase.SETUP_COMPLETED:
        raise Rejected(
            "smt.phase < smt_phase::setup_completed",
            "SMT pre-setup operation no longer allowed after setup phase is over",
        )
    return token
