"""Fixtures of the tests of JSON-RPC."""

import pytest

from tests.rpc.service import Service, busy_world


@pytest.fixture
def service() -> Service:
    """A node with a fresh chain."""
    return Service()


@pytest.fixture(scope="module")
def busy() -> Service:
    """A node whose chain has something of everything; tests only read it."""
    return Service(busy_world())
