"""Units that many rules count in."""

BASIS_POINTS = 10_000
"""The whole, for shares in hundredths of a percent."""
