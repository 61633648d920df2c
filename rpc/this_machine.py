"""Detection of local requests, and of those that only seem local: by proxies, web pages and DNS rebinding."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from protocol.errors import Rejected

PASSED_ON_HEADERS: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""Headers added by proxies."""


def is_loopback(host: str) -> bool:
    """Whether a text is an IP address of the loopback interface."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def find_proxy(headers: Mapping[str, str]) -> str:
    """Returns the objection to a request forwarded by a proxy, or an empty text."""
    found = next((name for name in PASSED_ON_HEADERS if name in headers), "")
    return f"a proxy passed this request on ({found})" if found else ""


def find_foreign_host(headers: Mapping[str, str]) -> str:
    """Returns the objection to a request whose Host is not this machine (DNS rebinding), or an empty text."""
    name = headers.get("Host", "")
    return "" if _is_own(name) else f"the Host {name!r} is not this machine's own"


def find_foreign_page(headers: Mapping[str, str]) -> str:
    """Returns the objection to a request from a web page of another origin, or an empty text."""
    origin = headers.get("Origin")
    if origin is None or _is_own(origin.partition("://")[2]):
        return ""
    return f"the Origin {origin!r} is not this machine's own"


def find_stranger(headers: Mapping[str, str]) -> str:
    """Returns the first objection to a request that must be local, or an empty text."""
    return find_proxy(headers) or find_foreign_host(headers) or find_foreign_page(headers)


def _is_own(name: str) -> bool:
    try:
        host = urlsplit(f"//{name}").hostname or ""
    except ValueError:
        return False
    return host == "localhost" or is_loopback(host)


_stranger: ContextVar[str] = ContextVar("stranger", default="")


def meet_stranger(problem: str) -> None:
    """Stores the objection to this task's request for methods that require local requests."""
    _stranger.set(problem)


def refuse_strangers() -> None:
    """Raises Rejected when this task's request is not local."""
    problem = _stranger.get()
    if problem:
        raise Rejected("", "${problem}: this method is for this machine only", problem=problem)
