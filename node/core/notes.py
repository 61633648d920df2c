"""What peers cause, told to the operator: at most so many notes of one event a minute, in text that can be shown.

A peer chooses what it says of itself and how often it comes. Without limits it could fill the log, or write lines into
it that look like the node's own.
"""

from collections import Counter

from node.core.world import World
from protocol.shapes import presentable

NOTES_PER_MINUTE = 60
"""Notes of one event within a minute; further ones are only counted."""

WINDOW_MS = 60_000

TEXT_MAX = 200
"""Characters of a peer's text that are shown."""


class Notes:
    """Hands on events, and how many of them were left out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._since_ms = world.now_ms()
        self._counts: Counter[str] = Counter()

    def tell(self, event: str, **figures: object) -> None:
        """Hands on an event and its figures, unless there were many of its kind lately."""
        self._counts[event] += 1
        if self._counts[event] <= NOTES_PER_MINUTE:
            self._world.note(
                event, **{name: clean(value) if isinstance(value, str) else value for name, value in figures.items()}
            )

    def on_tick(self, now_ms: int) -> None:
        """Begins a new minute when one is over, and tells what was left out in the last one."""
        if 0 <= now_ms - self._since_ms < WINDOW_MS:
            return
        for event, count in self._counts.items():
            if count > NOTES_PER_MINUTE:
                self._world.note("left_out", event_name=event, count=count - NOTES_PER_MINUTE)
        self._counts.clear()
        self._since_ms = now_ms


def clean(text: str) -> str:
    """A text of a peer, short and on one line."""
    shown = presentable(text[:TEXT_MAX])
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shown)
