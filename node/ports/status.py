"""The public status of a node, for GET /, `plaudit status` and the metrics."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any, Final

from node.core import Node
from node.core.clock import MS_PER_SECOND
from node.core.production import ProductionOutcome

NOT_MISSED: Final = frozenset(
    {ProductionOutcome.PRODUCED, ProductionOutcome.NOT_TIME_YET, ProductionOutcome.NOT_MY_TURN}
)
"""Outcomes that do not count as missed slots."""


@cache
def find_version() -> str:
    """Returns the installed version of Plaudit."""
    return metadata.version("plaudit")


def count_missed(node: Node) -> dict[str, int]:
    """Counts the slots since the start in which this node with witnesses produced no block, by reason.

    A node that is not in sync or cannot write to its disk does not know whose slots pass: `not_synced` and
    `disk_problem` count all of them.
    """
    counts = node.producer.counts
    return {outcome.value: counts[outcome] for outcome in ProductionOutcome if outcome not in NOT_MISSED}


def describe_status(node: Node) -> dict[str, Any]:
    """Returns the JSON object of GET /. It contains no addresses of peers and no names of the node's witnesses."""
    chain = node.chain
    config = chain.config
    network = None if node.network is None else node.network.figures
    return {
        "name": "plaudit",
        "version": find_version(),
        "protocol_version": config.blockchain_version,
        "chain": config.chain.name,
        "chain_id": config.chain_id.hex(),
        "head_block_number": chain.head_number,
        "head_block_id": chain.head_id.hex(),
        "head_block_unix_time": chain.head_time,
        "last_irreversible_block_number": chain.irreversible_number,
        "peers": None if network is None else network.active._asdict(),
        "missing_blocks": 0 if network is None else network.missing_blocks,
        "pending_transactions": len(chain.pending),
        "pending_bytes": chain.pending.size_bytes,
        "production": _describe_production(node),
        "clock": {
            "unix_time": node.clock.now_ms() // MS_PER_SECOND,
            "skipped_seconds": node.clock.skipped_ms // MS_PER_SECOND,
            "jumped_ms": node.producer.watch.jump_ms,
        },
        "can_write": node.writes.problem is None,
        "broken_invariants": dict(node.broken_invariants.counts),
    }


def _describe_production(node: Node) -> dict[str, Any] | None:
    """Returns blocks produced and slots missed since the start; None for a node without witnesses."""
    if not node.settings.witnesses:
        return None
    missed = {reason: count for reason, count in count_missed(node).items() if count}
    return {"produced": node.producer.counts[ProductionOutcome.PRODUCED], "missed": missed}
