"""Traffic statistics: message bytes sent and received, in total and recent rates."""

from collections import deque

from protocol.integers import UINT32_MAX

SAMPLE_MS = 10_000
SAMPLES_MAX = 360
"""One hour of samples."""


class Traffic:
    """Counters of message bytes, without framing and encryption."""

    def __init__(self, now_ms: int) -> None:
        self.sent_bytes = 0
        self.received_bytes = 0
        self._samples: deque[tuple[int, int, int]] = deque([(now_ms, 0, 0)], SAMPLES_MAX + 1)

    def sample(self, now_ms: int) -> None:
        """Samples the counters for the rates."""
        if now_ms - self._samples[-1][0] >= SAMPLE_MS:
            self._samples.append((now_ms, self.sent_bytes, self.received_bytes))

    def rates(self, seconds: int, now_ms: int) -> tuple[int, int]:
        """Returns bytes per second (sent, received), capped at 32 bits, over the latest `seconds` or since the
        start."""
        since = now_ms - seconds * 1000
        at, sent, received = next(
            (sample for sample in self._samples if sample[0] >= since), (now_ms, self.sent_bytes, self.received_bytes)
        )
        passed = max(now_ms - at, 1)
        sent_rate, received_rate = (
            (total - before) * 1000 // passed
            for total, before in ((self.sent_bytes, sent), (self.received_bytes, received))
        )
        return min(sent_rate, UINT32_MAX), min(received_rate, UINT32_MAX)
