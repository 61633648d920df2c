"""The worst state for each per-block step: as many rows as wished of which the next block works on all."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chain.delayed_payments import process_conversions, process_savings_withdrawals
from chain.expiries import (
    process_declined_voting_rights,
    process_escrow_ratification,
    process_expired_delegations,
    process_expired_orders,
    process_expired_transactions,
    process_owner_histories,
    process_recovery_account_changes,
    process_recovery_requests,
)
from chain.withdrawals import process_vesting_withdrawals
from consensus.schedule import update_witness_schedule
from protocol.assets import Price
from protocol.types import Authority
from rewards.cashout import process_comment_cashout
from rewards.proposals import process_proposals
from state.context import Context
from state.tables.accounts import (
    AccountRecoveryRequest,
    ChangeRecoveryAccountRequest,
    DeclineVotingRightsRequest,
    OwnerAuthorityHistory,
)
from state.tables.content import Comment, CommentContent, CommentVote
from state.tables.globals import SeenTransaction
from state.tables.kinds import TIME_MAX
from state.tables.market import ConvertRequest, LimitOrder
from state.tables.payments import Escrow, SavingsWithdraw
from state.tables.proposals import Proposal, ProposalVote
from state.tables.vesting import VestingDelegationExpiration, WithdrawVestingRoute
from state.tables.witnesses import WitnessVote
from tests.harness import sbd, steem
from tests.limits.world import World, user

VOTES_PER_ACCOUNT = 30
ROUTES_PER_ACCOUNT = 10
VOTES_PER_POST = 50
MEMBERS_MAX = 40
OWNER = Authority(1, (), tuple((bytes([2]) + bytes([number]) * 32, 1) for number in range(MEMBERS_MAX)))


class StepCase(NamedTuple):
    """A step and how to prepare its worst case: `prepare(world, n)` lets the next block meet `n` rows.

    `why` says who decides about the number of rows, and what a row costs whoever made it; `most` is how many one block
    works on where that is bounded.
    """

    name: str
    row: str
    step: Callable[[Context], None]
    prepare: Callable[[World, int], None]
    why: str
    most: int = 1_000_000


def _transactions(world: World, n: int) -> None:
    table = world.tables.seen_transactions
    for number in range(n):
        table.insert(SeenTransaction(table.next_id(), number.to_bytes(20, "little"), world.now + 1))


def _add_orders(world: World, n: int, name: Callable[[int], str]) -> None:
    table = world.tables.limit_orders
    for number in range(n):
        price = Price(steem(1000), sbd(1000 + number))
        order = LimitOrder(table.next_id(), world.now, world.now + 1, name(number), number, 1000, price)
        table.insert(order)


def _orders_of_one(world: World, n: int) -> None:
    _add_orders(world, n, lambda _: user(0))


def _orders_of_many(world: World, n: int) -> None:
    _add_orders(world, n, user)


def _delegations(world: World, n: int) -> None:
    accounts, table = world.tables.accounts, world.tables.vesting_delegation_expirations
    for _ in range(n):
        table.insert(VestingDelegationExpiration(table.next_id(), user(0), 10**6, world.now + 1))
    accounts.update(accounts.get(user(0)), delegated_vesting_shares=n * 10**6)


def make_witnesses(world: World, n: int) -> None:
    """Adds witnesses without votes."""
    table = world.tables.witnesses
    first = table.get("initminer")
    for number in range(n):
        name = f"wit{number:05}"
        end = (1 << 128) - 1
        table.insert(first.replace(id=table.next_id(), owner=name, votes=0, virtual_scheduled_time=end))


def _witnesses(world: World, n: int) -> None:
    make_witnesses(world, n)
    rules = world.ctx.rules
    world.ctx.update_gpo(head_block_number=rules.max_witnesses)


def _conversions(world: World, n: int) -> None:
    table = world.tables.convert_requests
    for number in range(n):
        table.insert(ConvertRequest(table.next_id(), user(0), number, sbd(1000), world.now + 1))
    world.ctx.update_gpo(current_sbd_supply=world.ctx.gpo.current_sbd_supply + n * 1000)


def _savings(world: World, n: int) -> None:
    accounts, table = world.tables.accounts, world.tables.savings_withdraws
    for number in range(n):
        request = SavingsWithdraw(table.next_id(), user(number), user(0), "m" * 2000, number, sbd(1), world.now + 1)
        table.insert(request)
        account = accounts.get(user(number))
        accounts.update(account, savings_withdraw_requests=account.savings_withdraw_requests + 1)


def make_posts(world: World, count: int, votes: int, **changes: object) -> None:
    """Adds posts of the same author with so many votes each."""
    comments, table = world.tables.comments, world.tables.comment_votes
    for number in range(count):
        comment = Comment(
            id=comments.next_id(),
            author=user(0),
            permlink=f"post-{number}",
            category="bench",
            parent_author="",
            parent_permlink="bench",
            last_update=0,
            created=world.now - 600,
            active=0,
            last_payout=0,
            depth=0,
            children=0,
            net_rshares=10**12,
            abs_rshares=10**12,
            vote_rshares=10**12,
            children_abs_rshares=0,
            cashout_time=world.now + 1,
            max_cashout_time=TIME_MAX,
            total_vote_weight=votes * 1000,
            reward_weight=10_000,
            total_payout_value=0,
            curator_payout_value=0,
            beneficiary_payout_value=0,
            author_rewards=0,
            net_votes=votes,
            root_comment=number,
            max_accepted_payout=10**9,
            percent_steem_dollars=10_000,
            allow_replies=True,
            allow_votes=True,
            allow_curation_rewards=True,
            beneficiaries=(),
        )
        comment = comments.insert(comment.replace(**changes))
        contents = world.tables.comment_contents
        contents.insert(CommentContent(contents.next_id(), comment.id, "", "body", ""))
        for vote in range(votes):
            voter = world.tables.accounts.get(user(vote))
            row = CommentVote(table.next_id(), 10_000 + vote, voter.name, comment.id, 1000, 10**10, 10_000, 0, 0)
            table.insert(row)


def _cashouts(world: World, n: int) -> None:
    make_posts(world, -(-n // VOTES_PER_POST), VOTES_PER_POST)


def _one_cashout(world: World, n: int) -> None:
    make_posts(world, 1, n)


def give_votes(world: World, name: str) -> None:
    """Lets an account vote for as many witnesses as it may."""
    tables = world.tables
    votes = tables.witness_votes
    for number in range(VOTES_PER_ACCOUNT):
        witness = f"wit{number:05}"
        votes.insert(WitnessVote(votes.next_id(), witness, name))
        row = tables.witnesses.get(witness)
        tables.witnesses.update(row, votes=row.votes + tables.accounts.get(name).witness_vote_weight)
    tables.accounts.update(tables.accounts.get(name), witnesses_voted_for=VOTES_PER_ACCOUNT)


def _withdrawals(world: World, n: int) -> None:
    """Accounts that power down by ten routes each, to accounts that vote for thirty witnesses."""
    tables = world.tables
    make_witnesses(world, VOTES_PER_ACCOUNT)
    for number in range(ROUTES_PER_ACCOUNT):
        give_votes(world, user(number))
    first = tables.accounts.get(user(ROUTES_PER_ACCOUNT))
    world.add_accounts(n)
    for number in range(n):
        name = f"more{number:06}"
        account = tables.accounts.get(name)
        tables.accounts.update(
            account,
            vesting_shares=10**9,
            to_withdraw=10**9,
            vesting_withdraw_rate=10**8,
            withdraw_routes=ROUTES_PER_ACCOUNT,
            next_vesting_withdrawal=world.now + 1,
        )
        routes = tables.withdraw_vesting_routes
        for route in range(ROUTES_PER_ACCOUNT):
            routes.insert(WithdrawVestingRoute(routes.next_id(), name, user(route), 900, True))
    tables.accounts.update(first, vesting_shares=first.vesting_shares - n * 10**9)


def _recovery_requests(world: World, n: int) -> None:
    requests = world.tables.account_recovery_requests
    for number in range(n):
        requests.insert(AccountRecoveryRequest(requests.next_id(), f"more{number:06}", OWNER, world.now + 1))


def _recovery_changes(world: World, n: int) -> None:
    world.add_accounts(n)
    changes = world.tables.change_recovery_requests
    for number in range(n):
        changes.insert(ChangeRecoveryAccountRequest(changes.next_id(), f"more{number:06}", user(0), world.now + 1))


def _histories(world: World, n: int) -> None:
    table = world.tables.owner_histories
    for _ in range(n):
        table.insert(OwnerAuthorityHistory(table.next_id(), user(0), OWNER, 0))


def _escrows(world: World, n: int) -> None:
    table = world.tables.escrows
    for number in range(n):
        table.insert(
            Escrow(
                id=table.next_id(),
                escrow_id=number,
                from_=user(0),
                to=user(1),
                agent=user(2),
                ratification_deadline=world.now + 1,
                escrow_expiration=world.now + 100,
                sbd_balance=1,
                steem_balance=1,
                pending_fee=steem(1),
                to_approved=False,
                agent_approved=False,
                disputed=False,
            )
        )


def _declines(world: World, n: int) -> None:
    make_witnesses(world, VOTES_PER_ACCOUNT)
    world.add_accounts(n)
    table = world.tables.decline_voting_requests
    for number in range(n):
        name = f"more{number:06}"
        give_votes(world, name)
        table.insert(DeclineVotingRightsRequest(table.next_id(), name, world.now + 1))


def make_proposal(world: World, votes: int, end: int) -> Proposal:
    """Adds a proposal with so many votes."""
    proposals, table = world.tables.proposals, world.tables.proposal_votes
    number = proposals.next_id()
    row = Proposal(number, number, user(0), user(1), 0, end, sbd(1), "subject", "post-0", 0, False)
    proposals.insert(row)
    world.add_accounts(votes)
    for vote in range(votes):
        table.insert(ProposalVote(table.next_id(), f"more{vote:06}", number))
    return row


def _counted_votes(world: World, n: int) -> None:
    make_proposal(world, n, world.now + 10**8)
    world.ctx.update_gpo(next_maintenance_time=world.now + 1)


def _paid_proposals(world: World, n: int) -> None:
    for _ in range(n):
        make_proposal(world, 1, world.now + 10**8)
    treasury = world.ctx.rules.treasury_account
    world.tables.accounts.update(world.tables.accounts.get(treasury), sbd_balance=10**9)
    world.ctx.update_gpo(next_maintenance_time=world.now + 1)


def _removed_proposal(world: World, n: int) -> None:
    make_proposal(world, n, 1)


ANY = "the senders of operations, each of which paid for its row"

STEP_CASES: tuple[StepCase, ...] = (
    StepCase("expired transactions", "transaction", process_expired_transactions, _transactions, "5,000 a block", 5000),
    StepCase("expired orders of one account", "order", process_expired_orders, _orders_of_one, ANY),
    StepCase("expired orders of many accounts", "order", process_expired_orders, _orders_of_many, ANY),
    StepCase("returning delegations", "delegation", process_expired_delegations, _delegations, ANY),
    StepCase(
        "new round, virtual time begins again",
        "witness",
        update_witness_schedule,
        _witnesses,
        "whoever made witnesses; once a round, and only where there are fewer witnesses with votes than places",
    ),
    StepCase("conversions", "conversion", process_conversions, _conversions, ANY),
    StepCase("savings withdrawals", "withdrawal", process_savings_withdrawals, _savings, ANY),
    StepCase("payout of posts with 50 votes", "vote", process_comment_cashout, _cashouts, ANY),
    StepCase("payout of one post", "vote", process_comment_cashout, _one_cashout, ANY),
    StepCase(
        "power downs with 10 routes to accounts with 30 witness votes",
        "account",
        process_vesting_withdrawals,
        _withdrawals,
        "whoever powers down, once a week; a row is 10 payments and 300 changes of votes",
    ),
    StepCase("account recovery requests", "request", process_recovery_requests, _recovery_requests, ANY),
    StepCase("changes of recovery accounts", "account", process_recovery_account_changes, _recovery_changes, ANY),
    StepCase("old owner authorities of 40 keys", "authority", process_owner_histories, _histories, ANY),
    StepCase("escrows not ratified", "escrow", process_escrow_ratification, _escrows, ANY),
    StepCase(
        "declined voting rights with 30 witness votes",
        "account",
        process_declined_voting_rights,
        _declines,
        "whoever declines, once for ever; a row takes 30 votes back",
    ),
    StepCase("proposal votes counted", "vote", process_proposals, _counted_votes, "voters; once an hour"),
    StepCase("proposals paid", "proposal", process_proposals, _paid_proposals, "whoever paid the fee; once an hour"),
    StepCase("finished proposal removed", "vote", process_proposals, _removed_proposal, "200 a block", 200),
)
"""Each per-block step whose work depends on how many rows there are."""
