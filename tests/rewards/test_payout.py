"""The computation of a payout, with figures worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.assets import Price
from protocol.curves import RewardCurve
from protocol.errors import Rejected
from protocol.types import Beneficiary
from rewards.payout import AuthorPart, BeneficiaryPart, PayoutExplanation, compute_auction_weight, compute_payout
from tests.chains import TREASURY
from tests.rewards.rows import make_comment, make_fund, make_terms, make_vote

VOTES = [make_vote(1, "bob", 500, 500, 400), make_vote(2, "carol", 300, 500, 180)]
"""Two votes of 500 rshares: bob's after the reverse auction, carol's at 180 of its 300 seconds."""

VOTED = make_comment(net_rshares=1000, abs_rshares=1000, vote_rshares=1000, total_vote_weight=1000)


def check_sums(payout: PayoutExplanation) -> None:
    """What an explanation promises about its sums."""
    assert payout.curation_paid == sum(part.steem for part in payout.curators)
    assert payout.curation_steem == payout.curation_paid + payout.curation_returned
    assert payout.reward == payout.curation_steem + payout.author_steem
    assert payout.fund_paid == payout.curation_paid + payout.author_steem
    parts: list[BeneficiaryPart | AuthorPart] = [*payout.beneficiaries, payout.author_part]
    assert payout.author_steem == sum(part.steem for part in parts)
    for part in parts:
        assert part.steem == part.sbd_share + part.vesting_steem


def test_whole_payout() -> None:
    comment = VOTED.replace(beneficiaries=(Beneficiary("dave", 1000), Beneficiary(TREASURY, 2000)))
    payout = compute_payout(comment, VOTES, make_terms(10_000))
    assert (payout.curve_value, payout.claim, payout.share, payout.share_sbd) == (1000, 1000, 100_000, 50_000)
    assert (payout.is_dust, payout.reward, payout.curation_steem) == (False, 100_000, 50_000)
    assert [(part.voter, part.full_weight, part.weight, part.steem, part.vests) for part in payout.curators] == [
        ("bob", 500, 500, 25_000, 50_000_000),
        ("carol", 500, 300, 15_000, 30_000_000),
    ]
    assert [part.auction_seconds for part in payout.curators] == [300, 180]
    assert (payout.curation_paid, payout.curation_returned, payout.fund_paid) == (40_000, 10_000, 90_000)
    assert payout.beneficiaries == (
        BeneficiaryPart("dave", 1000, 5000, 2500, 1250, 0, 2500, 5_000_000),
        BeneficiaryPart(TREASURY, 2000, 10_000, 10_000, 5000, 0, 0, 0),
    )
    assert payout.author_part == AuthorPart("alice", 35_000, 17_500, 8750, 0, 17_500, 35_000_000)
    assert payout.total_payout_sbd == 8750 + 8750
    assert (payout.curator_payout_sbd, payout.beneficiary_payout_sbd) == (20_000, 7500)
    check_sums(payout)


def test_print_rate_pays_a_part_in_steem() -> None:
    part = compute_payout(VOTED, [], make_terms(10_000, sbd_print_rate=4000)).author_part
    assert part == AuthorPart("alice", 50_000, 25_000, 5000, 15_000, 25_000, 50_000_000)


def test_percent_steem_dollars() -> None:
    part = compute_payout(VOTED.replace(percent_steem_dollars=5000), [], make_terms(10_000)).author_part
    assert (part.sbd_share, part.paid_sbd, part.vesting_steem) == (12_500, 6250, 37_500)
    part = compute_payout(VOTED.replace(percent_steem_dollars=0), [], make_terms(10_000)).author_part
    assert (part.sbd_share, part.paid_sbd, part.vesting_steem) == (0, 0, 50_000)


def test_dust_and_limits() -> None:
    """0.039 STEEM are worth 0.019 SBD: dust; 0.040 are worth 0.020: paid."""
    small = VOTED.replace(net_rshares=39)
    assert compute_payout(small, [], make_terms(1_000_000)).reward == 0
    assert compute_payout(small, [], make_terms(1_000_000)).is_dust
    assert compute_payout(small.replace(net_rshares=40), [], make_terms(1_000_000)).reward == 40
    limited = compute_payout(VOTED.replace(max_accepted_payout=1000), VOTES, make_terms(10_000))
    assert (limited.share, limited.max_accepted_payout_steem, limited.reward) == (100_000, 2000, 2000)
    declined = compute_payout(VOTED.replace(max_accepted_payout=0), VOTES, make_terms(10_000))
    assert (declined.reward, declined.fund_paid, declined.author_part.steem) == (0, 0, 0)
    weighted = compute_payout(VOTED.replace(reward_weight=2500), VOTES, make_terms(10_000))
    assert (weighted.claim, weighted.share) == (250, 25_000)


def test_no_price_pays_nothing() -> None:
    payout = compute_payout(VOTED, VOTES, make_terms(10_000)._replace(price=Price()))
    assert (payout.is_dust, payout.reward, payout.fund_paid) == (True, 0, 0)


def test_negative_rshares_pay_nothing() -> None:
    payout = compute_payout(VOTED.replace(net_rshares=-5), VOTES, make_terms(10_000))
    assert (payout.claim, payout.reward, payout.fund_paid) == (0, 0, 0)


def test_curation_that_is_not_allowed_stays_in_the_fund() -> None:
    payout = compute_payout(VOTED.replace(allow_curation_rewards=False), VOTES, make_terms(10_000))
    assert (payout.curation_paid, payout.curation_returned, payout.fund_paid) == (0, 50_000, 50_000)
    check_sums(payout)


def test_curators_of_equal_weight_are_paid_by_age_of_account() -> None:
    votes = [make_vote(3, "zoe", 100, 1, 400, id=1), make_vote(9, "amy", 100, 1, 400, id=0)]
    payout = compute_payout(VOTED.replace(total_vote_weight=200), votes, make_terms(10_000))
    assert [part.voter for part in payout.curators] == ["zoe", "amy"]


def test_full_weights_follow_the_curve() -> None:
    """Convergent square root with s = 0: 16 rshares weigh 16 / 4 = 4, 64 weigh 64 / 8 = 8."""
    fund = make_fund(content_constant=0, curation_reward_curve=RewardCurve.CONVERGENT_SQUARE_ROOT.number)
    votes = [make_vote(1, "bob", 4, 16, 300), make_vote(2, "carol", 2, 48, 150)]
    comment = VOTED.replace(vote_rshares=64, net_rshares=64, total_vote_weight=8)
    payout = compute_payout(comment, votes, make_terms(640, fund))
    assert [part.full_weight for part in payout.curators] == [4, 4]
    changed = [votes[0].replace(num_changes=1, weight=0), votes[1]]
    payout = compute_payout(comment, changed, make_terms(640, fund))
    assert [part.full_weight for part in payout.curators] == [None, 0]


def test_claims_must_exist() -> None:
    with pytest.raises(Rejected, match="total_reward_shares2 > 0"):
        compute_payout(VOTED, VOTES, make_terms(0))


def test_auction_weight() -> None:
    assert [compute_auction_weight(1000, seconds, 300) for seconds in (0, 1, 150, 299, 300, 301)] == [
        0,
        3,
        500,
        996,
        1000,
        1000,
    ]
    assert compute_auction_weight(1000, 0, 0) == 1000


@given(
    net=st.integers(1, 10**15),
    weights=st.lists(st.integers(0, 10**9), max_size=8),
    unpaid=st.integers(0, 10**9),
    percent=st.integers(0, 10_000),
    print_rate=st.integers(0, 10_000),
    shares=st.lists(st.integers(0, 2500), max_size=4),
)
def test_sums_always_hold(
    net: int, weights: list[int], unpaid: int, percent: int, print_rate: int, shares: list[int]
) -> None:
    votes = [make_vote(n, f"voter{n}", weight, 1, 400) for n, weight in enumerate(weights)]
    comment = VOTED.replace(
        net_rshares=net,
        total_vote_weight=sum(weights) + unpaid,
        percent_steem_dollars=percent,
        beneficiaries=tuple(Beneficiary(f"friend{n}", share) for n, share in enumerate(shares)),
    )
    check_sums(compute_payout(comment, votes, make_terms(10**15, sbd_print_rate=print_rate)))
