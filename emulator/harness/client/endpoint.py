"""Endpoints: a sandbox of an emulator, in process or on a port, or any other GraphQL endpoint; and the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from emulator.addresses import address, shown
from emulator.control_token import check_control_token
from emulator.errors import UserMistake, reason_of
from emulator.harness.client.arguments import check_keys, checked
from emulator.harness.client.control import Control
from emulator.protocol import CONTROL_HEADER, DEFAULT_SANDBOX, SANDBOX_HEADER

if TYPE_CHECKING:
    import httpx
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


# Makes a client for a base URL. Which requests it may send is up to the caller: nothing here bypasses it.
Connect: TypeAlias = "Callable[[str], httpx.Client]"

_UNITS = ("days", "hours", "minutes", "seconds")
_IN_PROCESS = "http://127.0.0.1"


class NoControl(UserMistake):
    """Something that needs an emulator was requested of an endpoint that is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the two services respond, and the credentials for them.

    `client` has the base URL; `graphql_path` is relative to it. `write_key` is None where there is no Segment service.
    `controlled` says whether there is a control API. `tokens` are all tokens by name, where they are known. `address`
    returns the base URL to print, for an emulator in process that opens its port on demand.
    """

    client: httpx.Client = field(repr=False)
    token: str = field(repr=False)
    advertiser_id: str
    write_key: str | None = field(default=None, repr=False)
    graphql_path: str = "/graphql"
    controlled: bool = True
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: Callable[[], str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The base URL, without secrets."""
        import httpx

        return shown(httpx.URL(self.address()) if self.address else self.client.base_url).rstrip("/")

    @property
    def control(self) -> Control:
        """The control API. Raises NoControl where there is none."""
        if not self.controlled:
            raise NoControl(
                "this needs the control API of an emulator",
                where=self.url,
                hint="Run it against an emulator: omit --target or --stackadapt-url.",
            )
        return Control(self.client)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEmulator:
    """An emulator that is already running. `url` is its base URL, without secrets."""

    url: str
    connect: Callable[[], httpx.Client] = field(repr=False)

    def workspace(self) -> Mapping[str, Any]:
        """The JSON form of the default sandbox's workspace. Raises InputError when it has none."""
        with self.connect() as client:
            document: Mapping[str, Any] = Control(client).get("workspace")["workspace"]
        return document

    @contextmanager
    def sandbox(self, workspace: Mapping[str, Any] | None = None) -> Iterator[Endpoint]:
        """A new sandbox, deleted afterwards. `workspace` is in its JSON form; the default sandbox's when None.

        Raises InputError for a workspace that the emulator rejects.
        """
        with self.connect() as client:
            control = Control(client)
            name = control.post("sandboxes", {} if workspace is None else {"workspace": workspace})["name"]
            try:
                yield sandbox_at(client, name)
            finally:
                control.delete(_path(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteGraphQL:
    """A GraphQL endpoint that is not an emulator. `url` is its base URL, without secrets."""

    url: str
    connect: Callable[[], httpx.Client] = field(repr=False)
    path: str
    token: str = field(repr=False)
    advertiser_id: str

    @contextmanager
    def open(self) -> Iterator[Endpoint]:
        """The endpoint, with a client that is closed afterwards."""
        with self.connect() as client:
            yield Endpoint(
                client=client,
                token=self.token,
                advertiser_id=self.advertiser_id,
                graphql_path=self.path,
                controlled=False,
            )


def sandbox_at(client: httpx.Client, name: str = DEFAULT_SANDBOX) -> Endpoint:
    """An existing sandbox, with its first token that may write and the first advertiser of its workspace.

    Later control requests of `client` are for this sandbox. Raises NotFound.
    """
    return _endpoint(client, Control(client).get(_path(name)))


def _endpoint(client: httpx.Client, sandbox: Mapping[str, Any], address: Callable[[], str] | None = None) -> Endpoint:
    client.headers[SANDBOX_HEADER] = sandbox["name"]
    return Endpoint(
        client=client,
        token=sandbox["token"],
        tokens=sandbox["tokens"],
        write_key=sandbox["writeKey"],
        advertiser_id=next(iter(sandbox["advertisers"])),
        address=address,
    )


def _with_wsgi_path(app: WSGIApplication) -> WSGIApplication:
    """The application, called with a path as PEP 3333 has it: httpx leaves characters beyond Latin-1 in it."""

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"].encode().decode("latin-1")
        return app({**environ, "PATH_INFO": path}, start_response)

    return called


@contextmanager
def in_process(
    app: WSGIApplication, *, sandbox: Mapping[str, Any] | None = None, address: Callable[[], str] | None = None
) -> Iterator[Endpoint]:
    """The default sandbox of an emulator, without a socket. `address` returns the base URL to print.

    `sandbox` is its description in the control API, where the caller has it already.
    """
    import httpx

    with httpx.Client(transport=httpx.WSGITransport(app=_with_wsgi_path(app)), base_url=_IN_PROCESS) as client:
        yield _endpoint(client, sandbox or Control(client).get(_path(DEFAULT_SANDBOX)), address)


def probe(
    url: str,
    connect: Connect,
    *,
    token: str | None,
    advertiser_id: str | None,
    control_token: str | None = None,
    options: str = "--",
) -> RemoteEmulator | RemoteGraphQL:
    """Finds out whether a URL is an emulator or another GraphQL endpoint.

    GraphQL is at the path of the URL, or at `/graphql` when it has none. `options` is the prefix of the caller's
    options for token and advertiser, which a GraphQL endpoint needs, and for the control token, which only an emulator
    is sent. Raises InputError for an invalid URL or control token, UserMistake when there is no response, an option
    is missing or the control token is wrong, and what `connect` and its clients raise.
    """
    given = address(url)
    root = given.copy_with(raw_path=b"/", fragment=None)
    base = shown(root).rstrip("/")

    def client() -> httpx.Client:
        return connect(str(root))

    def controlling() -> httpx.Client:
        connected = client()
        if control_token:
            connected.headers[CONTROL_HEADER] = check_control_token(control_token)
        return connected

    if _is_emulator(client, base):
        _check_control_token(controlling, base, options)
        return RemoteEmulator(url=base, connect=controlling)
    for name, value in (("token", token), ("advertiser", advertiser_id)):
        if not value:
            raise UserMistake(f"not an emulator, so {options}{name} is required", where=shown(given))
    return RemoteGraphQL(
        url=base,
        connect=client,
        path=given.path if given.path != "/" else "/graphql",
        token=token or "",
        advertiser_id=advertiser_id or "",
    )


def _is_emulator(connect: Callable[[], httpx.Client], base: str) -> bool:
    import httpx

    try:
        with connect() as client:
            health = client.get("/_emulator/health")
        body = health.json()
    except httpx.HTTPError as error:
        raise UserMistake(f"no response: {reason_of(error)}", where=base) from None
    except ValueError:
        return False
    return health.is_success and isinstance(body, dict) and body.get("status") == "ok"


def _check_control_token(connect: Callable[[], httpx.Client], base: str, options: str) -> None:
    with connect() as client:
        refused = client.get("/_emulator/clock").status_code == HTTPStatus.UNAUTHORIZED
        given = CONTROL_HEADER in client.headers
    if refused:
        raise UserMistake(
            "wrong control token" if given else "this emulator needs its control token",
            where=base,
            hint="The command that started it was given the token or printed it: pass it as "
            f"{options}control-token, or in the environment variable STACKADAPT_EMULATOR_CONTROL_TOKEN.",
        )


def _path(name: str) -> str:
    return f"sandboxes/{quote(name, safe='')}"


@checked
class ClockClient:
    """Reads, advances, freezes and resumes the clock. Every method returns the emulator's time, in UTC."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def now(self) -> datetime:
        """The current time of the emulator."""
        return _time_in(self._endpoint.control.get("clock"))

    def advance(self, duration: str | None = None, **units: float) -> datetime:
        """Moves time forward: `advance("4h")` or `advance(hours=4)`. Processes everything that becomes due.

        Raises UnknownName for an unknown unit.
        """
        check_keys(units, ("duration", *_UNITS), where="advance")
        seconds = timedelta(**units).total_seconds()
        return self._change("advance", {"seconds": seconds} if duration is None else {"duration": duration})

    def freeze(self) -> datetime:
        """Stops the clock."""
        return self._change("freeze")

    def resume(self) -> datetime:
        """Lets the clock run again."""
        return self._change("resume")

    def _change(self, action: str, body: dict[str, Any] | None = None) -> datetime:
        return _time_in(self._endpoint.control.post(f"clock/{action}", body))


def _time_in(state: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(state["now"])
