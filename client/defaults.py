"""Where nodes are looked for, and how long one waits for them, unless a command is told otherwise."""

from typing import Final

NODE_DEFAULT: Final = "http://127.0.0.1:8090"
"""Where a node serves JSON-RPC."""

ADMIN_DEFAULT: Final = "127.0.0.1:8091"
"""Where a node takes the operator's commands; it opens no such port unless it is told to."""

TIMEOUT_SECONDS: Final = 20.0
LONG_SECONDS: Final = 86_400.0
"""How long a snapshot may take."""

CLOCK_DIFFERENCE_MAX: Final = 600
"""By how many seconds the node's head may be ahead of this machine's clock, unless one is told to believe it more."""
