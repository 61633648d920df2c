"""Layer 4: the ledger, the fork tree, the block log, pending transactions and effects."""
