"""Community tokens: identifiers, sales, launches, emissions and the market maker, as functions over rows."""
