"""The commands about peers: connections and bans of a running node."""

from __future__ import annotations

from typing import Any

import click

from client.admin import call_admin
from client.declare import group, option
from client.durations import describe_seconds
from client.render import Columns, Output, table_of
from node.options import ADMIN, JSON, Admin
from protocol.units import DAY_SECONDS


@group()
def peers() -> None:
    """Manage the peers of a running node on this machine through its admin port."""


@peers.command("list")
def list_(admin: Admin = ADMIN, is_json: bool = JSON) -> None:
    """List the connections to peers."""
    found = call_admin(admin, "list_peers")["peers"]
    columns: Columns = {
        "peer": lambda peer: peer["listens_at"] or peer["endpoint"],
        "direction": "direction",
        "program": "user_agent",
        "connected": lambda peer: describe_seconds(peer["connected_seconds"]),
        "silent": lambda peer: f"{peer['silent_seconds']} s",
        "clock": lambda peer: f"{peer['clock_offset_us'] / 1000:+.0f} ms",
        "round trip": lambda peer: f"{peer['round_trip_us'] / 1000:.0f} ms",
        "state": _describe_state,
    }
    Output(is_json).show(found, lambda: table_of(found, columns) if found else "There are no peers.")


def _describe_state(peer: dict[str, Any]) -> str:
    if not peer["is_active"]:
        return "handshake"
    states = {"we_need_its_blocks": "we are behind", "needs_our_blocks": "peer is behind"}
    return ", ".join(text for name, text in states.items() if peer[name]) or "in sync"


@peers.command("bans")
def bans(admin: Admin = ADMIN, is_json: bool = JSON) -> None:
    """List bans with their end and reason."""
    found = call_admin(admin, "list_bans")["bans"]
    columns: Columns = {
        "address": "address",
        "until (UTC)": lambda ban: ban["until"] or "for ever",
        "reason": "reason",
    }
    Output(is_json).show(found, lambda: table_of(found, columns) if found else "Nobody is banned.")


@peers.command("ban")
def ban(
    ip: str,
    seconds: int = option("For how long; 0: for ever.", type=click.IntRange(0), default=DAY_SECONDS),
    reason: str = option("Is shown with the ban.", default="by the operator"),
    admin: Admin = ADMIN,
    is_json: bool = JSON,
) -> None:
    """Drop the connections of an IP address and refuse new ones for a time."""
    found = call_admin(admin, "ban", address=ip, seconds=seconds, reason=reason)["ban"]
    until = f"until {found['until']} UTC" if found["until"] else "for ever"
    Output(is_json).show(found, lambda: f"{found['address']} is banned {until}.")


@peers.command("unban")
def unban(ip: str, admin: Admin = ADMIN, is_json: bool = JSON) -> None:
    """Lift the ban of an IP address."""
    found = call_admin(admin, "unban", address=ip)
    answer = "is not banned any more" if found["was_banned"] else "was not banned"
    Output(is_json).show(found, lambda: f"{ip} {answer}.")


@peers.command("disconnect")
def disconnect(peer: str, admin: Admin = ADMIN, is_json: bool = JSON) -> None:
    """Close the connections to PEER (IP:PORT as listed); it may reconnect unless banned."""
    found = call_admin(admin, "disconnect", peer=peer)
    count = found["disconnected"]
    Output(is_json).show(found, lambda: f"{count} connection{'' if count == 1 else 's'} to {peer} closed.")


@peers.command("add")
def add(peer: str, admin: Admin = ADMIN, is_json: bool = JSON) -> None:
    """Dial PEER (HOST:PORT) now and, until the node stops, whenever it is not connected."""
    found = call_admin(admin, "add_seed", peer=peer)
    Output(is_json).show(found, lambda: f"{found['seed']} is dialled, and again whenever it is not connected.")
