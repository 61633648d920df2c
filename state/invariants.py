"""Recounts of redundant data in the state: supplies, votes, key references, delegations.

An operator can request a recount from a running node by its name (node/shell/recounts.py). A recount reads every row of
its tables.

Source: libraries/chain/database.cpp, database::validate_invariants; all but supplies and votes are additions.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from protocol.assets import SBD, nai_string
from state.context import Context
from state.invariant_names import RECOUNTED
from state.prices import compute_steem_value, get_median_price
from state.resource_credits import compute_max_rc, is_rc_counted
from state.sums import AMOUNTS, SUPPLIES, TOKEN_SUMS
from state.tables.kinds import TIME_MAX


class InvariantBroken(AssertionError):
    """Two counts of the same quantity differ."""


def assert_invariants(ctx: Context) -> None:
    """Recounts the whole state; raises InvariantBroken with the difference. Reads every row: for tests."""
    for recount in RECOUNTS.values():
        recount(ctx)


def _expect(what: str, stored: object, counted: object) -> None:
    if stored != counted:
        raise InvariantBroken(f"{what}: the state says {stored}, a recount gives {counted}")


def _recount_supply(ctx: Context) -> None:
    for each in SUPPLIES:
        counted, stored = (
            sum(part.read(row) for part in parts for row in getattr(ctx.tables, part.table).scan())
            for parts in (each.parts, each.stored)
        )
        _expect(each.text, stored, counted)


def _recount_balances(ctx: Context) -> None:
    for table, amounts in AMOUNTS.items():
        for row in getattr(ctx.tables, table).scan():
            for part in amounts:
                if part.read(row) < 0:
                    raise InvariantBroken(f"negative amount in {part.field} of {row}")


def _recount_virtual_supply(ctx: Context) -> None:
    gpo = ctx.gpo
    counted = gpo.current_supply + compute_steem_value(get_median_price(ctx), gpo.current_sbd_supply)
    if not 0 <= counted - gpo.virtual_supply <= _count_interest_payments(ctx):
        _expect("virtual supply", gpo.virtual_supply, counted)


def _count_interest_payments(ctx: Context) -> int:
    """Maximum number of interest payments of this block after the virtual supply was computed.

    Each payment is added to the virtual supply rounded down, so the sum may be too low by up to this many satoshis
    until the next block. Transactions, expired escrows and proposals can change an SBD balance. Source:
    database::modify_balance.
    """
    now = ctx.time
    paid = 0
    for account in ctx.tables.accounts.scan():
        paid += account.sbd_last_interest_payment == now
        paid += account.savings_sbd_last_interest_payment == now
    return paid


def _recount_witness_votes(ctx: Context) -> None:
    tables, gpo = ctx.tables, ctx.gpo
    votes: Counter[str] = Counter()
    voted: Counter[str] = Counter()
    for vote in tables.witness_votes.scan():
        votes[vote.witness] += tables.accounts.get(vote.account).witness_vote_weight
        voted[vote.account] += 1
    for witness in tables.witnesses.scan():
        _expect(f"votes of witness {witness.owner}", witness.votes, votes.pop(witness.owner, 0))
        if witness.votes > gpo.total_vesting_shares:
            raise InvariantBroken(f"witness {witness.owner} has more votes than there are VESTS")
    _expect("votes for no witness", {}, dict(votes))
    for account in tables.accounts.scan():
        _expect(f"witnesses that {account.name} votes for", account.witnesses_voted_for, voted[account.name])


def _recount_proxies(ctx: Context) -> None:
    accounts = ctx.tables.accounts
    depth = ctx.rules.max_proxy_recursion_depth
    proxied: dict[str, list[int]] = {}
    reaching = 0
    for account in accounts.scan():
        if account.proxy == "":
            reaching += account.witness_vote_weight
        else:
            reaching += account.proxied_vsf_votes[depth - 1]
        name = account.proxy
        for level in range(depth):
            if name == "":
                break
            proxied.setdefault(name, [0] * depth)[level] += account.vesting_shares
            name = accounts.get(name).proxy
    for account in accounts.scan():
        counted = tuple(proxied.get(account.name, [0] * depth))
        _expect(f"votes proxied to {account.name}", account.proxied_vsf_votes, counted)
    _expect("VESTS that vote for witnesses", ctx.gpo.total_vesting_shares, reaching)


def _recount_key_references(ctx: Context) -> None:
    tables = ctx.tables
    counted = {
        (key, row.account)
        for row in tables.account_authorities.scan()
        for authority in (row.owner, row.active, row.posting)
        for key, _weight in authority.key_auths
    }
    stored = {(row.key, row.account) for row in tables.key_references.scan()}
    _expect("references of keys", sorted(stored), sorted(counted))


def _recount_delegations(ctx: Context) -> None:
    tables = ctx.tables
    delegated: Counter[str] = Counter()
    received: Counter[str] = Counter()
    for delegation in tables.vesting_delegations.scan():
        delegated[delegation.delegator] += delegation.vesting_shares
        received[delegation.delegatee] += delegation.vesting_shares
    for returning in tables.vesting_delegation_expirations.scan():
        delegated[returning.delegator] += returning.vesting_shares
    for account in tables.accounts.scan():
        _expect(f"VESTS {account.name} delegated", account.delegated_vesting_shares, delegated[account.name])
        _expect(f"VESTS {account.name} received", account.received_vesting_shares, received[account.name])


def _recount_withdrawals(ctx: Context) -> None:
    tables = ctx.tables
    routes: Counter[str] = Counter(route.from_account for route in tables.withdraw_vesting_routes.scan())
    requests: Counter[str] = Counter(row.from_ for row in tables.savings_withdraws.scan())
    for account in tables.accounts.scan():
        _expect(f"routes of {account.name}", account.withdraw_routes, routes[account.name])
        _expect(f"savings requests of {account.name}", account.savings_withdraw_requests, requests[account.name])


def _recount_comments(ctx: Context) -> None:
    tables = ctx.tables
    net: Counter[int] = Counter()
    children: Counter[tuple[str, str]] = Counter()
    for vote in tables.comment_votes.scan():
        net[vote.comment] += vote.rshares
    for comment in tables.comments.scan():
        if comment.cashout_time != TIME_MAX:
            _expect(f"rshares of {comment.author}/{comment.permlink}", comment.net_rshares, net[comment.id])
        parent = comment
        while parent.parent_author != "":
            place = (parent.parent_author, parent.parent_permlink)
            children[place] += 1
            found = tables.comments.index("by_permlink").find(place)
            if found is None:
                raise InvariantBroken(f"{parent.author}/{parent.permlink} replies to nothing")
            parent = found
    for comment in tables.comments.scan():
        counted = children[comment.author, comment.permlink]
        _expect(f"replies below {comment.author}/{comment.permlink}", comment.children, counted)


def _recount_proposals(ctx: Context) -> None:
    """Checks that the accounts of proposals and votes exist. `total_votes` is as of the last maintenance."""
    tables = ctx.tables
    for proposal in tables.proposals.scan():
        _expect("the two numbers of a proposal", proposal.id, proposal.proposal_id)
        if proposal.daily_pay.symbol != SBD or proposal.daily_pay.amount < 0:
            raise InvariantBroken(f"proposal {proposal.id} asks for {proposal.daily_pay}")
        for name in (proposal.creator, proposal.receiver):
            if tables.accounts.find(name) is None:
                raise InvariantBroken(f"proposal {proposal.id} names the unknown account {name}")
    for vote in tables.proposal_votes.scan():
        if tables.proposals.find(vote.proposal_id) is None or tables.accounts.find(vote.voter) is None:
            raise InvariantBroken(
                f"a vote of {vote.voter} for proposal {vote.proposal_id}, one of which does not exist"
            )


def _recount_resource_credits(ctx: Context) -> None:
    """Checks that from the first block on every account has a row with its stake (rc_plugin validate_database)."""
    if not is_rc_counted(ctx):
        return
    for account in ctx.tables.accounts.scan():
        row = ctx.tables.rc_accounts.find(account.name)
        if row is None:
            raise InvariantBroken(f"{account.name} has no resource credits")
        _expect(f"maximum resource credits of {account.name}", row.last_max_rc, compute_max_rc(account, row))


def _recount_token_supply(ctx: Context) -> None:
    """What all places have of a token is its supply, and what accounts have of its shares are the sums of its row."""
    tables = ctx.tables
    totals: Counter[int] = Counter()
    for table, read in TOKEN_SUMS.items():
        for row in getattr(tables, table).scan():
            for symbol, satoshis in read(row):
                totals[symbol] += satoshis
    _expect("tokens beyond their supplies", {}, {nai_string(symbol): more for symbol, more in totals.items() if more})
    for token in tables.tokens.scan():
        symbol = token.liquid_symbol
        holders, name = list(tables.token_balances.index("by_symbol").scan((symbol,))), nai_string(symbol)
        pending = sum(row.pending_vesting_value for row in holders)
        for row in holders:
            if (row.pending_vesting_shares == 0) != (row.pending_vesting_value == 0):
                raise InvariantBroken(f"rewards of {row.name} in {name} are shares without tokens, or tokens without")
        _expect(f"stake in {name}", token.total_vesting_shares, sum(row.vesting_shares for row in holders))
        _expect(f"tokens behind rewards in {name}", token.pending_rewarded_vesting_smt, pending)


def _recount_token_delegations(ctx: Context) -> None:
    tables = ctx.tables
    delegated: Counter[tuple[str, int]] = Counter()
    received: Counter[tuple[str, int]] = Counter()
    for delegation in tables.token_delegations.scan():
        delegated[delegation.delegator, delegation.symbol] += delegation.vesting_shares
        received[delegation.delegatee, delegation.symbol] += delegation.vesting_shares
    for returning in tables.token_delegation_expirations.scan():
        delegated[returning.delegator, returning.symbol] += returning.vesting_shares
    for row in tables.token_balances.scan():
        place = row.name, row.symbol
        _expect(f"shares {place} delegated", row.delegated_vesting_shares, delegated.pop(place, 0))
        _expect(f"shares {place} received", row.received_vesting_shares, received.pop(place, 0))
    _expect("shares that are lent by or to nobody", ({}, {}), (dict(delegated), dict(received)))


def _recount_sales(ctx: Context) -> None:
    """A sale holds what was contributed and is neither paid back nor paid to founders."""
    tables = ctx.tables
    waiting: Counter[int] = Counter()
    for row in tables.token_contributions.scan():
        waiting[row.symbol] += row.contribution
        if row.contribution <= 0 or tables.token_sales.find(row.symbol) is None:
            raise InvariantBroken(f"{row} belongs to no sale")
    for sale in tables.token_sales.scan():
        left = sale.contributed - sale.processed_contributions
        _expect(f"contributions to {sale.symbol} that wait", left, waiting[sale.symbol])
        if sale.steem < left:
            raise InvariantBroken(f"the sale of {sale.symbol} holds {sale.steem}, and {left} is not paid for yet")


def _recount_token_posts(ctx: Context) -> None:
    """The votes on a post with a token that is not paid yet add up, and there are none on others."""
    tables = ctx.tables
    net: Counter[tuple[int, int]] = Counter()
    weights: Counter[tuple[int, int]] = Counter()
    for vote in tables.token_votes.scan():
        net[vote.comment, vote.symbol] += vote.rshares
        weights[vote.comment, vote.symbol] += vote.weight
    for post in tables.token_posts.scan():
        place = post.comment, post.symbol
        _expect(f"rshares of post and token {place}", post.net_rshares, net.pop(place, 0))
        if weights.pop(place, 0) > post.total_vote_weight or not post.total_vote_weight >= 0:
            raise InvariantBroken(f"curators of post and token {place} weigh more than all together")
        if tables.comments.find(post.comment) is None or tables.tokens.find(post.symbol) is None:
            raise InvariantBroken(f"{place} is no post, or no token")
    _expect("votes on what tokens do not reward", {}, dict(net))


_RECOUNTS: Final = (
    _recount_supply,
    _recount_balances,
    _recount_virtual_supply,
    _recount_witness_votes,
    _recount_proxies,
    _recount_key_references,
    _recount_delegations,
    _recount_withdrawals,
    _recount_comments,
    _recount_proposals,
    _recount_resource_credits,
    _recount_token_supply,
    _recount_token_delegations,
    _recount_sales,
    _recount_token_posts,
)
RECOUNTS: Final[dict[str, Callable[[Context], None]]] = dict(zip(RECOUNTED, _RECOUNTS, strict=True))
"""All recounts by name."""
