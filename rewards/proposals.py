"""Maintenance of proposals: removes finished ones a few per block, and pays approved ones once per period.

Source: libraries/chain/util/sps_processor.cpp and sps_helper.hpp.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final, NamedTuple

from protocol.assets import SBD, Asset
from protocol.steps import Steps
from protocol.units import BASIS_POINTS, DAY_SECONDS
from protocol.virtual_operations import ProposalPay
from rewards.treasury import is_maintenance_due, process_treasury_funding, start_maintenance_period
from state.balances import LIQUID, move
from state.context import Context
from state.tables.proposals import Proposal

NO_TRANSACTION_ID = bytes(20)
TIME_SPACE = 1 << 32
"""Modulus of the reference's 32-bit arithmetic on seconds."""

PAID: Final = "paid"
BUDGET_USED_UP: Final = "budget used up"
NO_VOTES: Final = "no votes"
NOT_STARTED: Final = "not started"


class ProposalPart(NamedTuple):
    """The payment of one proposal in a maintenance, and its reason; SBD in thousandths, votes in millionths of VESTS.

    `wanted` is daily_pay for the period. `outcome` is "paid" (the last one paid gets the rest of the budget), "budget
    used up", "no votes" or "not started".
    """

    proposal_id: int
    receiver: str
    total_votes: int
    daily_pay: int
    wanted: int
    payment: int
    outcome: str


class MaintenanceExplanation(NamedTuple):
    """A maintenance of the treasury: SBD in thousandths, the proposals in the order in which they are paid."""

    time: int
    passed_seconds: int
    treasury_balance: int
    daily_budget: int
    budget: int
    proposals: tuple[ProposalPart, ...]


class RemovalLimit:
    """The number of proposals and votes that one operation, or one block, may still remove."""

    __slots__ = ("is_used_up", "left")

    def __init__(self, count: int) -> None:
        self.left = count
        self.is_used_up = False

    def take(self) -> bool:
        """Counts one removal; returns False if the limit is reached."""
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
    for vote in list(islice(votes.index("by_proposal_voter").scan((proposal.proposal_id,)), limit.left + 1)):
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
    active = _find_active_proposals(ctx, ctx.time)
    if active:
        counted = [ctx.tables.proposals.update(row, total_votes=compute_votes(ctx, row)) for row in active]
        _pay_proposals(ctx, compute_payments(counted, *_compute_period(ctx, ctx.time)))
    start_maintenance_period(ctx)


class Outlook(NamedTuple):
    """The input of a forecast of the next maintenance: figures, and proposals with votes by start date."""

    time: int
    passed_seconds: int
    treasury_balance: int
    daily_budget: int
    budget: int
    counted: list[Proposal]


def read_outlook(ctx: Context) -> Steps[Outlook]:
    """Reads the state for `explain_outlook`, one proposal or vote a step, so that a request does not block others."""
    time = _find_next_maintenance(ctx)
    treasury = _get_treasury_balance(ctx)
    budget, passed_seconds = _compute_period(ctx, time)
    counted = []
    for row in ctx.tables.proposals.index("by_start_date").scan():
        votes = 0
        if row.start_date > time or time <= row.end_date:
            for weight in _weigh_votes(ctx, row):
                votes += weight
                yield
            counted.append(row.replace(total_votes=votes))
        yield
    daily_budget = treasury // ctx.rules.proposal_daily_budget_divider
    return Outlook(time, passed_seconds, treasury, daily_budget, budget, counted)


def explain_outlook(outlook: Outlook) -> MaintenanceExplanation:
    """Forecasts the next maintenance from the treasury and votes in `outlook`, without access to the state.

    The real budget will include the treasury's income until then, and missed blocks make the period longer.
    """
    active = [row for row in outlook.counted if row.start_date <= outlook.time]
    parts = compute_payments(active, outlook.budget, outlook.passed_seconds)
    for row in outlook.counted[len(active) :]:
        pay = row.daily_pay.amount
        parts.append(ProposalPart(row.proposal_id, row.receiver, row.total_votes, pay, 0, 0, NOT_STARTED))
    return MaintenanceExplanation(*outlook[:5], proposals=tuple(parts))


def _find_next_maintenance(ctx: Context) -> int:
    """The time of the next block that pays proposals, if no block is missed."""
    interval = ctx.rules.block_interval_seconds
    first_block = ctx.time // interval * interval + interval
    missing = ctx.gpo.next_maintenance_time - first_block
    return first_block + max(0, -(-missing // interval)) * interval


def _get_treasury_balance(ctx: Context) -> int:
    return ctx.tables.accounts.get(ctx.rules.treasury_account).sbd_balance


def _compute_period(ctx: Context, time: int) -> tuple[int, int]:
    """The budget (SBD, thousandths) of a maintenance at `time`, and the length of its period in seconds."""
    passed_seconds = time - ctx.gpo.last_budget_time
    divider = ctx.rules.proposal_daily_budget_divider
    return compute_budget(_get_treasury_balance(ctx), divider, passed_seconds), passed_seconds


def _remove_finished_proposals(ctx: Context) -> None:
    """Removes proposals that ended longer ago than the rules keep them (a day by default), the oldest first.

    A proposal that ends less than a day before the end of 32-bit time counts as finished: its date wraps round.
    """
    index = ctx.tables.proposals.index("by_end_date")
    if not index.has_due(TIME_SPACE):
        return  # There is none at all.
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


def _find_active_proposals(ctx: Context, time: int) -> list[Proposal]:
    """The proposals active at `time`, both dates inclusive."""
    started = ctx.tables.proposals.index("by_start_date").scan(stop=(time + 1,))
    return [row for row in started if time <= row.end_date]


def compute_votes(ctx: Context, proposal: Proposal) -> int:
    """The VESTS (millionths) behind a proposal: those of its voters and of accounts that proxy to them.

    Votes of an account that has a proxy do not count. Source: sps_processor.cpp, calculate_votes.
    """
    return sum(_weigh_votes(ctx, proposal))


def _weigh_votes(ctx: Context, proposal: Proposal) -> Iterator[int]:
    accounts = ctx.tables.accounts
    votes = ctx.tables.proposal_votes.index("by_proposal_voter").scan_keys((proposal.proposal_id,))
    rows = (accounts.get(voter) for voter, _proposal_id in votes)
    return (account.witness_vote_weight if account.proxy == "" else 0 for account in rows)


def compute_budget(treasury: int, divider: int, passed_seconds: int) -> int:
    """The budget in SBD (thousandths): a fixed part of the treasury per day, in proportion to the time passed.

    Source: sps_processor.cpp, calculate_maintenance_budget.
    """
    return passed_seconds * (treasury // divider) // DAY_SECONDS


def compute_period_pay(daily_pay: int, passed_seconds: int) -> int:
    """The pay in SBD (thousandths) that a proposal asks for the time passed.

    The fraction of a day is truncated to 1/10,000. The reference multiplies in 32 bits, so after more than 429,496
    seconds (4.97 days) without a block it wraps round. Source: sps_processor.cpp, transfer_payments.
    """
    day_share_bp = passed_seconds * BASIS_POINTS % TIME_SPACE // DAY_SECONDS
    return day_share_bp * daily_pay // BASIS_POINTS


def compute_payments(proposals: list[Proposal], budget: int, passed_seconds: int) -> list[ProposalPart]:
    """The payment of each proposal, by descending votes, until the budget is spent or the rest have no votes.

    The last one paid gets the rest of the budget. Source: sps_processor.cpp, transfer_payments.
    """
    parts = []
    for row in sorted(proposals, key=lambda row: (-row.total_votes, row.proposal_id)):
        wanted = compute_period_pay(row.daily_pay.amount, passed_seconds)
        payment = min(wanted, budget)
        if row.total_votes == 0:
            payment, outcome = 0, NO_VOTES
        else:
            outcome = PAID if budget > 0 else BUDGET_USED_UP
        budget -= payment
        parts.append(
            ProposalPart(row.proposal_id, row.receiver, row.total_votes, row.daily_pay.amount, wanted, payment, outcome)
        )
    return parts


def _pay_proposals(ctx: Context, parts: list[ProposalPart]) -> None:
    for part in parts:
        if part.outcome == PAID:
            payment = Asset(part.payment, SBD)
            ctx.emit(ProposalPay(receiver=part.receiver, payment=payment, trx_id=NO_TRANSACTION_ID, op_in_trx=0))
            move(ctx, payment, (LIQUID, ctx.rules.treasury_account), (LIQUID, part.receiver))
