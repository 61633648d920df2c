"""The messages that peers exchange: their fields, numbers, bytes and limits.

A message on the wire is a number and a payload. ``unpack_message`` is total: any bytes give a message or ``Invalid``.
As in the reference, bytes behind the last field are ignored, so later versions may add some.

Source: libraries/net/include/graphene/net/core_messages.hpp, message.hpp; libraries/fc/include/fc/network/ip.hpp.
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Any, Final, NamedTuple

from protocol.block import Block
from protocol.codec import Codec
from protocol.errors import Invalid
from protocol.hashes import ripemd160
from protocol.p2p.variants import Variant, VariantObject
from protocol.shapes import FixedBytes
from protocol.transaction import Transaction
from protocol.types import I64, U8, U16, U32, Bool, Max, Ripemd160, Signature, String, Time, Vector

TRANSACTION_ITEM: Final = 1000
"""The item type of a transaction, and the number of its message."""
BLOCK_ITEM: Final = 1001
"""The item type of a block, and the number of its message."""
ID_BYTES: Final = 20
"""The size of a block id, of a message id and of an item hash."""

HELLO_BYTES_MAX: Final = 65_536
"""Maximum payload of a hello, which is kept in memory during the connection; the reference sends about 570 bytes."""
TEXT_BYTES_MAX: Final = 65_536
"""Maximum length of a text outside of variants, for example the reason for closing."""
ITEM_IDS_MAX: Final = 100_000
"""Maximum number of item hashes in one inventory. 2 MiB, the maximum payload, hold only a few more."""
BLOCK_IDS_MAX: Final = 2000
"""Maximum number of block ids in one answer to a synopsis. Source: p2p_plugin.cpp, get_block_ids."""
SYNOPSIS_IDS_MAX: Final = 100
"""Maximum number of ids in a synopsis, which needs about one for each bit of the height."""
FETCH_ITEMS_MAX: Final = 2000
"""Maximum number of items in one request; the reference asks for 200 blocks or one item of gossip."""
ADDRESSES_MAX: Final = 10_000
"""Maximum number of addresses in one message; the reference sends its active connections, by default at most 200."""
CONNECTIONS_MAX: Final = 1000
"""Maximum number of connections in one description of connections."""
ERROR_LOG_LINES_MAX: Final = 100
"""Maximum number of log lines in an error."""

NodeId = Annotated[bytes, FixedBytes(33)]
"""The id that a peer gives itself: 33 bytes, a public key or random."""
Text = Annotated[String, Max(TEXT_BYTES_MAX)]
Microseconds = I64
"""Since the epoch, or a duration."""


class Endpoint(NamedTuple):
    """An IPv4 address, as a number, and a TCP port; as text "127.0.0.1:2001"."""

    address: U32
    port: U16

    def __str__(self) -> str:
        return f"{IPv4Address(self.address)}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Reads "127.0.0.1:2001"; raises Invalid for anything else, host names included."""
        host, _colon, port = text.partition(":")
        try:
            address = int(IPv4Address(host))
        except AddressValueError:
            raise Invalid("", "${text} does not begin with an IPv4 address", text=text[:60]) from None
        if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 0xFFFF):
            raise Invalid("", "${text} does not end with a colon and a port from 0 to 65535", text=text[:60])
        return cls(address, int(port))


class TransactionMessage(NamedTuple):
    """A transaction that was asked for."""

    transaction: Transaction


class BlockMessage(NamedTuple):
    """A block that was asked for. ``block_id`` is what the sender claims, to be compared with the block's own."""

    block: Block
    block_id: bytes


class ItemIdsInventory(NamedTuple):
    """Offers items of gossip to the receiver; the hashes are those of ``message_id``."""

    item_type: U32
    item_hashes_available: Annotated[Vector[Ripemd160], Max(ITEM_IDS_MAX)]


class BlockchainItemIdsInventory(NamedTuple):
    """The block ids after a synopsis, and the number of blocks that the sender has after the last of them."""

    total_remaining_item_count: U32
    item_type: U32
    item_hashes_available: Annotated[Vector[Ripemd160], Max(BLOCK_IDS_MAX)]


class FetchBlockchainItemIds(NamedTuple):
    """Asks for the block ids after the last block of the synopsis (ids, ascending) that the receiver also has."""

    item_type: U32
    blockchain_synopsis: Annotated[Vector[Ripemd160], Max(SYNOPSIS_IDS_MAX)]


class FetchItems(NamedTuple):
    """Requests items: by message id if they were offered by gossip, by block id in synchronisation."""

    item_type: U32
    items_to_fetch: Annotated[Vector[Ripemd160], Max(FETCH_ITEMS_MAX)]


class ItemNotAvailable(NamedTuple):
    """The sender does not have the item it was asked for."""

    item_type: U32
    item_hash: Ripemd160


class Hello(NamedTuple):
    """Who the sender is. The signature is over the digest of the channel, by the key of ``node_public_key``."""

    user_agent: Text
    core_protocol_version: U32
    inbound_address: U32
    inbound_port: U16
    outbound_port: U16
    node_public_key: NodeId
    signed_shared_secret: Signature
    user_data: VariantObject


class ConnectionAccepted(NamedTuple):
    """The sender accepts the hello."""


class ConnectionRejected(NamedTuple):
    """The sender refuses the hello.

    ``reason_code``: 0 unspecified, 1 different chain, 2 already connected, 3 connected to self, 4 not accepting
    connections, 5 blocked, 6 invalid hello, 7 client too old.
    """

    user_agent: Text
    core_protocol_version: U32
    remote_endpoint: Endpoint
    reason_code: U8
    reason_string: Text


class AddressRequest(NamedTuple):
    """Asks for the addresses of the receiver's peers."""


class AddressInfo(NamedTuple):
    """One peer that the sender knows. ``latency`` is in microseconds.

    ``direction``: 0 unknown, 1 inbound, 2 outbound. ``firewalled``: 0 unknown, 1 firewalled, 2 not firewalled.
    """

    remote_endpoint: Endpoint
    last_seen_time: Time
    latency: Microseconds
    node_id: NodeId
    direction: U8
    firewalled: U8


class AddressMessage(NamedTuple):
    """The answer to an ``AddressRequest``."""

    addresses: Annotated[Vector[AddressInfo], Max(ADDRESSES_MAX)]


class PeerError(NamedTuple):
    """An exception of the reference. Each member of ``log`` is an object with context, format and data."""

    code: I64
    name: Text
    what: Text
    log: Annotated[Vector[Variant], Max(ERROR_LOG_LINES_MAX)]


class ClosingConnection(NamedTuple):
    """The sender is about to close the connection, and says why."""

    reason_for_closing: Text
    closing_due_to_error: Bool
    error: PeerError | None


class CurrentTimeRequest(NamedTuple):
    """Asks for the receiver's clock. Times are in microseconds since the epoch."""

    request_sent_time: Microseconds


class CurrentTimeReply(NamedTuple):
    """The answer to a ``CurrentTimeRequest``; the first time is the asker's, the other two are the sender's."""

    request_sent_time: Microseconds
    request_received_time: Microseconds
    reply_transmitted_time: Microseconds


class CheckFirewall(NamedTuple):
    """Asks to try a connection to an endpoint. All zeros mean: to the sender itself."""

    node_id: NodeId
    endpoint_to_check: Endpoint


class CheckFirewallReply(NamedTuple):
    """The answer to a ``CheckFirewall``: ``result`` 0 unable to check, 1 unable to connect, 2 connected."""

    node_id: NodeId
    endpoint_checked: Endpoint
    result: U8


class GetCurrentConnectionsRequest(NamedTuple):
    """Asks for a description of the receiver's connections."""


class CurrentConnection(NamedTuple):
    """One connection of a peer; the duration is in seconds, offset and delay are in microseconds."""

    connection_duration: U32
    remote_endpoint: Endpoint
    node_id: NodeId
    clock_offset: Microseconds
    round_trip_delay: Microseconds
    connection_direction: U8
    firewalled: U8
    user_data: VariantObject


class GetCurrentConnectionsReply(NamedTuple):
    """The answer to a ``GetCurrentConnectionsRequest``; rates are in bytes per second."""

    upload_rate_one_minute: U32
    download_rate_one_minute: U32
    upload_rate_fifteen_minutes: U32
    download_rate_fifteen_minutes: U32
    upload_rate_one_hour: U32
    download_rate_one_hour: U32
    current_connections: Annotated[Vector[CurrentConnection], Max(CONNECTIONS_MAX)]


Message = (
    TransactionMessage
    | BlockMessage
    | ItemIdsInventory
    | BlockchainItemIdsInventory
    | FetchBlockchainItemIds
    | FetchItems
    | ItemNotAvailable
    | Hello
    | ConnectionAccepted
    | ConnectionRejected
    | AddressRequest
    | AddressMessage
    | ClosingConnection
    | CurrentTimeRequest
    | CurrentTimeReply
    | CheckFirewall
    | CheckFirewallReply
    | GetCurrentConnectionsRequest
    | GetCurrentConnectionsReply
)

MESSAGES: Final[dict[int, type[Message]]] = {
    TRANSACTION_ITEM: TransactionMessage,
    BLOCK_ITEM: BlockMessage,
    5001: ItemIdsInventory,
    5002: BlockchainItemIdsInventory,
    5003: FetchBlockchainItemIds,
    5004: FetchItems,
    5005: ItemNotAvailable,
    5006: Hello,
    5007: ConnectionAccepted,
    5008: ConnectionRejected,
    5009: AddressRequest,
    5010: AddressMessage,
    5011: ClosingConnection,
    5012: CurrentTimeRequest,
    5013: CurrentTimeReply,
    5014: CheckFirewall,
    5015: CheckFirewallReply,
    5016: GetCurrentConnectionsRequest,
    5017: GetCurrentConnectionsReply,
}
"""Every message by its number."""
_NUMBERS: Final[dict[type[Any], int]] = {cls: number for number, cls in MESSAGES.items()}


class UnknownMessage(Invalid):
    """The message number is unknown to this version."""


def message_number(message: Message) -> int:
    """The number of a message's type."""
    return _NUMBERS[type(message)]


def message_id(payload: bytes) -> bytes:
    """The id of a message in gossip: the RIPEMD-160 of its payload (20 bytes). Source: message.hpp, message::id."""
    return ripemd160(payload)


def pack_message(codec: Codec, message: Message) -> bytes:
    """The payload of a message; raises Invalid for a field that does not fit its type or limit."""
    if isinstance(message, TransactionMessage):
        return message.transaction.packed_signed
    if isinstance(message, BlockMessage):
        if len(message.block_id) != ID_BYTES:
            raise Invalid(
                "", "a block id has ${needed} bytes, not ${found}", needed=ID_BYTES, found=len(message.block_id)
            )
        return message.block.packed + message.block_id
    payload = codec.encode(type(message), message)
    _check_size(type(message), payload)
    return payload


def unpack_message(codec: Codec, number: int, payload: bytes) -> Message:
    """Decodes a payload; raises UnknownMessage for an unknown number, Invalid for malformed bytes."""
    if number == TRANSACTION_ITEM:
        return TransactionMessage(Transaction.read(codec, payload, 0)[0])
    if number == BLOCK_ITEM:
        return _unpack_block(codec, payload)
    declared = MESSAGES.get(number)
    if declared is None:
        raise UnknownMessage("", "unknown message number ${number}", number=number)
    _check_size(declared, payload)
    message: Message = codec.read(declared, payload, 0)[0]
    return message


def _check_size(declared: type[Message], payload: bytes) -> None:
    if declared is Hello and len(payload) > HELLO_BYTES_MAX:
        text = "a hello has at most ${max} bytes, not ${found}"
        raise Invalid("", text, max=HELLO_BYTES_MAX, found=len(payload))


def _unpack_block(codec: Codec, payload: bytes) -> BlockMessage:
    block, end = Block.read(codec, payload)
    if end + ID_BYTES > len(payload):
        raise Invalid("", "a block message has ${needed} bytes behind the block", needed=ID_BYTES)
    return BlockMessage(block, payload[end : end + ID_BYTES])
