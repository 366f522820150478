"""Where scenarios can be played: in emulators of their own, in sandboxes of a running one, at a bare endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from emulator.harness.client import Endpoint
from emulator.harness.client.opening import EmulatorAt
from emulator.harness.scenarios.model import Scenario
from emulator.harness.scenarios.workspace import workspace_of
from emulator.workspace import Workspace, parse_workspace

OpenEndpoint = Callable[[Workspace], AbstractContextManager[Endpoint]]


class Target(Protocol):
    """A place for scenarios. `name` is how it is called in reports."""

    name: str

    def refuses(self, scenario: Scenario) -> str | None:
        """Why a scenario cannot be played here, as a sentence; None when it can."""
        ...

    def open(self, workspace: Mapping[str, Any]) -> AbstractContextManager[Endpoint]:
        """An endpoint with this workspace, given in its JSON form."""
        ...


class OwnEmulators:
    """An emulator for each scenario, opened by whoever can."""

    name = "emulators in this process"

    def __init__(self, open_endpoint: OpenEndpoint) -> None:
        self._open_endpoint = open_endpoint

    def refuses(self, scenario: Scenario) -> str | None:
        """Nothing is refused."""
        return None

    def open(self, workspace: Mapping[str, Any]) -> AbstractContextManager[Endpoint]:
        """A fresh emulator. Raises WorkspaceError."""
        return self._open_endpoint(parse_workspace(workspace))


class RunningEmulator:
    """A sandbox for each scenario at an emulator that runs already; it is deleted afterwards."""

    def __init__(self, emulator: EmulatorAt) -> None:
        self.name = f"sandboxes of the emulator at {emulator.url}"
        self._emulator = emulator

    def refuses(self, scenario: Scenario) -> str | None:
        """Nothing is refused."""
        return None

    def open(self, workspace: Mapping[str, Any]) -> AbstractContextManager[Endpoint]:
        """A fresh sandbox. Raises UserMistake when the workspace is refused."""
        return self._emulator.sandbox(workspace)


class GraphQLEndpoint:
    """Somebody else's StackAdapt: nothing but GraphQL, with one token and one advertiser."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = f"the GraphQL endpoint {endpoint.url}{endpoint.graphql_path}"
        self._endpoint = endpoint

    def refuses(self, scenario: Scenario) -> str | None:
        """What takes more than GraphQL, another workspace, or other tokens."""
        if scenario.needs_emulator:
            return "This needs an emulator: more than GraphQL happens in it."
        if scenario.workspace != workspace_of({}):
            return "This needs an emulator: it changes the workspace."
        if missing := sorted(scenario.tokens - self._endpoint.tokens.keys()):
            return f"This needs another token: {', '.join(missing)}."
        return None

    def open(self, workspace: Mapping[str, Any]) -> AbstractContextManager[Endpoint]:
        """The endpoint, always the same, with whatever it has."""
        return nullcontext(self._endpoint)
