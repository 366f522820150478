"""Where the emulator of a test comes from: in process, from a server that runs, or not at all at a StackAdapt."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from emulator.errors import InputError, UserMistake, nearest
from emulator.harness.faces import Endpoint, NoControl
from emulator.harness.faces.sandboxes import fresh_sandbox, sandbox_at
from emulator.harness.remote import GuardedTransport, Permission, address, check_visit, shown
from emulator.server.emulator import Emulator
from emulator.workspace import Workspace, load_workspace, parse_workspace

__all__ = ["InProcess", "Permission", "Server", "Target", "target_at"]

Options = Mapping[str, Any]
Opened = AbstractContextManager[Endpoint]

_OPTIONS = ("workspace", "latency", "api_edition")
_IN_PROCESS = "http://127.0.0.1"
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """One server for a session: its base URL, and a sandbox of it for each test."""

    url: str
    sandbox: Callable[[Options], Opened]


class Target(Protocol):
    """Opens what a test runs against. `options` are those of its marker."""

    def isolated(self, workspace: Any, options: Options) -> Opened:
        """An endpoint that no other test has."""
        ...

    def server(self, workspace: Any) -> AbstractContextManager[Server]:
        """A server for the session."""
        ...


class InProcess:
    """An emulator for each test, in the process of the tests."""

    @contextmanager
    def isolated(self, workspace: Any, options: Options) -> Iterator[Endpoint]:
        with (
            Emulator(_workspace(workspace, options)) as emulator,
            httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url=_IN_PROCESS) as client,
        ):
            yield sandbox_at(client, address=lambda: emulator.url)

    @contextmanager
    def server(self, workspace: Any) -> Iterator[Server]:
        with Emulator(_workspace(workspace, {})) as emulator:
            yield Server(emulator.url, RunningEmulator(emulator.url).sandbox)


class RunningEmulator:
    """An emulator on a port: a sandbox for each test. Its workspace is its own."""

    def __init__(self, url: str, transport: Callable[[], httpx.BaseTransport] | None = None) -> None:
        self._url = url
        self._transport = transport or _plain_transport()

    def isolated(self, workspace: Any, options: Options) -> Opened:
        _check_options(options)
        if options:
            raise NoControl(
                "this emulator has a workspace already, and the test asks for another.",
                where=self._url,
                found=", ".join(options),
            )
        return self.sandbox({})

    @contextmanager
    def server(self, workspace: Any) -> Iterator[Server]:
        yield Server(self._url, lambda options: self.isolated(None, options))

    @contextmanager
    def sandbox(self, options: Options) -> Iterator[Endpoint]:
        """Raises InputError for options: one server has one workspace."""
        if options:
            raise InputError(
                "the server of this session has its workspace already.",
                where="@pytest.mark.stackadapt",
                found=", ".join(options),
                hint="Use the options without stackadapt_server, or override stackadapt_workspace for the session.",
            )
        with (
            httpx.Client(base_url=self._url, transport=self._transport(), timeout=_SECONDS) as client,
            fresh_sandbox(client) as endpoint,
        ):
            yield endpoint


class StackAdaptAlone:
    """A StackAdapt: nothing but its GraphQL. What the guard does not allow is a reason to skip the test."""

    def __init__(self, url: httpx.URL, token: str, advertiser: str, permission: Permission) -> None:
        self._base, self._path = url.copy_with(raw_path=b"/"), url.path if url.path != "/" else "/graphql"
        self._token, self._advertiser = token, advertiser
        self._through = _plain_transport()
        self._permission = permission

    @contextmanager
    def isolated(self, workspace: Any, options: Options) -> Iterator[Endpoint]:
        _check_options(options)
        guard = _Guard(self._permission, tell=lambda _: None, through=self._through())
        with httpx.Client(base_url=self._base, transport=guard, timeout=_SECONDS) as client:
            yield Endpoint(
                client=client,
                token=self._token,
                advertiser_id=self._advertiser,
                graphql_path=self._path,
                controlled=False,
            )

    @contextmanager
    def server(self, workspace: Any) -> Iterator[Server]:
        yield Server(str(self._base).rstrip("/"), lambda options: self.isolated(None, options))


def target_at(url: str, *, token: str | None, advertiser: str | None, permission: Permission) -> Target:
    """What answers at a URL: an emulator when it says so, a StackAdapt otherwise.

    Raises UserMistake for another host without permission, for nobody who answers, and for a missing token.
    """
    parsed = address(url)
    try:
        check_visit(parsed, permission)
    except UserMistake as refused:
        raise UserMistake(refused.message, where=refused.where, hint=_in_pytest(refused.hint)) from None
    base = parsed.copy_with(raw_path=b"/")
    transport = _plain_transport()
    if _is_emulator(base, transport()):
        return RunningEmulator(str(base).rstrip("/"), transport)
    for option, value in (("--stackadapt-token", token), ("--stackadapt-advertiser", advertiser)):
        if not value:
            raise UserMistake("this is not an emulator, so it needs a token and an advertiser.", where=option)
    return StackAdaptAlone(parsed, str(token), str(advertiser), permission)


class _Guard(GuardedTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except UserMistake as refused:
            hint = _in_pytest(refused.hint)
            raise NoControl(refused.message, where=refused.where, found=refused.found, hint=hint) from None


def _in_pytest(hint: str | None) -> str | None:
    """A hint of the guard with its flags as they are called here."""
    return hint and hint.replace("--allow", "--stackadapt-allow")


def _is_emulator(base: httpx.URL, transport: httpx.BaseTransport) -> bool:
    try:
        with httpx.Client(transport=transport, timeout=_SECONDS) as client:
            told = client.get(base.join("/_emulator/health"))
        return told.is_success and told.json()["status"] == "ok"
    except httpx.HTTPError as error:
        raise UserMistake(f"nobody answers: {error}.", where="--stackadapt-url", found=shown(base)) from None
    except (ValueError, KeyError, TypeError):
        return False


def _plain_transport() -> Callable[[], httpx.BaseTransport]:
    """Transports that share what is slow to make, the certificates of this machine."""
    certificates = ssl.create_default_context()
    return lambda: httpx.HTTPTransport(verify=certificates, trust_env=False)


def _workspace(given: Any, options: Options) -> Workspace:
    """The workspace that a fixture or marker gives, with the marker's options. Raises InputError, WorkspaceError."""
    _check_options(options)
    given = options.get("workspace", given)
    if isinstance(given, Mapping):
        workspace = parse_workspace(given, where="stackadapt_workspace")
    elif isinstance(given, Workspace):
        workspace = given
    else:
        workspace = load_workspace(given)
    return workspace.with_options(latency=options.get("latency"), api_edition=options.get("api_edition"))


def _check_options(options: Options) -> None:
    for name in options:
        if name not in _OPTIONS:
            raise InputError(
                "the marker has no such option.",
                where="@pytest.mark.stackadapt",
                found=name,
                allowed=", ".join(_OPTIONS),
                hint=nearest(name, _OPTIONS),
            )
