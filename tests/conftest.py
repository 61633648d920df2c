"""Leaves out what cannot pass on the chain that the tests run on."""

import pytest

from tests import chains


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Called by pytest when all tests are known."""
    left_out = [item for item in items if any(chains.UNFIT.get(marker.name) for marker in item.iter_markers())]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
