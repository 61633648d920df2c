"""Faults planted in the program are shown by the simulated networks, by the checker that is there for them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.sim.faults import FAULTS, PlantedFault, find
from tests.sim.seeds import BOUNDED_SEEDS, LONG_SEEDS


def _name(fault: PlantedFault) -> str:
    return fault.name.replace(" ", "_")


def _assert_found(fault: PlantedFault, seeds: Sequence[int]) -> None:
    found = find(fault, seeds)
    assert found is not None, f"{len(seeds)} seeds do not show it"
    assert found.checker in fault.checkers, f"seed {found.seed} shows it, but {found.checker} found it: {found.text}"


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.is_common], ids=_name)
def test_a_common_fault_is_found_soon(fault: PlantedFault) -> None:
    """By the seeds that `make test` plays, nearly always the first."""
    _assert_found(fault, BOUNDED_SEEDS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if not fault.is_common], ids=_name)
def test_a_rare_fault_is_found(fault: PlantedFault) -> None:
    """By the seeds that `make sim` plays."""
    _assert_found(fault, LONG_SEEDS)
