"""What somebody may cost within a time."""

from dataclasses import dataclass


@dataclass(slots=True)
class Allowance:
    """What somebody may cost at once, and how much of it is forgiven each second."""

    cost_max: int
    refund_per_second: int
    cost: int = 0
    at_ms: int = 0

    def charge(self, cost: int, now_ms: int) -> bool:
        """Counts a cost; False when there was too much of it in a short time."""
        passed = now_ms - self.at_ms
        refund = passed * self.refund_per_second // 1000
        if refund or passed < 0:  # A clock that was set back begins again.
            self.cost = max(0, self.cost - max(0, refund))
            self.at_ms = now_ms
        self.cost += cost
        return self.cost <= self.cost_max
