"""Plays scenarios: in separate emulators, in sandboxes of a running one, or at a GraphQL endpoint."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import httpx

from emulator.clock import Clock
from emulator.errors import EmulatorError, UserMistake
from emulator.harness.client import ClockClient, Endpoint, RemoteEmulator
from emulator.harness.scenarios.model import Check, Document, Scenario, ScenarioRun
from emulator.harness.scenarios.results import FAILED, PASSED, SKIPPED, Result
from emulator.harness.unused import unused_at
from emulator.workspace import Workspace, parse_workspace

Opened = AbstractContextManager[Endpoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Opens an endpoint for each scenario. `name` is its name in reports.

    `open` takes the JSON form of a workspace and raises UserMistake for an invalid one. `refuses` returns the reason
    why a scenario cannot be played, as a sentence, or None. `workspace` is the JSON form of the target's own, if any.
    """

    name: str
    open: Callable[[Document], Opened]
    refuses: Callable[[Scenario], str | None] = lambda _: None
    workspace: Callable[[], Document | None] = lambda: None


def separate_emulators(open_endpoint: Callable[[Workspace], Opened]) -> Target:
    """A new emulator for each scenario, opened by the caller's function."""
    return Target(name="emulators in this process", open=lambda workspace: open_endpoint(parse_workspace(workspace)))


def sandboxes_of(emulator: RemoteEmulator) -> Target:
    """A sandbox of a running emulator for each scenario, deleted afterwards."""
    name = f"sandboxes of the emulator at {emulator.url}"
    return Target(name=name, open=emulator.sandbox, workspace=emulator.workspace)


def graphql_only(endpoint: Endpoint) -> Target:
    """A GraphQL endpoint that is not an emulator, with one token and one advertiser, for all scenarios."""

    def refuses(scenario: Scenario) -> str | None:
        if scenario.needs_emulator:
            return "This needs an emulator: it uses more than GraphQL."
        if scenario.own_workspace:
            return "This needs an emulator: it changes the workspace."
        missing = ", ".join(sorted(scenario.tokens - endpoint.tokens.keys()))
        return f"This needs another token: {missing}." if missing else None

    name = f"the GraphQL endpoint {endpoint.url}{endpoint.graphql_path}"
    return Target(name=name, open=lambda _: nullcontext(endpoint), refuses=refuses)


def play(scenario: Scenario, target: Target, *, fail_on_unused: bool = False) -> Result:
    """Plays a scenario up to the first step with a failed check. Raises EmulatorError when it cannot start.

    With `fail_on_unused` one that passes also fails when a fault or a rate limit had no effect.
    """
    reason = target.refuses(scenario)
    if reason is not None:
        return Result(case=scenario, outcome=SKIPPED, reason=reason)
    watch = Clock()
    started = watch.now()
    with target.open(scenario.workspace) as endpoint:
        result = _play(scenario, endpoint)
        if fail_on_unused and result.outcome == PASSED and (unused := unused_at(endpoint)):
            check = Check(
                expected="every fault and rate limit to have an effect", passed=False, found="; ".join(unused)
            )
            result = replace(result, outcome=FAILED, checks=(*result.checks, check))
    return replace(result, seconds=(watch.now() - started).total_seconds())


def _play(scenario: Scenario, endpoint: Endpoint) -> Result:
    run = ScenarioRun(endpoint=endpoint, people=scenario.people)
    checks: list[Check] = []
    try:
        if endpoint.controlled:
            ClockClient(endpoint).freeze()
        for step in scenario.steps:
            run.begin_step()
            for run.place, action in step.when:
                action.run(run)
            for run.place, expectation in step.then:
                checks += (replace(check, place=run.place) for check in expectation.check(run))
            if not all(check.passed for check in checks):
                return Result(case=scenario, outcome=FAILED, checks=tuple(checks))
    except (EmulatorError, httpx.HTTPError) as error:
        outcome = outcome_of(error, endpoint)
        reason = f"{run.place}: {error}"
        return Result(case=scenario, outcome=outcome, checks=tuple(checks), reason=reason, place=run.place)
    return Result(case=scenario, outcome=PASSED, checks=tuple(checks))


def outcome_of(error: Exception, endpoint: Endpoint) -> str:
    """`SKIPPED` when the guard of a remote endpoint blocked a request that may change data, `FAILED` otherwise."""
    # Without a control API only the guard raises UserMistake.
    return SKIPPED if isinstance(error, UserMistake) and not endpoint.controlled else FAILED
