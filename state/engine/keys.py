"""Order-preserving encoding of key tuples: the order of the bytes is the order of the Python tuples.

Components are int (up to 256 bits, signed), str, bytes and bool (stored as the int 0 or 1). An encoded component
delimits itself and starts with a tag below 0xFF, so all keys that begin with a tuple lie in the range
``[encode_key(t), encode_key(t) + b"\\xff")``; ``TOP`` as the last component writes that 0xFF.

- int: tag 0x80 + n (negative: 0x80 - n), then the magnitude in n bytes, big-endian (negative: complemented).
- str: tag 0x02, UTF-8, then 0x00; bytes: tag 0x01, the bytes, then 0x00; a zero byte inside is written 0x00 0xFF.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from state.engine.errors import SchemaError

INT_BYTES_MAX: Final = 32
_ZERO_TAG: Final = 0x80
_POSITIVE: Final = tuple(bytes([_ZERO_TAG + n]) for n in range(INT_BYTES_MAX + 1))
_NEGATIVE: Final = tuple(bytes([_ZERO_TAG - n]) for n in range(INT_BYTES_MAX + 1))


class _Top:
    """A component greater than every other, for the upper end of a range."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return False

    def __le__(self, other: object) -> bool:
        return other is self

    def __gt__(self, other: object) -> bool:
        return other is not self

    def __ge__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "TOP"


TOP: Final = _Top()


def encode_int(value: int) -> bytes:
    """Encodes one integer; raises SchemaError beyond 256 bits."""
    size = (value.bit_length() + 7) >> 3
    if size > INT_BYTES_MAX:
        raise SchemaError(
            f"an integer in a key has at most {INT_BYTES_MAX * 8} bits, this one has {value.bit_length()}"
        )
    if value >= 0:
        return _POSITIVE[size] + value.to_bytes(size, "big")
    return _NEGATIVE[size] + (value + (1 << (8 * size)) - 1).to_bytes(size, "big")


def encode_text(value: str) -> bytes:
    """Encodes one string."""
    data = value.encode("utf-8", "surrogatepass")
    return b"\x02" + (data.replace(b"\x00", b"\x00\xff") if 0 in data else data) + b"\x00"


def encode_bytes(value: bytes) -> bytes:
    """Encodes one string of bytes."""
    return b"\x01" + (value.replace(b"\x00", b"\x00\xff") if 0 in value else value) + b"\x00"


_ENCODERS: Final[dict[type | None, Callable[[Any], bytes]]] = {
    str: encode_text,
    bytes: encode_bytes,
    int: encode_int,
    bool: encode_int,
}


def encode_component(value: Any) -> bytes:
    """Encodes one component; raises SchemaError for a type that keys cannot hold."""
    encode = _ENCODERS.get(type(value))
    if encode is not None:
        return encode(value)
    if value is TOP:
        return b"\xff"
    if isinstance(value, int):
        return encode_int(int(value))
    raise SchemaError(f"a key cannot hold a {type(value).__name__}: {value!r}")


def encode_key(key: tuple[Any, ...]) -> bytes:
    """Encodes a tuple so that bytes compare as the tuples do; a shorter tuple sorts before its extensions."""
    return b"".join([_ENCODERS.get(type(component), encode_component)(component) for component in key])


def build_encoder(prefix: bytes, kinds: tuple[type | None, ...], is_plain: bool = False) -> Callable[[Any], bytes]:
    """Builds a faster ``encode_key`` with a prefix, for tuples of these types; None means any type.

    With ``is_plain`` the key is the only component itself.
    """
    known: dict[str, Any] = {"prefix": prefix}
    terms = ["prefix"]
    for place, kind in enumerate(kinds):
        known[f"encode{place}"] = _ENCODERS.get(kind, encode_component)
        terms.append(f"encode{place}(key)" if is_plain else f"encode{place}(key[{place}])")
    encoder: Callable[[Any], bytes] = eval(f"lambda key: {' + '.join(terms)}", known)
    return encoder


def _decode_string(data: bytes, position: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    while True:
        end = data.index(0, position)
        parts.append(data[position:end])
        if data[end + 1 : end + 2] != b"\xff":
            return b"\x00".join(parts), end + 1
        position = end + 2


def decode_key(data: bytes) -> tuple[Any, ...]:
    """Decodes the result of encode_key (a bool becomes an int); raises SchemaError for other bytes."""
    values: list[Any] = []
    position = 0
    try:
        while position < len(data):
            tag = data[position]
            position += 1
            if tag in (1, 2):
                raw, position = _decode_string(data, position)
                values.append(raw.decode("utf-8", "surrogatepass") if tag == 2 else raw)
                continue
            size = abs(tag - _ZERO_TAG)
            if size > INT_BYTES_MAX or position + size > len(data):
                raise ValueError(f"tag {tag} at {position - 1}")
            number = int.from_bytes(data[position : position + size], "big")
            values.append(number if tag >= _ZERO_TAG else number - (1 << (8 * size)) + 1)
            position += size
    except ValueError as error:
        raise SchemaError(f"not an encoded key: {data.hex()}") from error
    return tuple(values)
