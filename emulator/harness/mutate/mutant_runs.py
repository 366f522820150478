"""Plays scenarios in mutated workspaces until one of them fails."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emulator.errors import InputError
from emulator.harness.mutate.mutation import Mutation
from emulator.harness.scenarios import FAILED, PASSED, Result, Scenario, Target, play

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What failed with a mutation, and the first thing that it says."""

    by: str
    because: str


# Whether something fails with a mutation: None for nothing that does.
Judge = Callable[[Mutation], Killed | None]


class ScenarioJudge:
    """Scenarios, those first whose people have the traits that a mutation is about, then those that failed most so far.

    A scenario is played with a mutation if its workspace has at that place what is mutated.
    """

    def __init__(self, scenarios: Sequence[Scenario], target: Target) -> None:
        self._scenarios = scenarios
        self._target = target
        self._traits = [{name for person in each.people.values() for name in person.traits} for each in scenarios]
        self._failures: Counter[int] = Counter()
        self._passing: set[int] = set()

    def __call__(self, mutation: Mutation) -> Killed | None:
        """The first scenario that fails with a mutation. Raises InputError if it fails without it, too."""
        for position in self._ordered(mutation):
            scenario = self._scenarios[position]
            workspace = mutation.applied(scenario.workspace)
            if workspace is None:
                continue
            result = play(replace(scenario, workspace=workspace), self._target)
            if result.outcome == FAILED:
                self._check_unchanged(position)
                self._failures[position] += 1
                return Killed(by=f"{scenario.group}/{scenario.path.stem}", because=_first_failure(result))
        return None

    def _ordered(self, mutation: Mutation) -> list[int]:
        words = set(_WORD.findall(mutation.before))

        def rank(position: int) -> tuple[int, int]:
            return -len(words & self._traits[position]), -self._failures[position]

        return sorted(range(len(self._scenarios)), key=rank)

    def _check_unchanged(self, position: int) -> None:
        if position in self._passing:
            return
        scenario = self._scenarios[position]
        result = play(scenario, self._target)
        if result.outcome != PASSED:
            raise InputError(
                "a scenario does not pass in the workspace as it is",
                where=str(scenario.path),
                found=_first_failure(result),
                hint="Correct it first; `stackadapt-emulator verify` shows more.",
            )
        self._passing.add(position)


def _first_failure(result: Result) -> str:
    if result.reason is not None or not result.failures:
        return result.reason or result.outcome
    first = result.failures[0]
    return f"{first.place}: expected {first.expected}; found {first.found}"
