"""Bytes and JSON of every declared type, for one chain.

``Codec(identity)`` knows the chain's symbols and key prefix. Decoding is total: any bytes give a value or ``Invalid``,
which says the type, the field, the offset and what is wrong there. Encoding a decoded value gives the same bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from protocol.codec_generate import FAST_PATH_ERRORS, Decode, Encode, Generator
from protocol.codec_source import Filled
from protocol.composites import ShapeBook, Structure
from protocol.errors import Invalid
from protocol.identity import ChainIdentity
from protocol.operation import Operation
from protocol.shapes import Shape
from protocol.wire import Malformed, Reader


class Codec:
    """Encodes, decodes and renders values of declared types. Functions are generated at the first use of a type."""

    def __init__(self, identity: ChainIdentity) -> None:
        self.identity = identity
        self.book = ShapeBook(identity)
        self.generator = Generator(self.book)
        self._encoders: dict[Any, Encode] = Filled(lambda declared: self.generator.encoder(self.shape(declared)))
        self._decoders: dict[Any, Decode] = Filled(lambda declared: self.generator.decoder(self.shape(declared)))

    def shape(self, declared: Any) -> Shape:
        """The layout of a declared type."""
        return self.book.shape(declared)

    def encode(self, declared: Any, value: Any) -> bytes:
        """Packs a value; raises Invalid for one that does not fit the type."""
        encoder = self._encoders[declared]
        try:
            return encoder(value)
        except FAST_PATH_ERRORS:
            return self.encode_slowly(declared, value)

    def encode_slowly(self, declared: Any, value: Any) -> bytes:
        """Packs a value field by field: the oracle of ``encode``, and its way to say what is wrong."""
        out, shape = bytearray(), self.shape(declared)
        try:
            shape.write(value, out)
        except Malformed as error:
            raise error.as_invalid(type_name(declared)) from None
        except (AttributeError, TypeError, ValueError) as error:
            raise Invalid("", "invalid ${where}: ${why}", where=type_name(declared), why=str(error)) from error
        return bytes(out)

    def decode(self, declared: Any, data: bytes) -> Any:
        """Decodes ``data`` as a whole; raises Invalid for malformed bytes and for bytes left over."""
        decoder = self._decoders[declared]
        try:
            value, end = decoder(data, 0)
        except FAST_PATH_ERRORS:
            return self.decode_slowly(declared, data)
        return value if end == len(data) else self.decode_slowly(declared, data)

    def decode_slowly(self, declared: Any, data: bytes) -> Any:
        """Decodes field by field: the oracle of ``decode``, and its way to say what is wrong."""
        value, end = self.read_slowly(declared, data, 0)
        if end != len(data):
            error = Malformed(f"{len(data) - end} bytes are left over", end)
            raise error.as_invalid(type_name(declared))
        return value

    def read(self, declared: Any, data: bytes, position: int) -> tuple[Any, int]:
        """The value that starts at ``position`` and the position behind it; raises Invalid."""
        decoder = self._decoders[declared]
        try:
            value, end = decoder(data, position)
        except FAST_PATH_ERRORS:
            return self.read_slowly(declared, data, position)
        return (value, end) if end <= len(data) else self.read_slowly(declared, data, position)

    def read_slowly(self, declared: Any, data: bytes, position: int) -> tuple[Any, int]:
        """Like ``read``, field by field."""
        reader = Reader(data, position)
        try:
            return self.shape(declared).read(reader), reader.position
        except Malformed as error:
            raise error.as_invalid(type_name(declared)) from None

    def to_json(self, declared: Any, value: Any, legacy: bool = False) -> Any:
        """The JSON form: "1.000 STEEM" and ["transfer", {...}] if ``legacy``, else NAI objects and typed objects."""
        return self.generator.show(self.shape(declared), legacy)(value)

    def from_json(self, declared: Any, data: Any) -> Any:
        """The value of either JSON form; raises Invalid, whose data name the field under "where"."""
        try:
            return self.shape(declared).from_json(data)
        except Malformed as error:
            raise error.as_invalid(type_name(declared)) from None
        except RecursionError:
            raise Invalid("", "invalid ${where}: nested too deeply", where=type_name(declared)) from None

    def json_schema(self, declared: Any) -> dict[str, Any]:
        """The JSON schema of the form with NAI objects."""
        return self.shape(declared).schema()

    def encode_operation(self, op: Operation) -> bytes:
        """Packs an operation with its number."""
        return self.encode(Operation, op)

    def decode_operation(self, data: bytes) -> Operation:
        """The operation of exactly these bytes; raises Invalid."""
        op: Operation = self.decode(Operation, data)
        return op

    def operation_to_json(self, op: Operation, legacy: bool = False) -> Any:
        """["transfer", {...}] if ``legacy``, else {"type": "transfer_operation", "value": {...}}."""
        return self.to_json(Operation, op, legacy)

    def operation_from_json(self, data: Any) -> Operation:
        """The operation of either JSON form; its name may be short, long or a number. Raises Invalid."""
        op: Operation = self.from_json(Operation, data)
        return op

    def fields(self, declared: type) -> Structure:
        """The fields of a declared class: names, layouts, defaults and descriptions."""
        shape = self.shape(declared)
        if not isinstance(shape, Structure):
            raise TypeError(f"{declared!r} has no fields")
        return shape


def type_name(declared: Any) -> str:
    """What messages call a type."""
    stated = getattr(declared, "wire_name", None)
    if isinstance(stated, str):
        return stated
    if declared is Operation:
        return "operation"
    return getattr(declared, "__name__", None) or str(declared)


@lru_cache(maxsize=64)
def codec_for(identity: ChainIdentity) -> Codec:
    """The codec of a chain; the same object for equal identities."""
    return Codec(identity)
