"""A rate limit with a burst size (a leaky bucket of cost units)."""

from dataclasses import dataclass


@dataclass(slots=True)
class Allowance:
    """Maximum cost of a burst, and how much of it is refunded per second."""

    cost_max: int
    refund_per_second: int
    cost: int = 0
    at_ms: int = 0

    def charge(self, cost: int, now_ms: int) -> bool:
        """Charges a cost; returns False when the limit is exceeded."""
        passed = now_ms - self.at_ms
        refund = passed * self.refund_per_second // 1000
        if refund or passed < 0:  # The clock was set back: start the interval over.
            self.cost = max(0, self.cost - max(0, refund))
            self.at_ms = now_ms
        self.cost += cost
        return self.cost <= self.cost_max
