"""Units that many rules use: parts of a whole, and time spans in seconds."""

from typing import Final

BASIS_POINTS: Final = 10_000
"""The whole (100 percent), for shares in hundredths of a percent."""

BASIS_POINTS_OF_PERCENT: Final = 100
"""One percent."""

MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 60 * MINUTE_SECONDS
DAY_SECONDS: Final = 24 * HOUR_SECONDS
YEAR_SECONDS: Final = 365 * DAY_SECONDS
"""A year of the chain has 365 days."""
