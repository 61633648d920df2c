"""Well-formed input to begin with: messages of every kind, transactions with every operation, blocks.

Where the recorded traffic of a reference node is at hand (it lies outside the project) it is used, too.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from node.core.hello import PROTOCOL_VERSION
from protocol.codec import Codec
from protocol.identity import ChainIdentity
from protocol.keys import PrivateKey, sign_digest
from protocol.operation import Operation
from protocol.p2p.messages import (
    BLOCK_ITEM,
    TRANSACTION_ITEM,
    AddressInfo,
    AddressMessage,
    AddressRequest,
    BlockchainItemIdsInventory,
    BlockMessage,
    CheckFirewall,
    CheckFirewallReply,
    ClosingConnection,
    ConnectionAccepted,
    ConnectionRejected,
    CurrentConnection,
    CurrentTimeReply,
    CurrentTimeRequest,
    Endpoint,
    FetchBlockchainItemIds,
    FetchItems,
    GetCurrentConnectionsReply,
    GetCurrentConnectionsRequest,
    Hello,
    ItemIdsInventory,
    ItemNotAvailable,
    Message,
    PeerError,
    TransactionMessage,
    message_number,
    pack_message,
)
from protocol.p2p.variants import Double, Int64
from protocol.transaction import Transaction
from tests.node.lab import make_transfer, trunk
from tests.operations.samples import SAMPLES
from tests.strategies import import_all_operations
from tests.vectors import vectors_root

import_all_operations()

KEY = PrivateKey.from_seed("fuzz")
NODE_ID = KEY.public_key
SIGNATURE = sign_digest(bytes(32), KEY)
ENDPOINT = Endpoint.parse("10.0.0.1:2001")
ID = trunk(3)[-1].id


def messages() -> list[Message]:
    """One or more of every message."""
    user_data: dict[str, Any] = {
        "platform": "linux",
        "bitness": 64,
        "node_id": NODE_ID.hex(),
        "chain_id": "00" * 32,
        "values": (None, True, Int64(-1), Double(bytes(8)), "text", ({"deep": ((),)},)),
    }
    error = PeerError(10, "assert_exception", "Assert Exception", ({"context": {"level": "error"}, "format": "x"},))
    return [
        TransactionMessage(make_transfer(1)),
        *(BlockMessage(block, block.id) for block in trunk(3)),
        ItemIdsInventory(BLOCK_ITEM, (ID, bytes(20))),
        ItemIdsInventory(TRANSACTION_ITEM, (bytes(20),) * 5),
        BlockchainItemIdsInventory(0, BLOCK_ITEM, tuple(block.id for block in trunk(3))),
        BlockchainItemIdsInventory(7, BLOCK_ITEM, (ID,)),
        FetchBlockchainItemIds(BLOCK_ITEM, ()),
        FetchBlockchainItemIds(BLOCK_ITEM, (trunk(3)[0].id, ID)),
        FetchItems(BLOCK_ITEM, (ID,)),
        FetchItems(TRANSACTION_ITEM, (bytes(20), ID)),
        ItemNotAvailable(BLOCK_ITEM, ID),
        Hello("fuzz", PROTOCOL_VERSION, ENDPOINT.address, 2001, 40_000, NODE_ID, SIGNATURE, user_data),
        ConnectionAccepted(),
        ConnectionRejected("fuzz", PROTOCOL_VERSION, ENDPOINT, 2, "already connected"),
        AddressRequest(),
        AddressMessage((AddressInfo(ENDPOINT, 5, -7, NODE_ID, 1, 2),)),
        AddressMessage(()),
        ClosingConnection("bye", True, error),
        ClosingConnection("bye", False, None),
        CurrentTimeRequest(1),
        CurrentTimeReply(1, 2, 3),
        CheckFirewall(NODE_ID, ENDPOINT),
        CheckFirewallReply(NODE_ID, ENDPOINT, 1),
        GetCurrentConnectionsRequest(),
        GetCurrentConnectionsReply(
            1, 2, 3, 4, 5, 6, (CurrentConnection(9, ENDPOINT, NODE_ID, -1, 1, 2, 0, user_data),)
        ),
    ]


@cache
def recorded_messages() -> tuple[tuple[int, bytes], ...]:
    """What a node of the reference and a probe said to each other, by number and payload; none if it is not here."""
    path = vectors_root().parent / "p2p" / "vectors.json"
    if not path.exists():
        return ()
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    entries = [*found["messages"], *(frame for session in found["sessions"] for frame in session["frames"])]
    plain = [bytes.fromhex(entry["plaintext"]) for entry in entries]
    return tuple(
        (int.from_bytes(frame[4:8], "little"), frame[8 : 8 + int.from_bytes(frame[:4], "little")]) for frame in plain
    )


def packed_messages(codec: Codec) -> list[tuple[int, bytes]]:
    """All samples by number and payload."""
    own = [(message_number(message), pack_message(codec, message)) for message in messages()]
    return [*own, *recorded_messages()]


def operations() -> list[Operation]:
    """One of every operation that can be sent."""
    return list(SAMPLES.values())


def transactions(identity: ChainIdentity) -> list[bytes]:
    """Packed transactions with every operation, alone and together."""
    codec = Codec(identity)
    known = operations()
    groups = [*((operation,) for operation in known), tuple(known[:6]), tuple(known[-6:])]
    return [
        Transaction.make(
            codec, ref_block_num=1, ref_block_prefix=2, expiration=3, operations=group, signatures=(SIGNATURE,)
        ).packed_signed
        for group in groups
    ]
