"""Simulated networks hold what they must, and one seed plays one run, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.sim.run import run_seed
from tests.sim.seeds import BOUNDED_SEEDS, KEPT_SEEDS

TWICE = 3
"""A seed with crashes, lost messages and a faulty node."""


@pytest.mark.parametrize("seed", [*BOUNDED_SEEDS, *KEPT_SEEDS])
def test_a_network_holds_what_it_must(seed: int) -> None:
    report = run_seed(seed)
    assert report.failure is None, f"`python -m tests.sim --seed {seed}` shows it: {report.failure}"


def test_a_seed_plays_the_same_run_again_also_in_another_process() -> None:
    first = run_seed(TWICE)
    assert run_seed(TWICE).trace == first.trace
    code = f"from tests.sim.run import run_seed; print(run_seed({TWICE}).trace)"
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        output = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        assert output.stdout.decode().strip() == first.trace


def test_seeds_differ() -> None:
    assert run_seed(1).trace != run_seed(2).trace
