"""The store: a key-value backend, tables with ordered indexes, undo and commits; it knows nothing of Steem."""
