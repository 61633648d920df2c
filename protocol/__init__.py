"""Layer 0: what all nodes agree on about bytes: types, codec, JSON forms, keys, blocks, chain config and rules."""
