"""The JSON schema of operations over RPC."""

import asyncio
import json
from typing import Any

import pytest

from index.indexes import open_chain
from node.core import NodeSettings
from node.shell.node_shell import NodeShell
from operations.registry import ALL_OPERATIONS
from protocol.config import ChainConfig
from rpc.apis.registry import build_dispatcher


@pytest.fixture(scope="module")
def shell() -> NodeShell:
    return NodeShell(*open_chain(ChainConfig.preset("dev")), NodeSettings())


def ask(shell: NodeShell, name: str) -> dict[str, Any]:
    dispatcher = build_dispatcher(shell, batch_length_max=1, batch_seconds_max=1.0)
    request = {"jsonrpc": "2.0", "id": 1, "method": "plaudit_api.get_operation_schema", "params": {"name": name}}
    answer: dict[str, Any] = json.loads(asyncio.run(dispatcher.answer(json.dumps(request).encode())))
    return answer


@pytest.mark.parametrize("name", sorted(cls.wire_name for cls in ALL_OPERATIONS.values()))
def test_every_operation_has_a_schema_of_its_fields(shell: NodeShell, name: str) -> None:
    schema = ask(shell, name)["result"]["schema"]
    declared = next(cls for cls in ALL_OPERATIONS.values() if cls.wire_name == name)
    assert list(schema["properties"]) == [field.json_name for field in shell.chain.codec.fields(declared).fields]
    assert all(part.get("description") for part in schema["properties"].values())


def test_an_unknown_operation_is_refused(shell: NodeShell) -> None:
    assert "There is no operation fly" in ask(shell, "fly")["error"]["message"]
