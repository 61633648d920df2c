"""When the chain's state is committed, and how a node behaves while its disk cannot be written."""

from chain.chain import Chain
from chain.finality import Mode
from node.core.guard import ProductionGuard
from node.core.world import World
from protocol.errors import ProtocolError, Rejected
from state.engine.errors import StoreWriteFailed

COMMIT_TIMER = "commit"
COMMIT_DELAY_MS = 500
"""Delay between blocks becoming irreversible and the commit of their state, so that announcing the newest block does
not wait for the disk. The blocks themselves are in the block log before they are announced."""

DISK_TIMER = "disk"
DISK_RETRY_MS = 5000
"""Delay before a failed write is tried again."""


class Writes:
    """Commits and retries; while writes fail, the node accepts no blocks or transactions and produces no block."""

    def __init__(self, world: World, chain: Chain, guard: ProductionGuard) -> None:
        self._world = world
        self._chain = chain
        self._guard = guard
        self._waits_for_disk = False
        self._waits_to_commit = False

    @property
    def problem(self) -> Exception | None:
        """The last error of writing the chain's files or the file of used slots; None if there is none."""
        return self._chain.finality.write_problem or self._guard.write_problem

    def commit_later(self) -> None:
        """Schedules a commit of irreversible blocks."""
        if not (self._waits_to_commit or self._chain.mode is Mode.BULK):
            self._waits_to_commit = True
            self._world.set_timer(COMMIT_TIMER, self._world.now_ms() + COMMIT_DELAY_MS)

    def on_commit(self) -> None:
        """Commits the state of irreversible blocks."""
        self._waits_to_commit = False
        if self._chain.finality.write_problem is None:
            self._chain.finality.try_commit()
            self.look()

    def look(self) -> None:
        """Reports a new problem, and schedules a retry."""
        problem = self.problem
        if problem is not None and not self._waits_for_disk:
            self._waits_for_disk = True
            self._retry_later(problem, "stopped producing, will try again")

    def _retry_later(self, problem: Exception, action: str) -> None:
        self._world.note("disk_problem", error=_describe(problem), action=action)
        self._world.set_timer(DISK_TIMER, self._world.now_ms() + DISK_RETRY_MS)

    def on_retry(self) -> None:
        """Retries the write."""
        try:
            self._chain.finality.retry_writes()
            self._guard.retry_write()
        except (StoreWriteFailed, ProtocolError) as error:
            self._retry_later(error, "will try again")
        else:
            self._waits_for_disk = False
            self._world.note("disk_writable", committed=self._chain.finality.committed_number)

    def require(self) -> None:
        """Raises Rejected while the chain cannot be written."""
        if self._chain.finality.write_problem is not None:
            raise refusal(self._chain.finality.write_problem)


def refusal(problem: Exception) -> Rejected:
    """Returns the error for blocks and transactions while writes fail."""
    text = "This node cannot write to its disk and accepts nothing until it can: ${why}"
    return Rejected("", text, why=_describe(problem))


def _describe(problem: Exception) -> str:
    return problem.message.removeprefix(f"{problem.what}:") if isinstance(problem, ProtocolError) else str(problem)
