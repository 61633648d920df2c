"""Layer 1: the state store: key-value backend, undo, typed tables, schema, money movements and invariants."""
