"""docs/limits.md speaks of every operation and step, and of every dear one it says why."""

from pathlib import Path

import pytest

from benchmarks.bench_limits import PAGE, RATIO_MAX
from chain.steps import STEPS
from operations.registry import ALL_OPERATIONS
from protocol.operation import Operation
from tests.limits.operations import OPERATION_CASES
from tests.limits.steps import STEP_CASES
from tokens.operation import TokenOperation

FIXED_STEPS = {
    "update_median_feed",
    "process_virtual_supply",
    "process_null_account",
    "process_funds",
    "process_subsidized_accounts",
    "process_claims_decay",
    "update_global_dynamic_data",
    "update_signing_witness",
    "update_last_irreversible_block",
    "create_block_summary",
    "process_resource_credits",
    "process_hardforks",
    "process_identifier_pool",
}
"""Steps that look at the same few rows in every block."""

ACTION_STEPS = {
    "process_required_actions",
    "check_required_actions",
    "process_optional_actions",
    "remove_unwanted_actions",
    "charge_optional_actions",
}
"""Steps that do what the header of the block says, within the size of a block."""

TOKEN_STEPS = {
    "process_token_cashout",
    "process_token_emissions",
    "process_token_withdrawals",
    "process_expired_token_delegations",
}
"""Steps of tokens, which are live in no preset yet; a rule says how much one block does at most."""


def find_rows(title: str) -> list[list[str]]:
    """The rows of the table under a title, each as its cells."""
    section = Path(PAGE).read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def is_enabled(cls: type[Operation]) -> bool:
    """Whether the presets' chains carry such an operation out at all."""
    is_carried_out = cls.apply is not Operation.apply and cls.refused is None
    return is_carried_out and not cls.virtual and not issubclass(cls, TokenOperation)


def test_every_operation_is_measured() -> None:
    named = {row[0].strip("`") for row in find_rows("Honest operations")}
    named |= {case.operation.wire_name for case in OPERATION_CASES}
    enabled = {cls.wire_name for cls in ALL_OPERATIONS.values() if is_enabled(cls)}
    assert enabled - named == set()


def test_every_dear_case_says_why() -> None:
    rows = find_rows("Operations whose work depends on the state")
    assert {row[0].strip("`") for row in rows} == {case.operation.wire_name for case in OPERATION_CASES}
    for name, *_, ratio, why in rows:
        assert float(ratio) <= RATIO_MAX or why, name


def test_every_step_is_measured_or_fixed() -> None:
    measured = {case.step.__name__ for case in STEP_CASES}
    assert {step.process.__name__ for step in STEPS} == measured | FIXED_STEPS | ACTION_STEPS | TOKEN_STEPS
    names = {row[0] for row in find_rows("Steps of a block")}
    assert {case.name for case in STEP_CASES} <= names


@pytest.mark.parametrize("row", find_rows("Steps of a block"), ids=lambda row: row[0].replace(" ", "_"))
def test_every_step_grows_in_proportion(row: list[str]) -> None:
    growth, why = float(row[5]), row[6]
    assert growth <= 2.25 and why
