"""Client of a running node's admin port."""

from __future__ import annotations

from typing import Any

from client.defaults import TIMEOUT_SECONDS
from client.errors import ClientError, NodeRefused, NodeUnreachable
from client.json_rpc import NodeClient
from client.terminal import clean


def call_admin(node: object, method: str, timeout_seconds: float = TIMEOUT_SECONDS, /, **params: Any) -> Any:
    """Calls a method of node_api at an address; returns the result. Raises ClientError."""
    try:
        return NodeClient(f"http://{node}", timeout_seconds).call(f"node_api.{method}", params)
    except NodeUnreachable as error:
        raise ClientError(
            error.cause,
            f"Commands go to the admin port of a node on this machine: run it with --admin {node}, "
            "or name its port with --admin or PLAUDIT_ADMIN.",
        ) from error
    except NodeRefused as error:
        raise ClientError(f"The node refuses: {clean(error.sentence)}") from error
    except ClientError as error:
        raise ClientError(error.cause, f"Is {node} the admin port of a node (its --admin)?") from error
