"""The work budget of a transaction on its arrival, before it is in a block: a policy of the node, not consensus.

The node is single-threaded, so an expensive transaction delays everything else. Transactions in a block are applied
whatever they cost; an arriving one is refused if its work exceeds a fraction of a slot. Work is counted in steps, so
every node of the same version decides alike.
"""

from __future__ import annotations

from typing import Final

from protocol.errors import PluginRefused

ARRIVAL_STEPS_MAX: Final = 160_000
"""Maximum number of steps of one transaction. A step takes about 0.1 microseconds on the slowest supported machine."""

OPERATION_STEPS: Final = 250
"""Base cost of an operation in steps; expensive operations spend more themselves."""


class Arrival:
    """Counts down the steps of one transaction that arrives."""

    __slots__ = ("left",)

    def __init__(self, steps: int = ARRIVAL_STEPS_MAX) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Takes steps; raises PluginRefused if fewer are left."""
        self.left -= steps
        if self.left < 0:
            raise PluginRefused(
                "",
                "The transaction asks for ${found} steps of work; this node gives one that is in no block yet "
                "${max} at most. Split it",
                found=ARRIVAL_STEPS_MAX - self.left,
                max=ARRIVAL_STEPS_MAX,
            )
