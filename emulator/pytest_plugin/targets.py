"""What a test runs against: a sandbox of a running emulator, or a StackAdapt endpoint; `in_process.py` has the third.

Imports neither the server nor GraphQL: in an environment where those cannot run, another one has the emulator.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from emulator.artefacts import fixture
from emulator.errors import InputError, UserMistake, unknown
from emulator.harness.client import Endpoint, NoControl, RemoteEmulator, RemoteGraphQL, probe
from emulator.harness.remote_guard import GuardedTransport, Permission
from emulator.merge_patch import merged
from emulator.workspace import Workspace
from emulator.workspace_file import read

Options = Mapping[str, Any]
Opened = AbstractContextManager[Endpoint]
Through = Callable[[], httpx.BaseTransport]

_UNUSED, _FAIL, _IGNORE = "unused", "fail", "ignore"
_OPTIONS = ("workspace", "latency", "api_version", _UNUSED)
_MARKER, FIXTURE = "@pytest.mark.stackadapt", "stackadapt_workspace"
_PREFIX = "--stackadapt-"
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """One server for a session: its base URL, and a function that opens a sandbox for a test."""

    url: str
    sandbox: Callable[[Options], Opened]


class Target(Protocol):
    """Opens the endpoint of a test. `options` are those of its marker."""

    def isolated(self, workspace: Any, options: Options) -> Opened:
        """An endpoint that no other test uses."""
        ...

    def server(self, workspace: Any) -> AbstractContextManager[Server]:
        """A server for the session."""
        ...


class Sandboxes:
    """A sandbox of a running emulator for each test, with the emulator's workspace or the requested one."""

    def __init__(self, emulator: RemoteEmulator) -> None:
        self._emulator = emulator

    def isolated(self, workspace: Any, options: Options) -> Opened:
        changed = options or workspace is not None
        return self._emulator.sandbox(_document(workspace, options) if changed else None)

    @contextmanager
    def server(self, workspace: Any) -> Iterator[Server]:
        yield Server(self._emulator.url, lambda options: self.isolated(workspace, options))


class StackAdaptOnly:
    """A StackAdapt endpoint. A test that needs an emulator, or a request that the guard blocks, is skipped."""

    def __init__(self, stackadapt: RemoteGraphQL) -> None:
        self._stackadapt = stackadapt

    def isolated(self, workspace: Any, options: Options) -> Opened:
        if options or workspace is not None:
            raise NoControl(
                "not an emulator, so the test cannot configure it",
                where=self._stackadapt.url,
                found=", ".join(options) or FIXTURE,
                hint=None if options else "Return None from the fixture for tests that also run here.",
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
    control_token: str | None = None,
    permission: Permission,
    through: Through | None = None,
) -> Target:
    """The target at a URL: an emulator or a StackAdapt endpoint.

    All requests go through the guard, then `through` a transport of the caller. Raises UserMistake for another host
    without permission, when there is no response, and for a missing or wrong token.
    """
    through = through or _plain_transport()

    def connect(root: str) -> httpx.Client:
        guard = _Guard(permission, announce=lambda _: None, through=through())
        return httpx.Client(base_url=root, transport=guard, trust_env=False, timeout=_SECONDS)

    found = probe(url, connect, token=token, advertiser_id=advertiser, control_token=control_token, options=_PREFIX)
    return Sandboxes(found) if isinstance(found, RemoteEmulator) else StackAdaptOnly(found)


class _Guard(GuardedTransport):
    """A guard that skips the test when it blocks a request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except UserMistake as refused:
            hint = refused.hint and refused.hint.replace("--allow-", f"{_PREFIX}allow-")
            raise NoControl(refused.message, where=refused.where, found=refused.found, hint=hint) from None


def _plain_transport() -> Through:
    """Makes transports that share the certificates of this machine, which are slow to load."""
    certificates = ssl.create_default_context()
    return lambda: httpx.HTTPTransport(verify=certificates, trust_env=False)


def marker_options(item: pytest.Item) -> Options:
    """The options of a test's marker that configure its emulator. Raises InputError for any that do not fit."""
    return {name: value for name, value in _marked(item).items() if name != _UNUSED}


def fails_on_unused(item: pytest.Item) -> bool:
    """Whether a test fails when a fault or rate limit had no effect: its marker decides, else the command line."""
    return bool(_marked(item).get(_UNUSED, _FAIL if item.config.getoption("--fail-on-unused") else _IGNORE) == _FAIL)


def _marked(item: pytest.Item) -> Options:
    """The options of a marker that are not None. Raises InputError for positional arguments and unknown names."""
    marker = item.get_closest_marker("stackadapt")
    if marker is None:
        return {}
    if marker.args:
        raise InputError(
            "the marker takes keyword arguments only",
            where=_MARKER,
            found=", ".join(map(repr, marker.args)),
            allowed=", ".join(f"{name}=…" for name in _OPTIONS),
        )
    options = {name: value for name, value in marker.kwargs.items() if value is not None}
    for name in options:
        if name not in _OPTIONS:
            raise unknown("option", name, _OPTIONS, where=_MARKER)
    if options.get(_UNUSED, _FAIL) not in (_FAIL, _IGNORE):
        raise unknown("value", options[_UNUSED], (_FAIL, _IGNORE), where=f"{_MARKER}: {_UNUSED}")
    return options


def _document(given: Any, options: Options) -> dict[str, Any]:
    """The same in its JSON form, for a running emulator. Raises NoControl for a Workspace object."""
    where = _MARKER if "workspace" in options else FIXTURE
    given = options.get("workspace", given)
    if isinstance(given, Workspace):
        message = "a Workspace object cannot be sent to a running emulator"
        raise NoControl(message, where=where, hint="Use a path or a dict.")
    document = given if isinstance(given, Mapping) else read(Path(given or fixture("workspace.yaml")))
    changes: dict[str, Any] = {}
    if "latency" in options:
        changes["ingestion"] = {"latency": options["latency"]}
    if "api_version" in options:
        changes["apiVersion"] = options["api_version"]
    changed: dict[str, Any] = merged(document, changes)
    return changed


class SkipEmulatorTests:
    """A plugin for a StackAdapt endpoint: skips a test that raises NoControl, in a fixture or in the test."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, None, None]:
        try:
            yield
        except NoControl as missing:
            pytest.skip(str(missing))

    pytest_runtest_call = pytest_runtest_setup


@contextmanager
def as_usage_error() -> Iterator[None]:
    """Turns a UserMistake into pytest's usage error: one line, and no tests are run."""
    try:
        yield
    except UserMistake as mistake:
        raise pytest.UsageError(str(mistake)) from None
