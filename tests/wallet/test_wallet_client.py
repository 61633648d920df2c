"""The JSON-RPC client: every way in which a node may not answer has its own clear error."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from client.errors import NodeConfused, NodeRefused, NodeUnreachable, UsageError
from client.json_rpc import NodeClient
from protocol.keys import PrivateKey, encode_public_key
from tests.wallet.fake_node import FakeNode, answer_error, answer_result, fake_node
from wallet.advice import advise

KEY = PrivateKey.from_seed("some key")
WIF = KEY.to_wif()


@pytest.fixture
def node() -> Iterator[FakeNode]:
    with fake_node() as running:
        yield running


def test_a_request_is_sent_and_its_result_comes_back(node: FakeNode) -> None:
    node.answer = answer_result({"x": [1, "é"]})
    client = NodeClient(node.url)
    assert client.call("condenser_api.get_accounts", [["alice"]]) == {"x": [1, "é"]}
    client.call("a.b", {"c": 1})
    first, second = node.requests
    assert first == {"jsonrpc": "2.0", "method": "condenser_api.get_accounts", "params": [["alice"]], "id": 1}
    assert (second["params"], second["id"]) == ({"c": 1}, 2)


def test_an_error_keeps_code_message_and_data(node: FakeNode) -> None:
    node.answer = answer_error(
        -32000, "transaction tapos exception:", {"code": 4030200, "name": "transaction_tapos_exception"}
    )
    with pytest.raises(NodeRefused) as caught:
        NodeClient(node.url).call("a.b")
    assert (caught.value.code, caught.value.node_message) == (-32000, "transaction tapos exception:")
    assert caught.value.data == {"code": 4030200, "name": "transaction_tapos_exception"}
    assert advise(caught.value).remedy


def test_an_error_with_another_status_is_still_an_error_of_the_node(node: FakeNode) -> None:
    node.status, node.answer = 413, answer_error(-32000, "a request may hold 10 bytes")
    with pytest.raises(NodeRefused, match="a request may hold 10 bytes"):
        NodeClient(node.url).call("a.b")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"jsonrpc":"2.0","id":1}',
        b'{"result":1,"id":7}',
        b'{"error":5,"id":1}',
        b"\xff",
    ],
)
def test_what_is_no_answer_is_said(node: FakeNode, body: bytes) -> None:
    node.answer = lambda request: body
    with pytest.raises(NodeConfused, match="does not answer like a node"):
        NodeClient(node.url).call("a.b")


def test_another_server_is_recognised_by_its_status(node: FakeNode) -> None:
    node.status, node.answer = 404, lambda request: b"<html>not found"
    with pytest.raises(NodeConfused, match="HTTP status 404"):
        NodeClient(node.url).call("a.b")


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(NodeUnreachable, match="cannot be reached: connection refused") as caught:
            NodeClient(url).call("a.b")
    assert "PLAUDIT_NODE" in caught.value.remedy


def test_an_unknown_host() -> None:
    with pytest.raises(NodeUnreachable):
        NodeClient("http://no-such-host.invalid:1").call("a.b")


def test_a_node_that_never_answers(node: FakeNode) -> None:
    go_on = threading.Event()

    def wait(request: object) -> bytes:
        go_on.wait(5)
        return b""

    node.answer = wait
    try:
        with pytest.raises(NodeUnreachable, match="no answer"):
            NodeClient(node.url, timeout_seconds=0.2).call("a.b")
    finally:
        go_on.set()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8090", "ws://127.0.0.1:8090", "http://", "file:///etc/passwd"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a node"):
        NodeClient(url)


@pytest.mark.parametrize("word", [WIF, f"P{WIF}"])
def test_a_private_key_is_never_sent(word: str) -> None:
    """Not as the name of an account, nor in a memo."""
    with fake_node() as node:
        for params in ([[word]], {"memo": f"my key is {word}, keep it"}):
            with pytest.raises(UsageError, match="has a private key in it") as caught:
                NodeClient(node.url).call("condenser_api.get_accounts", params)
            assert word not in caught.value.cause
        assert node.requests == []
        NodeClient(node.url).call("a.b", [encode_public_key(KEY.public_key, "STM"), WIF[:-1], "Qm" + "aB3" * 15])
