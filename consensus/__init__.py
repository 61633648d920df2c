"""Layer 2: the rules of delegated proof of stake, as functions over rows."""
