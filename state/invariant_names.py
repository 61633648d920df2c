"""The names of the invariants of a running node, apart from what they look at: settings name them."""

from typing import Final

CHECKED: Final = ("supply", "balances", "delegation_sums", "index")
"""Those of state/watch.py, which are checked after each block."""

RECOUNTED: Final = (
    *("supply", "balances", "virtual_supply", "votes", "proxies", "keys", "delegations", "withdrawals", "comments"),
    *("proposals", "credits"),
)
"""Those of state/invariants.py, which are recounted over the whole state."""
