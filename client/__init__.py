"""Asking a node by JSON-RPC and showing what it says: shared by the wallet and the node's commands."""
