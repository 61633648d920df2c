"""Fixtures for the tests of operations."""

from collections.abc import Iterator

import pytest

from tests.operations.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A state whose sums are checked at the end of the test."""
    made = World()
    yield made
    made.recount()
