"""Passwords of key files: Unicode normalization, and detection of weak ones."""

from __future__ import annotations

import unicodedata
from typing import Final

LENGTH_GOOD: Final = 12
DIFFERENT_GOOD: Final = 6
_RUN: Final = 4
_COMMON: Final = ("password", "passwort", "passw0rd", "letmein", "welcome", "secret", "wallet", "steem", "plaudit")
_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm")


def normalize_password(password: str) -> str:
    """Normalizes a password (NFC), since systems encode the same letter in several ways."""
    return unicodedata.normalize("NFC", password)


def list_forms(password: str) -> tuple[str, ...]:
    """Returns the forms of a password with which a file may be encrypted, the usual one first.

    Earlier versions used a password as typed, composed or decomposed.
    """
    forms = (normalize_password(password), password, unicodedata.normalize("NFD", password))
    return tuple(dict.fromkeys(forms))


def find_weakness(password: str) -> str:
    """Returns why a password is weak against offline guessing, or an empty text.

    Common words and rows of keys do not count towards its length.
    """
    plain = password.lower()
    for word in _COMMON:
        plain = plain.replace(word, word[0])
    rest = _drop_rows(plain)
    if len(set(rest)) < DIFFERENT_GOOD:
        return "it has few different characters besides well-known words and rows of keys"
    if len(rest) < LENGTH_GOOD:
        return f"it is short: less than {LENGTH_GOOD} characters besides well-known words and rows of keys"
    if rest.isdecimal() and len(rest) < 2 * LENGTH_GOOD:
        return "it has nothing but digits"
    return ""


def _drop_rows(text: str) -> str:
    """Reduces each sequence of a keyboard row or the alphabet, in either direction, to its first letter."""
    kept = []
    at = 0
    while at < len(text):
        kept.append(text[at])
        at += _count_row(text, at)
    return "".join(kept)


def _count_row(text: str, at: int) -> int:
    """Returns the length of the sequence of a keyboard row from here on; 1 if it is shorter than four."""
    longest = 1
    for row in _ROWS:
        for line in (row, row[::-1]):
            count = 1
            while line.find(text[at : at + count + 1]) >= 0 and at + count < len(text):
                count += 1
            longest = max(longest, count)
    return longest if longest >= _RUN else 1
