"""How many bytes of messages went in and out, in all and lately."""

from collections import deque

SAMPLE_MS = 10_000
SAMPLES_MAX = 360
"""One hour of samples."""


class Traffic:
    """Counters of message bytes, frames and encryption left out."""

    def __init__(self, now_ms: int) -> None:
        self.sent_bytes = 0
        self.received_bytes = 0
        self._samples: deque[tuple[int, int, int]] = deque([(now_ms, 0, 0)], SAMPLES_MAX + 1)

    def sample(self, now_ms: int) -> None:
        """Remembers the counters every now and then, for the rates."""
        if now_ms - self._samples[-1][0] >= SAMPLE_MS:
            self._samples.append((now_ms, self.sent_bytes, self.received_bytes))

    def rates(self, seconds: int, now_ms: int) -> tuple[int, int]:
        """Bytes a second (sent, received) over the latest `seconds`, or since the start if that is less."""
        since = now_ms - seconds * 1000
        at, sent, received = next(
            (sample for sample in self._samples if sample[0] >= since), (now_ms, self.sent_bytes, self.received_bytes)
        )
        passed = max(now_ms - at, 1)
        return (self.sent_bytes - sent) * 1000 // passed, (self.received_bytes - received) * 1000 // passed
