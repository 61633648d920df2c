"""Layer 7: JSON-RPC over HTTP and websockets."""
