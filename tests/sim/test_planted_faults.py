"""Faults planted in the program are shown by the simulated networks, by the checker that is there for them."""

from __future__ import annotations

import pytest

from tests.sim.faults import FAULTS, SEEDS_MAX, PlantedFault, find

QUICK_SEEDS = 12
"""Faults that nearly every seed shows are looked for in `make test`, too."""


def _name(fault: PlantedFault) -> str:
    return fault.name.replace(" ", "_")


def _assert_found(fault: PlantedFault, seeds: int) -> None:
    found = find(fault, range(1, 1 + seeds))
    assert found is not None, f"{seeds} seeds do not show it"
    assert found.checker in fault.checkers, f"seed {found.seed} shows it, but {found.checker} found it: {found.text}"


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.is_common], ids=_name)
def test_a_common_fault_is_found_soon(fault: PlantedFault) -> None:
    _assert_found(fault, QUICK_SEEDS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if not fault.is_common], ids=_name)
def test_a_rare_fault_is_found(fault: PlantedFault) -> None:
    _assert_found(fault, SEEDS_MAX)
