"""Redaction of private keys in texts that repeat user input."""

from __future__ import annotations

import re
from typing import Final

from protocol import base58
from protocol.errors import Invalid
from protocol.hashes import ripemd160
from protocol.keys import NULL_KEY, PUBLIC_KEY_BYTES, encode_public_key

HIDDEN: Final = "(hidden: it may be a private key)"
WORDS_MAX: Final = 50
"""Maximum number of key-like words that are checked; that takes time, so further ones are hidden unchecked."""

_NULL_KEY_TEXT: Final = encode_public_key(NULL_KEY, "")
_CHECK_BYTES: Final = 4
_PRIVATE_KEY_VERSION: Final = b"\x80"
_LONG_WORD: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{40,100}(?![0-9A-Za-z])")
_RAW_SECRET: Final = re.compile(r"(?<!chain )(?<!id )(?<![0-9A-Za-z])[0-9a-fA-F]{64}(?![0-9A-Za-z])")


def hide_keys(text: str, *, raw: bool = False) -> str:
    """Redacts words that may be private keys, but keeps public keys and ids.

    With `raw` 64 hexadecimal digits are hidden, too, unless the text calls them the id of a chain.
    """
    looked_at = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal looked_at
        if not _looks_like_key(match[0]):
            return match[0]
        looked_at += 1
        return match[0] if looked_at <= WORDS_MAX and is_public_key(match[0]) else HIDDEN

    shown = _LONG_WORD.sub(replace, text)
    return _RAW_SECRET.sub(HIDDEN, shown) if raw else shown


def _looks_like_key(word: str) -> bool:
    """Whether a long word mixes small letters, capital letters and digits, as keys in text form do."""
    return not (word.lower() == word or word.upper() == word or word.isalpha())


def has_private_key(text: str) -> bool:
    """Whether a text contains a private key in wallet import format, or a master password derived from one."""
    return any(_is_private_key(match[0]) or _is_private_key(match[0][1:]) for match in _LONG_WORD.finditer(text))


def _is_private_key(word: str) -> bool:
    try:
        return base58.decode_check(word)[:1] == _PRIVATE_KEY_VERSION
    except Invalid:
        return False


def is_public_key(word: str) -> bool:
    """Whether a word is a public key in text form, of any chain."""
    if word.endswith(_NULL_KEY_TEXT):
        return True
    for length in (50, 49, 51):
        try:
            data = base58.decode(word[-length:])
        except Invalid:
            return False
        key, check = data[:PUBLIC_KEY_BYTES], data[PUBLIC_KEY_BYTES:]
        if len(check) == _CHECK_BYTES and ripemd160(key)[:_CHECK_BYTES] == check and len(word) > length:
            return True
    return False
