"""Short ways to propose, vote for and remove proposals in a World; counterpart of sps_proposal_database_fixture."""

from operations.content import Comment
from operations.proposal import CreateProposal, RemoveProposal, UpdateProposalVotes
from protocol.operation import Operation
from rewards.proposals import process_proposals
from state.tables.proposals import Proposal
from tests.operations.world import World, sbd

DAY = 86_400
HOUR = 3600
MINUTE = 60
FEE = 10_000


class Proposals:
    """Proposals in a World, each with a post of its creator."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.count = 0

    def build(
        self, creator: str = "alice", receiver: str = "bob", start: int = 0, end: int = 0, pay: int = 100
    ) -> CreateProposal:
        """An operation without its post; from tomorrow for two days unless told otherwise."""
        start = start or self.world.now + DAY
        return CreateProposal(creator, receiver, start, end or start + 2 * DAY, sbd(pay), "hello", "permlink", ())

    def create(
        self, creator: str = "alice", receiver: str = "bob", start: int = 0, end: int = 0, pay: int = 100
    ) -> int:
        """Posts, five minutes after the last post, proposes, and returns the number of the proposal."""
        op = self.build(creator, receiver, start, end, pay)
        self.world.forward(self.world.ctx.rules.min_root_comment_interval_seconds + 3)
        op.permlink = f"permlink{self.count}"
        op.subject = str(self.count)
        self.count += 1
        self.world.push(Comment("", "test", creator, op.permlink, "title", "body", ""))
        self.world.push(op)
        rows = list(self.world.tables.proposals.scan())
        assert rows[-1].creator == creator
        return rows[-1].proposal_id

    def vote(self, voter: str, *numbers: int, approve: bool = True) -> None:
        """Votes for proposals, or takes the votes back."""
        self.world.push(UpdateProposalVotes(voter, tuple(sorted(numbers)), approve, ()))

    def remove(self, owner: str, *numbers: int) -> None:
        """Removes proposals."""
        self.world.push(RemoveProposal(owner, tuple(sorted(numbers)), ()))

    def block(self, seconds: int = 3) -> list[Operation]:
        """Lets time pass until the next block, and runs the step of the proposals."""
        self.world.forward(seconds)
        return self.world.run(process_proposals)

    def until(self, time: int) -> list[Operation]:
        """A block at a time."""
        return self.block(time - self.world.now)

    def row(self, number: int) -> Proposal | None:
        """A proposal, if it is still there."""
        return self.world.tables.proposals.find(number)

    def numbers(self) -> list[int]:
        """The proposals that exist, whether marked as removed or not."""
        return [row.proposal_id for row in self.world.tables.proposals.scan()]

    def votes_of(self, voter: str) -> list[int]:
        """What an account voted for."""
        return [vote.proposal_id for vote in self.world.tables.proposal_votes.scan((voter,))]

    def vote_count(self, number: int | None = None) -> int:
        """How many votes there are for one proposal, or for all."""
        prefix = () if number is None else (number,)
        return sum(1 for _ in self.world.tables.proposal_votes.index("by_proposal_voter").scan(prefix))


def make_proposals(*names: str, sbd_each: int = 80_000, **rules: int) -> Proposals:
    """A World with accounts that can pay for proposals; its first hour has begun."""
    world = World(**rules)
    world.create(*names)
    for name in names:
        world.fund(name, sbd(sbd_each))
    world.run(process_proposals)
    return Proposals(world)
