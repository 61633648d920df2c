"""The commands `peers ...`: whom a running node is connected to, and who is not welcome."""

from __future__ import annotations

from typing import Any

from node.admin_client import call_admin
from node.settings import Address
from wallet.durations import describe_seconds
from wallet.render import Output, table


def show_peers(address: Address, is_json: bool) -> None:
    """Shows the connections. Raises CommandError."""
    found = call_admin(address, "list_peers")["peers"]
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


def show_bans(address: Address, is_json: bool) -> None:
    """Shows who is banned. Raises CommandError."""
    found = call_admin(address, "list_bans")["bans"]
    rows = [(ban["address"], ban["until"] or "for ever", ban["reason"]) for ban in found]
    Output(is_json).show(
        found, lambda: table(("address", "until (UTC)", "reason"), rows) if rows else "Nobody is banned."
    )


def ban_peer(address: Address, peer: str, seconds: int, reason: str, is_json: bool) -> None:
    """Bans an IP address. Raises CommandError."""
    found = call_admin(address, "ban", address=peer, seconds=seconds, reason=reason)["ban"]
    until = f"until {found['until']} UTC" if found["until"] else "for ever"
    Output(is_json).show(found, lambda: f"{found['address']} is banned {until}.")


def unban_peer(address: Address, peer: str, is_json: bool) -> None:
    """Lifts a ban. Raises CommandError."""
    found = call_admin(address, "unban", address=peer)
    answer = "is not banned any more" if found["was_banned"] else "was not banned"
    Output(is_json).show(found, lambda: f"{peer} {answer}.")


def disconnect_peer(address: Address, peer: str, is_json: bool) -> None:
    """Closes the connections to a peer. Raises CommandError."""
    found = call_admin(address, "disconnect", peer=peer)
    count = found["disconnected"]
    Output(is_json).show(found, lambda: f"{count} connection{'' if count == 1 else 's'} to {peer} closed.")


def add_seed(address: Address, peer: str, is_json: bool) -> None:
    """Has an address dialled whenever it is not connected, until the node stops. Raises CommandError."""
    found = call_admin(address, "add_seed", peer=peer)
    Output(is_json).show(found, lambda: f"{found['seed']} is dialled, and again whenever it is not connected.")
