"""Base58 text, as Bitcoin and Steem write keys and encrypted memos.

No error of this module repeats the text it was given, since that text may be a private key.
"""

from __future__ import annotations

import hashlib

from protocol.errors import Invalid

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
TEXT_CHARACTERS_MAX = 8192
"""Maximum length of base58 text. Conversion takes time quadratic in the length, so longer text is refused first."""

_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Returns the base58 text of `data`; every leading zero byte becomes a leading "1"."""
    number = int.from_bytes(data, "big")
    digits: list[str] = []
    while number:
        number, value = divmod(number, 58)
        digits.append(ALPHABET[value])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def decode(text: str) -> bytes:
    """Returns the bytes that base58 `text` stands for.

    Raises Invalid when the text is longer than TEXT_CHARACTERS_MAX or holds a character outside the alphabet.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Invalid(
            "", "base58 text of ${length} characters, at most ${max} allowed", length=len(text), max=TEXT_CHARACTERS_MAX
        )
    number = 0
    for position, character in enumerate(text):
        value = _VALUES.get(character)
        if value is None:
            raise Invalid("", "character ${position} of the text is not a base58 character", position=position)
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_check(payload: bytes) -> str:
    """Returns the base58 text of `payload` followed by the first 4 bytes of its double SHA-256."""
    return encode(payload + _double_sha256(payload)[:4])


def decode_check(text: str) -> bytes:
    """Returns the payload of base58 text that ends in a 4-byte check value.

    The check value is the start of the double or of the single SHA-256 of the payload; both occur in private
    keys. Source: key_conversion.cpp, wif_to_key. Raises Invalid.
    """
    data = decode(text)
    if len(data) < 4:
        raise Invalid("", "base58 text stands for ${length} bytes, too few for a check value", length=len(data))
    payload, check = data[:-4], data[-4:]
    if check not in (_double_sha256(payload)[:4], hashlib.sha256(payload).digest()[:4]):
        raise Invalid("", "the check value of the base58 text does not fit")
    return payload


def _double_sha256(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
