"""Posts, their texts and votes, reputations, and the funds that pay posts."""

from protocol.types import (
    I8,
    I16,
    I32,
    I64,
    U16,
    U32,
    U64,
    U128,
    AccountName,
    Beneficiary,
    Bool,
    CurveId,
    Share,
    String,
    Time,
    Vector,
)
from state.engine.declare import Index, table
from state.engine.rows import Row
from state.tables.kinds import ObjectId, Sbd, Steem


@table(
    20,
    key="id",
    indexes=(
        Index("by_permlink", "author", "permlink"),
        Index("by_cashout_time", "cashout_time", "id"),
        Index("by_root", "root_comment", "id"),
        Index("by_parent", "parent_author", "parent_permlink", "id"),
        Index("by_last_update", "parent_author", "-last_update", "id"),
        Index("by_author_last_update", "author", "-last_update", "id"),
    ),
    is_observable=True,
)
class Comment(Row):
    """A post or reply, with sums of its votes and its payouts. Source: comment_object.hpp.

    `max_accepted_payout` and the three payout values are in SBD satoshis.
    """

    id: ObjectId
    author: AccountName
    permlink: String
    category: String
    parent_author: AccountName
    parent_permlink: String
    last_update: Time
    created: Time
    active: Time
    last_payout: Time
    depth: U16
    children: U32
    net_rshares: Share
    abs_rshares: Share
    vote_rshares: Share
    children_abs_rshares: Share
    cashout_time: Time
    max_cashout_time: Time
    total_vote_weight: U64
    reward_weight: U16
    total_payout_value: Sbd
    curator_payout_value: Sbd
    beneficiary_payout_value: Sbd
    author_rewards: Share
    net_votes: I32
    root_comment: ObjectId
    max_accepted_payout: Sbd
    percent_steem_dollars: U16
    allow_replies: Bool
    allow_votes: Bool
    allow_curation_rewards: Bool
    beneficiaries: Vector[Beneficiary]


@table(21, key="comment", is_observable=True)
class CommentContent(Row):
    """The texts of a post. Source: comment_object.hpp, comment_content_object."""

    id: ObjectId
    comment: ObjectId
    title: String
    body: String
    json_metadata: String


@table(
    22,
    key=("comment", "voter_id"),
    indexes=(Index("by_voter_comment", "voter_id", "comment"),),
    is_observable=True,
)
class CommentVote(Row):
    """One account's vote on one post. Source: comment_object.hpp, comment_vote_object.

    `voter_id` orders the votes as the reference does, `voter` is the name of the same account.
    """

    id: ObjectId
    voter_id: ObjectId
    voter: AccountName
    comment: ObjectId
    weight: U64
    rshares: I64
    vote_percent: I16
    last_update: Time
    num_changes: I8


@table(23, key="account", is_observable=True)
class Reputation(Row):
    """The reputation score of an author. Source: plugins/reputation."""

    account: AccountName
    reputation: Share


@table(24, key="name", is_observable=True)
class RewardFund(Row):
    """The pool that pays posts. Source: steem_objects.hpp, reward_fund_object. Curves are the reference's curve_id."""

    id: ObjectId
    name: String
    reward_balance: Steem
    recent_claims: U128
    last_update: Time
    content_constant: U128
    percent_curation_rewards: U16
    percent_content_rewards: U16
    author_reward_curve: CurveId
    curation_reward_curve: CurveId
