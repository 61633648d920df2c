"""Hellos: what a node says of itself, and whether what a peer says makes it one of ours.

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
"""What the reference tells of its platform; kept because its nodes show it to each other."""


class Rejection(IntEnum):
    """Why a hello is refused, by the number on the wire."""

    UNSPECIFIED = 0
    DIFFERENT_CHAIN = 1
    ALREADY_CONNECTED = 2
    CONNECTED_TO_SELF = 3
    NOT_ACCEPTING = 4
    BLOCKED = 5
    INVALID_HELLO = 6
    CLIENT_TOO_OLD = 7


class Refusal(NamedTuple):
    """A code and a sentence for the peer."""

    code: Rejection
    reason: str


class OwnIdentity(NamedTuple):
    """What names this node: its key, its id for the time of this process, and the digest of its chain config."""

    node_key: PrivateKey
    node_id: bytes
    config_digest: str


def make_hello(chain: Chain, own: OwnIdentity, listens_at: Endpoint | None, link: Link) -> Hello:
    """What this node says of itself on a connection."""
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
    """Whether a hello is refused for what it says: its signature, its chain, and the genesis and rules of it.

    Peers of the reference do not tell their config; for them the chain id must do.
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
    """What a hello tells of its sender."""
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
    """The id that a peer has for the time of its process; its node key where it tells none."""
    text = hello.user_data.get("node_id")
    try:
        found = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        found = b""
    return found if len(found) == NODE_ID_BYTES else hello.node_public_key


def _find_listening(hello: Hello, link: Link) -> tuple[Endpoint | None, Reach]:
    """Where a peer can be dialled, and whether it is sure that it can.

    A peer that sees its own address as we see it is behind no firewall that changes addresses.
    """
    if link.is_outbound:
        return link.remote, Reach.OPEN
    if hello.inbound_port == 0:
        return None, Reach.FIREWALLED
    is_open = hello.inbound_address == link.remote.address and hello.outbound_port == link.remote.port
    return Endpoint(link.remote.address, hello.inbound_port), Reach.OPEN if is_open else Reach.UNKNOWN
