"""What goes wrong when a node is asked: the cause, and what to do about it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

EXIT_FAILED = 1
EXIT_USAGE = 2


class ClientError(Exception):
    """A command cannot be carried out. `cause` says why, `remedy` what helps (it may be empty)."""

    exit_code = EXIT_FAILED

    def __init__(self, cause: str, remedy: str = "", node_message: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.node_message = node_message
        self.signed: SignedTransaction | None = None


class SignedTransaction(NamedTuple):
    """A transaction that was signed, and until when (in UTC) whoever has it can bring it into a block."""

    transaction_id: str
    valid_until: str


class UsageError(ClientError):
    """The command was given something that cannot be meant."""

    exit_code = EXIT_USAGE


class NodeUnreachable(ClientError):
    """No answer came from the node."""


class NodeConfused(ClientError):
    """What answers at the node's address is not a node, or not one this program understands."""


class NodeRefused(ClientError):
    """The node answered a request with an error; `code` and `data` are those of the JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"the node refused: {strip_assertion(message)}", node_message=message)
        self.code = code
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}

    @property
    def advice(self) -> dict[str, Any]:
        """What a node of this kind says besides the reference's own words; the rule that was broken is its `rule`."""
        return _as_object(self.data.get("advice"))

    @property
    def sentence(self) -> str:
        """What the node said, without the kind of the error in front."""
        return self.node_message.removeprefix(f"{self.data.get('message', '')}:")

    @property
    def kind(self) -> str:
        """The rule that was broken or, where the node names none, the kind of the error as the reference calls it."""
        return str(self.advice.get("rule") or self.data.get("name") or "")

    @property
    def values(self) -> dict[str, Any]:
        """What stood against the rule, by the names that the reference gives these values."""
        stack = self.data.get("stack")
        return _as_object(_as_object(stack[0]).get("data")) if isinstance(stack, list) and stack else {}


def _as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def strip_assertion(message: str) -> str:
    """Leaves out the kind of error and the expression in front of the sentence, where there is a sentence."""
    kind, colon, rest = message.partition(":")
    if not colon:
        return message
    if kind == "Assert Exception":
        sentence = rest.rpartition(": ")[2] if "{" not in rest else re.split(r": (?=[A-Z])", rest, maxsplit=1)[-1]
        return sentence.strip() or rest.strip(": ")
    return rest.strip() or kind
