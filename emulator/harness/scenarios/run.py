"""Plays scenarios. Results come out one by one; nothing is printed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import httpx

from emulator.clock import Clock
from emulator.errors import EmulatorError, UserMistake
from emulator.harness.client import ClockClient, Endpoint
from emulator.harness.scenarios.model import Scenario
from emulator.harness.scenarios.results import FAILED, PASSED, SKIPPED, Check, Result
from emulator.harness.scenarios.stage import ScenarioRun
from emulator.harness.scenarios.targets import Target


def play_all(scenarios: Iterable[Scenario], target: Target) -> Iterator[Result]:
    """Plays one scenario after the other. Raises EmulatorError when one cannot even begin."""
    for scenario in scenarios:
        yield play(scenario, target)


def play(scenario: Scenario, target: Target) -> Result:
    """Plays a scenario to the end of the first step in which a check fails."""
    refusal = target.refuses(scenario)
    if refusal is not None:
        return Result(case=scenario, outcome=SKIPPED, reason=refusal)
    watch = Clock()
    begun = watch.now()
    with target.open(scenario.workspace) as endpoint:
        result = _played(scenario, endpoint)
    return replace(result, seconds=(watch.now() - begun).total_seconds())


def _played(scenario: Scenario, endpoint: Endpoint) -> Result:
    stage = ScenarioRun(endpoint=endpoint, people=scenario.people)
    checks: list[Check] = []
    try:
        if endpoint.controlled:
            ClockClient(endpoint).freeze()
        for step in scenario.steps:
            stage.begin_step()
            for stage.place, happening in step.when:
                happening.run(stage)
            for stage.place, expectation in step.then:
                checks += (replace(check, place=stage.place) for check in expectation.check(stage))
            if not all(check.passed for check in checks):
                return Result(case=scenario, outcome=FAILED, checks=tuple(checks))
    except (EmulatorError, httpx.HTTPError) as error:
        # At somebody else's endpoint only the guard complains: what may change data there was not sent.
        held_back = isinstance(error, UserMistake) and not endpoint.controlled
        outcome = SKIPPED if held_back else FAILED
        return Result(case=scenario, outcome=outcome, checks=tuple(checks), reason=f"{stage.place}: {error}")
    return Result(case=scenario, outcome=PASSED, checks=tuple(checks))
