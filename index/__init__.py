"""Layer 5: indexes over the chain for queries that the state cannot answer: account and market history, the outbox."""
