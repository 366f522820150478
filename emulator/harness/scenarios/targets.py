"""Where scenarios are played: in separate emulators, in sandboxes of a running one, or at a GraphQL endpoint."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from emulator.harness.client import Endpoint, RemoteEmulator
from emulator.harness.scenarios.model import Document
from emulator.harness.scenarios.scenario import Scenario
from emulator.harness.scenarios.workspace import workspace_of
from emulator.workspace import Workspace, parse_workspace

OpenEndpoint = Callable[[Workspace], AbstractContextManager[Endpoint]]


class Target(Protocol):
    """Opens an endpoint for each scenario. `name` is its name in reports."""

    name: str

    def refuses(self, scenario: Scenario) -> str | None:
        """The reason why a scenario cannot be played here, as a sentence; None when it can."""
        ...

    def open(self, workspace: Document) -> AbstractContextManager[Endpoint]:
        """An endpoint with this workspace, in its JSON form."""
        ...


class OwnEmulators:
    """A new emulator for each scenario, opened by the caller's function."""

    name = "emulators in this process"

    def __init__(self, open_endpoint: OpenEndpoint) -> None:
        self._open_endpoint = open_endpoint

    def refuses(self, scenario: Scenario) -> str | None:
        """None: every scenario can be played."""
        return None

    def open(self, workspace: Document) -> AbstractContextManager[Endpoint]:
        """A new emulator. Raises WorkspaceError."""
        return self._open_endpoint(parse_workspace(workspace))


class RunningEmulator:
    """A sandbox of a running emulator for each scenario, deleted afterwards."""

    def __init__(self, emulator: RemoteEmulator) -> None:
        self.name = f"sandboxes of the emulator at {emulator.url}"
        self._emulator = emulator

    def refuses(self, scenario: Scenario) -> str | None:
        """None: every scenario can be played."""
        return None

    def open(self, workspace: Document) -> AbstractContextManager[Endpoint]:
        """A new sandbox. Raises UserMistake when the workspace is rejected."""
        return self._emulator.sandbox(workspace)


class GraphQLEndpoint:
    """A GraphQL endpoint that is not an emulator, with one token and one advertiser."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = f"the GraphQL endpoint {endpoint.url}{endpoint.graphql_path}"
        self._endpoint = endpoint

    def refuses(self, scenario: Scenario) -> str | None:
        """Refuses what needs more than GraphQL, another workspace, or other tokens."""
        if scenario.needs_emulator:
            return "This needs an emulator: it uses more than GraphQL."
        if scenario.workspace != workspace_of({}):
            return "This needs an emulator: it changes the workspace."
        if missing := sorted(scenario.tokens - self._endpoint.tokens.keys()):
            return f"This needs another token: {', '.join(missing)}."
        return None

    def open(self, workspace: Document) -> AbstractContextManager[Endpoint]:
        """The endpoint as it is."""
        return nullcontext(self._endpoint)
