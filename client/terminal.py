"""Other people's text made harmless, for terminals and logs.

What comes from a chain, a node or a peer may hold characters that command a terminal, turn the direction of writing,
take no room, or begin a new line. They are made visible as their code points; whatever else can be printed stays.
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

_UNSAFE: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Categories of control, format and surrogate characters, and of those that part lines and paragraphs."""

_KEPT_IN_LINES: Final = frozenset("\n\t\u200c\u200d")
"""What a text of several lines needs: breaks, tabs, and the joiners that some scripts and emoji are written with."""


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
