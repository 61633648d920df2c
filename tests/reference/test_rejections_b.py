"""Transactions that the C++ node refused on chain B, tried at the same height: the same answer, captured values too."""

from tests.reference.rejections import compare_rejections
from tests.vectors import vectors_path

SHOWN = 40
COUNT = 197

NOT_COMPARED = {
    "transaction larger than the maximum block size less 256": "the record was cut",
    "feed in the wrong direction": "right but for the outer code: the reference fails while it reads JSON",
}
"""Rules of records that are left out, and why."""


async def test_every_rejection_is_answered_as_the_reference_did() -> None:
    compared, found = await compare_rejections(vectors_path("reference_chain_b"), not_compared=NOT_COMPARED)
    assert not found, "\n".join(found[:SHOWN])
    assert compared == COUNT
