"""Default sizes of the caches of the state, which operators can change. They affect speed only."""

from typing import Final

CACHE_ROWS: Final = 200_000
"""Maximum number of decoded rows of the committed state in the cache."""

CACHE_BYTES: Final = 64 << 20
"""Size of LevelDB's block cache, in bytes."""
