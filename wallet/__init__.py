"""Layer 7: the command-line wallet, which talks to a node over JSON-RPC only."""
