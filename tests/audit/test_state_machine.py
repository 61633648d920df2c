"""All operations in random order: invariants after each block, undo and redo, refusals without a trace."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.audit.machine import ChainMachine

QUIET = list(HealthCheck)
BOUNDED_EXAMPLES = 100
EXAMPLES = int(os.environ.get("PLAUDIT_MACHINE_EXAMPLES", "400"))


def drive_bounded() -> None:
    """Drives the machine as `make test` does, the same way each time; planted faults are looked for with no more."""
    run_state_machine_as_test(
        ChainMachine,
        settings=settings(
            max_examples=BOUNDED_EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=QUIET,
        ),
    )


def test_every_block_can_be_undone_and_nothing_refused_leaves_a_trace() -> None:
    drive_bounded()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_long_runs_of_the_machine() -> None:
    run_state_machine_as_test(
        ChainMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=80,
            deadline=None,
            print_blob=True,
            suppress_health_check=QUIET,
        ),
    )
    print(f"the machine: {EXAMPLES} runs,", ", ".join(f"{key} {value}" for key, value in ChainMachine.counts.items()))
