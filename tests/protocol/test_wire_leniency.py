"""Bytes that the reference reads but would not write are taken, and packed as it packs them again.

Each row stands in docs/reference/wire_leniency.md under the same name.
"""

from __future__ import annotations

import re
import struct
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from operations.custom import CustomJson
from operations.transfer import Transfer
from operations.witness_properties import read_properties
from protocol.assets import SBD, STEEM, VESTS, Asset
from protocol.block import Block, block_id, merkle_root
from protocol.block_header import BlockHeader, HeaderExtension, VersionReport
from protocol.codec import Codec
from protocol.errors import Invalid
from protocol.identity import STEEM_MAINNET
from protocol.p2p.messages import BLOCK_ITEM, TRANSACTION_ITEM, BlockMessage, TransactionMessage, unpack_message
from protocol.p2p.variants import VariantObject
from protocol.rules import Rules
from protocol.transaction import Transaction
from protocol.types import (
    I64,
    U8,
    U16,
    AccountName,
    Bool,
    Bytes,
    CurveId,
    CustomId,
    FutureExtensions,
    HardforkVersion,
    LegacyAsset,
    PublicKey,
    SortedMap,
    SortedSet,
    SortedSetStrict,
    StaticVariant,
    String,
    Symbol,
    Time,
    Vector,
    Void,
)
from tests.strategies import import_all_operations

import_all_operations()
CODEC = Codec(STEEM_MAINNET)
PAGE = Path(__file__).parents[2] / "docs/reference/wire_leniency.md"
KEYS = bytes([2]) * 33, bytes([3]) * 33
VERSION = b"\x01" + struct.pack("<I", 0x00170000)


def number(value: int) -> bytes:
    return value.to_bytes(4, "little")


TAKEN: dict[str, list[tuple[Any, bytes, Any]]] = {
    "long integer": [
        (String, b"\x82\x00hi", "hi"),
        (Bytes, b"\x82\x80\x80\x80\x00hi", b"hi"),
        (Vector[U8], b"\x82\x00\x07\x08", (7, 8)),
        (StaticVariant[Void, VersionReport], b"\x81\x00" + VERSION[1:], VersionReport(0x00170000)),
        (FutureExtensions, b"\x81\x00\x80\x00", (Void(),)),
    ],
    "cut integer": [(String, b"\x82\x80\x80\x80\x70hi", "hi"), (String, b"\x82\x80\x80\x80\x10hi", "hi")],
    "endless integer": [(String, b"\x82\x80\x80\x80\x80hi", "hi"), (String, b"\x82\x80\x80\x80\xf0hi", "hi")],
    "unsorted set": [
        (SortedSet[AccountName], b"\x02\x01b\x01a", ("a", "b")),
        (SortedSetStrict[I64], b"\x02" + struct.pack("<qq", 2, -1), (-1, 2)),
        (SortedSet[HeaderExtension], b"\x02" + VERSION + b"\x00", (Void(), VersionReport(0x00170000))),
    ],
    "unsorted map": [
        (SortedMap[String, U16], b"\x02\x01y\x01\x00\x01x\x02\x00", (("x", 2), ("y", 1))),
        (
            SortedMap[PublicKey, U16],
            b"\x02" + KEYS[1] + b"\x01\x00" + KEYS[0] + b"\x02\x00",
            ((KEYS[0], 2), (KEYS[1], 1)),
        ),
    ],
    "double member": [
        (SortedSet[AccountName], b"\x02\x01a\x01a", ("a",)),
        (SortedMap[String, U16], b"\x03\x01b\x01\x00\x01a\x02\x00\x01b\x03\x00", (("a", 2), ("b", 1))),
        (FutureExtensions, b"\x03\x00\x00\x00", (Void(),)),
        (SortedSet[HeaderExtension], b"\x02" + VERSION + b"\x01\x01\x00\x18\x00", (VersionReport(0x00170000),)),
    ],
    "long name": [
        (AccountName, b"\x12abcdefghijklmnopqr", "abcdefghijklmnop"),
        (CustomId, b"\x21" + b"i" * 33, "i" * 32),
        (AccountName, b"\x11" + "abcdefghijklmnoé".encode(), "abcdefghijklmno\udcc3"),
    ],
    "zero byte in a name": [(AccountName, b"\x07ali\0bob", "ali"), (CustomId, b"\x02\0a", "")],
    "symbol by number": [
        (Asset, bytes(8) + number(STEEM), Asset(0, STEEM)),
        (Symbol, number(SBD), SBD),
        (Symbol, number(VESTS), VESTS),
    ],
    "wide enumeration": [
        (CurveId, struct.pack("<q", (1 << 32) + 2), 2),
        (CurveId, struct.pack("<q", 2 - (1 << 40)), 2),
    ],
}
"""By name: declared types, bytes that are read, and the value, which packs to other bytes."""

SAME: dict[str, list[tuple[Any, bytes, Any]]] = {
    "any text": [(String, b"\x03a\xff\0", "a\udcff\0"), (AccountName, b"\x02\xc3\x28", "\udcc3(")],
    "any time": [(Time, b"\xff\xff\xff\xff", 0xFFFFFFFF)],
    "any key": [(PublicKey, b"\x09" * 33, b"\x09" * 33)],
    "misspelt fee": [(LegacyAsset, bytes(8) + b"\x05STEEM\0\0", Asset(0, int.from_bytes(b"\x05STEEM\0\0", "little")))],
    "hard fork with revision": [(HardforkVersion, number(0x00170005), 0x00170005)],
}
"""By name: what looks wrong, is taken by the reference, and packs to the same bytes."""

REFUSED: dict[str, list[tuple[Any, bytes]]] = {
    "boolean": [(Bool, b"\x02")],
    "mark of an optional": [(U8 | None, b"\x02\x07")],
    "number of a union": [(StaticVariant[Void, VersionReport], b"\x02" + bytes(4))],
    "symbol": [(Symbol, b"\x03STEEN\0\0"), (Symbol, b"\x03ABC"), (LegacyAsset, bytes(8) + number(STEEM) + bytes(4))],
    "enumeration": [(CurveId, struct.pack("<q", 6)), (CurveId, struct.pack("<q", -1))],
    "length": [
        (String, b"\x80\x80\x80\x05" + bytes(99)),
        (FutureExtensions, b"\x80\x80\x28" + bytes(655_360)),
        (SortedSet[AccountName], b"\x80\x80\x28" + bytes(655_360)),
    ],
    "end of the data": [(String, b"\x02a"), (String, b"\x82\x80"), (AccountName, b"\x03ab")],
}
"""By name: what neither takes."""


def rows(table: dict[str, list[Any]]) -> list[Any]:
    return [pytest.param(*case, id=f"{name} {at}") for name, cases in table.items() for at, case in enumerate(cases)]


@pytest.mark.parametrize(("declared", "data", "value"), rows(TAKEN))
def test_what_the_reference_would_not_write_is_read_and_packed_as_it_packs_it(
    declared: Any, data: bytes, value: Any
) -> None:
    assert CODEC.decode(declared, data) == CODEC.decode_slowly(declared, data) == value
    packed = CODEC.encode(declared, value)
    assert packed != data
    assert CODEC.decode(declared, packed) == value
    decode = CODEC.generator.decoder(CODEC.shape(declared))
    with pytest.raises(Exception):  # noqa: B017 - one of FAST_PATH_ERRORS: fast readers serve canonical bytes only
        decode(data, 0)


@pytest.mark.parametrize(("declared", "data", "value"), rows(SAME))
def test_what_looks_wrong_keeps_its_bytes(declared: Any, data: bytes, value: Any) -> None:
    assert CODEC.decode(declared, data) == CODEC.decode_slowly(declared, data) == value
    assert CODEC.encode(declared, value) == data


@pytest.mark.parametrize(("declared", "data"), rows(REFUSED))
def test_what_the_reference_refuses_is_refused(declared: Any, data: bytes) -> None:
    with pytest.raises(Invalid):
        CODEC.decode(declared, data)


def test_the_page_names_every_row() -> None:
    named = re.findall(r"^\| ([^|]+?) \|", PAGE.read_text(), re.MULTILINE)
    tables = {*TAKEN, *SAME, *REFUSED, *MESSAGES}
    assert sorted(set(named) - {"name", "---"}) == sorted(tables)


TRANSFER = Transfer("alice", "bob", Asset(1000, STEEM), "hi")
CUSTOM = CustomJson((), ("alice", "bob"), "follow", "{}")
SIGNATURE = bytes(range(65))


def make_transaction() -> tuple[Transaction, bytes]:
    """A transaction, and other bytes that mean it."""
    plain = Transaction.make(
        CODEC,
        ref_block_num=1,
        ref_block_prefix=2,
        expiration=3,
        operations=(TRANSFER, CUSTOM),
        extensions=(Void(),),
        signatures=(SIGNATURE,),
    )
    transfer = b"\x82\x00" + b"\x85\x00alice" + b"\x05bob\0x" + struct.pack("<q", 1000) + number(STEEM) + b"\x82\0hi"
    custom = b"\x12\x80\x00\x03\x03bob\x05alice\x03bob\x08follow\0!\x02{}"
    odd = struct.pack("<HII", 1, 2, 3) + b"\x82\x00" + transfer + custom + b"\x02\x00\x80\x00" + b"\x81\x00" + SIGNATURE
    return plain, odd


def make_block() -> tuple[Block, bytes]:
    """A block with that transaction, and other bytes that mean it."""
    transaction, odd_transaction = make_transaction()
    block = Block.make(
        CODEC,
        previous=bytes(20),
        timestamp=9,
        witness="w",
        transactions=(transaction,),
        extensions=(Void(), VersionReport(0x00170000)),
        witness_signature=SIGNATURE,
    )
    root = merkle_root([sha256(transaction.packed_signed).digest()])
    header = bytes(20) + number(9) + b"\x81\x00w" + root + b"\x03" + VERSION + b"\x00" + VERSION
    return block, header + SIGNATURE + b"\x81\x80\x00" + odd_transaction


def test_a_transaction_is_what_its_fields_pack_to() -> None:
    plain, odd = make_transaction()
    read = Transaction.from_bytes(CODEC, odd)
    assert read == plain
    assert (read.packed, read.packed_signed, read.id) == (plain.packed, plain.packed_signed, plain.id)
    assert read.merkle_digest == plain.merkle_digest
    assert read.digest(bytes(32)) == plain.digest(bytes(32))
    assert read.size == plain.size < len(odd)


def test_a_block_is_what_its_fields_pack_to() -> None:
    plain, odd = make_block()
    read = Block.from_bytes(CODEC, odd)
    assert read == plain and read.id == plain.id == block_id(plain.packed_header + SIGNATURE)
    assert (read.packed, read.packed_header, read.digest) == (plain.packed, plain.packed_header, plain.digest)
    assert read.merkle_root() == read.transaction_merkle_root
    assert CODEC.encode(BlockHeader, BlockHeader(*read.header[:5])) == plain.packed_header


def read_transaction_message(tail: bytes) -> None:
    plain, odd = make_transaction()
    assert unpack_message(CODEC, TRANSACTION_ITEM, odd + tail) == TransactionMessage(plain)


def read_block_message(tail: bytes) -> None:
    plain, odd = make_block()
    assert unpack_message(CODEC, BLOCK_ITEM, odd + plain.id + tail) == BlockMessage(plain, plain.id)
    with pytest.raises(Invalid, match="20 bytes behind the block"):
        unpack_message(CODEC, BLOCK_ITEM, odd + plain.id[:-1])


def read_double_names() -> None:
    value = CODEC.decode(VariantObject, b"\x83\x00" + b"\x01a\x04\x00" + b"\x01b\x00" + b"\x01a\x04\x01")
    assert list(value.items()) == [("a", True), ("b", None)]


def read_witness_properties() -> None:
    """The bytes of the properties stay: they are opaque to whoever packs the operation."""
    rules = Rules()
    props = (("key", bytes(33)), ("url", b"\x8c\x00" + b"https://a.io"))
    assert read_properties(props, rules).url == "https://a.io"
    assert CODEC.encode(SortedMap[String, Bytes], props).endswith(b"\x0e\x8c\x00https://a.io")
    short = (("key", bytes(33)), ("url", b"\x8d\x00" + b"https://a.io"))
    with pytest.raises(Invalid, match="error unpacking string"):
        read_properties(short, rules)
    fee = (("account_creation_fee", struct.pack("<q", 9000) + number(STEEM)), ("key", bytes(33)))
    assert read_properties(fee, rules).account_creation_fee == Asset(9000, STEEM)


MESSAGES: dict[str, Any] = {
    "bytes behind a transaction": lambda: read_transaction_message(b"more"),
    "bytes behind a block": lambda: read_block_message(b"more"),
    "two members of one name": read_double_names,
    "packed witness property": read_witness_properties,
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_and_blobs_are_read_as_the_reference_reads_them(name: str) -> None:
    MESSAGES[name]()
