"""Cashout on a whole state: what is given out is what the explanation says, and the supplies add up."""

from collections.abc import Iterator

import pytest

from operations.content import CommentOptions, CommentPayoutBeneficiaries
from protocol.assets import SBD, STEEM, Asset, Price
from protocol.curves import evaluate_reward_curve
from protocol.errors import Rejected
from protocol.operation import Operation
from protocol.types import Beneficiary
from protocol.virtual_operations import (
    AuthorReward,
    CommentBenefactorReward,
    CommentPayoutUpdate,
    CommentReward,
    CurationReward,
    Interest,
)
from rewards.explain import explain_pending
from rewards.fund import get_reward_fund
from rewards.payout import AuthorPart, BeneficiaryPart, PayoutExplanation
from rewards.virtual_supply import process_virtual_supply
from state.context import SINGLETON
from state.tables.accounts import Account
from state.tables.kinds import TIME_MAX
from tests.chains import TREASURY
from tests.operations.blog import fill_fund, find_post, forward_to_payout, pay_due, post, vote
from tests.operations.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """Three authors without stake and three voters with the same stake; a full reward fund."""
    made = World()
    made.create("alice", "bob", "dave", "ulysses", "vivian", "wendy")
    for name in ("ulysses", "vivian", "wendy"):
        made.vest(name, 100_000_000)
    made.forward(600)
    fill_fund(made)
    yield made
    made.recount()


def set_price(world: World, sbd: int, steem: int) -> None:
    """Sets the median price; all SBD count anew in the virtual supply."""
    feed = world.tables.feed_history.get(SINGLETON)
    world.tables.feed_history.update(feed, current_median_history=Price(Asset(sbd, SBD), Asset(steem, STEEM)))


def decline(author: str) -> CommentOptions:
    return CommentOptions(author, "post", Asset(0, SBD), 10_000, True, True, ())


def test_equal_votes_earn_equally(world: World) -> None:
    """Counterpart of comment_payout_equalize: a post that declines its payout takes nothing from the others."""
    for author in ("alice", "bob", "dave"):
        world.push(post(author))
    world.push(decline("bob"))
    world.forward(3)
    for voter, author in (("ulysses", "alice"), ("vivian", "bob"), ("wendy", "dave")):
        world.push(vote(voter, author))
    forward_to_payout(world, "alice")
    balance = get_reward_fund(world.ctx).reward_balance
    _, reports = pay_due(world)
    assert [report.author for report in reports] == ["alice", "bob", "dave"]
    assert world["alice"].reward_sbd_balance == world["dave"].reward_sbd_balance > 0
    assert world["bob"].reward_sbd_balance == world["bob"].reward_vesting_balance == 0
    assert [report.share for report in reports] == [balance // 3] * 3
    assert reports[1].reward == reports[1].fund_paid == 0


@pytest.mark.windows
def test_no_post_is_paid_before_another(world: World) -> None:
    """Counterpart of comment_payout_dust: shares of 81 and 59 per cent leave one satoshi by rounding."""
    world.push(post("ulysses"))
    world.push(post("vivian"))
    world.forward(300)
    world.push(vote("ulysses", "ulysses", 8100))
    world.push(vote("vivian", "vivian", 5900))
    forward_to_payout(world, "ulysses")
    before = get_reward_fund(world.ctx)
    _, reports = pay_due(world)
    assert {report.fund_balance for report in reports} == {before.reward_balance}
    assert {report.total_claims for report in reports} == {sum(report.claim for report in reports)}
    left = get_reward_fund(world.ctx).reward_balance
    assert left == before.reward_balance - sum(report.fund_paid for report in reports) == 1


@pytest.mark.windows
def test_recent_claims(world: World) -> None:
    """Counterpart of recent_claims_decay."""
    world.push(post("alice"))
    world.push(vote("ulysses", "alice"))
    fund = get_reward_fund(world.ctx)
    first = evaluate_reward_curve(
        find_post(world, "alice").net_rshares, fund.author_reward_curve, fund.content_constant
    )
    world.forward(15)
    world.push(post("bob"))
    world.push(vote("vivian", "bob"))
    second = evaluate_reward_curve(find_post(world, "bob").net_rshares, fund.author_reward_curve, fund.content_constant)
    forward_to_payout(world, "alice")
    pay_due(world)
    assert get_reward_fund(world.ctx).recent_claims == first
    for _ in range(4):
        world.forward(3)
        pay_due(world)
        first -= first * 3 // 1_296_000
        assert get_reward_fund(world.ctx).recent_claims == first
    world.forward(3)
    pay_due(world)
    assert get_reward_fund(world.ctx).recent_claims == first - first * 3 // 1_296_000 + second


@pytest.mark.windows
def test_explanation_is_what_was_paid(world: World) -> None:
    set_price(world, 1000, 1333)
    world.ctx.update_gpo(sbd_print_rate=6789)
    shares = (Beneficiary("dave", 777), Beneficiary(TREASURY, 1234))
    world.push(post("alice"))
    world.push(
        CommentOptions("alice", "post", Asset(10**9, SBD), 8765, True, True, (CommentPayoutBeneficiaries(shares),))
    )
    world.forward(100)
    world.push(vote("wendy", "alice", 9000))
    world.forward(250)
    world.push(vote("ulysses", "alice"))
    world.push(vote("vivian", "alice", -3000))
    forward_to_payout(world, "alice")
    world.ctx.update_gpo(sbd_print_rate=6789)
    pending = explain_pending(world.ctx, find_post(world, "alice"))
    before = {row.name: row for row in world.tables.accounts.scan()}
    gpo, fund = world.ctx.gpo, get_reward_fund(world.ctx)
    events, (paid,) = pay_due(world)
    assert paid == pending.replace(pending=False)
    assert paid.curators[0].voter == "ulysses"
    assert [part.full_weight is not None for part in paid.curators] == [True, True, True]
    check_accounts(world, before, paid)
    check_events(events, paid)
    assert get_reward_fund(world.ctx).reward_balance == fund.reward_balance - paid.fund_paid
    now = world.ctx.gpo
    vests = sum(part.vests for part in paid.curators) + sum(part.paid_vests for part in get_parts(paid))
    steem = paid.curation_paid + sum(part.vesting_steem for part in get_parts(paid))
    assert now.pending_rewarded_vesting_shares == gpo.pending_rewarded_vesting_shares + vests
    assert now.pending_rewarded_vesting_steem == gpo.pending_rewarded_vesting_steem + steem
    row = find_post(world, "alice")
    assert row.total_payout_value == paid.total_payout_sbd
    assert row.curator_payout_value == paid.curator_payout_sbd
    assert row.beneficiary_payout_value == paid.beneficiary_payout_sbd
    assert (row.author_rewards, row.net_rshares, row.total_vote_weight) == (paid.author_part.steem, 0, 0)
    assert (row.cashout_time, row.last_payout) == (TIME_MAX, world.now)
    assert not list(world.tables.comment_votes.scan((row.id,)))
    with pytest.raises(Rejected, match="paid already"):
        explain_pending(world.ctx, row)


def get_parts(paid: PayoutExplanation) -> list[BeneficiaryPart | AuthorPart]:
    return [*paid.beneficiaries, paid.author_part]


def check_accounts(world: World, before: dict[str, Account], paid: PayoutExplanation) -> None:
    """The rewards of every account rose by its parts, and the treasury got SBD at once."""
    for name, old in before.items():
        curated = [part for part in paid.curators if part.voter == name]
        parts = [part for part in get_parts(paid) if part.account == name]
        new = world[name]
        sbd = sum(part.paid_sbd for part in parts)
        if name == TREASURY:
            assert new.sbd_balance - old.sbd_balance == sbd > 0
            continue
        steem = sum(part.paid_steem for part in parts)
        vests = sum(part.vests for part in curated) + sum(part.paid_vests for part in parts)
        vesting = sum(part.steem for part in curated) + sum(part.vesting_steem for part in parts)
        assert (sbd, steem, vests, vesting) == (
            new.reward_sbd_balance - old.reward_sbd_balance,
            new.reward_steem_balance - old.reward_steem_balance,
            new.reward_vesting_balance - old.reward_vesting_balance,
            new.reward_vesting_steem - old.reward_vesting_steem,
        )


def check_events(events: list[Operation], paid: PayoutExplanation) -> None:
    """Curators first, then beneficiaries, the author, the whole, and the end."""
    kinds = [type(event) for event in events if not isinstance(event, Interest)]
    curators = [part for part in paid.curators if part.steem]
    assert kinds == [
        *[CurationReward] * len(curators),
        *[CommentBenefactorReward] * len(paid.beneficiaries),
        AuthorReward,
        CommentReward,
        CommentPayoutUpdate,
    ]
    assert [event.reward.amount for event in events if isinstance(event, CurationReward)] == [
        part.vests for part in curators
    ]


def test_a_small_payout_is_dust(world: World) -> None:
    set_price(world, 1, 10_000_000)
    world.push(post("alice"))
    world.push(vote("ulysses", "alice"))
    forward_to_payout(world, "alice")
    balance = get_reward_fund(world.ctx).reward_balance
    events, (paid,) = pay_due(world)
    assert (paid.is_dust, paid.reward, paid.share) == (True, 0, balance)
    assert [type(event) for event in events] == [CommentPayoutUpdate]
    assert get_reward_fund(world.ctx).reward_balance == balance
    assert get_reward_fund(world.ctx).recent_claims == paid.claim > 0
    set_price(world, 1, 1)


def test_negative_rshares_stay(world: World) -> None:
    world.push(post("alice"))
    world.push(vote("ulysses", "alice", -10_000))
    rshares = find_post(world, "alice").net_rshares
    forward_to_payout(world, "alice")
    _, (paid,) = pay_due(world)
    assert (paid.claim, paid.reward) == (0, 0)
    row = find_post(world, "alice")
    assert row.net_rshares == rshares < 0
    assert row.abs_rshares == 0


def test_only_due_posts_are_read(world: World) -> None:
    """The work of a block depends on the posts that are due, not on all of them."""
    world.push(post("alice"))
    world.forward(3)
    world.push(post("bob"))
    forward_to_payout(world, "alice")
    _, reports = pay_due(world)
    assert [report.author for report in reports] == ["alice"]
    assert pay_due(world) == ([], [])
    world.forward(3)
    _, reports = pay_due(world)
    assert [report.author for report in reports] == ["bob"]


def test_an_equal_share_in_sbd(world: World) -> None:
    """The figures of comment_payout_equalize: a third of the fund, half of it for the author, half of that as SBD.

    As there, one satoshi of STEEM is worth one SBD, so that nothing is dust.
    """
    set_price(world, 1000, 1)
    world.run(process_virtual_supply)
    assert world.ctx.gpo.sbd_print_rate == 10_000
    for author in ("alice", "bob", "dave"):
        world.push(post(author))
    world.push(decline("bob"))
    world.forward(3)
    for voter, author in (("ulysses", "alice"), ("vivian", "bob"), ("wendy", "dave")):
        world.push(vote(voter, author))
    forward_to_payout(world, "alice")
    share = get_reward_fund(world.ctx).reward_balance // 3
    pay_due(world)
    author_part = share - share // 2
    in_sbd = author_part // 2
    for name in ("alice", "dave"):
        assert world[name].reward_sbd_balance == in_sbd * 1000
        assert world[name].reward_vesting_steem == author_part - in_sbd
    assert world["bob"].reward_sbd_balance == 0
    world.run(process_virtual_supply)
