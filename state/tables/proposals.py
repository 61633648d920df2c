"""Requests to the treasury and votes for them."""

from protocol.types import U32, U64, AccountName, Asset, Bool, String, Time
from state.engine.declare import Index, table
from state.engine.rows import Row
from state.tables.kinds import ObjectId


@table(
    30,
    key="id",
    indexes=(
        Index("by_start_date", "start_date", "proposal_id"),
        Index("by_end_date", "end_date", "proposal_id"),
        Index("by_creator", "creator", "proposal_id"),
        Index("by_total_votes", "total_votes", "proposal_id"),
    ),
    is_observable=True,
)
class Proposal(Row):
    """A request to the treasury. Source: sps_objects.hpp, proposal_object."""

    id: ObjectId
    proposal_id: U32
    creator: AccountName
    receiver: AccountName
    start_date: Time
    end_date: Time
    daily_pay: Asset
    subject: String
    permlink: String
    total_votes: U64
    removed: Bool


@table(
    31,
    key=("voter", "proposal_id"),
    indexes=(Index("by_proposal_voter", "proposal_id", "voter"),),
    is_observable=True,
)
class ProposalVote(Row):
    """An account's approval of a proposal. Source: sps_objects.hpp, proposal_vote_object."""

    id: ObjectId
    voter: AccountName
    proposal_id: U32
