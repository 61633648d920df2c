"""How the commands for the operator ask the admin port of a running node."""

from __future__ import annotations

from typing import Any, Final

from node.failures import CommandError
from node.settings import Address
from wallet.client import TIMEOUT_SECONDS, NodeClient
from wallet.errors import NodeRefused, NodeUnreachable, WalletError
from wallet.terminal import clean

REFUSAL: Final = "Assert Exception:"
"""What the reference's messages begin with when a request can not be done."""

LONG_SECONDS: Final = 86_400.0
"""How long a snapshot may take."""


def call_admin(node: Address, method: str, timeout_seconds: float = TIMEOUT_SECONDS, /, **params: Any) -> Any:
    """Returns the result of a method of node_api. Raises CommandError."""
    try:
        return NodeClient(f"http://{node}", timeout_seconds).call(f"node_api.{method}", params)
    except NodeUnreachable as error:
        raise CommandError(
            f"{error.cause}. Commands go to the admin port of a node on this machine: run it with --admin {node}, "
            "or name its port with --admin or PLAUDIT_ADMIN."
        ) from error
    except NodeRefused as error:
        raise CommandError(f"The node refuses: {clean(error.node_message.removeprefix(REFUSAL))}.") from error
    except WalletError as error:
        raise CommandError(f"{error.cause}. Is {node} the admin port of a node (its --admin)?") from error
