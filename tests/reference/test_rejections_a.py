"""Transactions that the C++ node refused, tried at the same height: the same answer, down to the captured values."""

from pathlib import Path
from typing import Any

import orjson

from node.core import NodeSettings
from node.shell import NodeShell
from rpc.apis.registry import build_dispatcher
from tests.reference.follow import Follower, differences, read_lines
from tests.vectors import vectors_path

SHOWN = 40

DIFFERENT = {
    "comment_options through condenser_api with allow_votes false": (
        "Assert Exception:comment.abs_rshares == 0: One of the included comment options requires the comment to have "
        "no rshares allocated to it."
    )
}
"""Where this node means to answer something else, and what. The reference drops a flag of the operation while it reads
the legacy form and then finds that the signature is not for what is left; this node keeps what the client signed."""


def describe(error: dict[str, Any]) -> dict[str, Any]:
    """What clients see of an error; the place in the source and the time of the context are left aside."""
    data = error["data"]
    first = data["stack"][0]
    return {
        "code": error["code"],
        "message": error["message"],
        "data.code": data["code"],
        "data.name": data["name"],
        "data.message": data["message"],
        "format": first["format"],
        "data": first["data"],
    }


async def test_every_rejection_is_answered_as_the_reference_did() -> None:
    directory = vectors_path("reference_chain_a")
    found = [text async for text in _compare(directory)]
    assert not found, "\n".join(found[:SHOWN])


async def _compare(directory: Path) -> Any:
    follower = Follower(directory)
    shell = NodeShell(follower.chain, NodeSettings())
    dispatcher = build_dispatcher(shell, batch_length_max=500, batch_seconds_max=10.0)
    for number, recorded in enumerate(read_lines(directory / "rejections.jsonl")):
        while follower.chain.head_number < recorded["height"]:
            follower.push_next()
        request = {"jsonrpc": "2.0", "method": "condenser_api.broadcast_transaction", "id": number}
        answer = orjson.loads(await dispatcher.answer(orjson.dumps(request | {"params": [recorded["transaction"]]})))
        where = f"{number} at {recorded['height']} ({recorded['rule']})"
        rule = recorded["rule"].split(":")[0]
        if rule in DIFFERENT:
            assert answer["error"]["message"] == DIFFERENT[rule]
            continue
        if "error" not in answer:
            yield f"{where}: was accepted, should be {recorded['error']['message']!r}"
            continue
        for text in differences(describe(answer["error"]), describe(recorded["error"]), where):
            yield text
