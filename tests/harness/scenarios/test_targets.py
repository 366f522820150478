"""Targets of scenarios: sandboxes of a running emulator, and a GraphQL endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from emulator import Emulator
from emulator.events import GraphQLExchanged
from emulator.harness.client import Control, Endpoint, RemoteEmulator
from emulator.harness.remote_guard import GuardedTransport, Permission
from emulator.harness.scenarios import (
    PASSED,
    SKIPPED,
    Scenario,
    built_in,
    graphql_only,
    play,
    read_scenarios,
    sandboxes_of,
)
from emulator.workspace import load_workspace

BASE = "http://127.0.0.1"
# Another host, whose requests are sent to the emulator in process.
REMOTE = "http://graphql.example.com"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(load_workspace().with_options(latency="3h", api_version="2024-12")) as emulator:
        emulator.app.config["ANY_HOST"] = True
        yield emulator


@pytest.fixture
def connect(emulator: Emulator) -> Callable[[], httpx.Client]:
    return lambda: httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url=BASE)


def bare(client: httpx.Client) -> graphql_only:
    return graphql_only(Endpoint(client=client, token="sa-local-write", advertiser_id="1001", controlled=False))


def found(*names: str) -> list[Scenario]:
    return read_scenarios([built_in() / name for name in names])


@pytest.mark.parametrize("name", ["profiles/appears.yaml", "delivery/rate-limit.yaml", "access/scopes.yaml"])
def test_a_running_emulator_plays_in_sandboxes_with_the_workspace_of_the_scenario(
    connect: Callable[[], httpx.Client], name: str
) -> None:
    target = sandboxes_of(RemoteEmulator(url=BASE, connect=connect))
    for scenario in found(name):
        result = play(scenario, target)
        assert result.outcome == PASSED, list(result.lines())
    with connect() as client:
        assert [each["name"] for each in Control(client).get("sandboxes")["sandboxes"]] == ["default"]
        assert Control(client).get("profiles")["profiles"] == []


def test_a_sandbox_is_deleted_after_a_failed_scenario(connect: Callable[[], httpx.Client]) -> None:
    [scenario] = found("profiles/appears.yaml")
    broken = replace(scenario, steps=(replace(scenario.steps[0], when=()),))
    assert play(broken, sandboxes_of(RemoteEmulator(url=BASE, connect=connect))).failures
    with connect() as client:
        assert len(Control(client).get("sandboxes")["sandboxes"]) == 1


def test_a_graphql_endpoint_plays_scenarios_that_need_graphql_only(connect: Callable[[], httpx.Client]) -> None:
    names = ("introspection-needs-a-token", "unexpected-parameter", "unknown-field", "wrong-advertiser-is-a-user-error")
    with connect() as client:
        results = [play(scenario, bare(client)) for scenario in found(*(f"graphql/{name}.yaml" for name in names))]
    assert [result.outcome for result in results] == [PASSED] * 4


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("profiles/appears.yaml", "This needs an emulator: it uses more than GraphQL."),
        ("access/scopes.yaml", "This needs another token: Local read only."),
    ],
)
def test_a_graphql_endpoint_gives_the_reason_for_a_skipped_scenario(
    connect: Callable[[], httpx.Client], name: str, reason: str
) -> None:
    with connect() as client:
        result = play(found(name)[0], bare(client))
    assert (result.outcome, result.reason) == (SKIPPED, reason)


def test_a_graphql_endpoint_cannot_have_another_workspace(
    connect: Callable[[], httpx.Client], scenario: Callable[[str], Scenario]
) -> None:
    text = (built_in() / "graphql/unknown-field.yaml").read_text(encoding="utf-8")
    changed = scenario(text.replace("steps:", "given: {latency: 4h}\nsteps:"))
    with connect() as client:
        assert play(changed, bare(client)).reason == "This needs an emulator: it changes the workspace."


def test_a_blocked_mutation_skips_the_scenario(emulator: Emulator) -> None:
    def guarded(permission: Permission) -> httpx.Client:
        through = httpx.WSGITransport(app=emulator.app)
        transport = GuardedTransport(permission, announce=lambda _text: None, through=through)
        return httpx.Client(transport=transport, base_url=REMOTE)

    [scenario] = found("graphql/wrong-advertiser-is-a-user-error.yaml")
    with guarded(Permission(remote=True)) as client:
        result = play(scenario, bare(client))
    assert result.outcome == SKIPPED
    assert "mutation upsertProfiles" in (result.reason or "")
    assert emulator.sandbox.journal.entries(GraphQLExchanged) == []
    with guarded(Permission(remote=True, writes=True)) as client:
        assert play(scenario, bare(client)).outcome == PASSED
