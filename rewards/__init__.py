"""Layer 2: the rules of Proof of Brain: votes, payouts, inflation and reward funds, as functions over rows."""
