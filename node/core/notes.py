"""Rate-limited log events caused by peers, with their texts sanitized.

Peers choose their texts and how often they send them. Without limits they could flood the log, or forge lines that look
like the node's own.
"""

from collections import Counter

from node.core.world import World
from protocol.shapes import presentable

NOTES_PER_MINUTE = 60
"""Maximum number of log lines per event and minute; further ones are only counted."""

WINDOW_MS = 60_000

TEXT_MAX = 200
"""Maximum length of a peer's text in the log."""


class Notes:
    """Logs events, and how many were suppressed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._since_ms = world.now_ms()
        self._counts: Counter[str] = Counter()

    def tell(self, event: str, **figures: object) -> None:
        """Logs an event with its fields, unless its rate limit is reached."""
        self._counts[event] += 1
        if self._counts[event] <= NOTES_PER_MINUTE:
            self._world.note(
                event, **{name: clean(value) if isinstance(value, str) else value for name, value in figures.items()}
            )

    def on_tick(self, now_ms: int) -> None:
        """Starts a new minute when one is over, and logs how many events were suppressed."""
        if 0 <= now_ms - self._since_ms < WINDOW_MS:
            return
        for event, count in self._counts.items():
            if count > NOTES_PER_MINUTE:
                self._world.note("left_out", event_name=event, count=count - NOTES_PER_MINUTE)
        self._counts.clear()
        self._since_ms = now_ms


def clean(text: str) -> str:
    """Sanitizes a peer's text: one line, shortened."""
    shown = presentable(text[:TEXT_MAX])
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shown)
