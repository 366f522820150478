"""Where scenarios are played: in separate emulators, in sandboxes of a running one, or at a GraphQL endpoint."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from emulator.harness.client import Endpoint, RemoteEmulator
from emulator.harness.scenarios.model import Document
from emulator.harness.scenarios.scenario import Scenario
from emulator.harness.scenarios.workspace import workspace_of
from emulator.workspace import Workspace, parse_workspace

Opened = AbstractContextManager[Endpoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Opens an endpoint for each scenario. `name` is its name in reports.

    `open` takes the JSON form of a workspace and raises UserMistake for an invalid one. `refuses` returns the reason
    why a scenario cannot be played, as a sentence, or None.
    """

    name: str
    open: Callable[[Document], Opened]
    refuses: Callable[[Scenario], str | None] = lambda _: None


def separate_emulators(open_endpoint: Callable[[Workspace], Opened]) -> Target:
    """A new emulator for each scenario, opened by the caller's function."""
    return Target(name="emulators in this process", open=lambda workspace: open_endpoint(parse_workspace(workspace)))


def sandboxes_of(emulator: RemoteEmulator) -> Target:
    """A sandbox of a running emulator for each scenario, deleted afterwards."""
    return Target(name=f"sandboxes of the emulator at {emulator.url}", open=emulator.sandbox)


def graphql_only(endpoint: Endpoint) -> Target:
    """A GraphQL endpoint that is not an emulator, with one token and one advertiser, for all scenarios."""

    def refuses(scenario: Scenario) -> str | None:
        if scenario.needs_emulator:
            return "This needs an emulator: it uses more than GraphQL."
        if scenario.workspace != workspace_of({}):
            return "This needs an emulator: it changes the workspace."
        missing = ", ".join(sorted(scenario.tokens - endpoint.tokens.keys()))
        return f"This needs another token: {missing}." if missing else None

    name = f"the GraphQL endpoint {endpoint.url}{endpoint.graphql_path}"
    return Target(name=name, open=lambda _: nullcontext(endpoint), refuses=refuses)
