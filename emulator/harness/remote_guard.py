"""The guard for requests to other hosts.

A request to another host needs a permission, one that may change data there needs a second one, and production hosts
are never written to. `GuardedTransport` checks each request right before it is sent, so that it cannot be bypassed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import httpx

from emulator import strict_json
from emulator.addresses import LOOPBACK_HOSTS, is_loopback, shown
from emulator.errors import UserMistake

# All hosts of the two vendors are production, except for StackAdapt's sandbox.
_PRODUCTION = ("stackadapt.com", "segment.io", "segment.com", "segmentapis.com")
_SANDBOX = "sandbox.stackadapt.com"
_READING = ("GET", "HEAD", "OPTIONS")
_FIELDS = frozenset({"query", "operationName", "variables"})
# What some server might read as part of a GraphQL request.
_FOLDED = frozenset({"query", "operationname", "variables", "extensions", "mutation", "operations", "map", "id"})
_JSON = frozenset({"application/json", "application/graphql+json"})

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

    `harmless` are bodies, and queries in URLs, of which the caller knows that no server reads a change in them, such as
    text that is not JSON. Raises UserMistake instead of sending a request that is not allowed.
    """

    def __init__(
        self,
        permission: Permission,
        *,
        announce: Announce,
        through: httpx.BaseTransport | None = None,
        harmless: Collection[bytes] = (),
    ) -> None:
        self._permission = permission
        self._harmless = frozenset(harmless)
        self._announce = announce
        self._through = through or httpx.HTTPTransport(trust_env=False)
        self._announced: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        check_visit(request.url, self._permission)
        # Reading a body loads all of it into memory, which an upload to this machine should not need.
        if not is_loopback(_host(request.url)) and (what := self._change(request)) is not None:
            check_write(request.url, self._permission, what)
        host = _host(request.url)
        if not is_loopback(host) and host not in self._announced:
            self._announced.add(host)
            may = "reads and writes" if self._permission.writes and not is_production(host) else "reads only"
            self._announce(f"sending requests to {shown(request.url)}, another host: {may}")
        return self._through.handle_request(request)

    def _change(self, request: httpx.Request) -> str | None:
        return None if (request.url.query or request.read()) in self._harmless else _change(request)

    def close(self) -> None:
        self._through.close()


def _host(url: httpx.URL) -> str:
    """The host of a URL; an international name in its ASCII form."""
    return url.raw_host.decode("ascii")


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _change(request: httpx.Request) -> str | None:
    """What in a request may change data; None when it only reads.

    Servers read queries from URLs, forms, several encodings and members of several names. Only a body that all of them
    read alike is trusted.
    """
    unreadable = f"{request.method} {request.url.path}"
    if any(name.casefold() in _FOLDED for name in request.url.params):
        return unreadable
    body = request.read()
    if not body and request.method in _READING:
        return None
    document = _document(body) if _is_plain_json(request.headers) else None
    return unreadable if document is None else change_in(document)


def _is_plain_json(headers: httpx.Headers) -> bool:
    """Whether a body is announced as JSON in UTF-8, and as nothing else."""
    types = headers.get_list("content-type")
    media_type, _, parameters = "".join(types).partition(";")
    return (
        len(types) == 1
        and media_type.strip().lower() in _JSON
        and parameters.strip().lower().replace('"', "") in ("", "charset=utf-8")
        and headers.get("content-encoding", "identity").lower() == "identity"
    )


def _document(body: bytes) -> str | None:
    """The GraphQL document in a body; None when it is anything but one GraphQL request, each member once."""
    try:
        text = body.decode()
        request = strict_json.parse(text)
        strict_json.check_keys(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(request, dict) or not request.keys() <= _FIELDS:
        return None
    document = request.get("query")
    return document if isinstance(document, str) else None
