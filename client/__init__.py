"""JSON-RPC client and output rendering, shared by the wallet and the node's commands."""
