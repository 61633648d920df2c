"""Reading bytes and JSON with a precise account of what is wrong and where.

All collections and strings have the named maxima below. Source: libraries/fc/include/fc/io/raw_fwd.hpp.
"""

from __future__ import annotations

from typing import Any

from protocol.errors import Invalid

STRING_BYTES_MAX = 10 * 1024 * 1024 - 1
"""Maximum length of a string or byte vector (the reference's MAX_ARRAY_ALLOC_SIZE, exclusive)."""
COLLECTION_MEMORY_BYTES = 10 * 1024 * 1024
"""Upper bound of the memory that the members of a collection take in the reference (its MAX_ARRAY_ALLOC_SIZE)."""
MEMBERS_MAX = COLLECTION_MEMORY_BYTES // 8
"""Maximum number of members of any collection."""
DEPTH_MAX = 20
"""How deep types may nest (the reference's MAX_RECURSION_DEPTH). A declaration that nests deeper is refused."""
VARINT_BYTES_MAX = 5


class Malformed(Exception):
    """Input that does not match its type. Each enclosing type prepends a step to ``path`` while it propagates."""

    def __init__(self, why: str, offset: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.offset = offset
        self.path: list[str] = []
        self.cause: Invalid | None = None

    def add_step(self, step: str | int) -> None:
        """Prepends an enclosing field, or a position in a collection, to the path."""
        self.path.append(step if isinstance(step, str) else f"[{step}]")

    def as_invalid(self, type_name: str) -> Invalid:
        """The error for the caller: what was read, where and why not."""
        where = type_name
        for step in reversed(self.path):
            where += step if step.startswith("[") else f".{step}"
        if self.cause is not None:
            self.cause.data.setdefault("where", where)
            return self.cause
        if self.offset is None:
            return Invalid("", "invalid ${where}: ${why}", where=where, why=self.why)
        text = "cannot decode ${where} at offset ${offset}: ${why}"
        return Invalid("", text, where=where, offset=self.offset, why=self.why)


class Reader:
    """Bytes and a position; every read checks that the bytes are there.

    ``is_canonical`` becomes False when a value was read from bytes other than its own encoding.
    """

    __slots__ = ("data", "is_canonical", "position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position
        self.is_canonical = True

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        end = self.position + size
        if end > len(self.data):
            missing = end - len(self.data)
            raise Malformed(f"the data ends {missing} bytes too early", self.position)
        part = self.data[self.position : end]
        self.position = end
        return part

    def varint(self) -> int:
        """An unsigned integer of 32 bits in groups of 7, lowest first.

        As in the reference, the fifth byte is the last one whatever its high bit, bits above the 32nd are dropped, and
        leading zero groups are allowed. Source: fc/io/raw.hpp, unpack of unsigned_int.
        """
        value = 0
        for shift in range(0, 7 * VARINT_BYTES_MAX, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        if byte >= 0x80 or value > 0xFFFFFFFF or (byte == 0 and shift):
            self.is_canonical = False
        return value & 0xFFFFFFFF

    def count(self, maximum: int, what: str) -> int:
        """A length, checked against a maximum."""
        start = self.position
        value = self.varint()
        if value > maximum:
            raise Malformed(f"{value} {what} are more than the maximum of {maximum}", start)
        return value


def pack_varint(value: int) -> bytes:
    """The shortest form of an unsigned integer of at most 32 bits in 7-bit groups, lowest first."""
    if not 0 <= value <= 0xFFFFFFFF:
        raise Malformed(f"{value} does not fit a variable-length integer")
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


VARINT_TABLE_SIZE = 1 << 14
VARINT_TABLE = tuple(pack_varint(value) for value in range(VARINT_TABLE_SIZE))
"""The packed form of every integer that takes at most two bytes."""


def unpack_varint(data: bytes, position: int) -> tuple[int, int]:
    """The integer at ``position``, in its shortest form, and the position behind it; raises one of FAST_PATH_ERRORS."""
    byte = data[position]
    if byte < 0x80:
        return byte, position + 1
    second = data[position + 1]
    if 0 < second < 0x80:
        return byte & 0x7F | second << 7, position + 2
    reader = Reader(data, position)
    value = reader.varint()
    if not reader.is_canonical:
        raise Malformed("the variable-length integer is not in its shortest form", position)
    return value, reader.position


def json_int(value: Any, low: int, high: int) -> int:
    """An integer from JSON: a number, a text with digits, a float without fraction, a bool, or null for zero."""
    if type(value) is not int:
        if isinstance(value, str):
            digits = value[1:] if value[:1] in ("-", "+") else value
            if not (digits.isascii() and digits.isdigit() and len(digits) <= 40):
                raise Malformed(f"{value[:60]!r} is not an integer")
            value = int(value)
        elif isinstance(value, float):
            if not value.is_integer():
                raise Malformed(f"{value!r} is not an integer")
            value = int(value)
        elif value is None:
            value = 0
        elif isinstance(value, int):
            value = int(value)
        else:
            raise Malformed(f"an integer is needed, not {_kind(value)}")
    if not low <= value <= high:
        raise Malformed(f"{value} is outside of {low} to {high}")
    return int(value)


def json_text(value: Any) -> str:
    """A text from JSON; numbers and booleans become their text, null becomes the empty text."""
    if not isinstance(value, str):
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None:
            return ""
        if isinstance(value, int):
            return str(value)
        raise Malformed(f"a string is needed, not {_kind(value)}")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise Malformed("the string holds half of a surrogate pair") from None
    return value


def json_list(value: Any) -> list[Any] | tuple[Any, ...]:
    """An array from JSON."""
    if not isinstance(value, (list, tuple)):
        raise Malformed(f"an array is needed, not {_kind(value)}")
    if len(value) > MEMBERS_MAX:
        raise Malformed(f"{len(value)} members are more than the maximum of {MEMBERS_MAX}")
    return value


def json_hex(value: Any) -> bytes:
    """Bytes from a JSON text of hexadecimal digits."""
    text = json_text(value)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Malformed("the string is not made of pairs of hexadecimal digits") from None


def _kind(value: Any) -> str:
    """The JSON name of a value's kind, for messages."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "an array"
    return {"NoneType": "null", "str": "a string", "bool": "a boolean"}.get(type(value).__name__, "a number")
