"""Every recorded message decodes as it did there and packs to the same bytes; any bytes give a message or Invalid."""

from __future__ import annotations

import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.block_header import HeaderExtension
from protocol.errors import Invalid
from protocol.hashes import ripemd160
from protocol.p2p.messages import (
    ADDRESSES_MAX,
    BLOCK_IDS_MAX,
    BLOCK_ITEM,
    CONNECTIONS_MAX,
    ERROR_LOG_LINES_MAX,
    FETCH_ITEMS_MAX,
    HELLO_BYTES_MAX,
    ITEM_IDS_MAX,
    MESSAGES,
    SYNOPSIS_IDS_MAX,
    TEXT_BYTES_MAX,
    TRANSACTION_ITEM,
    BlockchainItemIdsInventory,
    BlockMessage,
    ClosingConnection,
    CurrentTimeRequest,
    Endpoint,
    FetchBlockchainItemIds,
    FetchItems,
    Hello,
    ItemIdsInventory,
    ItemNotAvailable,
    TransactionMessage,
    UnknownMessage,
    message_id,
    message_number,
    pack_message,
    unpack_message,
)
from protocol.p2p.variants import Double
from protocol.transaction import Transaction
from protocol.wire import pack_varint
from tests.protocol.p2p.recorded import CODEC, Recorded, all_messages, single_messages, vectors
from tests.strategies import values

DETERMINISTIC = settings(max_examples=300, deadline=None, derandomize=True)
DECLARED = sorted(set(MESSAGES) - {TRANSACTION_ITEM, BLOCK_ITEM})


def show(value: Any) -> Any:
    """A decoded value in the form of the vectors."""
    match value:
        case TransactionMessage():
            return {"trx": value.transaction.packed_signed.hex()}
        case BlockMessage():
            return show_block(value)
        case ItemNotAvailable():
            return {"requested_item": show(value._asdict())}
        case Hello():
            shown = show(value._asdict())
            shown["inbound_address"] = str(Endpoint(value.inbound_address, 0)).removesuffix(":0")
            return shown
        case Endpoint():
            return str(value)
        case Double():
            return struct.unpack("<d", value.packed)[0]
        case bytes():
            return value.hex()
        case dict():
            return {name: show(member) for name, member in value.items()}
        case tuple():
            fields = getattr(value, "_asdict", None)
            return show(fields()) if fields is not None else [show(member) for member in value]
    return value


def show_block(message: BlockMessage) -> dict[str, Any]:
    block = message.block
    header = show(block.header._asdict())
    packed = [CODEC.encode(HeaderExtension, extension) for extension in block.extensions]
    header["extensions"] = [[extension[0], extension[1:].hex()] for extension in packed]
    header |= {"block_num": block.number, "block_id": block.id.hex(), "transactions": len(block.transactions)}
    return {"block": block.packed.hex(), "block_id": message.block_id.hex(), "header": header}


def check(message: Recorded) -> None:
    unpacked = unpack_message(CODEC, *message.frame)
    assert message_number(unpacked) == message.frame.number
    assert type(unpacked) is MESSAGES[message.frame.number]
    assert pack_message(CODEC, unpacked) == message.frame.payload, message.label
    assert show(unpacked) == message.decoded, message.label


def test_every_recorded_message() -> None:
    messages = all_messages()
    assert len(messages) == 250
    assert {message.frame.number for message in messages} == set(MESSAGES)
    for message in messages:
        check(message)


def test_message_ids_of_the_reference() -> None:
    hashed = [entry for entry in vectors()["messages"] if "message_hash" in entry]
    assert {entry["msg_type"] for entry in hashed} == {TRANSACTION_ITEM, BLOCK_ITEM}
    for entry in hashed:
        payload = bytes.fromhex(entry["plaintext"])[8 : 8 + entry["size"]]
        assert message_id(payload).hex() == entry["message_hash"]
    for record in vectors()["transactions"]:
        transaction = Transaction.from_json(CODEC, record["json"])
        assert transaction.id.hex() == record["transaction_id"]
        if "packed" in record:
            payload = pack_message(CODEC, TransactionMessage(transaction))
            assert payload.hex() == record["packed"]
            assert message_id(payload).hex() == record["message_hash"]


@pytest.mark.parametrize("number", DECLARED, ids=[MESSAGES[number].__name__ for number in DECLARED])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_messages_come_back(number: int, data: st.DataObject) -> None:
    message = data.draw(values(CODEC.shape(MESSAGES[number])))
    payload = pack_message(CODEC, message)
    assert payload == CODEC.encode_slowly(type(message), message)
    assert message_number(message) == number
    assert unpack_message(CODEC, number, payload) == message
    assert unpack_message(CODEC, number, payload + b"later fields") == message


def assert_total(number: int, payload: bytes) -> None:
    """The bytes give a message that is the same after it was packed again, or Invalid."""
    try:
        message = unpack_message(CODEC, number, payload)
    except Invalid:
        return
    assert unpack_message(CODEC, number, pack_message(CODEC, message)) == message


@DETERMINISTIC
@given(number=st.sampled_from([*MESSAGES, 0, 5000, 5018, 5099]), payload=st.binary(max_size=300))
def test_any_bytes_give_a_message_or_invalid(number: int, payload: bytes) -> None:
    assert_total(number, payload)


@DETERMINISTIC
@given(data=st.data())
def test_spoilt_messages_give_a_message_or_invalid(data: st.DataObject) -> None:
    frame = data.draw(st.sampled_from(single_messages())).frame
    payload = bytearray(frame.payload)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(payload)))
        end = data.draw(st.integers(start, min(len(payload), start + 4)))
        payload[start:end] = data.draw(st.binary(max_size=4))
    assert_total(frame.number, bytes(payload))


def test_every_truncation_is_refused() -> None:
    for message in single_messages():
        for size in range(len(message.frame.payload)):
            with pytest.raises(Invalid):
                unpack_message(CODEC, message.frame.number, message.frame.payload[:size])


def test_bytes_behind_a_transaction_or_block_are_ignored() -> None:
    for message in single_messages():
        if message.frame.number in (TRANSACTION_ITEM, BLOCK_ITEM):
            read = unpack_message(CODEC, message.frame.number, message.frame.payload)
            assert unpack_message(CODEC, message.frame.number, message.frame.payload + b"\0") == read


@pytest.mark.parametrize("number", [0, 999, 1002, 5000, 5018, 5099, 0xFFFFFFFF])
def test_other_numbers_are_unknown(number: int) -> None:
    with pytest.raises(UnknownMessage, match=f"unknown message number {number}"):
        unpack_message(CODEC, number, b"")


ITEM_TYPE = (1001).to_bytes(4, "little")
COUNTED = [
    (5001, ITEM_TYPE, ITEM_IDS_MAX, bytes(20)),
    (5002, bytes(4) + ITEM_TYPE, BLOCK_IDS_MAX, bytes(20)),
    (5003, ITEM_TYPE, SYNOPSIS_IDS_MAX, bytes(20)),
    (5004, ITEM_TYPE, FETCH_ITEMS_MAX, bytes(20)),
    (5006, b"", TEXT_BYTES_MAX, b""),
    (5008, b"", TEXT_BYTES_MAX, b""),
    (5010, b"", ADDRESSES_MAX, bytes(53)),
    (5011, b"", TEXT_BYTES_MAX, b""),
    (5011, b"\0\x01\x01" + bytes(8) + b"\0\0", ERROR_LOG_LINES_MAX, b"\0"),
    (5017, bytes(24), CONNECTIONS_MAX, bytes(62)),
]


@pytest.mark.parametrize(("number", "head", "maximum", "member"), COUNTED)
def test_counts_are_checked_before_anything_is_made(number: int, head: bytes, maximum: int, member: bytes) -> None:
    if member:
        unpack_message(CODEC, number, head + pack_varint(maximum) + member * maximum)
    for count in (maximum + 1, 0xFFFFFFFF):
        payload = head + pack_varint(count) + member
        with pytest.raises(Invalid):
            unpack_message(CODEC, number, payload)
        tracemalloc.start()
        with pytest.raises(Invalid, match=f"{count} (members|bytes) are more than the maximum of {maximum}"):
            unpack_message(CODEC, number, payload)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 100_000


@pytest.mark.parametrize("number", [TRANSACTION_ITEM, BLOCK_ITEM])
def test_a_great_count_of_operations_or_transactions_costs_no_memory(number: int) -> None:
    head = bytes(10) if number == TRANSACTION_ITEM else bytes(24) + b"\x01a" + bytes(20) + b"\0" + bytes(65)
    payload = head + pack_varint(1_000_000) + bytes(40)
    with pytest.raises(Invalid):
        unpack_message(CODEC, number, payload)  # The first decoding compiles functions.
    tracemalloc.start()
    with pytest.raises(Invalid):
        unpack_message(CODEC, number, payload)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize(
    "message",
    [
        ItemIdsInventory(TRANSACTION_ITEM, (bytes(20),) * (ITEM_IDS_MAX + 1)),
        ItemIdsInventory(TRANSACTION_ITEM, (bytes(19),)),
        BlockchainItemIdsInventory(0, BLOCK_ITEM, (bytes(20),) * (BLOCK_IDS_MAX + 1)),
        FetchBlockchainItemIds(BLOCK_ITEM, (bytes(20),) * (SYNOPSIS_IDS_MAX + 1)),
        FetchItems(BLOCK_ITEM, (bytes(20),) * (FETCH_ITEMS_MAX + 1)),
        ClosingConnection("x" * (TEXT_BYTES_MAX + 1), False, None),
        CurrentTimeRequest(1 << 63),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_breaks_a_limit_is_not_packed(message: Any) -> None:
    with pytest.raises(Invalid):
        pack_message(CODEC, message)


def test_the_id_beside_a_block_has_the_size_of_one() -> None:
    block = next(message for message in single_messages() if message.frame.number == BLOCK_ITEM)
    unpacked = unpack_message(CODEC, *block.frame)
    assert isinstance(unpacked, BlockMessage) and unpacked.block.id == unpacked.block_id
    with pytest.raises(Invalid, match="a block id has 20 bytes, not 19"):
        pack_message(CODEC, unpacked._replace(block_id=bytes(19)))


def test_a_hello_is_small() -> None:
    hello = next(message.frame for message in single_messages() if message.frame.number == 5006)
    largest = hello.payload.ljust(HELLO_BYTES_MAX, b"\0")
    assert isinstance(unpack_message(CODEC, 5006, largest), Hello)
    with pytest.raises(Invalid, match="at most 65536 bytes, not 65537"):
        unpack_message(CODEC, 5006, largest + b"\0")
    unpacked = unpack_message(CODEC, 5006, hello.payload)
    assert isinstance(unpacked, Hello)
    with pytest.raises(Invalid, match="at most 65536 bytes"):
        pack_message(CODEC, unpacked._replace(user_data={"text": "x" * HELLO_BYTES_MAX}))


def test_message_ids_hash_the_payload() -> None:
    assert message_id(b"") == ripemd160(b"")


@pytest.mark.parametrize("text", ["127.0.0.1:2001", "0.0.0.0:0", "255.255.255.255:65535"])
def test_endpoints_as_text(text: str) -> None:
    endpoint = Endpoint.parse(text)
    assert str(endpoint) == text
    assert CODEC.decode(Endpoint, CODEC.encode(Endpoint, endpoint)) == endpoint


def test_an_address_is_little_endian() -> None:
    assert CODEC.encode(Endpoint, Endpoint.parse("127.0.0.1:2001")).hex() == "0100007fd107"


NO_ENDPOINTS = (
    *("", "127.0.0.1", "127.0.0.1:", ":2001", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:\u0663", "127.0.0.1: 1"),
    *("localhost:2001", "127.0.0:1", "127.0.0.256:1", "1.2.3.4:5:6", "[::1]:2001", "127.0.0.1:000001"),
)


@pytest.mark.parametrize("text", NO_ENDPOINTS)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Endpoint.parse(text)
