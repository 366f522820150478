"""URLs of endpoints: parsed, checked and printed without secrets."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from emulator.errors import InputError

if TYPE_CHECKING:
    import httpx

# The usual names of this machine, for messages.
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    """Whether a host of a URL or a Host header is this machine: `localhost` or a loopback address, however spelled.

    Other names are not resolved. `a.localhost` is not this machine: where the resolver does not know RFC 6761, the name
    goes to the network. Nor is what only some parsers read as 127.0.0.1: `127.1`, `0177.0.0.1`, `2130706433`.
    """
    if is_localhost(host):
        return True
    try:
        literal = IPv6Address(host[1:-1]) if host.startswith("[") and host.endswith("]") else ip_address(host)
    except ValueError:
        return False
    mapped = literal.ipv4_mapped if isinstance(literal, IPv6Address) else None
    return (mapped or literal).is_loopback


def is_localhost(host: str) -> bool:
    """Whether a host is the name `localhost`, in any letter case, with or without the trailing dot."""
    return host.lower().removesuffix(".") == "localhost"


def address(url: str) -> httpx.URL:
    """The URL of an endpoint. Raises InputError unless it is an http or https URL with a host, and for one with user
    and password: they would be sent instead of the token or write key.
    """
    import httpx

    try:
        parsed = httpx.URL(url)
        # An international name is decoded only when it is read.
        host = parsed.host
    except (httpx.InvalidURL, ValueError) as error:
        # What may be user, password or query is not printed.
        found = url.rpartition("@")[2].partition("?")[0]
        raise InputError(f"cannot be parsed: {error}", where="URL", found=found) from None
    if parsed.scheme not in ("http", "https") or not host:
        raise InputError("invalid URL", where="URL", found=shown(parsed), allowed="http or https")
    if parsed.userinfo:
        raise InputError(
            "the URL must not contain a user or password",
            where="URL",
            found=f"{parsed.scheme}://***@{parsed.netloc.decode('ascii')}",
            hint="They would replace the token or write key of each request.",
        )
    return parsed


def shown(url: httpx.URL) -> str:
    """A URL as it may be printed: without user, password, query and fragment."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))
