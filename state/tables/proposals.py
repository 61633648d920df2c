"""Requests to the treasury and votes for them."""

from typing import NamedTuple

from protocol.assets import Asset


class Proposal(NamedTuple):
    """A request to the treasury. Source: sps_objects.hpp, proposal_object."""

    id: int
    proposal_id: int
    creator: str
    receiver: str
    start_date: int
    end_date: int
    daily_pay: Asset
    subject: str
    permlink: str
    total_votes: int
    removed: bool


class ProposalVote(NamedTuple):
    """An account's approval of a proposal. Source: sps_objects.hpp, proposal_vote_object."""

    id: int
    voter: str
    proposal_id: int
