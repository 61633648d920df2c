"""Layer 0: what every node must agree on about bytes: types, wire codec, JSON forms, keys, blocks, chain configuration and rules."""
