"""Posts, their texts and votes, reputations, and the funds that pay posts."""

from typing import NamedTuple

from protocol.types import Beneficiary


class Comment(NamedTuple):
    """A post or reply with its votes' sums and payouts. Source: comment_object.hpp.

    `max_accepted_payout` and the three payout values are in SBD satoshis.
    """

    id: int
    author: str
    permlink: str
    category: str
    parent_author: str
    parent_permlink: str
    last_update: int
    created: int
    active: int
    last_payout: int
    depth: int
    children: int
    net_rshares: int
    abs_rshares: int
    vote_rshares: int
    children_abs_rshares: int
    cashout_time: int
    max_cashout_time: int
    total_vote_weight: int
    reward_weight: int
    total_payout_value: int
    curator_payout_value: int
    beneficiary_payout_value: int
    author_rewards: int
    net_votes: int
    root_comment: int
    max_accepted_payout: int
    percent_steem_dollars: int
    allow_replies: bool
    allow_votes: bool
    allow_curation_rewards: bool
    beneficiaries: tuple[Beneficiary, ...]


class CommentContent(NamedTuple):
    """The texts of a post. Source: comment_object.hpp, comment_content_object."""

    id: int
    comment: int
    title: str
    body: str
    json_metadata: str


class CommentVote(NamedTuple):
    """One account's vote on one post. Source: comment_object.hpp, comment_vote_object.

    `voter_id` orders the votes as the reference does, `voter` is the name of the same account.
    """

    id: int
    voter_id: int
    voter: str
    comment: int
    weight: int
    rshares: int
    vote_percent: int
    last_update: int
    num_changes: int


class Reputation(NamedTuple):
    """What the votes of others made of an author's name. Source: plugins/reputation."""

    account: str
    reputation: int


class RewardFund(NamedTuple):
    """The pool that pays posts. Source: steem_objects.hpp, reward_fund_object. Curves are the reference's curve_id."""

    id: int
    name: str
    reward_balance: int
    recent_claims: int
    last_update: int
    content_constant: int
    percent_curation_rewards: int
    percent_content_rewards: int
    author_reward_curve: int
    curation_reward_curve: int
