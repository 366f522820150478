"""Where the emulator of a test comes from: in process, from a server that runs, or not at all at a StackAdapt."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from emulator.artefacts import fixture
from emulator.errors import InputError, UserMistake, nearest
from emulator.harness.client import Endpoint, NoControl
from emulator.harness.client.opening import EmulatorAt, GraphQLAt, answering_at, in_process
from emulator.harness.remote_guard import GuardedTransport, Permission
from emulator.harness.scenarios.workspace import merged
from emulator.server.emulator import Emulator
from emulator.workspace import Workspace, load_workspace, parse_workspace
from emulator.workspace_file import read

__all__ = ["InProcess", "Permission", "Server", "Target", "target_at"]

Options = Mapping[str, Any]
Opened = AbstractContextManager[Endpoint]
Through = Callable[[], httpx.BaseTransport]

_OPTIONS = ("workspace", "latency", "api_version")
_MARKER, _FIXTURE = "@pytest.mark.stackadapt", "stackadapt_workspace"
_PREFIX = "--stackadapt-"
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
            in_process(emulator.app, address=lambda: emulator.url) as endpoint,
        ):
            yield endpoint

    @contextmanager
    def server(self, workspace: Any) -> Iterator[Server]:
        with Emulator(_workspace(workspace, {})) as emulator:
            sandboxes = target_at(emulator.url, permission=Permission())
            # The emulator has the workspace already: only what a marker changes must be sent.
            yield Server(emulator.url, lambda options: sandboxes.isolated(workspace if options else None, options))


class Sandboxes:
    """A sandbox for each test of an emulator that runs: with its workspace, or with the one that is asked for."""

    def __init__(self, emulator: EmulatorAt) -> None:
        self._emulator = emulator

    def isolated(self, workspace: Any, options: Options) -> Opened:
        asked = options or workspace is not None
        return self._emulator.sandbox(_document(workspace, options) if asked else None)

    @contextmanager
    def server(self, workspace: Any) -> Iterator[Server]:
        yield Server(self._emulator.url, lambda options: self.isolated(workspace, options))


class StackAdaptAlone:
    """A StackAdapt: nothing but its GraphQL. What the guard does not allow is a reason to skip the test."""

    def __init__(self, stackadapt: GraphQLAt) -> None:
        self._stackadapt = stackadapt

    def isolated(self, workspace: Any, options: Options) -> Opened:
        _check_options(options)
        if options or workspace is not None:
            raise NoControl(
                "this is no emulator, and the test asks for one that starts in its own way",
                where=self._stackadapt.url,
                found=", ".join(options) or _FIXTURE,
                hint=None if options else "Where tests run here too, let the fixture return None.",
            )
        return self._stackadapt.open()

    @contextmanager
    def server(self, workspace: Any) -> Iterator[Server]:
        yield Server(self._stackadapt.url, lambda options: self.isolated(workspace, options))


def target_at(
    url: str,
    *,
    token: str | None = None,
    advertiser: str | None = None,
    permission: Permission,
    through: Through | None = None,
) -> Target:
    """What answers at a URL: an emulator when it says so, a StackAdapt otherwise.

    Whatever is sent there, now or by a test, goes through the guard, and then `through` a transport of the caller.
    Raises UserMistake for another host without permission, for nobody who answers, and for a missing token.
    """
    through = through or _plain_transport()

    def connect(root: str) -> httpx.Client:
        guard = _Guard(permission, announce=lambda _: None, through=through())
        return httpx.Client(base_url=root, transport=guard, trust_env=False, timeout=_SECONDS)

    found = answering_at(url, connect, token=token, advertiser_id=advertiser, options=_PREFIX)
    return Sandboxes(found) if isinstance(found, EmulatorAt) else StackAdaptAlone(found)


class _Guard(GuardedTransport):
    """A guard whose refusal is a reason to skip the test."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except UserMistake as refused:
            hint = refused.hint and refused.hint.replace("--allow-", f"{_PREFIX}allow-")
            raise NoControl(refused.message, where=refused.where, found=refused.found, hint=hint) from None


def _plain_transport() -> Through:
    """Transports that share what is slow to make, the certificates of this machine."""
    certificates = ssl.create_default_context()
    return lambda: httpx.HTTPTransport(verify=certificates, trust_env=False)


def named(positional: Sequence[Any], options: Mapping[str, Any]) -> Options:
    """The options of a marker, without those that are None. Raises InputError for values without a name."""
    if positional:
        raise InputError(
            "the marker takes options by name only",
            where=_MARKER,
            found=", ".join(map(repr, positional)),
            allowed=", ".join(f"{name}=…" for name in _OPTIONS),
        )
    return {name: value for name, value in options.items() if value is not None}


def _workspace(given: Any, options: Options) -> Workspace:
    """The workspace that a fixture or marker gives, with the marker's options. Raises InputError, WorkspaceError."""
    _check_options(options)
    given = options.get("workspace", given)
    if isinstance(given, Mapping):
        workspace = parse_workspace(given, where=_FIXTURE)
    elif isinstance(given, Workspace):
        workspace = given
    else:
        workspace = load_workspace(given)
    return workspace.with_options(latency=options.get("latency"), api_version=options.get("api_version"))


def _document(given: Any, options: Options) -> dict[str, Any]:
    """The same in its JSON form, for an emulator elsewhere to read. Raises NoControl for what has none."""
    _check_options(options)
    where = _MARKER if "workspace" in options else _FIXTURE
    given = options.get("workspace", given)
    if isinstance(given, Workspace):
        raise NoControl(
            "a Workspace object cannot be sent to an emulator that runs already",
            where=where,
            hint="Give the workspace as a path or a dict.",
        )
    document = given if isinstance(given, Mapping) else read(Path(given or fixture("workspace.yaml")))
    changes: dict[str, Any] = {}
    if "latency" in options:
        changes["ingestion"] = {"latency": options["latency"]}
    if "api_version" in options:
        changes["apiVersion"] = options["api_version"]
    changed: dict[str, Any] = merged(document, changes)
    return changed


def _check_options(options: Options) -> None:
    for name in options:
        if name not in _OPTIONS:
            raise InputError(
                "the marker has no such option",
                where=_MARKER,
                found=name,
                allowed=", ".join(_OPTIONS),
                hint=nearest(name, _OPTIONS),
            )
