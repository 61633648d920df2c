"""What a user reads when a chain cannot be opened."""

from __future__ import annotations

import pytest

from node.failures import explain
from protocol.errors import BlockLogError, Rejected, UnknownHardfork
from state.errors import ForeignChain, ForeignConfig, StoreCorrupt, StoreFull


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ForeignConfig("rules.x was 3, now it is 1"), "rules.x was 3, now it is 1. Use the chain config"),
        (ForeignChain("chain 1"), "chain 1. Name the chain"),
        (StoreCorrupt("a file"), "a file. Restore the directory"),
        (StoreFull("no room"), "no room. Make room on the disk"),
        (UnknownHardfork(""), "chain attempted to apply unknown hardfork. Use the chain config that holds"),
        (BlockLogError("", "${path} is damaged", path="x"), "x is damaged. Restore `block_log`"),
        (Rejected("a == b", "why"), "do not fit the chain: Assert Exception:a == b: why"),
    ],
)
def test_cause_and_remedy(error: Exception, text: str) -> None:
    explained = explain(error)
    assert explained is not None
    assert text in explained


def test_a_fault_of_the_program_has_no_explanation() -> None:
    assert explain(KeyError("x")) is None
