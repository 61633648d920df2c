"""The 128-bit hash that makes the initialisation vector of a connection's cipher.

It is CityHash 1.1 with one difference: where CityHash pairs two numbers as (low, high), the reference's 128-bit integer
takes them as (high, low), so the halves of the seed are swapped and the first step that folds a pair works on the other
half. Source: libraries/fc/src/crypto/city.cpp; libraries/fc/include/fc/uint128.hpp.
"""

from __future__ import annotations

from typing import Final

INPUT_BYTES_MAX: Final = 900
"""Above this the reference takes a different way, which nothing on the wire needs."""

_MASK: Final = 0xFFFFFFFFFFFFFFFF
_K0: Final = 0xC3A5C85C97CB3127
_K1: Final = 0xB492B66FBE98F273
_K2: Final = 0x9AE16A3B2F90404F
_FOLD: Final = 0x9DDFEA08EB382D69
_LONG_BYTES: Final = 128
"""From this length on the input is worked through in pieces."""


def city_hash_crc_128(data: bytes) -> bytes:
    """The 16 bytes of the hash: the high half, then the low half, each little-endian.

    Takes at most 900 bytes; raises ValueError for more.
    """
    if len(data) > INPUT_BYTES_MAX:
        raise ValueError(f"{len(data)} bytes are more than the maximum of {INPUT_BYTES_MAX}")
    if len(data) < 16:
        high, low = _hash_seeded(data, _K0, _K1)
    else:
        high, low = _hash_seeded(data[16:], _word(data, 0), _word(data, 8) + _K0 & _MASK)
    return high.to_bytes(8, "little") + low.to_bytes(8, "little")


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _half_word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _rotate(value: int, count: int) -> int:
    """Turns 64 bits to the right."""
    value &= _MASK
    return (value >> count | value << 64 - count) & _MASK


def _mix(value: int) -> int:
    """Folds the upper bits into the lower ones."""
    value &= _MASK
    return value ^ value >> 47


def _fold(first: int, second: int) -> int:
    """64 bits of two; the second step takes the first number, where CityHash takes the second."""
    first &= _MASK
    a = _mix((second ^ first) * _FOLD)
    return _mix((first ^ a) * _FOLD) * _FOLD & _MASK


def _fold_by(first: int, second: int, factor: int) -> int:
    """64 bits of two, as CityHash does it."""
    second &= _MASK
    a = _mix((first & _MASK ^ second) * factor)
    return _mix((second ^ a) * factor) * factor & _MASK


def _hash_short(data: bytes) -> int:
    """64 bits of at most 16 bytes."""
    size = len(data)
    factor = _K2 + 2 * size
    if size >= 8:
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        return _fold_by(_rotate(b, 37) * factor + a, (_rotate(a, 25) + b) * factor, factor)
    if size >= 4:
        return _fold_by(size + (_half_word(data, 0) << 3), _half_word(data, size - 4), factor)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _mix(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _hash_seeded(data: bytes, high: int, low: int) -> tuple[int, int]:
    """The high and low half of the hash under a seed of two halves."""
    return _hash_long(data, high, low) if len(data) >= _LONG_BYTES else _murmur(data, high, low)


def _murmur(data: bytes, high: int, low: int) -> tuple[int, int]:
    """The hash of fewer than 128 bytes (CityMurmur)."""
    size, a, b = len(data), low, high
    if size <= 16:
        a = _mix(a * _K1) * _K1
        c = b * _K1 + _hash_short(data)
        d = _mix(a + (_word(data, 0) if size >= 8 else c))
    else:
        c = _fold(_word(data, size - 8) + _K1, a)
        d = _fold(b + size, c + _word(data, size - 16))
        a += d
        for at in range(0, size - 16, 16):
            a = (a ^ _mix(_word(data, at) * _K1) * _K1) * _K1 & _MASK
            b ^= a
            c = (c ^ _mix(_word(data, at + 8) * _K1) * _K1) * _K1 & _MASK
            d ^= c
    a, b = _fold(a, c), _fold(d, b)
    return a ^ b, _fold(b, a)


def _weak_hash(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """Two numbers of 32 bytes and two seeds."""
    w, x, y, z = (_word(data, at + step) for step in (0, 8, 16, 24))
    a += w
    b = _rotate(b + a + z, 21)
    c = a
    a += x + y
    b += _rotate(a, 44)
    return a + z & _MASK, b + c & _MASK


def _hash_long(data: bytes, high: int, low: int) -> tuple[int, int]:
    """The hash of 128 bytes and more (CityHash128WithSeed): pieces of 64 bytes, then the rest from the end."""
    size = len(data)
    x, y, z = low, high, size * _K1
    v0 = _rotate(y ^ _K1, 49) * _K1 + _word(data, 0)
    v1 = _rotate(v0, 42) * _K1 + _word(data, 8)
    w0 = _rotate(y + z, 35) * _K1 + x
    w1 = _rotate(x + _word(data, 88), 53) * _K1
    whole = size - size % _LONG_BYTES
    for at in range(0, whole, 64):
        x = _rotate(x + y + v0 + _word(data, at + 8), 37) * _K1 ^ w1
        y = _rotate(y + v1 + _word(data, at + 48), 42) * _K1 + v0 + _word(data, at + 40)
        z = _rotate(z + w0, 33) * _K1
        v0, v1 = _weak_hash(data, at, v1 * _K1, x + w0)
        w0, w1 = _weak_hash(data, at + 32, z + w1, y + _word(data, at + 16))
        x, z = z & _MASK, x & _MASK
    x += _rotate(v0 + z, 49) * _K0
    y = y * _K0 + _rotate(w1, 37)
    z = z * _K0 + _rotate(w0, 27)
    w0, v0 = w0 * 9, v0 * _K0
    for done in range(32, size - whole + 32, 32):
        at = size - done
        y = _rotate(x + y, 42) * _K0 + v1
        w0 += _word(data, at + 16)
        x = x * _K0 + w0 & _MASK
        z += w1 + _word(data, at)
        w1 += v0
        v0, v1 = _weak_hash(data, at, v0 + z, v1)
        v0 = v0 * _K0 & _MASK
    x, y = _fold(x, v0), _fold(y + z, w0)
    return _fold(x + v1, w1) + y & _MASK, _fold(x + w1, y + v1)
