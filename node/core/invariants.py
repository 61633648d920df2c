"""Reports violated invariants to the operator and counts them."""

from collections import Counter
from collections.abc import Iterable

from chain.effects import Applied
from node.core.world import World
from state.watch import Complaint


class BrokenInvariants:
    """Violations since the start."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.counts: Counter[str] = Counter()

    def on_blocks(self, blocks: Iterable[Applied]) -> None:
        """Reports the violations found while blocks were applied."""
        for applied in blocks:
            for report in applied.effects.reports:
                if isinstance(report, Complaint):
                    self.tell(report)

    def tell(self, complaint: Complaint) -> None:
        """Logs and counts a violation."""
        self.counts[complaint.invariant] += 1
        self._world.note("invariant_broken", invariant=complaint.invariant, block=complaint.block, what=str(complaint))
