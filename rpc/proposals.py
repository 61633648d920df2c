"""Lists of proposals and proposal votes, in every order and direction.

Source: libraries/plugins/apis/database_api/database_api.cpp, list_proposals, find_proposals, list_proposal_votes,
get_proposal_status, filter_proposal_status and iterate_results.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, TypeVar

from protocol.errors import Rejected
from rpc.apis.listing import ENUMS, NAME, NUMBER, TIME, parse_start
from rpc.kinds import OneOf
from rpc.objects import Json, ObjectForms, proposal_status
from rpc.slices import PAUSE, Steps
from state.context import Context
from state.engine.table import Table
from state.tables.proposals import Proposal, ProposalVote

RowT = TypeVar("RowT")

PROPOSAL_ORDERS = {
    "by_creator": (NAME, NUMBER),
    "by_start_date": (TIME, NUMBER),
    "by_end_date": (TIME, NUMBER),
    "by_total_votes": (NUMBER, NUMBER),
}
VOTE_ORDERS = {"by_voter_proposal": (NAME, NUMBER), "by_proposal_voter": (NUMBER, NAME)}
DIRECTIONS = ("ascending", "descending")
STATUSES = ("all", "inactive", "active", "expired", "votable")
VOTABLE = ("active", "inactive")

Direction = Annotated[str, OneOf(DIRECTIONS, f"{ENUMS}order_direction_type")]
Status = Annotated[str, OneOf(STATUSES, f"{ENUMS}proposal_status")]

EMPTY = {NAME: "", TIME: 0, NUMBER: 0}


class ProposalLists:
    """Lists proposals and their votes in one form."""

    def __init__(self, ctx: Context, forms: ObjectForms) -> None:
        self.ctx = ctx
        self.forms = forms

    def list_proposals(self, start: Any, limit: int, order: str, direction: str, status: str) -> Steps:
        """Up to `limit` proposals of a status from `start` on. Raises Rejected.

        The order by end date uses the time from which a proposal may be removed, as in the reference.
        """
        place = _parse_place(start, PROPOSAL_ORDERS, order)
        if order == "by_end_date" and place is not None:
            place = (place[0] - self.ctx.rules.proposal_maintenance_cleanup_seconds, place[1])
        now = self.ctx.time
        rows = _walk(self.ctx.tables.proposals, order, place, direction)
        yield from _take(rows, limit, lambda row: has_status(row, status, now), self._show)

    def find_proposals(self, numbers: list[int]) -> Steps:
        """The proposals with these numbers, without those that are gone or marked as removed."""
        for number in numbers:
            row = self.ctx.tables.proposals.find(number)
            yield PAUSE if row is None or row.removed else self._show(row)

    def list_votes(self, start: Any, limit: int, order: str, direction: str, status: str) -> Steps:
        """Up to `limit` votes for proposals that are not marked as removed, from `start` on. The status makes
        no difference. Raises Rejected.
        """
        proposals, votes = self.ctx.tables.proposals, self.ctx.tables.proposal_votes
        place = _parse_place(start, VOTE_ORDERS, order)
        rows: Iterator[ProposalVote] = _walk(votes, None if order == "by_voter_proposal" else order, place, direction)
        yield from _take(rows, limit, lambda row: not proposals.get(row.proposal_id).removed, self._show_vote)

    def _show(self, row: Proposal) -> Json:
        return self.forms.proposal(row, self.ctx.time)

    def _show_vote(self, row: ProposalVote) -> Json:
        return self.forms.proposal_vote(row, self._show(self.ctx.tables.proposals.get(row.proposal_id)))


def has_status(row: Proposal, wanted: str, now: int) -> bool:
    """Whether a proposal has a status; never true for one that is marked as removed."""
    if row.removed:
        return False
    status = proposal_status(row, now)
    return wanted in ("all", status) or (wanted == "votable" and status in VOTABLE)


def _parse_place(start: Any, orders: Mapping[str, tuple[str, ...]], order: str) -> tuple[Any, Any] | None:
    """Returns the full key at which a list begins; None for the start of the order when `start` is not an array."""
    kinds = orders.get(order)
    if kinds is None:
        raise Rejected("false", "Unknown or unsupported sort order")
    given = parse_start(start, kinds)
    if not given and not isinstance(start, list):
        return None
    first, second = given + tuple(EMPTY[kind] for kind in kinds[len(given) :])
    return first, second


def _walk(table: Table[Any, Any], order: str | None, place: tuple[Any, Any] | None, direction: str) -> Iterator[Any]:
    """Yields the rows from `place` on or, backwards, those before `place` (exclusive)."""
    scan: Callable[..., Iterator[Any]] = table.scan if order is None else table.index(order).scan
    if direction == "ascending":
        return scan(start=place)
    if place is None:
        return scan(reverse=True)
    return _skip(scan(start=place, reverse=True), next(scan(place), None))


def _skip(rows: Iterator[RowT], first: RowT | None) -> Iterator[RowT]:
    """Yields the rows without the first one if it equals the given row."""
    for row in rows:
        if row != first:
            yield row


def _take(rows: Iterator[RowT], limit: int, wanted: Callable[[RowT], bool], show: Callable[[RowT], Json]) -> Steps:
    if limit <= 0:
        return
    for row in rows:
        if not wanted(row):
            yield PAUSE
            continue
        yield show(row)
        limit -= 1
        if limit == 0:
            return
