"""The command that runs a node."""

from __future__ import annotations

from typing import Annotated

from client.declare import command
from node.options import take_settings
from node.settings import Settings, list_settings


@command()
def node(settings: Annotated[Settings, take_settings(*list_settings())]) -> None:
    """Run a node: it follows the chain, serves JSON-RPC and, with witness keys, produces blocks.

    Each setting can be a flag, an environment variable such as PLAUDIT_DATA_DIR, or a key of the --config file, in
    this order of precedence.
    """
    from node.shell.running import run_node  # noqa: PLC0415 - loads the node, and help does not need it

    run_node(settings)
