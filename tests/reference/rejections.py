"""Tries the transactions that the C++ node refused at the same heights and compares the answers."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import orjson

from node.core import NodeSettings
from node.shell.node_shell import NodeShell
from protocol.times import parse_time
from rpc.apis.registry import build_dispatcher
from tests.reference.follow import Follower, differences, read_lines


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


async def compare_rejections(
    directory: Path, different: Mapping[str, str] | None = None, not_compared: Collection[str] = ()
) -> tuple[int, list[str]]:
    """How many rejections were compared, and every difference.

    The transactions of the next block that were sent before a rejected one wait while it is tried. `different` has the
    message that this node means to answer to a rule instead, `not_compared` the rules to leave out.
    """
    follower = Follower(directory)
    shell = NodeShell(follower.chain, NodeSettings())
    dispatcher = build_dispatcher(shell, batch_length_max=500, batch_seconds_max=10.0)
    found: list[str] = []
    compared = 0
    for number, recorded in enumerate(read_lines(directory / "rejections.jsonl")):
        rule = recorded["rule"].split(":")[0]
        if rule in not_compared:
            continue
        while follower.chain.head_number < recorded["height"]:
            follower.push_next()
        follower.push_waiting(parse_time(recorded["transaction"]["expiration"]))
        request = {"jsonrpc": "2.0", "method": "condenser_api.broadcast_transaction", "id": number}
        answer = orjson.loads(await dispatcher.answer(orjson.dumps(request | {"params": [recorded["transaction"]]})))
        where = f"{number} at {recorded['height']} ({recorded['rule']})"
        compared += 1
        if not isinstance(answer.get("error", {}).get("data"), dict):
            found.append(f"{where}: {answer}, should be {recorded['error']['message']!r}")
        elif different and rule in different:
            found += differences(answer["error"]["message"], different[rule], where)
        else:
            found += differences(describe(answer["error"]), describe(recorded["error"]), where)
    return compared, found
