"""Transactions that the C++ node refused on chain A, tried at the same height: the same answer, captured values too."""

from tests.reference.rejections import compare_rejections
from tests.vectors import vectors_path

SHOWN = 40
COUNT = 23

DIFFERENT = {
    "comment_options through condenser_api with allow_votes false": (
        "Assert Exception:comment.abs_rshares == 0: One of the included comment options requires the comment to have "
        "no rshares allocated to it."
    )
}
"""Where this node means to answer something else, and what. The reference drops a flag of the operation while it reads
the legacy form and then finds that the signature is not for what is left; this node keeps what the client signed."""


async def test_every_rejection_is_answered_as_the_reference_did() -> None:
    compared, found = await compare_rejections(vectors_path("reference_chain_a"), DIFFERENT)
    assert not found, "\n".join(found[:SHOWN])
    assert compared == COUNT
