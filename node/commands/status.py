"""The command that shows the status of a running node, for people and monitoring."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import click
from rich.console import Group, RenderableType
from rich.text import Text

from client.declare import command, option
from client.defaults import NODE_DEFAULT
from client.durations import describe_seconds
from client.errors import ClientError, UsageError
from client.json_rpc import NodeClient
from client.render import Output, fields
from client.terminal import clean
from node.options import JSON
from node.ports.health import find_problem

EXIT_HEALTHY: Final = 0
EXIT_UNHEALTHY: Final = 1
EXIT_USAGE: Final = 2
TIMEOUT_SECONDS: Final = 5.0


@command()
def status(
    url: str = option("URL of the node.", "--node", default=NODE_DEFAULT, envvar="PLAUDIT_NODE"),
    max_age: int = option("Age of a healthy head, in seconds.", type=click.IntRange(1), default=60),
    is_json: bool = JSON,
) -> None:
    """Show the status of a running node.

    Exit codes: 0 healthy, 1 unhealthy or unreachable.
    """
    output = Output(is_json)
    try:
        found = NodeClient(url, TIMEOUT_SECONDS).call("plaudit_api.get_status", {})
        problem = find_problem(found, int(time.time()), max_age)
    except UsageError as error:
        output.fail(error)
        raise SystemExit(EXIT_USAGE) from error
    except ClientError as error:
        found, problem = {}, error.cause
    except (KeyError, TypeError, ValueError):
        found, problem = {}, f"{url} does not answer like a node of this version"
    shown = {"healthy": not problem, "problem": problem or None, **found}
    output.show(shown, lambda: _draw(url, found, problem))
    raise SystemExit(EXIT_UNHEALTHY if problem else EXIT_HEALTHY)


def _draw(url: str, status: dict[str, Any], problem: str) -> RenderableType:
    if problem:
        headline = Text.assemble(("not healthy: ", "bold red"), clean(problem))
    else:
        headline = Text("healthy", style="bold green")
    return Group(headline, fields(_list_fields(url, status))) if status else headline


def _list_fields(url: str, status: dict[str, Any]) -> Iterator[tuple[str, str]]:
    head, age = int(status["head_block_number"]), int(time.time()) - int(status["head_block_unix_time"])
    behind = head - int(status["last_irreversible_block_number"])
    yield "node", f"{url}, plaudit {status['version']}, protocol {status['protocol_version']}"
    yield "chain", f"{status['chain']}, id {status['chain_id']}"
    yield "head block", f"{head}, id {status['head_block_id']}"
    yield "its age", describe_seconds(max(age, 0)) if age > 0 else "new"
    yield "irreversible", f"{status['last_irreversible_block_number']}, {behind} behind the head"
    yield "peers", _describe_peers(status["peers"])
    yield "sync", f"{status['missing_blocks']} blocks to fetch" if status["missing_blocks"] else "up to date with peers"
    yield "production", _describe_production(status["production"])
    yield "pending", f"{status['pending_transactions']} transactions, {status['pending_bytes']} bytes"


def _describe_peers(peers: dict[str, int] | None) -> str:
    if peers is None:
        return "none: the node has no network"
    return f"{peers['inbound'] + peers['outbound']} ({peers['inbound']} inbound, {peers['outbound']} outbound)"


def _describe_production(production: dict[str, Any] | None) -> str:
    if production is None:
        return "no witness here"
    missed = ", ".join(f"{reason} {count}" for reason, count in production["missed"].items())
    return f"{production['produced']} blocks made since the start, slots missed: {missed or 'none'}"
