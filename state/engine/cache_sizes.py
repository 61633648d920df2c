"""How much of the state is kept in memory, for speed only, unless an operator says otherwise."""

from typing import Final

CACHE_ROWS: Final = 200_000
"""Rows of the committed state, decoded."""

CACHE_BYTES: Final = 64 << 20
"""Bytes of the database."""
