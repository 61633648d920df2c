"""Transactions that the C++ node refused on chain B, up to the first block with an operation not enabled yet."""

from pathlib import Path
from typing import Any

import orjson

from node.core import NodeSettings
from node.shell import NodeShell
from protocol.errors import Rejected
from rpc.apis.registry import build_dispatcher
from tests.reference.follow import Follower, differences, read_lines
from tests.reference.test_rejections_a import describe
from tests.vectors import vectors_path

COMPARED_MIN = 86
NOT_ENABLED = "is not enabled on this chain"
NOT_COMPARED = {
    "duplicate transaction, still pending": "needs a transaction that waited at that moment and is not recorded",
    "transaction larger than the maximum block size less 256": "the record was cut",
    "feed in the wrong direction": "right but for the outer code: the reference fails while it reads JSON",
}
"""Rules of records that are left out, and why."""


async def test_rejections_are_answered_as_the_reference_did() -> None:
    directory = vectors_path("reference_chain_b")
    found: list[str] = []
    compared = await _compare(directory, found)
    assert not found, "\n".join(found)
    assert compared >= COMPARED_MIN


async def _compare(directory: Path, found: list[str]) -> int:
    follower = Follower(directory)
    shell = NodeShell(follower.chain, NodeSettings())
    dispatcher = build_dispatcher(shell, batch_length_max=500, batch_seconds_max=10.0)
    compared = 0
    for number, recorded in enumerate(read_lines(directory / "rejections.jsonl")):
        if not _follow(follower, recorded["height"]):
            break
        if recorded["rule"] in NOT_COMPARED:
            continue
        request = {"jsonrpc": "2.0", "method": "condenser_api.broadcast_transaction", "id": number}
        answer: dict[str, Any] = orjson.loads(
            await dispatcher.answer(orjson.dumps(request | {"params": [recorded["transaction"]]}))
        )
        error = answer.get("error", {"message": "accepted"})
        if NOT_ENABLED in error["message"]:
            continue
        where = f"{number} at {recorded['height']} ({recorded['rule']})"
        if not isinstance(error.get("data"), dict):
            found.append(f"{where}: {error}")
            continue
        found += differences(describe(error), describe(recorded["error"]), where)
        compared += 1
    return compared


def _follow(follower: Follower, height: int) -> bool:
    """Whether the chain could be brought to a height."""
    try:
        while follower.chain.head_number < height:
            follower.push_next()
    except Rejected as error:
        assert NOT_ENABLED in error.message
        return False
    return True
