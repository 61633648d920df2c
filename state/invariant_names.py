"""The names of the invariants that settings may list, kept apart from their code so that settings load no state."""

from typing import Final

CHECKED: Final = ("supply", "balances", "delegation_sums", "index", "token_supply")
"""Invariants of state/watch.py, checked after each block."""

RECOUNTED: Final = (
    *("supply", "balances", "virtual_supply", "votes", "proxies", "keys", "delegations", "withdrawals", "comments"),
    *("proposals", "credits", "token_supply", "token_delegations", "token_sales", "token_posts"),
)
"""Invariants of state/invariants.py, recounted over the whole state."""
