"""Addresses of endpoints: read, checked and shown without secrets."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

import httpx

from emulator.errors import InputError


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: `localhost`, or an address that loops back. What other names resolve to is no
    matter.
    """
    if host.lower().removesuffix(".") == "localhost":
        return True
    try:
        literal = ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = literal.ipv4_mapped if isinstance(literal, IPv6Address) else None
    return (mapped or literal).is_loopback


def address(url: str) -> httpx.URL:
    """An address to send to. Raises InputError for anything but an http or https URL with a host, and for one with user
    and password: they would be sent in place of the token or write key of each request.
    """
    try:
        parsed = httpx.URL(url)
        # An international name is looked into when it is asked for.
        host = parsed.host
    except (httpx.InvalidURL, ValueError) as error:
        # Its parts cannot be told apart for sure: what may be user, password or query stays unsaid.
        found = url.rpartition("@")[2].partition("?")[0]
        raise InputError(f"this is not a URL: {error}", where="URL", found=found) from None
    if parsed.scheme not in ("http", "https") or not host:
        raise InputError("this is no address to send to", where="URL", found=shown(parsed), allowed="http or https")
    if parsed.userinfo:
        raise InputError(
            "an address with user and password would replace the token or write key of each request",
            where="URL",
            found=f"{parsed.scheme}://***@{parsed.netloc.decode('ascii')}",
            hint="Leave them out.",
        )
    return parsed


def shown(url: httpx.URL) -> str:
    """An address as it may be printed: without user, password, query and fragment."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))
