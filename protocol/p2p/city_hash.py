"""The 128-bit hash that makes the initialisation vector of a connection's cipher from its shared secret.

It is CityHash 1.1 (CityMurmur, its way for 17 to 127 bytes behind the seed) with one difference: where CityHash pairs
two numbers as (low, high), the reference's 128-bit integer takes them as (high, low), so the halves of the seed are
swapped and a pair is folded from the other half. Source: libraries/fc/src/crypto/city.cpp;
libraries/fc/include/fc/uint128.hpp.
"""

from __future__ import annotations

from typing import Final

INPUT_BYTES_MIN: Final = 33
INPUT_BYTES_MAX: Final = 143
"""Maximum input of this path of CityHash; the only input is a secret of 64 bytes, so no other path is needed."""

_MASK: Final = 0xFFFFFFFFFFFFFFFF
_K0: Final = 0xC3A5C85C97CB3127
_K1: Final = 0xB492B66FBE98F273
_FOLD: Final = 0x9DDFEA08EB382D69


def city_hash_crc_128(data: bytes) -> bytes:
    """The 16 bytes of the hash: the high half, then the low half, each little-endian.

    Takes 33 to 143 bytes; raises ValueError for others.
    """
    if not INPUT_BYTES_MIN <= len(data) <= INPUT_BYTES_MAX:
        raise ValueError(f"{len(data)} bytes are not from {INPUT_BYTES_MIN} to {INPUT_BYTES_MAX}")
    seed, data = data[:16], data[16:]
    size, a, b = len(data), _word(seed, 8) + _K0, _word(seed, 0)
    c = _fold(_word(data, size - 8) + _K1, a)
    d = _fold(b + size, c + _word(data, size - 16))
    a += d
    for at in range(0, size - 16, 16):
        a = (a ^ _mix(_word(data, at) * _K1) * _K1) * _K1 & _MASK
        b ^= a
        c = (c ^ _mix(_word(data, at + 8) * _K1) * _K1) * _K1 & _MASK
        d ^= c
    a, b = _fold(a, c), _fold(d, b)
    return (a ^ b).to_bytes(8, "little") + _fold(b, a).to_bytes(8, "little")


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _mix(value: int) -> int:
    """Folds the upper bits of 64 into the lower ones."""
    value &= _MASK
    return value ^ value >> 47


def _fold(first: int, second: int) -> int:
    """64 bits of two; the second step takes the first number, where CityHash takes the second."""
    first &= _MASK
    a = _mix((second ^ first) * _FOLD)
    return _mix((first ^ a) * _FOLD) * _FOLD & _MASK
