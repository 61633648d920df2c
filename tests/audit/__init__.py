"""A second, slow ledger beside the node's own, and machines that play the chain at random against both."""
