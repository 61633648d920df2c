"""Layer 5: what follows the chain and answers what the state does not: account and market history, the outbox."""
