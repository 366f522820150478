"""The guard for requests to other hosts.

A request to another host needs a permission, one that may change data there needs a second one, and production hosts
are never written to. `GuardedTransport` checks each request right before it is sent, so that it cannot be bypassed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from emulator.addresses import LOOPBACK_HOSTS, is_loopback, shown
from emulator.errors import UserMistake

# All hosts of the two vendors are production, except for StackAdapt's sandbox.
_PRODUCTION = ("stackadapt.com", "segment.io", "segment.com", "segmentapis.com")
_SANDBOX = "sandbox.stackadapt.com"
_READING = ("GET", "HEAD", "OPTIONS")
_FIELDS = ("query", "operationName", "variables")
_FOLDED = tuple(name.casefold() for name in _FIELDS)

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Whether requests to other hosts are allowed, and whether they may change data there."""

    remote: bool = False
    writes: bool = False


def is_production(host: str) -> bool:
    """Whether a host belongs to StackAdapt or Segment and is not StackAdapt's sandbox."""
    name = host.lower().removesuffix(".")
    return not _within(name, _SANDBOX) and any(_within(name, domain) for domain in _PRODUCTION)


def change_in(document: str) -> str | None:
    """What a GraphQL document may change, such as `mutation upsertProfiles`; None when it only reads.

    A document that cannot be parsed, or has no operation, may change anything.
    """
    # Imported here because commands for this machine do not need a parser and start faster without it.
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
    """Raises UserMistake when `url` is another host and this is not allowed."""
    if not is_loopback(_host(url)) and not permission.remote:
        message, hint = "this is another host, and nothing was sent", "Add --allow-remote to allow it."
        raise UserMistake(message, where=shown(url), allowed=", ".join(LOOPBACK_HOSTS), hint=hint)


def check_write(url: httpx.URL, permission: Permission, what: str) -> None:
    """Raises UserMistake when `what` may change data at `url` and this is not allowed."""
    check_visit(url, permission)
    if is_loopback(_host(url)):
        return
    if is_production(_host(url)):
        message, hint = "production hosts are never written to", f"Use a sandbox, such as {_SANDBOX}."
    elif not permission.writes:
        message, hint = "this may change data on another host", "Add --allow-writes to allow it."
    else:
        return
    raise UserMistake(f"{message}, and nothing was sent", where=shown(url), found=what, hint=hint)


class GuardedTransport(httpx.BaseTransport):
    """Sends what `permission` allows and announces each other host once.

    Raises UserMistake instead of sending a request that is not allowed.
    """

    def __init__(
        self, permission: Permission, *, announce: Announce, through: httpx.BaseTransport | None = None
    ) -> None:
        self._permission = permission
        self._announce = announce
        self._through = through or httpx.HTTPTransport(trust_env=False)
        self._announced: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        check_visit(request.url, self._permission)
        # Reading a body loads all of it into memory, which an upload to this machine should not need.
        if not is_loopback(_host(request.url)) and (what := _change(request)) is not None:
            check_write(request.url, self._permission, what)
        host = _host(request.url)
        if not is_loopback(host) and host not in self._announced:
            self._announced.add(host)
            may = "reads and writes" if self._permission.writes and not is_production(host) else "reads only"
            self._announce(f"sending requests to {shown(request.url)}, another host: {may}")
        return self._through.handle_request(request)

    def close(self) -> None:
        self._through.close()


def _host(url: httpx.URL) -> str:
    """The host of a URL; an international name in its ASCII form."""
    return url.raw_host.decode("ascii")


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _change(request: httpx.Request) -> str | None:
    """What in a request may change data; None when it only reads."""
    unreadable = f"{request.method} {request.url.path}"
    if any(map(_is_ambiguous, request.url.params)):
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

    All values of a duplicate key count: it is not known which of them a server reads, or whether it ignores case.
    """
    outermost: list[tuple[str, Any]] = []

    def keep(members: list[tuple[str, Any]]) -> dict[str, Any]:
        # Objects are parsed from the inside out: the outermost one comes last.
        outermost[:] = members
        return dict(members)

    try:
        request = json.loads(body, object_pairs_hook=keep)
    except (ValueError, RecursionError):
        return []
    if not isinstance(request, dict) or any(_is_ambiguous(key) for key, _ in outermost):
        return []
    documents = [value for key, value in outermost if key == "query"]
    return documents if all(isinstance(document, str) for document in documents) else []


def _is_ambiguous(name: str) -> bool:
    """Whether only some servers read a name as a field of a GraphQL request: `Query`."""
    return name not in _FIELDS and name.casefold() in _FOLDED
