"""Passwords of key files: one form for what looks the same, and a word about those that are easily guessed."""

from __future__ import annotations

import unicodedata
from typing import Final

LENGTH_GOOD: Final = 12
DIFFERENT_GOOD: Final = 6
_RUN: Final = 4
_COMMON: Final = ("password", "passwort", "passw0rd", "letmein", "welcome", "secret", "wallet", "steem", "plaudit")
_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm")


def normalize_password(password: str) -> str:
    """A password in the one form that is encrypted with: systems type the same letter in several ways (NFC)."""
    return unicodedata.normalize("NFC", password)


def list_forms(password: str) -> tuple[str, ...]:
    """The forms in which a file may have been encrypted with a password, the usual one first.

    Files of earlier versions hold a password as it was typed, composed or decomposed.
    """
    forms = (normalize_password(password), password, unicodedata.normalize("NFD", password))
    return tuple(dict.fromkeys(forms))


def find_weakness(password: str) -> str:
    """Why a password is easily guessed by who has a copy of the file; empty if nothing is seen.

    What is left after well-known words and rows of keys is what counts for its length.
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
    """A text with each piece of a row of keys or of the alphabet, forwards or backwards, as its first letter."""
    kept = []
    at = 0
    while at < len(text):
        kept.append(text[at])
        at += _count_row(text, at)
    return "".join(kept)


def _count_row(text: str, at: int) -> int:
    """How many characters from here on follow each other in a row of keys; 1 if they are less than four."""
    longest = 1
    for row in _ROWS:
        for line in (row, row[::-1]):
            count = 1
            while line.find(text[at : at + count + 1]) >= 0 and at + count < len(text):
                count += 1
            longest = max(longest, count)
    return longest if longest >= _RUN else 1
