"""Posts and tokens: votable assets, votes of rshares, payouts, and claims."""

from __future__ import annotations

from typing import Any

import pytest

from operations.content import (
    AllowedVoteAssets,
    Comment,
    CommentOptions,
    CommentPayoutBeneficiaries,
    DeleteComment,
    VotableAssetOptions,
)
from operations.reward import ClaimRewardBalance2
from operations.token import SmtSetRuntimeParameters
from operations.token_parameters import SmtParamAllowDownvotes, SmtParamRewardsV1, SmtParamWindowsV1
from operations.vesting import TransferToVesting
from operations.vote import Vote2
from protocol.assets import SBD, STEEM, VESTS, Asset, nai_string, paired_symbol
from protocol.curves import CURVES, evaluate_reward_curve
from protocol.integers import INT64_MAX
from protocol.measures import duration_text
from protocol.operation import Operation
from protocol.types import Beneficiary
from protocol.virtual_operations import AuthorReward, CommentBenefactorReward, CommentReward, CurationReward
from rewards.cashout import process_comment_cashout
from rewards.fund import compute_faded_claims, process_claims_decay
from rewards.token_cashout import process_token_cashout
from rewards.token_voting import compute_most, compute_token_weights
from rewards.voting import compute_mana_after_vote, compute_strength
from state.balances import TOKEN_REWARD_FUND
from state.issuance import issue
from state.reward_balances import compute_claimed_value
from state.tables.accounts import Manabar
from state.tables.kinds import TIME_MAX
from state.tables.tokens import Phase, TokenBalance, TokenPost, TokenVote
from tests.chains import NULL, TREASURY
from tests.operations.world import World, changed
from tests.tokens.examples import get_example
from tests.tokens.test_stake import launched, shares
from tests.tokens.world import TokenWorld

DUST = 50_000_000
MILLION = 1_000_000
FULL = VotableAssetOptions(INT64_MAX, True, CommentPayoutBeneficiaries(()))


def options(author: str, permlink: str, *assets: tuple[int, VotableAssetOptions]) -> CommentOptions:
    """Names the tokens that a post may be voted on with."""
    extension = AllowedVoteAssets(tuple(sorted(assets, key=lambda asset: asset[0])))
    return CommentOptions(author, permlink, Asset(10**9, SBD), 10_000, True, True, (extension,))


def limited(most: int = INT64_MAX, curation: bool = True, *to: tuple[str, int]) -> VotableAssetOptions:
    return VotableAssetOptions(most, curation, CommentPayoutBeneficiaries(tuple(Beneficiary(*pair) for pair in to)))


def write(world: TokenWorld, author: str, permlink: str, parent: tuple[str, str] = ("", "test")) -> None:
    """Writes a post, some time after the last."""
    world.forward(world.ctx.rules.min_root_comment_interval_seconds + 3)
    world.push(Comment(*parent, author, permlink, "title", "body", ""))


def vote(voter: str, author: str, permlink: str, *rshares: tuple[int, int]) -> Vote2:
    return Vote2(voter, author, permlink, tuple(sorted(rshares)), ())


def show(symbol: int) -> str:
    """A symbol in an error's text."""
    return f'{{"nai":"{nai_string(symbol)}","precision":3}}'


def stake(world: TokenWorld, symbol: int, **amounts: int) -> None:
    """Gives accounts stake in a token, in satoshis at the first price."""
    for name, amount in amounts.items():
        world.issue(name, symbol, amount)
        world.push(TransferToVesting(name, "", Asset(amount, symbol)))


def the_post(world: TokenWorld, symbol: int, author: str = "alice", permlink: str = "post") -> TokenPost:
    """What a post has in a token."""
    comment = world.tables.comments.index("by_permlink").find((author, permlink))
    assert comment is not None
    return world.tables.token_posts.get((comment.id, symbol))


# Votable assets


def test_comment_votable_assets_validate(world: TokenWorld) -> None:
    rules = world.ctx.rules
    first, second, third = (world.make_token() for _ in range(3))
    options("alice", "post").validate(rules)
    options("alice", "post", (first, FULL), (second, FULL)).validate(rules)
    too_many = options("alice", "post", (first, FULL), (second, FULL), (third, FULL))
    world.refuse(too_many, "Comment votable assets number exceeds allowed limit 2.")
    world.refuse(options("alice", "post", (STEEM, FULL)), "Invalid core asset symbol specified in votable assets")
    names = [f"name{number:03d}" for number in range(128)]
    for to, text in (
        ((("bob", 10_001),), "Cannot allocate more than 100% of rewards to one account"),
        ((("alice", 6000), ("bob", 6000)), "Cannot allocate more than 100% of rewards to a comment"),
        (tuple((name, 1) for name in names), "Cannot specify more than 127 beneficiaries."),
        ((("bob", 1), ("bob", 2)), "Benficiaries must be specified in sorted order (account ascending)"),
        ((("bob", 1), ("alice", 2)), "Benficiaries must be specified in sorted order (account ascending)"),
    ):
        world.refuse(options("alice", "post", (first, limited(1, True, *to))), text)
    options("alice", "post", (first, limited(1, True, *((name, 1) for name in names[:127])))).validate(rules)


def test_comment_votable_assets_apply(world: TokenWorld) -> None:
    symbol, other = launched(world), world.make_token()
    write(world, "alice", "post")
    world.refuse(
        options("alice", "post", (symbol + 1, FULL)), f'SMT {{"nai":"{nai_string(symbol)}","precision":4}} was'
    )
    world.refuse(options("alice", "post", (paired_symbol(symbol), FULL)), "was not found.")
    world.refuse(options("alice", "post", (other, FULL)), f"SMT {show(other)} must be in active phase to be a votable")
    tokens = world.tables.tokens
    tokens.update(tokens.get(other), phase=Phase.LAUNCH_SUCCESS, allow_voting=False)
    world.refuse(options("alice", "post", (other, FULL)), f"SMT {show(other)} does not support voting")
    tokens.update(tokens.get(other), allow_voting=True)
    nobody = options("alice", "post", (symbol, limited(1, True, ("nobody", 1))))
    world.refuse(nobody, 'Beneficiary "nobody" must exist.')
    treasury = options("alice", "post", (symbol, limited(1, True, (TREASURY, 1))))
    world.refuse(treasury, f"Can only transfer SBD to {TREASURY}")
    world.refuse(options("alice", "post", (symbol, limited(-1))), "Cannot accept less than 0 payout")
    world.push(options("alice", "post", (symbol, limited(5, False, ("bob", 7)))))
    post = the_post(world, symbol)
    assert (post.max_accepted_payout, post.allow_curation_rewards) == (5, False)
    assert post.beneficiaries == (Beneficiary("bob", 7),)
    world.push(options("alice", "post", (other, FULL)))
    (post,) = world.tables.token_posts.scan()
    assert post.symbol == other, "the new set replaces the former (D17)"
    write(world, "bob", "reply", ("alice", "post"))
    text = f"SMT {show(symbol)} is not a votable asset in the root comment alice/post"
    world.refuse(options("bob", "reply", (symbol, FULL)), text)
    world.push(options("bob", "reply", (other, limited(9))))
    assert the_post(world, other, "bob", "reply").max_accepted_payout == 9
    stake(world, other, charlie=10**6)
    world.push(vote("charlie", "alice", "post", (other, 10**9)))
    text = "Comment must not have been voted on before specifying allowed vote assets."
    world.refuse(options("alice", "post", (symbol, FULL)), text)


def test_where_tokens_are_not_live_posts_answer_as_before() -> None:
    world = World()
    world.create("alice")
    world.push(Comment("", "test", "alice", "post", "title", "body", ""))
    world.refuse(options("alice", "post", (320_000_019, FULL)), "Voting with tokens is not enabled on this chain.")
    world.refuse(vote("alice", "alice", "post", (STEEM, 1)), "vote2_operation is not enabled on this chain.")


@pytest.mark.parametrize("is_paid", [False, True])
def test_a_post_with_token_votes_stays(world: TokenWorld, is_paid: bool) -> None:
    """F23: the reference looks at votes with STEEM only, and leaves beneficiaries behind."""
    symbol = launched(world)
    stake(world, symbol, bob=10**6)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.push(vote("bob", "alice", "post", (symbol, 10**9)))
    if is_paid:
        posts = world.tables.token_posts
        posts.update(the_post(world, symbol), cashout_time=world.now)
        world.run(process_token_cashout)
    world.refuse(DeleteComment("alice", "post"), "Cannot delete a comment with net positive votes.")


def test_token_votes_go_with_a_deleted_post(world: TokenWorld) -> None:
    symbol = launched(world)
    stake(world, symbol, bob=10**6)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.push(vote("bob", "alice", "post", (symbol, -(10**9))))
    world.push(DeleteComment("alice", "post"))
    assert list(world.tables.token_posts.scan()) == []
    assert list(world.tables.token_votes.scan()) == []


# Votes


@pytest.mark.parametrize("name", list(get_example("vote2_strength")["expected"]))
def test_vote2_strength(world: TokenWorld, name: str) -> None:
    example = get_example("vote2_strength")
    effective, mana, downmana, rshares, votes, pool, left, lockout = example["input"][name]
    expected = example["expected"][name]
    rules = world.ctx.rules.replace(upvote_lockout_seconds=lockout)
    gpo = world.ctx.update_gpo(downvote_pool_percent=pool)
    holder = TokenBalance(0, "alice", 1, vesting_shares=effective)
    assert holder.vesting_shares >= mana
    bars = Manabar(mana, 0), Manabar(downmana, 0)
    assert compute_most(bars, pool, votes, rshares) == expected["most"]
    if expected.get("refused"):
        assert abs(rshares) > expected["most"]
        return
    counted = compute_strength(rules, abs(rshares), left)
    voting, downvote = compute_mana_after_vote(gpo, bars, rshares, abs(rshares))
    assert (-counted if rshares < 0 else counted) == expected["rshares"]
    assert (voting.current_mana, downvote.current_mana) == (expected["mana"], expected["downvote_mana"])


@pytest.mark.windows
def test_vote2_apply(world: TokenWorld) -> None:
    """A first vote with STEEM and a token; what is refused; changes up and down, and to nothing."""
    symbol, other = launched(world), launched(world)
    stake(world, symbol, bob=10**7)
    world.vest("bob", 1_000_000)
    world.refuse(vote("bob", "alice", "none", (symbol, 1)), "unknown key")
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    payout_at = the_post(world, symbol).cashout_time
    world.refuse(vote("bob", "alice", "post", (symbol, 0)), "Cannot vote with 0 rshares.")
    for unknown in (symbol + 1, other, paired_symbol(symbol), SBD, VESTS):
        text = "is not an allowed voting asset on comment alice/post"
        world.refuse(vote("bob", "alice", "post", (unknown, 1)), text)
    mana = 10**7 * MILLION
    most = mana // 50
    steem_most = -(-world["bob"].vesting_shares // 50)
    text = f'Account cannot vote with more than "{most}" abs rshares in a single vote with token {show(symbol)}.'
    world.refuse(vote("bob", "alice", "post", (symbol, most + 10)), text)
    too_much = vote("bob", "alice", "post", (symbol, most), (STEEM, steem_most + 10))
    world.refuse(too_much, "abs rshares in a single vote with token")
    world.push(vote("bob", "alice", "post", (symbol, most), (STEEM, steem_most)))
    post, comment = the_post(world, symbol), world.tables.comments.get(0)
    assert (post.net_rshares, post.abs_rshares, post.net_votes) == (most - DUST, most - DUST, 1)
    assert comment.net_rshares == max(steem_most - DUST, 0)
    assert comment.children_abs_rshares == most - DUST + max(steem_most - DUST, 0)
    assert post.cashout_time == payout_at
    assert world.balance("bob", symbol).voting_manabar.current_mana == mana - most
    pause = world.ctx.rules.min_vote_interval_seconds
    world.refuse(vote("bob", "alice", "post", (symbol, 5)), f"Can only vote once every {duration_text(pause)}.")
    world.forward(pause)
    same = vote("bob", "alice", "post", (symbol, most))
    world.refuse(same, "abs rshares in a single vote")
    world.tables.token_balances.update(world.balance("bob", symbol), voting_manabar=Manabar(mana, world.now))
    world.refuse(same, "Your current vote on this comment is identical to the new vote.")
    half = most // 2
    world.push(vote("bob", "alice", "post", (symbol, half)))
    post = the_post(world, symbol)
    assert (post.net_rshares, post.abs_rshares) == (half - DUST, most + half - 2 * DUST)
    assert world.balance("bob", symbol).voting_manabar.current_mana == mana, "a decrease takes nothing"
    world.forward(pause)
    world.push(vote("bob", "alice", "post", (symbol, half + 1000)))
    assert world.balance("bob", symbol).voting_manabar.current_mana == mana - 1000, "an increase what is added"
    world.forward(pause)
    before = world.balance("bob", symbol)
    world.push(vote("bob", "alice", "post", (symbol, -half)))
    post = the_post(world, symbol)
    assert (post.net_rshares, post.net_votes) == (-(half - DUST), -1)
    downvote = world.balance("bob", symbol).downvote_manabar.current_mana
    pool = world.ctx.gpo.downvote_pool_percent
    assert downvote == mana * pool // 10_000 - half, "a change of sign takes all of it, from the downvote mana"
    assert world.balance("bob", symbol).voting_manabar.current_mana >= before.voting_manabar.current_mana
    world.forward(pause)
    world.push(vote("bob", "alice", "post", (symbol, 0)))
    post = the_post(world, symbol)
    assert (post.net_rshares, post.net_votes) == (0, 0)
    (row,) = world.tables.token_votes.scan()
    assert (row.rshares, row.weight, row.num_changes, row.last_update) == (0, 0, 4, world.now)
    world.forward(pause)
    world.push(vote("bob", "alice", "post", (symbol, half)))
    world.forward(pause)
    text = "Voter has used the maximum number of vote changes on this comment."
    world.refuse(vote("bob", "alice", "post", (symbol, half // 2)), text)


def test_replies_are_voted_on_with_the_tokens_of_their_root(world: TokenWorld) -> None:
    """F2: a reply without options of its own crashes the reference at its payout."""
    symbol = launched(world)
    stake(world, symbol, bob=10**7)
    write(world, "alice", "post")
    write(world, "bob", "reply", ("alice", "post"))
    world.refuse(vote("bob", "bob", "reply", (symbol, 10**9)), "is not an allowed voting asset on comment bob/reply")
    world.push(options("alice", "post", (symbol, FULL)))
    world.push(vote("bob", "bob", "reply", (symbol, 10**9)))
    post = the_post(world, symbol, "bob", "reply")
    assert (post.net_rshares, post.max_accepted_payout) == (10**9 - DUST, INT64_MAX)
    root = world.tables.comments.get(0)
    assert root.children_abs_rshares == 10**9 - DUST
    issue(world.ctx, symbol, (1000, (TOKEN_REWARD_FUND, symbol)))
    world.forward(world.ctx.rules.cashout_window_seconds + 300)
    events = world.run(process_token_cashout)
    assert any(isinstance(event, AuthorReward) and event.author == "bob" for event in events)


def test_less_counts_in_the_lockout(world: TokenWorld) -> None:
    symbol = launched(world)
    stake(world, symbol, bob=10**7, charlie=10**7)
    world.ctx.rules = world.ctx.rules.replace(upvote_lockout_seconds=600)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.forward(the_post(world, symbol).cashout_time - world.now - 300)
    world.push(vote("bob", "alice", "post", (symbol, 10**9)))
    assert the_post(world, symbol).net_rshares == (10**9 - DUST) // 2
    world.push(vote("charlie", "alice", "post", (symbol, -(10**9))))
    assert the_post(world, symbol).net_rshares == 0
    world.forward(world.ctx.rules.min_root_comment_interval_seconds + 3)
    world.refuse(
        vote("bob", "alice", "post", (symbol, 1)), "Comment is actively being rewarded. Cannot vote on comment."
    )


def test_votes_after_the_payout_are_accepted_and_forgotten(world: TokenWorld) -> None:
    """F35: the reference stores a row without a symbol."""
    symbol = launched(world)
    stake(world, symbol, bob=10**7)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    write(world, "alice", "reply", ("alice", "post"))
    world.forward(world.ctx.rules.cashout_window_seconds + 300)
    world.run(process_token_cashout)
    world.run(process_comment_cashout)
    for permlink in ("post", "reply"):
        world.push(vote("bob", "alice", permlink, (symbol, 10**9), (STEEM, 1)))
    assert list(world.tables.token_votes.scan()) == []
    assert the_post(world, symbol).cashout_time == TIME_MAX
    assert world.balance("bob", symbol).last_vote_time == 0


def test_a_voter_without_a_balance_is_told_so(world: TokenWorld) -> None:
    """F38: the reference says `unknown key`."""
    symbol = launched(world)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.refuse(vote("dan", "alice", "post", (symbol, 1)), "Account does not have enough mana to vote.")


def test_a_token_may_forbid_votes_against_posts(world: TokenWorld) -> None:
    """F19: the reference never reads allow_downvotes; it acts at once (D10)."""
    symbol = launched(world)
    stake(world, symbol, bob=10**7)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.push(SmtSetRuntimeParameters("alice", symbol, (SmtParamAllowDownvotes(False),), ()))
    world.refuse(vote("bob", "alice", "post", (symbol, -(10**9))), f"SMT {show(symbol)} does not allow votes against")
    world.push(vote("bob", "alice", "post", (symbol, 10**9)))


@pytest.mark.parametrize("pool", [0, 2500])
def test_without_auction_or_downvote_pool_nothing_divides_by_zero(world: TokenWorld, pool: int) -> None:
    """F20: both halt the reference."""
    symbol = launched(world)
    stake(world, symbol, bob=10**7, charlie=10**7)
    world.ctx.update_gpo(downvote_pool_percent=pool)
    window = world.ctx.rules.cashout_window_seconds
    world.ctx.rules = world.ctx.rules.replace(smt_upvote_lockout_seconds=1)
    world.push(SmtSetRuntimeParameters("alice", symbol, (SmtParamWindowsV1(window, 0),), ()))
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.push(vote("bob", "alice", "post", (symbol, 2 * 10**9)))
    world.push(vote("charlie", "alice", "post", (symbol, -(10**9))))
    (first, *_) = world.tables.token_votes.scan()
    assert first.weight == the_post(world, symbol).total_vote_weight > 0, "without an auction the weight is whole"
    used = 10**7 * MILLION - world.balance("charlie", symbol).voting_manabar.current_mana
    assert used == (0 if pool else 10**9)


def test_who_declined_to_vote_does_not_vote_with_tokens(world: TokenWorld) -> None:
    symbol = launched(world)
    stake(world, symbol, bob=10**7)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.tables.accounts.update(world["bob"], can_vote=False)
    world.refuse(vote("bob", "alice", "post", (symbol, 10**9)), "Voter has declined their voting rights.")


def test_curation_weight_by_token(world: TokenWorld) -> None:
    """F18: the reference counts from the rshares of STEEM."""
    example = get_example("curation_weight_by_token")
    given = example["input"]
    symbol = launched(world)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    comment = world.tables.comments.get(0).replace(vote_rshares=given["steem_vote_rshares"])
    post = the_post(world, symbol).replace(vote_rshares=given["token_vote_rshares"])
    assert CURVES[post.curation_reward_curve] == given["curve"]
    full, own = compute_token_weights(post, comment, given["vote"], comment.created + 900)
    assert full == own == example["expected"]["weight"]


def test_curves() -> None:
    example = get_example("curves")
    names = {str(curve).removesuffix("_curation"): curve.number for curve in CURVES}
    for name, values in example["expected"].items():
        for rshares, value in values.items():
            assert evaluate_reward_curve(int(rshares), names[name], example["input"]["s"]) == value


# Payouts


def test_claims_decay() -> None:
    """F21: nothing is left after the time of decay; in the reference the figure wraps around."""
    example = get_example("claims_decay")
    for days, claims in example["expected"].items():
        elapsed = int(days) * 86_400
        assert compute_faded_claims(example["input"]["claims"], elapsed, 15 * 86_400, can_wrap=False) == claims


def place_post(world: TokenWorld, symbol: int, given: dict[str, Any], params: dict[str, Any], number: int) -> None:
    """A post with the votes of an example, due now."""
    author, window = given["author"], world.ctx.rules.cashout_window_seconds
    write(world, author, f"post{number}")
    comment = world.tables.comments.index("by_permlink").find((author, f"post{number}"))
    assert comment is not None
    curves = {str(curve): curve.number for curve in CURVES}
    post = TokenPost(
        comment=comment.id,
        symbol=symbol,
        max_accepted_payout=given["max_accepted_payout"],
        allow_curation_rewards=given["allow_curation"],
        beneficiaries=tuple(Beneficiary(*pair) for pair in given["beneficiaries"]),
        cashout_time=comment.created + window,
        reverse_auction_window_seconds=params["auction"],
        content_constant=params["s"],
        percent_curation_rewards=params["curation_bp"],
        author_reward_curve=curves[params["author_curve"]],
        curation_reward_curve=curves[params["curation_curve"]],
    )
    votes = world.tables.token_votes
    for voter, voter_id, rshares, after in given["votes"]:
        full, weight = compute_token_weights(post, comment, rshares, comment.created + after)
        row = TokenVote(
            votes.next_id(), voter_id, voter, comment.id, symbol, weight, rshares, comment.created + after, 0
        )
        votes.insert(row)
        post = post.replace(
            net_rshares=post.net_rshares + rshares,
            abs_rshares=post.abs_rshares + abs(rshares),
            vote_rshares=post.vote_rshares + max(rshares, 0),
            total_vote_weight=post.total_vote_weight + full,
        )
    world.tables.token_posts.insert(post)


def prepare_fund(world: TokenWorld, symbol: int, fund: int, price: dict[str, int]) -> None:
    """Puts tokens into the reward fund, and makes the price of shares as an example wants it."""
    world.create("eve", "frank", "carol", "dave")
    stake(world, symbol, henry=price["fund"])
    assert world.token(symbol).total_vesting_shares == price["shares"]
    issue(world.ctx, symbol, (fund, (TOKEN_REWARD_FUND, symbol)))


def list_paid(events: list[Operation]) -> list[tuple[str, str, int]]:
    """Who got how many shares for what."""
    paid: list[tuple[str, str, int]] = []
    for event in events:
        if isinstance(event, CurationReward):
            paid.append(("curator", event.curator, event.reward.amount))
        elif isinstance(event, CommentBenefactorReward):
            paid.append(("beneficiary", event.benefactor, event.vesting_payout.amount))
        elif isinstance(event, AuthorReward):
            paid.append(("author", event.author, event.vesting_payout.amount))
    return paid


@pytest.mark.windows
def test_token_payout(world: TokenWorld) -> None:
    """Two posts due in one block, with auction, beneficiaries and a limit; all figures to the last unit."""
    example = get_example("token_payout")
    given, expected = example["input"], example["expected"]
    symbol = launched(world)
    prepare_fund(world, symbol, given["fund"], given["reward_price"])
    for number, post in enumerate(given["posts"]):
        place_post(world, symbol, post, given["params"], number)
    world.forward(world.ctx.rules.cashout_window_seconds)
    tokens = world.tables.tokens
    days = given["last_update_days_ago"] * 86_400
    tokens.update(tokens.get(symbol), recent_claims=given["recent_claims"], last_reward_update=world.now - days)
    for row in list(world.tables.token_posts.scan()):
        world.tables.token_posts.update(row, cashout_time=world.now)
    events = world.run(process_token_cashout)
    token = world.token(symbol)
    assert token.recent_claims == expected["total_claims"]
    assert token.reward_balance == expected["fund_after"]
    paid = [
        (part["kind"], part["account"], part["pending_shares"]) for post in expected["posts"] for part in post["paid"]
    ]
    assert list_paid(events) == paid
    leaving = [event.payout for event in events if isinstance(event, CommentReward)]
    assert leaving == [Asset(post["leaves_fund"], symbol) for post in expected["posts"]]
    pending = token.pending_rewarded_vesting_shares, token.pending_rewarded_vesting_smt
    price = given["reward_price"]
    assert pending[0] + price["shares"] == expected["price_after"]["shares"]
    assert pending[1] + price["fund"] == expected["price_after"]["fund"]
    assert list(world.tables.token_votes.scan()) == []
    assert world.run(process_token_cashout) == []


def test_token_payout_default_parameters(world: TokenWorld) -> None:
    example = get_example("token_payout_default_parameters")
    given, expected = example["input"], example["expected"]
    symbol = launched(world)
    prepare_fund(world, symbol, given["fund"], given["reward_price"])
    place_post(world, symbol, {**given["post"]}, given["params"], 0)
    world.forward(world.ctx.rules.cashout_window_seconds)
    events = world.run(process_token_cashout)
    assert world.token(symbol).recent_claims == given["total_claims"]
    assert list_paid(events) == [(part["kind"], part["account"], part["pending_shares"]) for part in expected["paid"]]
    assert world.token(symbol).reward_balance == given["fund"] - expected["leaves_fund"]


def test_a_token_payout_does_not_touch_that_of_steem(world: TokenWorld) -> None:
    """F22: the reference writes the token's figures over those of STEEM."""
    symbol = launched(world)
    stake(world, symbol, bob=10**7)
    world.vest("bob", 10_000_000)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.push(vote("bob", "alice", "post", (symbol, 10**9), (STEEM, 10**8)))
    before = world.tables.comments.get(0)
    issue(world.ctx, symbol, (1000, (TOKEN_REWARD_FUND, symbol)))
    world.forward(world.ctx.rules.cashout_window_seconds)
    world.run(process_token_cashout)
    assert world.tables.comments.get(0) == before


def test_each_post_keeps_the_parameters_it_was_votable_with(world: TokenWorld) -> None:
    """D10: a change by the control account concerns nobody's pending reward."""
    symbol = launched(world)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    before = the_post(world, symbol)
    parameters: Any = (SmtParamWindowsV1(100_000, 300), SmtParamRewardsV1(7, 1, 0, 0))
    world.push(SmtSetRuntimeParameters("alice", symbol, parameters, ()))
    assert the_post(world, symbol) == before
    write(world, "alice", "next")
    world.push(options("alice", "next", (symbol, FULL)))
    after = the_post(world, symbol, "alice", "next")
    assert (after.reverse_auction_window_seconds, after.percent_curation_rewards) == (300, 1)
    comment = world.tables.comments.get(1)
    assert after.cashout_time == comment.created + 100_000


def test_recent_claims_decay(world: TokenWorld) -> None:
    """Claims of a token fade only when it pays a post that has votes; those of STEEM in every block."""
    symbol, other = launched(world), launched(world)
    stake(world, symbol, bob=10**7)
    tokens = world.tables.tokens
    for each in (symbol, other):
        tokens.update(tokens.get(each), recent_claims=10**12, last_reward_update=world.now)
    started = world.now
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL), (other, FULL)))
    world.push(vote("bob", "alice", "post", (symbol, -(10**9))))
    world.forward(world.ctx.rules.cashout_window_seconds)
    fund = world.tables.reward_funds.get(world.ctx.rules.post_reward_fund_name)
    world.run(process_claims_decay)
    assert world.tables.reward_funds.get(fund.name).last_update == world.now
    world.run(process_token_cashout)
    elapsed, decay = world.now - started, world.ctx.rules.recent_claims_decay_seconds
    assert world.token(symbol).recent_claims == 10**12 - 10**12 * elapsed // decay
    assert world.token(symbol).last_reward_update == world.now
    assert world.token(other).recent_claims == 10**12
    assert world.token(other).last_reward_update == started


def test_claims_of_nothing_pay_nothing(world: TokenWorld) -> None:
    """F20: rshares so small that the curve gives 0 fail an assertion in the reference, and halt it."""
    symbol = launched(world)
    stake(world, symbol, bob=10**7)
    world.push(SmtSetRuntimeParameters("alice", symbol, (SmtParamRewardsV1(2**62, 5000, 4, 5),), ()))
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.push(vote("bob", "alice", "post", (symbol, DUST + 1)))
    issue(world.ctx, symbol, (1000, (TOKEN_REWARD_FUND, symbol)))
    world.forward(world.ctx.rules.cashout_window_seconds)
    assert world.run(process_token_cashout) == []
    assert world.token(symbol).reward_balance == 1000


def test_rewards_for_null_are_burned(world: TokenWorld) -> None:
    symbol = launched(world)
    stake(world, symbol, bob=10**7)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, limited(INT64_MAX, True, (NULL, 10_000)))))
    world.push(vote("bob", "alice", "post", (symbol, 10**9)))
    issue(world.ctx, symbol, (1000, (TOKEN_REWARD_FUND, symbol)))
    supply = world.token(symbol).current_supply
    world.forward(world.ctx.rules.cashout_window_seconds)
    world.run(process_token_cashout)
    assert world.token(symbol).current_supply == supply - 750
    assert world.tables.token_balances.find((NULL, symbol)) is None


def test_smt_rewards(world: TokenWorld) -> None:
    """The same curves, claims and fund for STEEM and a token, and the same votes: the same payout.

    Source: the reference's case, which needs the auction of STEEM set on the token.
    """
    symbol = launched(world)
    rules = world.ctx.rules
    fund = world.tables.reward_funds.get(rules.post_reward_fund_name)
    rewards = SmtParamRewardsV1(
        fund.content_constant, fund.percent_curation_rewards, fund.author_reward_curve, fund.curation_reward_curve
    )
    windows = SmtParamWindowsV1(rules.cashout_window_seconds, world.ctx.gpo.reverse_auction_seconds)
    parameters: Any = (windows, rewards)
    world.ctx.rules = rules.replace(smt_upvote_lockout_seconds=1)
    world.push(SmtSetRuntimeParameters("alice", symbol, parameters, ()))
    for name in ("alice", "bob", "charlie", "dan"):
        world.vest(name, 10_000_000)
        stake(world, symbol, **{name: 10**6})
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    rshares = min(10**6 * MILLION, world["bob"].vesting_shares) // 100
    world.push(vote("alice", "alice", "post", (symbol, rshares), (STEEM, rshares)))
    for name in ("bob", "charlie", "dan"):
        world.forward(world.ctx.gpo.reverse_auction_seconds // 2)
        world.push(vote(name, "alice", "post", (symbol, rshares), (STEEM, rshares)))
    comment, post = world.tables.comments.get(0), the_post(world, symbol)
    for field in ("net_rshares", "abs_rshares", "vote_rshares", "total_vote_weight"):
        assert getattr(comment, field) == getattr(post, field) != 0
    weights = [row.weight for row in world.tables.comment_votes.scan()]
    assert [row.weight for row in world.tables.token_votes.scan()] == weights


# Claims


def test_claim_vesting_reward() -> None:
    example = get_example("claim_vesting_reward")
    given = example["input"]
    holder = TokenBalance(0, "alice", 1).replace(
        pending_vesting_shares=given["pending_shares"], pending_vesting_value=given["pending_value"]
    )
    moved: list[int] = []
    for claim in given["claims"]:
        value = compute_claimed_value(holder, claim)
        moved.append(value)
        holder = holder.replace(
            pending_vesting_shares=holder.pending_vesting_shares - claim,
            pending_vesting_value=holder.pending_vesting_value - value,
        )
    assert moved == example["expected"]["value_moved"]


def test_claim_reward_balance2_apply(world: TokenWorld) -> None:
    """Liquid and powered up (F25: the reference refuses the latter always)."""
    symbol = launched(world)
    stake(world, symbol, bob=10**7)
    write(world, "alice", "post")
    world.push(options("alice", "post", (symbol, FULL)))
    world.push(vote("bob", "alice", "post", (symbol, 10**9)))
    issue(world.ctx, symbol, (10_000, (TOKEN_REWARD_FUND, symbol)))
    world.forward(world.ctx.rules.cashout_window_seconds)
    world.run(process_token_cashout)
    row = world.balance("alice", symbol)
    assert (row.pending_vesting_shares, row.pending_vesting_value) == (7500 * MILLION, 7500)
    world.recount()
    claim = ClaimRewardBalance2("alice", (), (shares(symbol, 7500 * MILLION + 1),))
    world.refuse(claim, "Account alice has only")
    nobody = changed(claim, account="dan")
    world.refuse(nobody, f"Account dan has no rewards balance for SMT {show(paired_symbol(symbol))}")
    world.push(changed(claim, reward_tokens=(shares(symbol, 2500 * MILLION),)))
    row = world.balance("alice", symbol)
    assert (row.vesting_shares, row.pending_vesting_value) == (2500 * MILLION, 5000)
    world.recount()
    world.push(changed(claim, reward_tokens=(shares(symbol, 5000 * MILLION),)))
    row = world.balance("alice", symbol)
    assert (row.vesting_shares, row.pending_vesting_shares, row.pending_vesting_value) == (7500 * MILLION, 0, 0)
    assert world.token(symbol).pending_rewarded_vesting_smt == world.balance("bob", symbol).pending_vesting_value
    world.tables.token_balances.update(row, pending_liquid=10)
    tokens = world.tables.tokens
    tokens.update(tokens.get(symbol), current_supply=world.token(symbol).current_supply + 10)
    world.refuse(changed(claim, reward_tokens=(Asset(11, symbol),)), "Account alice has only")
    world.push(changed(claim, reward_tokens=(Asset(4, symbol),)))
    world.push(changed(claim, reward_tokens=(Asset(6, symbol),)))
    row = world.balance("alice", symbol)
    assert (row.liquid, row.pending_liquid) == (10, 0)
