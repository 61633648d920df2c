"""The work budget of one edit of a post's body, counted so that every node stops at the same step."""

from typing import Final

STEPS_MAX: Final = 1_300_000
"""Maximum number of steps of one edit. A step takes about 0.1 microseconds on the slowest supported machine."""

CHARACTERS_PER_STEP: Final = 50
"""Number of characters that one step copies, compares or searches in one call."""


class OutOfSteps(ValueError):
    """The edit exceeds the work budget."""


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
        """Takes the steps of one pass over a text."""
        self.spend(1 + characters // CHARACTERS_PER_STEP)
