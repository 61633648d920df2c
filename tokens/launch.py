"""The launch of a token, carried out by automated actions: its sale begins, is judged, and pays one after the other.

    launch of the sale -> evaluation -> token launch -> payout of each contribution -> founders
                                     -> refund of each contribution

Each action schedules the next. Its content follows from the rows of the sale alone, and nothing that anybody does can
make it fail.

Source: libraries/chain/required_action_evaluator.cpp and util/smt_token.cpp of master.
"""

from collections.abc import Sequence

from protocol.actions import (
    ContributionPayout,
    SmtContributorPayoutAction,
    SmtFounderPayoutAction,
    SmtIcoEvaluationAction,
    SmtIcoLaunchAction,
    SmtRefundAction,
    SmtTokenLaunchAction,
)
from protocol.assets import STEEM, Asset, symbol_json
from protocol.errors import Rejected
from protocol.unit_targets import (
    CONTRIBUTOR_TARGET,
    CONTRIBUTOR_VESTING_TARGET,
    MARKET_MAKER_TARGET,
    REWARDS_TARGET,
    find_target_account,
)
from protocol.units import BASIS_POINTS
from protocol.virtual_operations import (
    SmtContributorPayout,
    SmtFounderPayout,
    SmtIcoEvaluation,
    SmtIcoLaunch,
    SmtRefund,
    SmtTokenLaunch,
)
from state.action_queue import enqueue_required
from state.balances import LIQUID, MARKET_MAKER, SALE, TOKEN_REWARD_FUND, move
from state.context import Context
from state.issuance import issue
from state.resource_credits import regenerate_rc, update_max_rc
from state.tables.tokens import Phase, Token, TokenContribution, TokenSale
from state.tokens import find_token
from tokens.emissions import find_next_emission
from tokens.places import choose_place
from tokens.sale import (
    compute_bought,
    compute_founders,
    compute_ratio,
    compute_share,
    find_oldest_contribution,
    list_tiers,
)

# Contributions


def contribute(ctx: Context, contributor: str, symbol: int, contribution_id: int, steem: int) -> None:
    """Takes STEEM from an account for the sale of a token. Raises Rejected."""
    tables = ctx.tables
    token = find_token(ctx, symbol)
    if token is None:
        raise Rejected("token != nullptr", "Cannot contribute to an unknown SMT")
    if not token.phase >= Phase.ICO:
        raise Rejected("token->phase >= smt_phase::ico", "SMT has not begun accepting contributions")
    if not token.phase < Phase.ICO_COMPLETED:
        raise Rejected("token->phase < smt_phase::ico_completed", "SMT is no longer accepting contributions")
    tiers, sale = list_tiers(ctx, symbol), tables.token_sales.find(symbol)
    if not tiers:
        raise Rejected("possible_hard_cap.valid()", "The specified token does not feature an ICO")
    if sale is None:
        raise Rejected("token_ico != nullptr", "Unable to find ICO data for symbol: ${sym}", sym=symbol_json(symbol))
    left = tiers[-1].steem_satoshi_cap - sale.contributed
    if not left > 0:
        raise Rejected(
            "token_ico->contributed.amount < hard_cap",
            "SMT ICO has reached its hard cap and no longer accepts contributions",
        )
    if not steem <= left:
        raise Rejected(
            "token_ico->contributed.amount + o.contribution.amount <= hard_cap",
            "The proposed contribution would exceed the ICO hard cap, maximum possible contribution: ${c}",
            c=Asset(left, STEEM).nai_json,
        )
    contributions = tables.token_contributions
    if contributions.find((symbol, contributor, contribution_id)) is not None:
        raise Rejected(
            "contrib_ptr == nullptr",
            "The provided contribution ID must be unique. Current: ${id}",
            id=contribution_id,
        )
    tables.token_sales.update(sale, contributed=sale.contributed + steem)
    move(ctx, Asset(steem, STEEM), (LIQUID, contributor), (SALE, symbol))
    contributions.insert(TokenContribution(contributions.next_id(), symbol, contributor, contribution_id, steem))


# Phases


def launch_sale(ctx: Context, action: SmtIcoLaunchAction) -> None:
    """Begins a sale."""
    sale = _get_sale(ctx, action.symbol)
    _enter(ctx, action.symbol, Phase.ICO)
    ctx.emit(SmtIcoLaunch(*action))
    enqueue_required(ctx, SmtIcoEvaluationAction(*action), sale.contribution_end_time)


def evaluate_sale(ctx: Context, action: SmtIcoEvaluationAction) -> None:
    """Ends a sale: the token is launched later if enough came together, else everybody is paid back."""
    symbol = action.symbol
    sale = _get_sale(ctx, symbol)
    ctx.emit(SmtIcoEvaluation(*action))
    if sale.contributed >= sale.steem_satoshi_min:
        _enter(ctx, symbol, Phase.ICO_COMPLETED)
        enqueue_required(ctx, SmtTokenLaunchAction(*action), sale.launch_time)
    else:
        _enter(ctx, symbol, Phase.LAUNCH_FAILED)
        _schedule_refund(ctx, symbol)


def launch_token(ctx: Context, action: SmtTokenLaunchAction) -> None:
    """Puts a token into use; the contributors are paid from now on."""
    _enter(ctx, action.symbol, Phase.LAUNCH_SUCCESS)
    ctx.emit(SmtTokenLaunch(*action))
    if find_oldest_contribution(ctx, action.symbol) is None:
        _finish_launch(ctx, action.symbol)
    else:
        _schedule_payout(ctx, action.symbol)


def _enter(ctx: Context, symbol: int, phase: int) -> Token:
    tokens = ctx.tables.tokens
    return tokens.update(tokens.get(symbol), phase=phase)


def _get_sale(ctx: Context, symbol: int) -> TokenSale:
    return ctx.tables.token_sales.get(symbol)


def _finish_launch(ctx: Context, symbol: int) -> None:
    """Sets the ballast, which keeps the price of shares from extremes, and lets emissions begin."""
    rules, tokens = ctx.rules, ctx.tables.tokens
    token = tokens.get(symbol)
    fund = token.current_supply * rules.smt_ballast_supply_bp // BASIS_POINTS
    tokens.update(
        token,
        total_vesting_fund_ballast=fund,
        total_vesting_shares_ballast=fund * rules.smt_initial_vesting_per_unit,
        next_emission=find_next_emission(ctx, symbol, token.last_virtual_emission_time),
    )
    _remove_sale(ctx, symbol)


def _remove_sale(ctx: Context, symbol: int) -> None:
    tables = ctx.tables
    sale = _get_sale(ctx, symbol)
    assert sale.steem == 0, "all that was contributed has been paid out"
    for tier in list_tiers(ctx, symbol):
        tables.token_tiers.delete(tier)
    tables.token_sales.delete(sale)


# Refunds


def _schedule_refund(ctx: Context, symbol: int) -> None:
    oldest = find_oldest_contribution(ctx, symbol)
    if oldest is None:
        _remove_sale(ctx, symbol)
        return
    refund = Asset(oldest.contribution, STEEM)
    enqueue_required(ctx, SmtRefundAction(oldest.contributor, symbol, oldest.contribution_id, refund))


def refund_contribution(ctx: Context, action: SmtRefundAction) -> None:
    """Pays a contribution to a failed sale back."""
    symbol = action.symbol
    move(ctx, action.refund, (SALE, symbol), (LIQUID, action.contributor))
    _close_contribution(ctx, symbol, action.contributor, action.contribution_id)
    ctx.emit(SmtRefund(*action))
    _schedule_refund(ctx, symbol)


def _close_contribution(ctx: Context, symbol: int, contributor: str, contribution_id: int) -> TokenContribution:
    tables = ctx.tables
    contribution = tables.token_contributions.get((symbol, contributor, contribution_id))
    tables.token_contributions.delete(contribution)
    sale = _get_sale(ctx, symbol)
    processed = sale.processed_contributions + contribution.contribution
    tables.token_sales.update(sale, processed_contributions=processed)
    return contribution


# Payouts


def _schedule_payout(ctx: Context, symbol: int) -> None:
    """Schedules the payout of the oldest contribution, or that of the founders after the last."""
    oldest = find_oldest_contribution(ctx, symbol)
    if oldest is None:
        _schedule_founder_payout(ctx, symbol)
        return
    sale, tiers = _get_sale(ctx, symbol), list_tiers(ctx, symbol)
    units, rest = compute_bought(tiers, sale.processed_contributions, oldest.contribution)
    ratio = compute_ratio(sale, tiers)
    payouts = _list_payouts(
        symbol,
        compute_share(tiers, units, ratio, CONTRIBUTOR_TARGET),
        compute_share(tiers, units, ratio, CONTRIBUTOR_VESTING_TARGET),
        rest,
    )
    contribution = Asset(oldest.contribution, STEEM)
    payout = SmtContributorPayoutAction(oldest.contributor, symbol, oldest.contribution_id, contribution, payouts)
    enqueue_required(ctx, payout)


def _list_payouts(
    symbol: int, tokens: int, powered_up: int, steem: int, steem_powered_up: int = 0
) -> tuple[ContributionPayout, ...]:
    payouts = (
        ContributionPayout(Asset(tokens, symbol), False),
        ContributionPayout(Asset(powered_up, symbol), True),
        ContributionPayout(Asset(steem, STEEM), False),
        ContributionPayout(Asset(steem_powered_up, STEEM), True),
    )
    return tuple(payout for payout in payouts if payout.payout.amount)


def pay_contributor(ctx: Context, action: SmtContributorPayoutAction) -> None:
    """Gives a contributor its tokens, and back what bought none."""
    symbol, sales = action.symbol, ctx.tables.token_sales
    sale = _get_sale(ctx, symbol)
    bought = compute_bought(list_tiers(ctx, symbol), sale.processed_contributions, action.contribution.amount)
    sales.update(sale, units=tuple(map(sum, zip(sale.units, bought.units, strict=True))))
    _pay(ctx, symbol, action.contributor, action.payouts)
    _close_contribution(ctx, symbol, action.contributor, action.contribution_id)
    ctx.emit(SmtContributorPayout(*action))
    _schedule_payout(ctx, symbol)


def _pay(ctx: Context, symbol: int, name: str, payouts: Sequence[ContributionPayout]) -> None:
    """Issues tokens to an account, and gives it STEEM of the sale."""
    for amount, is_powered_up in payouts:
        place = choose_place(ctx, name, amount.symbol, amount.amount, is_powered_up)
        if amount.symbol == symbol:
            issue(ctx, symbol, (amount.amount, place))
            continue
        credits = regenerate_rc(ctx, name)
        move(ctx, amount, (SALE, symbol), place)
        update_max_rc(credits)


def _schedule_founder_payout(ctx: Context, symbol: int) -> None:
    """What the targets of the tiers get for the units that were paid, one list for each account."""
    sale, tiers = _get_sale(ctx, symbol), list_tiers(ctx, symbol)
    steem, tokens = compute_founders(tiers, sale.units, compute_ratio(sale, tiers))
    sums: dict[str, list[int]] = {}
    for first, parts in ((0, tokens), (2, steem)):
        for target, amount in parts.items():
            account = find_target_account(target)
            if account is not None:
                own = sums.setdefault(account.name, [0, 0, 0, 0])
                own[first + account.is_powered_up] += amount
    payouts = ((name, _list_payouts(symbol, *sums[name])) for name in sorted(sums))
    payout = SmtFounderPayoutAction(
        symbol,
        tuple((name, listed) for name, listed in payouts if listed),
        steem.get(MARKET_MAKER_TARGET, 0),
        tokens.get(MARKET_MAKER_TARGET, 0),
        tokens.get(REWARDS_TARGET, 0),
    )
    enqueue_required(ctx, payout)


def pay_founders(ctx: Context, action: SmtFounderPayoutAction) -> None:
    """Gives the founders, the market maker and the reward fund what the sale promised, and ends the launch."""
    symbol = action.symbol
    for name, payouts in action.account_payouts:
        _pay(ctx, symbol, name, payouts)
    move(ctx, Asset(action.market_maker_steem, STEEM), (SALE, symbol), (MARKET_MAKER, symbol))
    issue(ctx, symbol, (action.market_maker_tokens, (MARKET_MAKER, symbol)))
    issue(ctx, symbol, (action.reward_balance, (TOKEN_REWARD_FUND, symbol)))
    ctx.emit(SmtFounderPayout(*action))
    _finish_launch(ctx, symbol)
