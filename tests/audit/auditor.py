"""Follows a chain block by block with books of its own, and compares them with the state row by row.

The auditor takes three things from the chain: the genesis, who is scheduled, and the medians of the witnesses' wishes
(`Given`). All else it works out itself from the blocks: see `books.py`, `operations.py` and `steps.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import gcd
from typing import Any

from protocol.block import Block
from protocol.operation import Operation
from protocol.rules import Rules
from state.tables.tables import Tables
from state.tables.witnesses import RdParams
from tests.audit.books import Books, Given, Row
from tests.audit.operations import apply_operation
from tests.audit.steps import run_steps

SINGLETON = 0
SCHEDULE_EVENTS = {"shutdown_witness", "hardfork"}
"""Events of the schedule, which is not audited."""

GLOBALS = [
    "head_block_number",
    "time",
    "virtual_supply",
    "current_supply",
    "init_sbd_supply",
    "current_sbd_supply",
    "total_vesting_fund_steem",
    "total_vesting_shares",
    "total_reward_fund_steem",
    "pending_rewarded_vesting_shares",
    "pending_rewarded_vesting_steem",
    "sbd_print_rate",
    "available_account_subsidies",
    "next_maintenance_time",
    "last_budget_time",
    "sps_interval_ledger",
]
CONSTANTS = [
    "content_reward_percent",
    "vesting_reward_percent",
    "sps_fund_percent",
    "downvote_pool_percent",
    "vote_power_reserve_rate",
    "reverse_auction_seconds",
    "delegation_return_period",
    "sbd_stop_percent",
    "sbd_start_percent",
    "current_witness",
]
ACCOUNT = [
    "id",
    "proxy",
    "can_vote",
    "voting_manabar",
    "downvote_manabar",
    "balance",
    "savings_balance",
    "sbd_balance",
    "sbd_seconds",
    "sbd_seconds_last_update",
    "sbd_last_interest_payment",
    "savings_sbd_balance",
    "savings_sbd_seconds",
    "savings_sbd_seconds_last_update",
    "savings_sbd_last_interest_payment",
    "savings_withdraw_requests",
    "reward_sbd_balance",
    "reward_steem_balance",
    "reward_vesting_balance",
    "reward_vesting_steem",
    "curation_rewards",
    "posting_rewards",
    "vesting_shares",
    "delegated_vesting_shares",
    "received_vesting_shares",
    "vesting_withdraw_rate",
    "next_vesting_withdrawal",
    "withdrawn",
    "to_withdraw",
    "withdraw_routes",
    "proxied_vsf_votes",
    "witnesses_voted_for",
    "last_post",
    "last_root_post",
    "last_post_edit",
    "last_vote_time",
    "post_count",
    "pending_claimed_accounts",
]
WITNESS = ["votes", "sbd_exchange_rate", "last_sbd_exchange_update", "available_witness_account_subsidies"]
FUND = [
    "id",
    "reward_balance",
    "recent_claims",
    "last_update",
    "content_constant",
    "percent_curation_rewards",
    "percent_content_rewards",
    "author_reward_curve",
    "curation_reward_curve",
]
COMMENT = [
    "id",
    "author",
    "permlink",
    "parent_author",
    "parent_permlink",
    "last_update",
    "created",
    "active",
    "last_payout",
    "depth",
    "children",
    "net_rshares",
    "abs_rshares",
    "vote_rshares",
    "children_abs_rshares",
    "cashout_time",
    "total_vote_weight",
    "reward_weight",
    "total_payout_value",
    "curator_payout_value",
    "beneficiary_payout_value",
    "author_rewards",
    "net_votes",
    "root_comment",
    "max_accepted_payout",
    "percent_steem_dollars",
    "allow_votes",
    "allow_curation_rewards",
    "beneficiaries",
]
VOTE = ["weight", "rshares", "vote_percent", "last_update", "num_changes"]
ORDER = ["id", "created", "expiration", "seller", "orderid", "for_sale", "sell_price"]
SAVINGS = ["id", "from_", "to", "memo", "request_id", "amount", "complete"]
ESCROW = [
    "id",
    "from_",
    "to",
    "agent",
    "escrow_id",
    "ratification_deadline",
    "escrow_expiration",
    "sbd_balance",
    "steem_balance",
    "pending_fee",
    "to_approved",
    "agent_approved",
    "disputed",
]
PROPOSAL = ["id", "creator", "receiver", "start_date", "end_date", "total_votes", "removed"]


class Disagreement(AssertionError):
    """The books and the state differ."""


class Auditor:
    """Books that follow a chain from its genesis; `tables` is what they are compared with."""

    def __init__(self, rules: Rules, tables: Tables) -> None:
        """Opens the books with the genesis in `tables`."""
        self.tables = tables
        self.books = open_books(rules, tables)
        self.operations = 0
        self.blocks = 0
        self.kinds: Counter[str] = Counter()
        """How often each operation and each event was audited."""

    def follow(self, block: Block, events: list[Operation]) -> None:
        """Enters a block that the chain has just applied, and compares what it changed. Raises Disagreement."""
        books = self.books
        books.events.clear()
        books.changed_comments.clear()
        books.gpo["current_witness"] = block.witness
        for transaction in block.transactions:
            for op in transaction.operations:
                apply_operation(books, op)
                self.operations += 1
                self.kinds[op.wire_name] += 1
        books.gpo["head_block_number"] += 1
        books.gpo["time"] = block.timestamp
        run_steps(books, block.witness, read_given(self.tables))
        self.blocks += 1
        theirs = [event for event in events if event.virtual and event.wire_name not in SCHEDULE_EVENTS]
        self.kinds.update(event.wire_name for event in theirs)
        differences = list(compare_events(books.events, theirs))
        differences += compare(books, self.tables, books.changed_comments)
        self._refuse(block.number, differences)

    def compare_all(self) -> None:
        """Compares every post too, not only those of the latest block. Raises Disagreement."""
        keys = set(self.books.comments) | {(row.author, row.permlink) for row in self.tables.comments.scan()}
        self._refuse(self.books.gpo["head_block_number"], list(compare(self.books, self.tables, keys)))

    def _refuse(self, number: int, differences: list[str]) -> None:
        if differences:
            raise Disagreement("\n".join([f"after block {number} state and books differ:", *differences[:40]]))


def read_given(tables: Tables) -> Given:
    """The schedule and the medians as they stand."""
    schedule, gpo = tables.witness_schedule.get(SINGLETON), tables.global_properties.get(SINGLETON)

    def pool(rd: RdParams) -> tuple[int, int, int, int, int]:
        return (
            rd.budget_per_time_unit,
            rd.decay_per_time_unit,
            rd.decay_per_time_unit_denom_shift,
            rd.min_decay,
            rd.max_pool_size,
        )

    return Given(
        schedule.median_props.account_creation_fee.amount,
        gpo.sbd_interest_rate,
        {row.owner: row.schedule for row in tables.witnesses.scan()},
        (schedule.elected_weight, schedule.timeshare_weight, schedule.miner_weight),
        schedule.witness_pay_normalization_factor,
        tuple(schedule.current_shuffled_witnesses[: schedule.num_scheduled_witnesses]),
        pool(schedule.account_subsidy_rd),
        pool(schedule.account_subsidy_witness_rd),
    )


def open_books(rules: Rules, tables: Tables) -> Books:
    """Books that hold what the genesis holds; from then on they are kept without the chain."""
    gpo = tables.global_properties.get(SINGLETON)
    assert gpo.head_block_number == 0, "the books begin with the genesis"
    feed = tables.feed_history.get(SINGLETON)
    books = Books(rules, read_given(tables))
    books.gpo = _pick(gpo, [*GLOBALS, *CONSTANTS])
    books.feed = {"median": feed.current_median_history, "history": list(feed.price_history)}
    for account in tables.accounts.scan():
        books.accounts[account.name] = _pick(account, ACCOUNT)
    books.counters["accounts"] = len(books.accounts)
    for witness in tables.witnesses.scan():
        books.witnesses[witness.owner] = _pick(witness, WITNESS)
    for fund in tables.reward_funds.scan():
        books.funds[fund.name] = _pick(fund, FUND)
    for vote in tables.witness_votes.scan():
        books.witness_votes.add((vote.account, vote.witness))
    assert not list(tables.comments.scan())
    return books


def _pick(row: Any, names: list[str]) -> Row:
    """Some fields of a row; tuples become lists, because the auditor changes them in place."""
    picked = {name: getattr(row, name) for name in names}
    for name in ("voting_manabar", "downvote_manabar", "proxied_vsf_votes"):
        if name in picked:
            picked[name] = list(picked[name])
    return picked


def compare_events(mine: list[Operation], theirs: list[Operation]) -> Iterator[str]:
    """Events that differ, or stand in another order."""
    for place in range(max(len(mine), len(theirs))):
        left = mine[place] if place < len(mine) else None
        right = theirs[place] if place < len(theirs) else None
        if left != right:
            yield f"event {place}: the books have {left}, the chain {right}"
            return


def compare(books: Books, tables: Tables, comments: set[tuple[str, str]]) -> Iterator[str]:
    """Every place where the books and the state differ, in words; of the posts only those named."""
    gpo = tables.global_properties.get(SINGLETON)
    yield from _fields("global", books.gpo, gpo, GLOBALS)
    feed = tables.feed_history.get(SINGLETON)
    median, history = books.feed["median"], books.feed["history"]
    if _worth(median) != _worth(feed.current_median_history):
        yield f"median price: the books have {median}, the chain {feed.current_median_history}"
    if [_worth(price) for price in history] != [_worth(price) for price in feed.price_history]:
        yield f"prices: the books have {history}, the chain {feed.price_history}"
    rows: Any = tables
    yield from _rows("account", books.accounts, {row.name: row for row in rows.accounts.scan()}, ACCOUNT)
    yield from _rows("witness", books.witnesses, {row.owner: row for row in rows.witnesses.scan()}, WITNESS)
    yield from _rows("fund", books.funds, {row.name: row for row in rows.reward_funds.scan()}, FUND)
    yield from _same(
        "votes for witnesses", books.witness_votes, {(row.account, row.witness) for row in rows.witness_votes.scan()}
    )
    yield from _rows("order", books.orders, {(r.seller, r.orderid): r for r in rows.limit_orders.scan()}, ORDER)
    yield from _rows(
        "delegation",
        books.delegations,
        {(row.delegator, row.delegatee): row for row in rows.vesting_delegations.scan()},
        ["id", "vesting_shares", "min_delegation_time"],
    )
    yield from _rows(
        "returning delegation",
        books.returning,
        {row.id: row for row in rows.vesting_delegation_expirations.scan()},
        ["delegator", "vesting_shares", "expiration"],
    )
    yield from _rows(
        "route",
        books.routes,
        {(row.from_account, row.to_account): row for row in rows.withdraw_vesting_routes.scan()},
        ["percent", "auto_vest"],
    )
    conversions = {
        (row.owner, row.requestid): (row.id, row.amount.amount, row.conversion_date)
        for row in rows.convert_requests.scan()
    }
    mine = {key: (row["id"], row["amount"], row["conversion_date"]) for key, row in books.conversions.items()}
    yield from _same("conversions", mine, conversions)
    yield from _rows(
        "savings", books.savings, {(r.from_, r.request_id): r for r in rows.savings_withdraws.scan()}, SAVINGS
    )
    yield from _rows("escrow", books.escrows, {(r.from_, r.escrow_id): r for r in rows.escrows.scan()}, ESCROW)
    declining = {row.account: row.effective_date for row in rows.decline_voting_requests.scan()}
    yield from _same("declining accounts", books.declining, declining)
    yield from _rows("proposal", books.proposals, {row.id: row for row in rows.proposals.scan()}, PROPOSAL)
    voted = {(row.voter, row.proposal_id) for row in rows.proposal_votes.scan()}
    yield from _same("votes for proposals", books.proposal_votes, voted)
    yield from _compare_posts(books, rows, comments)


def _compare_posts(books: Books, tables: Any, keys: set[tuple[str, str]]) -> Iterator[str]:
    for key in sorted(keys):
        row, post = tables.comments.index("by_permlink").find(key), books.comments.get(key)
        if row is None or post is None:
            if row is not None or post is not None:
                yield f"post {key}: the books have {post}, the chain {row}"
            continue
        yield from _fields(f"post {key}", post, row, COMMENT)
        votes = {vote.voter: vote for vote in tables.comment_votes.scan((row.id,))}
        yield from _rows(f"vote on {key} of", books.votes.get(post["id"], {}), votes, VOTE)


def _rows(what: str, mine: dict[Any, Row], theirs: dict[Any, Any], names: list[str]) -> Iterator[str]:
    if mine.keys() != theirs.keys():
        missing, surplus = sorted(mine.keys() - theirs.keys()), sorted(theirs.keys() - mine.keys())
        yield f"{what}: the chain lacks {missing} and has {surplus} besides"
    for key, row in mine.items():
        if key in theirs:
            yield from _fields(f"{what} {key}", row, theirs[key], names)


def _fields(what: str, mine: Row, theirs: Any, names: list[str]) -> Iterator[str]:
    for name in names:
        left, right = mine[name], getattr(theirs, name)
        if isinstance(left, list):
            left, right = tuple(left), tuple(tuple(item) if isinstance(item, tuple) else item for item in right)
        if left != right:
            yield f"{what} {name}: the books have {left}, the chain {right}"


def _same(what: str, mine: Any, theirs: Any) -> Iterator[str]:
    if mine != theirs:
        yield f"{what}: the books have {mine}, the chain {theirs}"


def _worth(price: Any) -> tuple[int, int, int, int]:
    """A price in lowest terms: which of two equal feeds stands in the middle does not matter."""
    base, quote = price
    common = gcd(base.amount, quote.amount) or 1
    return base.symbol, base.amount // common, quote.symbol, quote.amount // common
