"""Cashout in tokens: each post is paid from a token's reward fund when its window in this token is over.

The arithmetic is that of a payout in STEEM; all of it is paid in shares that wait to be claimed. The recent claims of a
token fade when it pays a post, not in every block.

Source: libraries/chain/util/reward.cpp and comment_rewards.cpp of master, process_comment_rewards.
"""

from typing import NamedTuple

from protocol.assets import SBD, STEEM, Asset, paired_symbol
from protocol.integers import INT64_MAX
from protocol.units import BASIS_POINTS
from protocol.virtual_operations import AuthorReward, CommentBenefactorReward, CommentReward, CurationReward
from rewards.fund import compute_faded_claims
from rewards.payout import Curated, Curation, compute_curated, compute_share
from rewards.token_posts import scan_token_posts
from rewards.token_voting import evaluate_token_curve
from state.context import Context
from state.prices import get_token_vesting_price
from state.reward_balances import TokenRewardPayments
from state.tables.content import Comment
from state.tables.kinds import TIME_MAX
from state.tables.tokens import Token, TokenPost, TokenVote


class TokenPart(NamedTuple):
    """What a beneficiary or the author gets, in satoshis and in the shares that these buy."""

    account: str
    tokens: int
    shares: int


class TokenPayout(NamedTuple):
    """What one post pays in one token, in satoshis.

    `claim` is the author's curve at net_rshares; `share` is fund_balance * claim / total_claims, `reward` that up to
    the author's limit. Of it `curation` is set apart for curators, who take `curation_paid`; the rest of it stays in
    the fund. `fund_paid` is what leaves the fund.
    """

    claim: int
    total_claims: int
    fund_balance: int
    share: int
    reward: int
    curation: int
    curation_paid: int
    curators: tuple[Curated[TokenVote], ...]
    beneficiaries: tuple[TokenPart, ...]
    author: TokenPart
    fund_paid: int


class TokenTerms(NamedTuple):
    """What is common to all payouts of a block in one token: the fund before them, and all claims on it."""

    fund_balance: int
    total_claims: int


class TokenPool:
    """The price of a token's shares for rewards, as it moves by rounding while rewards are added.

    Where more shares would not fit into 64 bits a reward buys none.
    """

    __slots__ = ("_free", "_fund", "_shares")

    def __init__(self, ctx: Context, token: Token) -> None:
        self._shares, self._fund = get_token_vesting_price(ctx, token, with_rewards=True)
        there = token.total_vesting_shares + token.total_vesting_shares_ballast + token.pending_rewarded_vesting_shares
        self._free = INT64_MAX - there

    def buy(self, amount: int) -> int:
        """The shares that tokens buy; they are added to the pool."""
        shares = amount * self._shares // self._fund
        if not 0 < shares <= self._free:
            return 0
        self._free -= shares
        self._shares += shares
        self._fund += amount
        return shares


def compute_claim(post: TokenPost) -> int:
    """What a post claims of its token's fund."""
    if post.net_rshares <= 0:
        return 0
    return evaluate_token_curve(post.net_rshares, post.author_reward_curve, post.content_constant)


def compute_token_payout(
    comment: Comment, post: TokenPost, votes: list[TokenVote], terms: TokenTerms, pool: TokenPool
) -> TokenPayout:
    """Works out what a post pays in a token, from its votes in the order of the voters' ids."""
    claim = compute_claim(post)
    share = compute_share(terms.fund_balance, claim, terms.total_claims) if claim else 0
    reward = min(share, post.max_accepted_payout)
    curation = reward * post.percent_curation_rewards // BASIS_POINTS
    conditions = Curation(
        comment.created,
        post.total_vote_weight,
        comment.allow_curation_rewards and post.allow_curation_rewards,
        post.reverse_auction_window_seconds,
        post.curation_reward_curve,
        post.content_constant,
    )
    curators = tuple(compute_curated(conditions, votes, curation, pool))
    curation_paid = sum(part.amount for part in curators)
    rest = for_author = reward - curation
    beneficiaries: list[TokenPart] = []
    for name, weight in post.beneficiaries:
        tokens = for_author * weight // BASIS_POINTS
        beneficiaries.append(TokenPart(name, tokens, pool.buy(tokens)))
        rest -= tokens
    return TokenPayout(
        claim=claim,
        total_claims=terms.total_claims,
        fund_balance=terms.fund_balance,
        share=share,
        reward=reward,
        curation=curation,
        curation_paid=curation_paid,
        curators=curators,
        beneficiaries=tuple(beneficiaries),
        author=TokenPart(comment.author, rest, pool.buy(rest)),
        fund_paid=for_author + curation_paid,
    )


def process_token_cashout(ctx: Context) -> None:
    """Pays every post whose window in a token is over, by time, post and symbol, from the funds as they were before."""
    due = list(scan_token_posts(ctx, ctx.time + 1))
    voted: dict[int, list[TokenPost]] = {}
    for post in due:
        if post.abs_rshares:
            voted.setdefault(post.symbol, []).append(post)
    terms = {symbol: _open_fund(ctx, symbol, posts) for symbol, posts in voted.items()}
    for post in due:
        if post.symbol in terms and post.abs_rshares:
            _cash_out(ctx, post, terms[post.symbol])
        else:
            _close(ctx, post)


def _open_fund(ctx: Context, symbol: int, posts: list[TokenPost]) -> TokenTerms:
    """Lets a token's recent claims fade up to now and adds those of the posts that are paid."""
    tokens, now = ctx.tables.tokens, ctx.time
    token = tokens.get(symbol)
    decay = ctx.rules.recent_claims_decay_seconds
    claims = compute_faded_claims(token.recent_claims, now - token.last_reward_update, decay, can_wrap=False)
    claims += sum(map(compute_claim, posts))
    tokens.update(token, recent_claims=claims, last_reward_update=now)
    return TokenTerms(token.reward_balance, claims)


def _cash_out(ctx: Context, post: TokenPost, terms: TokenTerms) -> None:
    tables = ctx.tables
    comment = tables.comments.get(post.comment)
    votes = list(tables.token_votes.scan((post.comment, post.symbol)))
    pool = TokenPool(ctx, tables.tokens.get(post.symbol))
    payout = compute_token_payout(comment, post, votes, terms, pool)
    if payout.reward > 0:
        _pay(ctx, comment, post.symbol, payout)
    for vote in votes:
        tables.token_votes.delete(vote)
    _close(ctx, post, author_rewards=payout.author.tokens)


def _close(ctx: Context, post: TokenPost, author_rewards: int = 0) -> None:
    ctx.tables.token_posts.update(
        post,
        cashout_time=TIME_MAX,
        net_rshares=0,
        abs_rshares=0,
        vote_rshares=0,
        total_vote_weight=0,
        author_rewards=author_rewards,
    )


def _pay(ctx: Context, comment: Comment, symbol: int, payout: TokenPayout) -> None:
    rewards, twin = TokenRewardPayments(symbol), paired_symbol(symbol)
    author, permlink = comment.author, comment.permlink
    nothing = Asset(0, SBD), Asset(0, STEEM)
    for part in payout.curators:
        if part.amount > 0:
            ctx.emit(CurationReward(part.vote.voter, Asset(part.shares, twin), author, permlink))
            rewards.pay(ctx, part.vote.voter, part.amount, part.shares)
    for name, tokens, shares in payout.beneficiaries:
        rewards.pay(ctx, name, tokens, shares)
        ctx.emit(CommentBenefactorReward(name, author, permlink, *nothing, Asset(shares, twin)))
    rewards.pay(ctx, author, payout.author.tokens, payout.author.shares)
    ctx.emit(AuthorReward(author, permlink, *nothing, Asset(payout.author.shares, twin)))
    ctx.emit(CommentReward(author, permlink, Asset(payout.fund_paid, symbol)))
    rewards.settle(ctx)
