"""Other people's text made harmless, for terminals and logs.

What comes from a chain, a node or a peer may hold characters that command a terminal, turn the direction of writing,
take no room, or begin a new line. They are made visible as their code points; whatever else can be printed stays. And
what a person typed may be a private key in the wrong place: where texts repeat it, it is left out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from protocol import base58
from protocol.errors import Invalid
from protocol.hashes import ripemd160
from protocol.keys import PUBLIC_KEY_BYTES

_UNSAFE: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Categories of control, format and surrogate characters, and of those that part lines and paragraphs."""

_KEPT_IN_LINES: Final = frozenset("\n\t\u200c\u200d")
"""What a text of several lines needs: breaks, tabs, and the joiners that some scripts and emoji are written with."""

HIDDEN: Final = "(hidden: it may be a private key)"
_CHECK_BYTES: Final = 4
_LONG_WORD: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{40,100}(?![0-9A-Za-z])")
_RAW_SECRET: Final = re.compile(r"(?<!chain )(?<!id )(?<![0-9A-Za-z])[0-9a-fA-F]{64}(?![0-9A-Za-z])")


def clean(value: Any) -> str:
    """The text of a value on one line."""
    text = str(value)
    return text if text.isprintable() else "".join(map(_show, text))


def clean_lines(value: Any) -> str:
    """The text of a value, which may have several lines."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(letter if letter in _KEPT_IN_LINES else _show(letter) for letter in text)


def _show(letter: str) -> str:
    return f"<{ord(letter):x}>" if unicodedata.category(letter) in _UNSAFE else letter


def clean_json(text: str) -> str:
    """JSON text with the characters in question escaped: it says the same to a program."""
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(_escape(letter) if unicodedata.category(letter) in _UNSAFE else letter for letter in text)


def _escape(letter: str) -> str:
    if letter == "\n":
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2))


def hide_keys(text: str, *, raw: bool = False) -> str:
    """A text without what may be a private key: long words of the kind, but no public keys and no ids.

    With `raw` 64 hexadecimal digits are hidden, too, unless the text calls them the id of a chain.
    """
    shown = _LONG_WORD.sub(lambda match: HIDDEN if _may_be_key(match[0]) else match[0], text)
    return _RAW_SECRET.sub(HIDDEN, shown) if raw else shown


def _may_be_key(word: str) -> bool:
    """Whether a long word has small and capital letters and digits, as keys in text form have, and is no public key."""
    if word.lower() == word or word.upper() == word or word.isalpha():
        return False
    return not is_public_key(word)


def is_public_key(word: str) -> bool:
    """Whether a word is a public key in text form, of any chain."""
    for length in (49, 50, 51):
        try:
            data = base58.decode(word[-length:])
        except Invalid:
            return False
        key, check = data[:PUBLIC_KEY_BYTES], data[PUBLIC_KEY_BYTES:]
        if len(check) == _CHECK_BYTES and ripemd160(key)[:_CHECK_BYTES] == check and len(word) > length:
            return True
    return False
