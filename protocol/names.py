"""Account names: which strings are valid.

Source: authority.cpp, is_valid_account_name.
"""

import re
from functools import lru_cache

ACCOUNT_NAME_BYTES_MIN = 3
ACCOUNT_NAME_BYTES_MAX = 16

NAMES_KEPT = 10_000
"""Size of the cache of checked names."""

# Dot-separated labels of three characters or more: a small letter first, a letter or digit last, hyphens only inside.
_LABEL = r"[a-z][a-z0-9\-]+[a-z0-9]"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def is_valid_account_name(name: str) -> bool:
    """Tells whether `name` has the form of an account name (3 to 16 bytes, labels of three or more characters)."""
    return ACCOUNT_NAME_BYTES_MIN <= len(name) <= ACCOUNT_NAME_BYTES_MAX and _has_form(name)


@lru_cache(maxsize=NAMES_KEPT)
def _has_form(name: str) -> bool:
    return _NAME.fullmatch(name) is not None
