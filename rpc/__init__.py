"""Layer 6: JSON-RPC over HTTP and websockets."""
