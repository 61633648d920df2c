"""Fixtures for the tests of tokens."""

from collections.abc import Iterator

import pytest

from tests.tokens.world import TokenWorld


@pytest.fixture
def world() -> Iterator[TokenWorld]:
    """A state with live tokens, whose sums are checked at the end of the test."""
    made = TokenWorld()
    yield made
    made.recount()
