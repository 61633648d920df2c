"""The computation of one post's payout, without any change of state.

`compute_payout` is the only code that computes payouts. The cashout pays exactly its result, which is also the
explanation of a paid or pending post. All amounts are in the smallest unit.

Source: libraries/chain/database.cpp, cashout_comment_helper and pay_curators; util/reward.cpp, get_rshare_reward.
"""

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from protocol.assets import STEEM, VESTS, Asset, Price, multiply
from protocol.curves import evaluate_reward_curve
from protocol.errors import Rejected
from protocol.integers import INT64_MAX
from protocol.units import BASIS_POINTS
from state.engine.rows import Row
from state.prices import compute_sbd_value, compute_steem_value
from state.tables.content import Comment, CommentVote, RewardFund
from state.tables.globals import GlobalProperties
from state.tables.tokens import TokenVote


class CuratorPart(NamedTuple):
    """One vote and what it earned.

    `auction_seconds` is the time from the post to the vote, at most the reverse auction's window; `weight` is
    `full_weight` cut down by auction_seconds / window. `full_weight` is None if it cannot be derived from the stored
    votes (an earlier vote was changed later). `steem` was converted to `vests`.
    """

    voter: str
    rshares: int
    vote_percent: int
    auction_seconds: int
    full_weight: int | None
    weight: int
    steem: int
    vests: int


class BeneficiaryPart(NamedTuple):
    """A beneficiary's part: `steem` worth of the author's tokens, paid as SBD, liquid STEEM and VESTS."""

    account: str
    weight_bp: int
    steem: int
    sbd_share: int
    paid_sbd: int
    paid_steem: int
    vesting_steem: int
    paid_vests: int


class AuthorPart(NamedTuple):
    """The author's part, as a beneficiary's: `steem` = sbd_share + vesting_steem."""

    account: str
    steem: int
    sbd_share: int
    paid_sbd: int
    paid_steem: int
    vesting_steem: int
    paid_vests: int


class PayoutExplanation(Row):
    """Every step of one post's payout.

    The claim: `curve_value` is the curve at net_rshares, `claim` that times reward_weight. The share of the fund:
    fund_balance * claim / total_claims, 0 if its value is dust (below `dust_limit_sbd`), at most the author's limit;
    what remains is `reward`. Of the reward, `curation_steem` is set apart for curators, who get `curation_paid`; the
    rest, `curation_returned`, stays in the fund. `author_steem` is divided among beneficiaries and author. `fund_paid`
    = curation_paid + author_steem = what leaves the fund.

    The sums: curation_paid = sum of curators' steem; author_steem = beneficiaries' steem + author's steem; for every
    part steem = sbd_share + vesting_steem (a treasury's sbd_share is all), sbd_share is paid as SBD at the print rate
    and liquid STEEM, and vesting_steem as VESTS.
    """

    comment: int
    author: str
    permlink: str
    time: int
    pending: bool
    net_rshares: int
    vote_rshares: int
    reward_weight_bp: int
    curve: int
    content_constant: int
    curve_value: int
    claim: int
    total_claims: int
    fund_balance: int
    share: int
    share_sbd: int
    dust_limit_sbd: int
    is_dust: bool
    max_accepted_payout_sbd: int
    max_accepted_payout_steem: int
    reward: int
    curation_bp: int
    curation_allowed: bool
    curation_steem: int
    curation_paid: int
    curation_returned: int
    total_vote_weight: int
    reverse_auction_seconds: int
    curators: tuple[CuratorPart, ...]
    author_steem: int
    percent_steem_dollars: int
    sbd_print_rate_bp: int
    median_price: Price
    beneficiaries: tuple[BeneficiaryPart, ...]
    author_part: AuthorPart
    fund_paid: int
    total_payout_sbd: int
    curator_payout_sbd: int
    beneficiary_payout_sbd: int


class PayoutTerms(NamedTuple):
    """The terms common to all payouts of a block: the fund, the prices, and the VESTS pools.

    `total_claims` is the fund's recent claims with those of every post that is paid in this block.
    """

    time: int
    fund: RewardFund
    total_claims: int
    price: Price
    gpo: GlobalProperties
    treasury: str
    dust_limit_sbd: int


class _VestingPool:
    """The price of VESTS for rewards, which rounding moves slightly with every reward added."""

    __slots__ = ("shares", "steem")

    def __init__(self, gpo: GlobalProperties) -> None:
        self.shares = gpo.total_vesting_shares + gpo.pending_rewarded_vesting_shares
        self.steem = gpo.total_vesting_fund_steem + gpo.pending_rewarded_vesting_steem

    def buy(self, steem: int) -> int:
        """The VESTS that `steem` buys; they are added to the pool."""
        price = Price(Asset(self.shares, VESTS), Asset(self.steem, STEEM))
        vests = multiply(Asset(steem, STEEM), price).amount
        self.shares += vests
        self.steem += steem
        return vests


def compute_payout(
    comment: Comment, votes: list[CommentVote], terms: PayoutTerms, *, pending: bool = False
) -> PayoutExplanation:
    """Computes the payout of a post from its votes (in the order of the voters' ids) and the terms of the block."""
    fund, price, gpo = terms.fund, terms.price, terms.gpo
    curve_value = claim = share = share_sbd = reward = 0
    is_dust = False
    max_steem = compute_steem_value(price, comment.max_accepted_payout)
    if comment.net_rshares > 0:
        curve_value = evaluate_reward_curve(comment.net_rshares, fund.author_reward_curve, fund.content_constant)
        claim = curve_value * comment.reward_weight // BASIS_POINTS
        share = compute_share(fund.reward_balance, claim, terms.total_claims)
        share_sbd = compute_sbd_value(price, share)
        is_dust = share_sbd < terms.dust_limit_sbd
        reward = min(0 if is_dust else share, max_steem)

    pool = _VestingPool(gpo)
    curation_steem = reward * fund.percent_curation_rewards // BASIS_POINTS
    curators = _compute_curators(comment, votes, terms, curation_steem if reward else 0, pool)
    curation_paid = sum(part.steem for part in curators)
    author_steem = reward - curation_steem
    beneficiaries = tuple(
        _compute_beneficiary(name, weight, author_steem * weight // BASIS_POINTS, comment, terms, pool)
        for name, weight in (comment.beneficiaries if reward else ())
    )
    beneficiary_steem = sum(part.steem for part in beneficiaries)
    author_part = _compute_author(comment, author_steem - beneficiary_steem, terms, pool)
    return PayoutExplanation(
        comment=comment.id,
        author=comment.author,
        permlink=comment.permlink,
        time=terms.time,
        pending=pending,
        net_rshares=comment.net_rshares,
        vote_rshares=comment.vote_rshares,
        reward_weight_bp=comment.reward_weight,
        curve=fund.author_reward_curve,
        content_constant=fund.content_constant,
        curve_value=curve_value,
        claim=claim,
        total_claims=terms.total_claims,
        fund_balance=fund.reward_balance,
        share=share,
        share_sbd=share_sbd,
        dust_limit_sbd=terms.dust_limit_sbd,
        is_dust=is_dust,
        max_accepted_payout_sbd=comment.max_accepted_payout,
        max_accepted_payout_steem=max_steem,
        reward=reward,
        curation_bp=fund.percent_curation_rewards,
        curation_allowed=comment.allow_curation_rewards,
        curation_steem=curation_steem,
        curation_paid=curation_paid,
        curation_returned=curation_steem - curation_paid,
        total_vote_weight=comment.total_vote_weight,
        reverse_auction_seconds=gpo.reverse_auction_seconds,
        curators=curators,
        author_steem=author_steem,
        percent_steem_dollars=comment.percent_steem_dollars,
        sbd_print_rate_bp=gpo.sbd_print_rate,
        median_price=price,
        beneficiaries=beneficiaries,
        author_part=author_part,
        fund_paid=author_steem + curation_paid,
        total_payout_sbd=author_part.paid_sbd
        + compute_sbd_value(price, author_part.paid_steem + author_part.vesting_steem),
        curator_payout_sbd=compute_sbd_value(price, curation_paid),
        beneficiary_payout_sbd=compute_sbd_value(price, beneficiary_steem),
    )


def compute_share(fund_balance: int, claim: int, total_claims: int) -> int:
    """A claim's part of the fund in STEEM satoshis, rounded down (256-bit product)."""
    if not total_claims > 0:
        raise Rejected("ctx.total_reward_shares2 > 0")
    share = fund_balance * claim // total_claims
    if share > INT64_MAX:
        raise Rejected("payout_u256 <= u256( uint64_t( std::numeric_limits<int64_t>::max() ) )")
    return share


def compute_sbd_share(steem: int, percent_steem_dollars: int) -> int:
    """The part of an author's tokens paid in SBD (or liquid STEEM): half of them at 10,000 basis points."""
    return steem * percent_steem_dollars // (2 * BASIS_POINTS)


def compute_printed(sbd_share: int, print_rate_bp: int, price: Price) -> tuple[int, int]:
    """SBD and liquid STEEM that an SBD share is paid in, by the print rate. Source: database::create_sbd."""
    to_sbd = print_rate_bp * sbd_share // BASIS_POINTS
    return compute_sbd_value(price, to_sbd), sbd_share - to_sbd


def compute_auction_weight(weight: int, seconds: int, window: int) -> int:
    """A curator's weight after the reverse auction: in its window it grows with the seconds since the post."""
    return weight if seconds >= window else weight * seconds // window


VoteT = TypeVar("VoteT", CommentVote, TokenVote)


class Curation(NamedTuple):
    """What decides about the curators' parts: when the post was written, the sum of all weights, and its curve."""

    created: int
    total_weight: int
    is_allowed: bool
    window: int
    curve: int
    constant: int


class Curated(NamedTuple, Generic[VoteT]):
    """A vote with what it earned, in satoshis and in the shares that these bought; see CuratorPart."""

    vote: VoteT
    auction_seconds: int
    full_weight: int | None
    amount: int
    shares: int


class Pool(Protocol):
    """Turns rewards into shares."""

    def buy(self, amount: int, /) -> int:
        """The shares that an amount buys; they are added to the pool."""


def _order_of_pay(vote: CommentVote | TokenVote) -> tuple[int, int]:
    return -vote.weight, vote.voter_id


def _compute_curators(
    comment: Comment, votes: list[CommentVote], terms: PayoutTerms, curation_steem: int, pool: _VestingPool
) -> tuple[CuratorPart, ...]:
    fund = terms.fund
    curation = Curation(
        comment.created,
        comment.total_vote_weight,
        comment.allow_curation_rewards,
        terms.gpo.reverse_auction_seconds,
        fund.curation_reward_curve,
        fund.content_constant,
    )
    return tuple(
        CuratorPart(
            voter=vote.voter,
            rshares=vote.rshares,
            vote_percent=vote.vote_percent,
            auction_seconds=auction_seconds,
            full_weight=full_weight,
            weight=vote.weight,
            steem=steem,
            vests=vests,
        )
        for vote, auction_seconds, full_weight, steem, vests in compute_curated(curation, votes, curation_steem, pool)
    )


def compute_curated(curation: Curation, votes: Sequence[VoteT], amount: int, pool: Pool) -> list[Curated[VoteT]]:
    """Each vote with its part of `amount`, by descending weight, then age of the account; rounding depends on it."""
    total, window = curation.total_weight, curation.window
    payable = amount if curation.is_allowed and total > 0 else 0
    full_weights = compute_full_weights(curation, votes)
    parts = []
    for vote in sorted(votes, key=_order_of_pay):
        paid = payable * vote.weight // total if payable else 0
        seconds = min(vote.last_update - curation.created, window)
        parts.append(Curated(vote, seconds, full_weights[vote.voter_id], paid, pool.buy(paid) if paid else 0))
    return parts


def compute_full_weights(curation: Curation, votes: Sequence[VoteT]) -> dict[int, int | None]:
    """The weight of each vote (by voter id) before the reverse auction, recomputed from the stored votes.

    The curation curve is walked along the positive votes in the order in which they were cast. A changed vote has lost
    its first rshares, so votes after it get None unless they were cast after the window.
    """
    window = curation.window
    full: dict[int, int | None] = {}
    running = 0
    known = True
    before = 0
    for vote in sorted(votes, key=lambda row: row.id):
        if vote.num_changes:
            known = False
            full[vote.voter_id] = 0
            continue
        if vote.rshares <= 0 or not curation.is_allowed:
            full[vote.voter_id] = 0
            continue
        seconds = vote.last_update - curation.created
        if known:
            running += vote.rshares
            after = evaluate_reward_curve(running, curation.curve, curation.constant)
            weight = max(after - before, 0)
            full[vote.voter_id] = weight if compute_auction_weight(weight, seconds, window) == vote.weight else None
            before = after
        else:
            full[vote.voter_id] = vote.weight if seconds >= window else None
    return full


def _compute_beneficiary(
    name: str, weight: int, steem: int, comment: Comment, terms: PayoutTerms, pool: _VestingPool
) -> BeneficiaryPart:
    if name == terms.treasury:
        sbd = compute_sbd_value(terms.price, steem)
        return BeneficiaryPart(name, weight, steem, steem, sbd, 0, 0, 0)
    return BeneficiaryPart(name, weight, steem, *_divide(steem, comment, terms, pool))


def _compute_author(comment: Comment, steem: int, terms: PayoutTerms, pool: _VestingPool) -> AuthorPart:
    return AuthorPart(comment.author, steem, *_divide(steem, comment, terms, pool))


def _divide(steem: int, comment: Comment, terms: PayoutTerms, pool: _VestingPool) -> tuple[int, int, int, int, int]:
    """Divides a part into the SBD share (paid as SBD and liquid STEEM) and the STEEM that buys VESTS."""
    sbd_share = compute_sbd_share(steem, comment.percent_steem_dollars)
    sbd, liquid = compute_printed(sbd_share, terms.gpo.sbd_print_rate, terms.price)
    vesting = steem - sbd_share
    return sbd_share, sbd, liquid, vesting, pool.buy(vesting) if vesting else 0
