"""Opening an endpoint: an emulator in this process, or whoever answers at a URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from emulator.addresses import address, shown
from emulator.errors import UserMistake
from emulator.harness.client.endpoint import Endpoint
from emulator.harness.client.sandboxes import fresh_sandbox, sandbox_at

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Gives a client of a base URL. What it may send, and where, is the caller's to decide: nothing here goes around it.
Connect = Callable[[str], httpx.Client]

_IN_PROCESS = "http://127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorAt:
    """An emulator that runs already. `url` is its base URL as it may be printed."""

    url: str
    connect: Callable[[], httpx.Client] = field(repr=False)

    @contextmanager
    def sandbox(self, workspace: Mapping[str, Any] | None = None) -> Iterator[Endpoint]:
        """A sandbox that nobody else has, with a workspace in its JSON form or the emulator's own."""
        with self.connect() as client, fresh_sandbox(client, workspace) as endpoint:
            yield endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLAt:
    """A GraphQL endpoint and nothing else. `url` is its base URL as it may be printed, `path` where GraphQL answers."""

    url: str
    connect: Callable[[], httpx.Client] = field(repr=False)
    path: str
    token: str = field(repr=False)
    advertiser_id: str

    @contextmanager
    def open(self) -> Iterator[Endpoint]:
        """The endpoint, with a client of its own."""
        with self.connect() as client:
            yield Endpoint(
                client=client,
                token=self.token,
                advertiser_id=self.advertiser_id,
                graphql_path=self.path,
                controlled=False,
            )


@contextmanager
def in_process(app: WSGIApplication, *, address: Callable[[], str] | None = None) -> Iterator[Endpoint]:
    """The default sandbox of an emulator, asked without a socket. `address` gives its base URL to others."""
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url=_IN_PROCESS) as client:
        yield sandbox_at(client, address=address)


def answering_at(
    url: str, connect: Connect, *, token: str | None, advertiser_id: str | None, options: str = "--"
) -> EmulatorAt | GraphQLAt:
    """What answers at a URL: an emulator when it says so, somebody else's GraphQL otherwise.

    GraphQL is at the URL's path, at `/graphql` when it has none. `options` is how the caller's options for the token
    and the advertiser begin. Raises InputError for what is no URL, UserMistake when nobody answers or one of the two
    is missing, and what `connect` and its clients raise.
    """
    given = address(url)
    root = given.copy_with(raw_path=b"/", fragment=None)
    base = shown(root).rstrip("/")

    def client() -> httpx.Client:
        return connect(str(root))

    if _is_emulator(client, base):
        return EmulatorAt(url=base, connect=client)
    for name, value in (("token", token), ("advertiser", advertiser_id)):
        if not value:
            raise UserMistake(f"this is no emulator, so it needs {options}{name}", where=shown(given))
    return GraphQLAt(
        url=base,
        connect=client,
        path=given.path if given.path != "/" else "/graphql",
        token=token or "",
        advertiser_id=advertiser_id or "",
    )


def _is_emulator(connect: Callable[[], httpx.Client], base: str) -> bool:
    try:
        with connect() as client:
            health = client.get("/_emulator/health")
        body = health.json()
    except httpx.HTTPError as error:
        raise UserMistake(f"nobody answers: {error}", where=base) from None
    except ValueError:
        return False
    return health.is_success and isinstance(body, dict) and body.get("status") == "ok"
