"""The guard before anything that is not this machine.

A request to another host needs a permission, one that may change data there needs a second one, and a production host
is never written to. `GuardedTransport` asks at the last moment before a request is sent: there is no path around it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from emulator.addresses import is_loopback, shown
from emulator.errors import UserMistake

# Everything of the two vendors is production, but for what they themselves call a sandbox.
_PRODUCTION = ("stackadapt.com", "segment.io", "segment.com", "segmentapis.com")
_SANDBOX = "sandbox.stackadapt.com"
_READING = ("GET", "HEAD", "OPTIONS")
_MEMBERS = ("query", "operationName", "variables")
_FOLDED = tuple(name.casefold() for name in _MEMBERS)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What the caller allows: to go to other hosts at all, and to change data there."""

    remote: bool = False
    writes: bool = False


def is_production(host: str) -> bool:
    """Whether a host belongs to StackAdapt or Segment and is not StackAdapt's sandbox."""
    name = host.lower().removesuffix(".")
    return not _within(name, _SANDBOX) and any(_within(name, domain) for domain in _PRODUCTION)


def change_in(document: str) -> str | None:
    """What a GraphQL document may change, such as `mutation upsertProfiles`; None when it only reads.

    One that cannot be parsed, or asks for nothing, may change anything.
    """
    # Only requests to other hosts need a parser; the commands for this machine start faster without.
    from graphql import GraphQLError, OperationDefinitionNode, OperationType

    from emulator.stackadapt.graphql.document import parse_document, root_fields
    from emulator.stackadapt.limits import Limits

    try:
        parsed = parse_document(document, Limits())
    except GraphQLError:
        return "a document that cannot be parsed"
    operations = [each for each in parsed.definitions if isinstance(each, OperationDefinitionNode)]
    for operation in operations:
        if operation.operation is not OperationType.QUERY:
            fields = ", ".join(field.name.value for field in root_fields(parsed, operation))
            return f"{operation.operation.value} {fields}"
    return None if operations else "a document without an operation"


def check_visit(url: httpx.URL, permission: Permission) -> None:
    """Raises UserMistake when `url` is another host and that is not allowed."""
    if not is_loopback(_host(url)) and not permission.remote:
        raise UserMistake(
            "this host is not this machine, and nothing was sent",
            where=shown(url),
            allowed="127.0.0.1, localhost, [::1]",
            hint="Add --allow-remote to go there.",
        )


def check_write(url: httpx.URL, permission: Permission, what: str) -> None:
    """Raises UserMistake when `what` may change data at `url` and that is not allowed."""
    check_visit(url, permission)
    if is_loopback(_host(url)):
        return
    if is_production(_host(url)):
        raise UserMistake(
            "this is a production host: nothing is ever written there, and nothing was sent",
            where=shown(url),
            found=what,
            hint=f"Write to a sandbox, such as {_SANDBOX}.",
        )
    if not permission.writes:
        raise UserMistake(
            "this could change data there, and nothing was sent",
            where=shown(url),
            found=what,
            hint="Add --allow-writes if that is meant.",
        )


class GuardedTransport(httpx.BaseTransport):
    """Sends what `permission` allows, and tells once for each other host where it is going.

    Raises UserMistake in place of a request that is not allowed.
    """

    def __init__(self, permission: Permission, *, announce: Tell, through: httpx.BaseTransport | None = None) -> None:
        self._permission = permission
        self._tell = announce
        self._through = through or httpx.HTTPTransport(trust_env=False)
        self._told: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        check_visit(request.url, self._permission)
        # Looking into a body means holding all of it, which an upload to this machine should not need.
        if not is_loopback(_host(request.url)) and (what := _change(request)) is not None:
            check_write(request.url, self._permission, what)
        self._announce(request.url)
        return self._through.handle_request(request)

    def close(self) -> None:
        self._through.close()

    def _announce(self, url: httpx.URL) -> None:
        host = _host(url)
        if is_loopback(host) or host in self._told:
            return
        self._told.add(host)
        writes = self._permission.writes and not is_production(host)
        self._tell(f"going to {shown(url)}, another host: {'reads and writes' if writes else 'reads only'}")


def _host(url: httpx.URL) -> str:
    """The host as it is asked for: international names in their ASCII form."""
    return url.raw_host.decode("ascii")


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _change(request: httpx.Request) -> str | None:
    """What in a request may change data, in a few words; None for one that only reads."""
    unreadable = f"{request.method} {request.url.path}"
    if any(map(_may_be_a_member, request.url.params)):
        return unreadable
    documents = request.url.params.get_list("query")
    body = request.read()
    if body or request.method not in _READING:
        in_body = _documents(body)
        if not in_body:
            return unreadable
        documents += in_body
    return next((change for change in map(change_in, documents) if change is not None), None)


def _documents(body: bytes) -> list[str]:
    """The GraphQL documents in a body; none when it is anything but one GraphQL request.

    Of a key that is there twice all values count: which of them a server reads is not known, nor whether it reads
    names in another case.
    """
    outermost: list[tuple[str, Any]] = []

    def keep(members: list[tuple[str, Any]]) -> dict[str, Any]:
        # Objects end from within: the outermost one comes last.
        outermost[:] = members
        return dict(members)

    try:
        request = json.loads(body, object_pairs_hook=keep)
    except (ValueError, RecursionError):
        return []
    if not isinstance(request, dict) or any(_may_be_a_member(key) for key, _ in outermost):
        return []
    documents = [value for key, value in outermost if key == "query"]
    return documents if all(isinstance(document, str) for document in documents) else []


def _may_be_a_member(name: str) -> bool:
    """Whether some servers take a name for a member of a GraphQL request, and others do not: `Query`."""
    return name not in _MEMBERS and name.casefold() in _FOLDED
