"""The exported layout of the wire: a second, small packer that knows nothing but that file packs the same bytes."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations.registry import ALL_OPERATIONS
from protocol.codec import codec_for
from protocol.composites import ShapeBook
from protocol.identity import STEEM_MAINNET
from protocol.keys import PrivateKey, sign_digest
from protocol.layout import KINDS, _describe
from protocol.operation import Operation
from protocol.shapes import Shape
from protocol.transaction import Transaction, TransactionFields
from tests.operations.samples import SAMPLES
from tests.strategies import values

FILE = Path(__file__).parents[2] / "docs" / "reference" / "wire_layout.json"
LAYOUT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
CODEC = codec_for(STEEM_MAINNET)
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


# The packer: only what the file says.


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def pack_integer(value: Any, bits: int, signed: bool) -> bytes:
    if bits == 128:
        return pack_integer(int(value) >> 64, 64, False) + pack_integer(int(value) & (1 << 64) - 1, 64, False)
    return int(value).to_bytes(bits // 8, "little", signed=signed)


def pack_key(text: str) -> bytes:
    number = 0
    for letter in text.removeprefix(LAYOUT["address_prefix"]):
        number = number * 58 + BASE58.index(letter)
    return number.to_bytes(37, "big")[:33]


def pack_symbol(value: dict[str, Any]) -> bytes:
    if value["nai"] in LAYOUT["symbols"]:
        return bytes.fromhex(LAYOUT["symbols"][value["nai"]])
    return pack_integer(int(value["nai"][2:-1]) << 5 | 16 | value["precision"], 32, False)


def pack_members(values_: list[Any], type_: dict[str, Any]) -> bytes:
    return varint(len(values_)) + b"".join(pack(value, type_) for value in values_)


def pack_structure(value: Any, name: str) -> bytes:
    structure = LAYOUT["structures"][name]
    if structure.get("is_bare"):
        return pack(value, structure["fields"][0]["type"])
    return b"".join(pack(value.get(field["name"]), field["type"]) for field in structure["fields"])


def pack_chosen(value: dict[str, Any], names: list[str]) -> bytes:
    return varint(names.index(value["type"])) + pack_structure(value["value"], value["type"])


def pack(value: Any, type_: dict[str, Any]) -> bytes:
    match type_["kind"]:
        case "int" | "uint":
            return pack_integer(value, type_["bits"], type_["kind"] == "int")
        case "bool":
            return bytes([value])
        case "time":
            seconds = datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()
            return pack_integer(int(seconds), 32, True)
        case "version":
            major, fork, revision = map(int, value.split("."))
            return pack_integer(major << 24 | fork << 16 | revision, 32, False)
        case "enum":
            return pack_integer(type_["names"].index(value), 64, True)
        case "string":
            data = str(value).encode()
            return varint(len(data)) + data
        case "bytes":
            return varint(len(value) // 2) + bytes.fromhex(value)
        case "fixed_bytes":
            return bytes.fromhex(value)
        case "public_key":
            return pack_key(value)
        case "symbol":
            return pack_symbol(value)
        case "asset":
            return pack_integer(value["amount"], 64, True) + pack_symbol(value)
        case "vector" | "set":
            return pack_members(value, type_["member"])
        case "map":
            return pack_members(value, {"kind": "pair", "members": [type_["key"], type_["value"]]})
        case "pair":
            return b"".join(pack(*pair) for pair in zip(value, type_["members"], strict=True))
        case "optional":
            return b"\0" if value is None else b"\1" + pack(value, type_["inner"])
        case "struct":
            return pack_structure(value, type_["name"])
        case "variant":
            return pack_chosen(value, type_["members"])
        case "operation":
            return pack_chosen(value, LAYOUT["operations"])
    raise AssertionError(type_)


# What it is compared with.


@pytest.mark.parametrize("cls", ALL_OPERATIONS.values(), ids=lambda cls: cls.wire_name)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_operations_pack_to_the_same_bytes(cls: type[Operation], data: st.DataObject) -> None:
    op = data.draw(values(CODEC.shape(cls), json_safe=True))
    shown = json.loads(json.dumps(CODEC.operation_to_json(op)))
    assert pack(shown, {"kind": "operation"}) == CODEC.encode_operation(op)


def test_a_transaction_is_signed_from_the_file_alone() -> None:
    made = Transaction.make(
        CODEC, ref_block_num=7, ref_block_prefix=8, expiration=1_600_000_000, operations=SAMPLES.values()
    )
    shown = json.loads(json.dumps(made.to_json(CODEC)))
    packed = pack_structure(shown, "transaction_fields")
    assert packed == made.packed
    key = PrivateKey.from_seed("layout")
    signature = sign_digest(hashlib.sha256(bytes.fromhex(LAYOUT["chain_id"]) + packed).digest(), key)
    sent = Transaction.from_bytes(CODEC, pack_structure(shown | {"signatures": [signature.hex()]}, "transaction"))
    assert sent.signers(STEEM_MAINNET.chain_id) == (key.public_key,)
    assert sent.id == made.id


def test_every_kind_is_told_in_words() -> None:
    used: set[str] = {"operation"}

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            used.update([part["kind"]] if isinstance(part.get("kind"), str) else [])
            part = list(part.values())
        if isinstance(part, list):
            for member in part:
                collect(member)

    collect(LAYOUT["structures"])
    assert used <= KINDS.keys() and KINDS.keys() - used <= {"pair", "varint"}


def test_a_shape_that_is_not_known_is_refused() -> None:
    class Odd(Shape):
        """A shape without a description."""

    with pytest.raises(TypeError, match="Odd has no description"):
        _describe(Odd(), {})
    book = ShapeBook(STEEM_MAINNET)
    with pytest.raises(TypeError, match="two structures are called transaction_fields"):
        _describe(book.shape(TransactionFields), {"transaction_fields": {}})
