"""Who asks from this machine, and who only seems to: proxies, web pages, and names that were made to point here."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from protocol.errors import Rejected

PASSED_ON_HEADERS: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""What proxies add to a request."""


def is_loopback(host: str) -> bool:
    """Whether a text is an IP address of the loopback interface."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def find_proxy(headers: Mapping[str, str]) -> str:
    """What speaks against a request that a proxy passed on, or nothing."""
    found = next((name for name in PASSED_ON_HEADERS if name in headers), "")
    return f"a proxy passed this request on ({found})" if found else ""


def find_foreign_host(headers: Mapping[str, str]) -> str:
    """What speaks against a request to a name that only points to this machine, or nothing."""
    name = headers.get("Host", "")
    return "" if _is_own(name) else f"the Host {name!r} is not this machine's own"


def find_foreign_page(headers: Mapping[str, str]) -> str:
    """What speaks against a request that a web page of another machine sends, or nothing."""
    origin = headers.get("Origin")
    if origin is None or _is_own(origin.partition("://")[2]):
        return ""
    return f"the Origin {origin!r} is not this machine's own"


def find_stranger(headers: Mapping[str, str]) -> str:
    """What speaks against a request that is for who works on this machine, or nothing."""
    return find_proxy(headers) or find_foreign_host(headers) or find_foreign_page(headers)


def _is_own(name: str) -> bool:
    try:
        host = urlsplit(f"//{name}").hostname or ""
    except ValueError:
        return False
    return host == "localhost" or is_loopback(host)


_stranger: ContextVar[str] = ContextVar("stranger", default="")


def meet_stranger(problem: str) -> None:
    """Keeps what speaks against the request of this task, for those methods that care."""
    _stranger.set(problem)


def refuse_strangers() -> None:
    """Raises Rejected when the request of this task comes from elsewhere."""
    problem = _stranger.get()
    if problem:
        raise Rejected("", "${problem}: this method is for this machine only", problem=problem)
