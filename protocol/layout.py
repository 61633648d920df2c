"""The wire layout as data: all a program in any language needs to serialise and sign what a node shows as JSON.

Everything is derived from the shapes of the codec. A type is an object with its ``kind`` and that kind's parameters;
``kinds`` describes how each is packed. Structures are named, and listed in ``structures`` with their fields in order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from protocol import shapes
from protocol.assets import nai_string
from protocol.codec import Codec
from protocol.composites import AnyOperation, Choice, Maybe, Pair, Sequence, Structure
from protocol.operation import OPERATIONS, Operation
from protocol.shapes import Shape
from protocol.transaction import SignedTransactionFields, TransactionFields
from protocol.wire import STRING_BYTES_MAX

KINDS: Final = {
    "asset": "The amount as int, 64 bits, then the symbol. JSON: {amount (text), precision, nai}.",
    "bool": "One byte, 0 or 1.",
    "bytes": "The number of bytes as varint, then the bytes. JSON: hexadecimal text.",
    "enum": "The place in `names` as int, 64 bits. JSON: the name.",
    "fixed_bytes": "`size` bytes as they are. JSON: hexadecimal text.",
    "int": "Two's complement, `bits` wide, little-endian. JSON: a number, or text above 4294967295.",
    "map": "The number of pairs as varint, then each key and value, keys ascending. JSON: a list of [key, value].",
    "operation": "As variant, the members being `operations`.",
    "optional": "One byte 0 if it is absent in JSON, else one byte 1 and the value.",
    "pair": "The two values. JSON: a list of two.",
    "public_key": "33 bytes. JSON: `address_prefix` and the base58 of the bytes and the first 4 of their ripemd160.",
    "set": "As vector, members ascending.",
    "string": "The number of bytes as varint, then UTF-8; at most `max` bytes.",
    "struct": "The fields of the structure `name`, in order. JSON: an object, or the one field's value if `is_bare`.",
    "symbol": "The 8 bytes that `symbols` has for its nai. Else 4 bytes, little-endian: the digits of the nai without "
    "@@ and the last one, shifted left by 5, and 16, and the precision. JSON: {nai, precision}.",
    "time": "Seconds since 1970 as int, 32 bits. JSON: YYYY-MM-DDTHH:MM:SS in UTC.",
    "uint": "Unsigned, `bits` wide, little-endian; of 128 bits the upper 64 come first. JSON: as int.",
    "varint": "Unsigned: 7 bits a byte, the lowest first; bit 7 is set in all bytes but the last.",
    "variant": "The place in `members` as varint, then the member. JSON: {type (its name), value}.",
    "vector": "The number of members as varint, then each. JSON: a list.",
    "version": "Major << 24 | hard fork << 16 | revision as uint, 32 bits. JSON: the three numbers with dots.",
}
"""How values of each kind are packed."""

SIGNING: Final = (
    "A signature is over sha256(chain id + the packed transaction_fields): secp256k1, compact, 65 bytes, the first 31 "
    "and the recovery number, canonical (the highest bits of r and s clear, and none of both padded)."
)


@lru_cache(maxsize=4)
def export_layout(codec: Codec) -> dict[str, Any]:
    """The layout of every operation and of transactions, with the names that are the chain's own."""
    identity = codec.identity
    structures: dict[str, Any] = {}
    for declared in (Operation, TransactionFields, SignedTransactionFields):
        _describe(codec.shape(declared), structures)
    packed = sorted((nai_string(symbol), data.hex()) for symbol, data in identity.symbol_bytes.items())
    return {
        "chain_id": identity.chain_id.hex(),
        "address_prefix": identity.address_prefix,
        "symbols": dict(packed),
        "signing": SIGNING,
        "kinds": KINDS,
        "operations": [_name(codec.fields(cls)) for _number, cls in sorted(OPERATIONS.items())],
        "structures": dict(sorted(structures.items())),
    }


def _describe(shape: Shape, structures: dict[str, Any]) -> dict[str, Any]:
    """The type of a shape; adds nested structures to ``structures``. Raises TypeError for an unknown shape."""
    match shape:
        case Structure():
            _add_structure(shape, structures)
            return {"kind": "struct", "name": _name(shape)}
        case AnyOperation():
            for cls in OPERATIONS.values():
                _describe(shape.resolve(cls), structures)
            return {"kind": "operation"}
        case Choice(members=members):
            return {"kind": "variant", "members": [_describe(member, structures)["name"] for member in members]}
        case Sequence(member=Pair(first=key, second=value), is_sorted=True):
            return {"kind": "map", "key": _describe(key, structures), "value": _describe(value, structures)}
        case Sequence(member=member, is_sorted=is_sorted):
            return {"kind": "set" if is_sorted else "vector", "member": _describe(member, structures)}
        case Pair(first=first, second=second):
            return {"kind": "pair", "members": [_describe(first, structures), _describe(second, structures)]}
        case Maybe(inner=inner):
            return {"kind": "optional", "inner": _describe(inner, structures)}
    return _describe_simple(shape)


def _name(shape: Structure) -> str:
    return f"{shape.name}_operation" if issubclass(shape.cls, Operation) else shape.name


def _add_structure(shape: Structure, structures: dict[str, Any]) -> None:
    described: dict[str, Any] = {"fields": []}
    if shape.bare:
        described["is_bare"] = True
    for field in shape.fields:
        described["fields"].append({"name": field.json_name, "type": _describe(field.shape, structures)})
    if structures.setdefault(_name(shape), described) != described:
        raise TypeError(f"two structures are called {_name(shape)}")


def _describe_simple(shape: Shape) -> dict[str, Any]:
    match shape:
        case shapes.Boolean():
            return {"kind": "bool"}
        case shapes.Moment():
            return {"kind": "time"}
        case shapes.VersionNumber():
            return {"kind": "version"}
        case shapes.Enumeration(names=names):
            return {"kind": "enum", "names": list(names)}
        case shapes.Integer(bits=bits, signed=signed):
            return {"kind": "int" if signed else "uint", "bits": bits}
        case shapes.WideInteger():
            return {"kind": "uint", "bits": 128}
        case shapes.Key():
            return {"kind": "public_key"}
        case shapes.FixedBytes(size=size):
            return {"kind": "fixed_bytes", "size": size}
        case shapes.Text(maximum=maximum):
            return {"kind": "string"} | ({"max": maximum} if maximum < STRING_BYTES_MAX else {})
        case shapes.Blob():
            return {"kind": "bytes"}
        case shapes.SymbolShape():
            return {"kind": "symbol"}
        case shapes.AssetShape():
            return {"kind": "asset"}
    raise TypeError(f"{type(shape).__name__} has no description")
