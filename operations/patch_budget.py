"""The work that one edit of a body may cost, counted so that every node stops at the same place."""

from typing import Final

STEPS_MAX: Final = 1_300_000
"""Steps of one edit. A step is about a tenth of a microsecond of the slowest machine in mind."""

CHARACTERS_PER_STEP: Final = 50
"""Characters of text that are copied, compared or searched as a whole in one step."""


class OutOfSteps(ValueError):
    """The edit asks for more work than one edit may cost."""


class Budget:
    """Counts down the steps of one edit."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS_MAX) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Takes steps; raises OutOfSteps when there are none left."""
        self.left -= steps
        if self.left < 0:
            raise OutOfSteps(f"an edit may cost {STEPS_MAX} steps")

    def spend_text(self, characters: int) -> None:
        """Takes the steps of going through a text once."""
        self.spend(1 + characters // CHARACTERS_PER_STEP)
