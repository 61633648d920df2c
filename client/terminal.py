"""Sanitizing of untrusted texts for terminals and logs.

Texts from a chain, a node or a peer may contain control characters, bidirectional overrides, invisible characters or
line breaks. These are shown as code points; all other printable characters are kept.
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

_UNSAFE: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Unicode categories of control, format and surrogate characters, and of line and paragraph separators."""

_KEPT_IN_LINES: Final = frozenset("\n\t\u200c\u200d")
"""Characters kept in multi-line texts: line breaks, tabs, and the joiners needed by some scripts and emoji."""


def clean(value: Any) -> str:
    """Returns the text of a value on one line."""
    text = str(value)
    return text if text.isprintable() else "".join(map(_show, text))


def clean_lines(value: Any) -> str:
    """Returns the text of a value, possibly of several lines."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(letter if letter in _KEPT_IN_LINES else _show(letter) for letter in text)


def _show(letter: str) -> str:
    return f"<{ord(letter):x}>" if unicodedata.category(letter) in _UNSAFE else letter


def clean_json(text: str) -> str:
    """Returns equivalent JSON with these characters escaped."""
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(_escape(letter) if unicodedata.category(letter) in _UNSAFE else letter for letter in text)


def _escape(letter: str) -> str:
    if letter == "\n":
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2))
