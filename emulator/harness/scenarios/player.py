"""Plays scenarios."""

from __future__ import annotations

from dataclasses import replace

import httpx

from emulator.clock import Clock
from emulator.errors import EmulatorError, UserMistake
from emulator.harness.client import ClockClient, Endpoint
from emulator.harness.scenarios.model import Check
from emulator.harness.scenarios.results import FAILED, PASSED, SKIPPED, Result
from emulator.harness.scenarios.run import ScenarioRun
from emulator.harness.scenarios.scenario import Scenario
from emulator.harness.scenarios.targets import Target


def play(scenario: Scenario, target: Target) -> Result:
    """Plays a scenario up to the first step with a failed check. Raises EmulatorError when it cannot start."""
    reason = target.refuses(scenario)
    if reason is not None:
        return Result(case=scenario, outcome=SKIPPED, reason=reason)
    watch = Clock()
    started = watch.now()
    with target.open(scenario.workspace) as endpoint:
        result = _play(scenario, endpoint)
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
        return Result(case=scenario, outcome=outcome, checks=tuple(checks), reason=f"{run.place}: {error}")
    return Result(case=scenario, outcome=PASSED, checks=tuple(checks))


def outcome_of(error: Exception, endpoint: Endpoint) -> str:
    """`SKIPPED` when the guard of a remote endpoint blocked a request that may change data, `FAILED` otherwise."""
    # Without a control API only the guard raises UserMistake.
    return SKIPPED if isinstance(error, UserMistake) and not endpoint.controlled else FAILED
