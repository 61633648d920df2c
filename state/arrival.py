"""The work that a transaction may cost on its arrival, before any block holds it: a node's own policy, no consensus.

Nothing else happens in the node while one transaction is applied. What a block holds is applied whatever it costs; what
merely asks to be in one is refused when its work goes beyond a fraction of a slot, counted so that every node of one
version answers alike.
"""

from __future__ import annotations

from typing import Final

from protocol.errors import PluginRefused

ARRIVAL_STEPS_MAX: Final = 160_000
"""Steps of one transaction. A step is about a tenth of a microsecond of the slowest machine in mind."""

OPERATION_STEPS: Final = 250
"""Steps of an operation, whatever it does; those that may cost much more take theirs beside."""


class Arrival:
    """Counts down the steps of one transaction that arrives."""

    __slots__ = ("left",)

    def __init__(self, steps: int = ARRIVAL_STEPS_MAX) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Takes steps. Raises PluginRefused when there are not as many left."""
        self.left -= steps
        if self.left < 0:
            raise PluginRefused(
                "",
                "The transaction asks for ${found} steps of work; this node gives one that is in no block yet "
                "${max} at most. Split it",
                found=ARRIVAL_STEPS_MAX - self.left,
                max=ARRIVAL_STEPS_MAX,
            )
