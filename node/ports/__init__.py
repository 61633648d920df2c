"""What a running node tells: its status and health, the metrics, and the operator's methods on a port of their own."""
