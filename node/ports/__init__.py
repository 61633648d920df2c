"""Status, health and metrics of a running node, and the admin methods on their own port."""
