"""The chain reference_chain_b, made by the C++ node: every block accepted, every event and every state equal."""

from itertools import islice

import pytest

from tests.reference.follow import compare_chain
from tests.vectors import vectors_path

SHOWN = 40
"""Differences looked for before the test gives up."""

WAITING = {356: "2020-09-13T16:45:58"}
"""A transaction waited when this state was recorded; the recorder asked after it had sent the next one."""


@pytest.mark.timeout(600)
def test_every_block_event_and_state_equals_the_reference() -> None:
    found = list(islice(compare_chain(vectors_path("reference_chain_b"), WAITING), SHOWN))
    assert not found, "\n".join(found)
