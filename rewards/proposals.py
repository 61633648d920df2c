"""Proposals over time: finished ones are removed a few at a time, the voted ones are paid once an hour.

Source: libraries/chain/util/sps_processor.cpp and sps_helper.hpp.
"""

from itertools import chain

from protocol.assets import SBD, Asset
from protocol.virtual_operations import ProposalPay
from rewards.treasury import is_maintenance_due, process_treasury_funding, start_maintenance_period
from state.context import Context
from state.money import move
from state.schema import Proposal

DAY_SECONDS = 86_400
PERCENT_100 = 10_000
NO_TRANSACTION_ID = bytes(20)
TIME_SPACE = 1 << 32
"""The reference adds and multiplies seconds in 32 bits."""


class RemovalLimit:
    """How many proposals and votes one operation, or one block, may still remove; each of them counts one."""

    __slots__ = ("is_used_up", "left")

    def __init__(self, count: int) -> None:
        self.left = count
        self.is_used_up = False

    def take(self) -> bool:
        """Whether one more may be removed."""
        if self.left > 0:
            self.left -= 1
            return True
        self.is_used_up = True
        return False


def remove_proposal(ctx: Context, proposal: Proposal, limit: RemovalLimit) -> None:
    """Removes the votes of a proposal, then the proposal itself, as far as `limit` allows.

    Source: sps_helper.hpp, remove_proposal.
    """
    votes = ctx.tables.proposal_votes
    while (vote := votes.index("by_proposal_voter").first((proposal.proposal_id,))) is not None:
        if not limit.take():
            return
        votes.delete(vote)
    if limit.take():
        ctx.tables.proposals.delete(proposal)


def process_proposals(ctx: Context) -> None:
    """Removes finished proposals; once per maintenance period reports the treasury's income and pays the others.

    Source: sps_processor.cpp, run.
    """
    _remove_finished_proposals(ctx)
    if not is_maintenance_due(ctx):
        return
    process_treasury_funding(ctx)
    active = _find_active_proposals(ctx)
    if active:
        counted = [ctx.tables.proposals.update(row, total_votes=compute_votes(ctx, row)) for row in active]
        counted.sort(key=lambda row: (-row.total_votes, row.proposal_id))
        _pay_proposals(ctx, counted)
    start_maintenance_period(ctx)


def _remove_finished_proposals(ctx: Context) -> None:
    """Removes what ended a day (or what the rules say) ago, the longest finished first.

    A proposal that ends less than a day before the end of 32-bit time counts as finished: its date wraps round.
    """
    index = ctx.tables.proposals.index("by_end_date")
    if index.first() is None:
        return
    delay = ctx.rules.proposal_maintenance_cleanup_seconds
    latest = ctx.time - delay
    wrapped_round = index.scan(start=(TIME_SPACE - delay,)) if delay > 0 else ()
    finished = chain(wrapped_round, index.scan(stop=(latest + 1,)))
    limit = RemovalLimit(ctx.rules.proposal_removals_max)
    rows: list[Proposal] = []
    for row in finished:
        rows.append(row)
        if len(rows) > limit.left:
            break
    for row in rows:
        remove_proposal(ctx, row, limit)
        if limit.is_used_up:
            return


def _find_active_proposals(ctx: Context) -> list[Proposal]:
    """The proposals whose time it is, both dates included."""
    now = ctx.time
    started = ctx.tables.proposals.index("by_start_date").scan(stop=(now + 1,))
    return [row for row in started if now <= row.end_date]


def compute_votes(ctx: Context, proposal: Proposal) -> int:
    """The VESTS (millionths) behind a proposal: those of its voters and of who made them proxies.

    The votes of an account that has a proxy itself do not count. Source: sps_processor.cpp, calculate_votes.
    """
    accounts = ctx.tables.accounts
    voters = ctx.tables.proposal_votes.index("by_proposal_voter").scan((proposal.proposal_id,))
    rows = (accounts.get(vote.voter) for vote in voters)
    return sum(account.witness_vote_weight for account in rows if account.proxy == "")


def compute_budget(treasury: int, divider: int, passed_seconds: int) -> int:
    """SBD (thousandths) that may be paid now: a part of the treasury a day, in proportion to the time passed.

    Source: sps_processor.cpp, calculate_maintenance_budget.
    """
    return passed_seconds * (treasury // divider) // DAY_SECONDS


def compute_period_pay(daily_pay: int, passed_seconds: int) -> int:
    """SBD (thousandths) that a proposal asks for the time passed.

    The share of the day is cut to 1/10,000. The reference multiplies in 32 bits, so after more than 429,496 seconds
    (4.97 days) without a block it wraps round. Source: sps_processor.cpp, transfer_payments.
    """
    day_share_bp = passed_seconds * PERCENT_100 % TIME_SPACE // DAY_SECONDS
    return day_share_bp * daily_pay // PERCENT_100


def _pay_proposals(ctx: Context, proposals: list[Proposal]) -> None:
    """Pays in the order given until the budget is spent or nobody voted for the rest; the last gets what is left."""
    rules = ctx.rules
    treasury = rules.treasury_account
    passed_seconds = ctx.time - ctx.gpo.last_budget_time
    sbd_balance = ctx.tables.accounts.get(treasury).sbd_balance
    budget = compute_budget(sbd_balance, rules.proposal_daily_budget_divider, passed_seconds)
    if budget == 0:
        return
    for proposal in proposals:
        if proposal.total_votes == 0:
            return
        wanted = compute_period_pay(proposal.daily_pay.amount, passed_seconds)
        payment = Asset(min(wanted, budget), SBD)
        ctx.emit(ProposalPay(receiver=proposal.receiver, payment=payment, trx_id=NO_TRANSACTION_ID, op_in_trx=0))
        move(ctx, treasury, proposal.receiver, payment)
        if wanted >= budget:
            return
        budget -= wanted
