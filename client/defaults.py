"""Defaults of commands: addresses of nodes, and timeouts."""

from typing import Final

NODE_DEFAULT: Final = "http://127.0.0.1:8090"
"""URL of a node's JSON-RPC port."""

ADMIN_DEFAULT: Final = "127.0.0.1:8091"
"""Address of a node's admin port, which is closed by default."""

TIMEOUT_SECONDS: Final = 20.0
LONG_SECONDS: Final = 86_400.0
"""Timeout for writing a snapshot."""

CLOCK_DIFFERENCE_MAX: Final = 600
"""Default maximum in seconds by which the node's head may be ahead of this machine's clock."""
