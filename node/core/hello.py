"""Hello messages: creating this node's, and checking a peer's.

Source: libraries/net/node.cpp, send_hello_message, generate_hello_user_data and on_hello_message.
"""

from enum import IntEnum
from typing import Any, NamedTuple

from chain.chain import Chain
from node.core.peer import Introduction, Reach
from node.core.world import Link
from protocol.errors import ProtocolError
from protocol.keys import PrivateKey, recover, sign_digest
from protocol.p2p.messages import Endpoint, Hello
from protocol.times import time_text

USER_AGENT = "Plaudit"
PROTOCOL_VERSION = 106
NODE_ID_BYTES = 33
BITNESS = 64
"""Platform word size, sent as the reference does, whose nodes show it."""


class Rejection(IntEnum):
    """Reasons to reject a hello, by their number on the wire."""

    UNSPECIFIED = 0
    DIFFERENT_CHAIN = 1
    ALREADY_CONNECTED = 2
    CONNECTED_TO_SELF = 3
    NOT_ACCEPTING = 4
    BLOCKED = 5
    INVALID_HELLO = 6
    CLIENT_TOO_OLD = 7


class Refusal(NamedTuple):
    """A reason code and a message for the peer."""

    code: Rejection
    reason: str


class OwnIdentity(NamedTuple):
    """Identity of this node: its key, the id of this process, and the digest of its chain config."""

    node_key: PrivateKey
    node_id: bytes
    config_digest: str


def make_hello(chain: Chain, own: OwnIdentity, listens_at: Endpoint | None, link: Link) -> Hello:
    """Creates this node's hello for a connection."""
    user_data: dict[str, Any] = {
        "platform": "linux",
        "bitness": BITNESS,
        "node_id": own.node_id.hex(),
        "last_known_block_hash": chain.head_id.hex(),
        "last_known_block_number": chain.head_number,
        "last_known_block_time": time_text(chain.head_time if chain.head_number else 0),
        "chain_id": chain.config.chain_id.hex(),
        "config_digest": own.config_digest,
    }
    return Hello(
        USER_AGENT,
        PROTOCOL_VERSION,
        link.local.address,
        listens_at.port if listens_at else 0,
        link.local.port,
        own.node_key.public_key,
        sign_digest(link.digest, own.node_key),
        user_data,
    )


def check_hello(chain: Chain, hello: Hello, link: Link, config_digest: str) -> Refusal | None:
    """Checks the signature of a hello and its chain, genesis and rules; returns why it is rejected, or None.

    Peers running the reference do not send a config digest; only their chain id is compared.
    """
    try:
        signer = recover(link.digest, hello.signed_shared_secret, accept=_any_form)
    except ProtocolError:
        signer = b""
    if signer != hello.node_public_key:
        return Refusal(Rejection.INVALID_HELLO, "Invalid signature in hello message")
    chain_id = hello.user_data.get("chain_id")
    if chain_id != chain.config.chain_id.hex():
        return Refusal(Rejection.DIFFERENT_CHAIN, f"This node is of chain {chain.config.chain_id.hex()}")
    if hello.user_data.get("config_digest", config_digest) != config_digest:
        return Refusal(Rejection.DIFFERENT_CHAIN, "Our chains have one id, but different genesis or rules")
    return None


def _any_form(_signature: bytes) -> bool:
    return True


def introduce(hello: Hello, link: Link) -> Introduction:
    """Extracts what a hello says about its sender."""
    listens_at, reach = _find_listening(hello, link)
    return Introduction(
        hello.node_public_key,
        _read_node_id(hello),
        hello.user_agent,
        listens_at,
        reach,
        hello.inbound_port,
        hello.user_data,
    )


def _read_node_id(hello: Hello) -> bytes:
    """Returns the id of a peer's process, or its node key if it sent none."""
    text = hello.user_data.get("node_id")
    try:
        found = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        found = b""
    return found if len(found) == NODE_ID_BYTES else hello.node_public_key


def _find_listening(hello: Hello, link: Link) -> tuple[Endpoint | None, Reach]:
    """Returns where a peer can be dialled, and whether that is certain.

    A peer that reports the same address for itself as this node sees is not behind a NAT.
    """
    if link.is_outbound:
        return link.remote, Reach.OPEN
    if hello.inbound_port == 0:
        return None, Reach.FIREWALLED
    is_open = hello.inbound_address == link.remote.address and hello.outbound_port == link.remote.port
    return Endpoint(link.remote.address, hello.inbound_port), Reach.OPEN if is_open else Reach.UNKNOWN
