"""Text forms of private keys, and recognition of other secrets and keys given by mistake."""

from __future__ import annotations

from typing import Final

from client.errors import UsageError
from protocol import base58
from protocol.errors import Invalid
from protocol.keys import PrivateKey
from protocol.secrecy import is_public_key

_VERSION: Final = b"\x80"
_COMPRESSED: Final = b"\x01"
_SECRET_BYTES: Final = 32
FORMS: Final = "It begins with 5, K or L and has 51 or 52 characters."


def read_private_key(text: str) -> PrivateKey:
    """Reads a private key in wallet import format, for uncompressed (5...) or compressed public keys (K..., L...).

    Both encode the same secret; public keys of this protocol are always compressed. Raises UsageError that says what
    the text seems to be, without repeating it.
    """
    word = "".join(text.split())
    try:
        payload = base58.decode_check(word)
    except Invalid:
        payload = b""
    if payload[:1] == _VERSION and payload[1 + _SECRET_BYTES :] in (b"", _COMPRESSED):
        try:
            return PrivateKey(payload[1 : 1 + _SECRET_BYTES])
        except Invalid:
            pass
    raise UsageError("this is not a private key in wallet import format", _find_hint(text, word))


def _find_hint(text: str, word: str) -> str:
    if is_public_key(word):
        return f"It is a public key, which signs nothing: the private key that belongs to it is needed. {FORMS}"
    if word[:1] == "P" and _is_wif(word[1:]):
        return "It is a master password: `plaudit wallet keys password ACCOUNT` makes the keys out of it."
    if len(text.split()) >= 8:
        return "It seems to be a brain key: `plaudit wallet keys brain` makes the key out of it."
    return f"{FORMS} For a password use `plaudit wallet keys password`."


def _is_wif(word: str) -> bool:
    try:
        PrivateKey.from_wif(word)
    except Invalid:
        return False
    return True
