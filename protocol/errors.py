"""Errors of the protocol, with the numbers, names and texts that clients of the reference know.

Source: libraries/fc/include/fc/exception/exception.hpp (codes of fc), libraries/protocol exceptions.hpp and
libraries/chain database_exceptions.hpp (codes of the chain).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

JSON_NUMBER_MAX = 0xFFFFFFFF
"""Integers above this are written as JSON strings, as the reference does."""

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def _as_json_value(value: Any) -> Any:
    """Converts a captured value for JSON: bytes become hex, large integers become strings."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if value <= JSON_NUMBER_MAX else str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): _as_json_value(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        members = sorted(value) if isinstance(value, (set, frozenset)) else value
        return [_as_json_value(member) for member in members]
    return str(value)


def _as_text(value: Any) -> str:
    """Prints one captured value the way the reference prints it inside a message."""
    plain = _as_json_value(value)
    if isinstance(plain, str) and not isinstance(value, int):
        return plain
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def substitute(text: str, data: dict[str, Any]) -> str:
    """Replaces every ``${name}`` that ``data`` knows; an unknown one stays as it is.

    Source: libraries/fc/src/variant.cpp, format_string.
    """
    return _PLACEHOLDER.sub(lambda match: _as_text(data[match[1]]) if match[1] in data else match[0], text)


class ProtocolError(Exception):
    """A rule of the protocol was broken.

    ``assertion`` is the expression the reference asserts (or "" where it throws without one), ``text`` its sentence
    with ``${name}`` placeholders, ``data`` the captured values. ``context`` holds (format, data) of the outer frames
    that added something, innermost first. ``advice`` optionally tells the user what to do; the reference has no such
    field.
    """

    code: ClassVar[int] = 10
    name: ClassVar[str] = "assert_exception"
    what: ClassVar[str] = "Assert Exception"

    def __init__(self, assertion: str, text: str = "", /, **data: Any) -> None:
        super().__init__(assertion, text)
        self.assertion = assertion
        self.text = text
        self.data: dict[str, Any] = data
        self.context: list[tuple[str, dict[str, Any]]] = []
        self.advice: dict[str, Any] | None = None

    @property
    def format(self) -> str:
        """The unfilled message: the assertion and its text."""
        return f"{self.assertion}: {self.text}" if self.assertion else self.text

    @property
    def message(self) -> str:
        """The message as clients see it: the kind of error, a colon, and all filled formats one after another."""
        parts = [substitute(self.format, self.data)]
        parts += [substitute(text, data) for text, data in self.context if text]
        return f"{self.what}:{''.join(parts)}"

    @property
    def json_data(self) -> dict[str, Any]:
        """The captured values as JSON values."""
        return {key: _as_json_value(value) for key, value in self.data.items()}

    def explain(self, sentence: str) -> Self:
        """Adds a plain explanation next to the reference's text."""
        self.advice = {**(self.advice or {}), "explanation": sentence}
        return self

    def named(self, rule: str, /, **figures: str) -> Self:
        """Sets the machine-readable name of the broken rule, and the values its text needs in addition to ``data``."""
        self.advice = {**(self.advice or {}), "rule": rule, **figures}
        return self

    def add_context(self, text: str, /, **data: Any) -> None:
        """Appends the format and the values of an outer frame."""
        self.context.append((text, data))

    def __str__(self) -> str:
        return self.message


Declared = TypeVar("Declared", bound=type[ProtocolError])


def known_as(code: int, name: str, what: str) -> Callable[[Declared], Declared]:
    """Gives a class of errors the number, the name and the sentence by which clients of the reference know it."""

    def mark(cls: Declared) -> Declared:
        cls.code, cls.name, cls.what = code, name, what
        return cls

    return mark


class Invalid(ProtocolError):
    """Bytes or fields are invalid regardless of the state."""


@known_as(0, "exception", "unspecified")
class Unspecified(Invalid):
    """An error for which fc throws its base exception instead of a failed assertion.

    Source: libraries/fc/include/fc/exception/exception.hpp, exception.
    """


class Rejected(ProtocolError):
    """The operation, transaction or block is not valid in the current state."""


@known_as(13, "N5boost10wrapexceptISt12out_of_rangeEE", "unknown key")
class UnknownKey(Rejected):
    """Something that an operation names is not in the state; ``data`` says what was looked for.

    Source: database.cpp, database::get_comment and its like, whose std::out_of_range fc wraps.
    """

    def __init__(self, /, **data: Any) -> None:
        super().__init__("", "${what}: ", **data, what=self.what)
        self.explain_missing(data)

    def explain_missing(self, wanted: dict[str, Any]) -> Self:
        """Describes in one sentence the key that was not found."""
        named = [f"{name} {value}" for name, value in wanted.items() if isinstance(value, str | int)]
        return self.explain(f"there is nothing in the state with {' and '.join(named)}") if named else self


@known_as(
    13,
    "N5boost10wrapexceptISt11logic_errorEE",
    "could not insert object, most likely a uniqueness constraint was violated",
)
class NotUnique(Rejected):
    """Something with the same key exists already.

    Source: chainbase, generic_index::emplace, whose std::logic_error fc wraps.
    """

    def __init__(self, /, **data: Any) -> None:
        super().__init__("", "${what}: ", **data, what=self.what)


@known_as(3010000, "tx_missing_active_auth", "missing required active authority")
class MissingActiveAuthority(Rejected):
    """A required active authority is not satisfied by the signatures."""


@known_as(3020000, "tx_missing_owner_auth", "missing required owner authority")
class MissingOwnerAuthority(Rejected):
    """A required owner authority is not satisfied by the signatures."""


@known_as(3030000, "tx_missing_posting_auth", "missing required posting authority")
class MissingPostingAuthority(Rejected):
    """A required posting authority is not satisfied by the signatures."""


@known_as(3040000, "tx_missing_other_auth", "missing required other authority")
class MissingOtherAuthority(Rejected):
    """An authority written out in an operation is not satisfied by the signatures."""


@known_as(3050000, "tx_irrelevant_sig", "irrelevant signature included")
class IrrelevantSignature(Rejected):
    """A signature that no required authority needs."""


@known_as(3060000, "tx_duplicate_sig", "duplicate signature included")
class DuplicateSignature(Rejected):
    """Two signatures of one transaction belong to the same key."""


@known_as(4000000, "chain_exception", "blockchain exception")
class ChainError(Rejected):
    """The chain as a whole refuses."""


@known_as(4030000, "transaction_exception", "transaction validation exception")
class TransactionInvalid(ChainError):
    """A transaction breaks a rule of transactions."""


@known_as(4030100, "transaction_expiration_exception", "transaction expiration exception")
class TransactionExpired(TransactionInvalid):
    """The expiration of a transaction is past, or too far ahead."""


@known_as(4030200, "transaction_tapos_exception", "transaction tapos exception")
class TransactionTapos(TransactionInvalid):
    """The block that a transaction refers to is not in this chain."""


@known_as(4080000, "unlinkable_block_exception", "unlinkable block")
class BlockLinkError(ChainError):
    """A block's parent is unknown."""


@known_as(4090000, "unknown_hardfork_exception", "chain attempted to apply unknown hardfork")
class UnknownHardfork(ChainError):
    """The chain passed a hard fork that this node has no rules for."""


@known_as(4100000, "plugin_exception", "plugin exception")
class PluginRefused(ChainError):
    """A node's own policy refuses, for example resource credits."""


@known_as(4110000, "block_log_exception", "block log exception")
class BlockLogError(ChainError):
    """The block log can not be read or written as needed."""


class HistoryUnavailable(BlockLogError):
    """Account history is asked of a node that has none and lacks the blocks to make it from."""


@known_as(19, "overflow_exception", "Integer Overflow")
class IntegerOverflow(ProtocolError):
    """An integer left the range of its type.

    Source: libraries/fc/include/fc/safe.hpp and fc exception.hpp, overflow_exception.
    """


@known_as(20, "underflow_exception", "Integer Underflow")
class IntegerUnderflow(ProtocolError):
    """An integer left the range of its type at the lower end."""
