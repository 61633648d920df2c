"""Errors of node clients, with cause and remedy."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

EXIT_FAILED = 1
EXIT_USAGE = 2


class ClientError(Exception):
    """A command failed. `cause` says why, `remedy` how to fix it (may be empty)."""

    exit_code = EXIT_FAILED

    def __init__(self, cause: str, remedy: str = "", node_message: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.node_message = node_message
        self.signed: SignedTransaction | None = None


class SignedTransaction(NamedTuple):
    """A signed transaction and its expiration (UTC), until which anybody who has it can broadcast it."""

    transaction_id: str
    valid_until: str


class UsageError(ClientError):
    """Invalid input to a command."""

    exit_code = EXIT_USAGE


class NodeUnreachable(ClientError):
    """The node did not respond."""


class NodeConfused(ClientError):
    """The response is not from a node, or from an incompatible one."""


class NodeRefused(ClientError):
    """The node responded with an error; `code` and `data` are those of the JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"the node refused: {strip_assertion(message)}", node_message=message)
        self.code = code
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}

    @property
    def advice(self) -> dict[str, Any]:
        """Plaudit's extension of the error data; `rule` is the violated rule."""
        return _as_object(self.data.get("advice"))

    @property
    def sentence(self) -> str:
        """The node's message without the prefix of the error kind."""
        return self.node_message.removeprefix(f"{self.data.get('message', '')}:")

    @property
    def kind(self) -> str:
        """The violated rule or, if the node names none, the reference's name of the error kind."""
        return str(self.advice.get("rule") or self.data.get("name") or "")

    @property
    def values(self) -> dict[str, Any]:
        """The values captured by the error, by their names in the reference."""
        stack = self.data.get("stack")
        return _as_object(_as_object(stack[0]).get("data")) if isinstance(stack, list) and stack else {}


def _as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def strip_assertion(message: str) -> str:
    """Removes the error kind and the expression before the message, if there is a message."""
    kind, colon, rest = message.partition(":")
    if not colon:
        return message
    if kind == "Assert Exception":
        sentence = rest.rpartition(": ")[2] if "{" not in rest else re.split(r": (?=[A-Z])", rest, maxsplit=1)[-1]
        return sentence.strip() or rest.strip(": ")
    return rest.strip() or kind
