"""The commands about peers: whom a running node is connected to, and who is not welcome."""

from __future__ import annotations

from typing import Any

import click

from client.admin import call_admin
from client.durations import describe_seconds
from client.render import Output, table
from node.options import admin_options
from node.settings import Address


@click.group()
def peers() -> None:
    """Peers of a running node on this machine, through its admin port."""


@peers.command("list")
@admin_options
def list_(admin: Address, is_json: bool) -> None:
    """Show the connections to peers."""
    found = call_admin(admin, "list_peers")["peers"]
    columns = ("peer", "dialled by", "program", "connected", "silent", "clock", "round trip", "state")
    rows = [
        (
            peer["listens_at"] or peer["endpoint"],
            "us" if peer["direction"] == "outbound" else "it",
            peer["user_agent"],
            describe_seconds(peer["connected_seconds"]),
            f"{peer['silent_seconds']} s",
            f"{peer['clock_offset_us'] / 1000:+.0f} ms",
            f"{peer['round_trip_us'] / 1000:.0f} ms",
            _describe_state(peer),
        )
        for peer in found
    ]
    Output(is_json).show(found, lambda: table(columns, rows) if rows else "There are no peers.")


def _describe_state(peer: dict[str, Any]) -> str:
    if not peer["is_active"]:
        return "handshake"
    states = {"we_need_its_blocks": "we fetch its blocks", "needs_our_blocks": "it fetches our blocks"}
    return ", ".join(text for name, text in states.items() if peer[name]) or "in step"


@peers.command("bans")
@admin_options
def bans(admin: Address, is_json: bool) -> None:
    """Show who is banned, until when and why."""
    found = call_admin(admin, "list_bans")["bans"]
    rows = [(ban["address"], ban["until"] or "for ever", ban["reason"]) for ban in found]
    Output(is_json).show(
        found, lambda: table(("address", "until (UTC)", "reason"), rows) if rows else "Nobody is banned."
    )


@peers.command("ban")
@click.argument("ip")
@click.option("--seconds", type=click.IntRange(0), default=86_400, show_default=True, help="For how long; 0: for ever.")
@click.option("--reason", default="by the operator", show_default=True, help="Is shown with the ban.")
@admin_options
def ban(ip: str, seconds: int, reason: str, admin: Address, is_json: bool) -> None:
    """Drop the connections of an IP address and take none from it for a time."""
    found = call_admin(admin, "ban", address=ip, seconds=seconds, reason=reason)["ban"]
    until = f"until {found['until']} UTC" if found["until"] else "for ever"
    Output(is_json).show(found, lambda: f"{found['address']} is banned {until}.")


@peers.command("unban")
@click.argument("ip")
@admin_options
def unban(ip: str, admin: Address, is_json: bool) -> None:
    """Lift the ban of an IP address."""
    found = call_admin(admin, "unban", address=ip)
    answer = "is not banned any more" if found["was_banned"] else "was not banned"
    Output(is_json).show(found, lambda: f"{ip} {answer}.")


@peers.command("disconnect")
@click.argument("peer")
@admin_options
def disconnect(peer: str, admin: Address, is_json: bool) -> None:
    """Close the connections to PEER (IP:PORT as listed); it may come back: to prevent that, ban it."""
    found = call_admin(admin, "disconnect", peer=peer)
    count = found["disconnected"]
    Output(is_json).show(found, lambda: f"{count} connection{'' if count == 1 else 's'} to {peer} closed.")


@peers.command("add")
@click.argument("peer")
@admin_options
def add(peer: str, admin: Address, is_json: bool) -> None:
    """Dial PEER (HOST:PORT) now and, until the node stops, whenever it is not connected."""
    found = call_admin(admin, "add_seed", peer=peer)
    Output(is_json).show(found, lambda: f"{found['seed']} is dialled, and again whenever it is not connected.")
