"""What came of scenarios: checks, results, and the matrix of generations and editions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.harness.scenarios.scenario import Scenario

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"
OUTCOMES = (PASSED, FAILED, SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must be true, what was found, and the stories of the people it is about when it is not."""

    expected: str
    held: bool
    found: str
    stories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a scenario. `checks` end with the step in which one failed; `reason` says why it was not played,
    or not to its end.
    """

    scenario: Scenario
    outcome: str
    checks: tuple[Check, ...] = ()
    reason: str | None = None
    seconds: float = 0.0

    @property
    def failures(self) -> list[Check]:
        """The checks that do not hold."""
        return [check for check in self.checks if not check.held]

    def lines(self) -> Iterator[str]:
        """Why it did not pass, for a person."""
        if self.reason:
            yield self.reason
        for check in self.failures:
            yield f"expected  {check.expected}"
            yield f"found     {check.found}"
        for story in dict.fromkeys(story for check in self.failures for story in check.stories):
            yield from story.splitlines()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "file": self.scenario.path.as_posix(),
            "title": self.scenario.title,
            "shows": list(self.scenario.shows),
            "outcome": self.outcome,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "checks": [
                {"expected": check.expected, "held": check.held, "found": check.found, "stories": list(check.stories)}
                for check in self.checks
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results, in the order in which they were played, and where that was."""

    target: str
    results: Sequence[Result]

    def counts(self) -> dict[str, int]:
        """How many results of each outcome."""
        counted = Counter(result.outcome for result in self.results)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    def matrix(self) -> dict[str, dict[str, str]]:
        """By generation, then by edition: what is so there (`works`, `refused`), else `failed` or `skipped`."""
        cells: dict[str, dict[str, str]] = {}
        for result in self.results:
            cell = result.scenario.cell
            if cell is not None:
                shown = cell.expected if result.outcome == PASSED else result.outcome
                cells.setdefault(cell.generation, {})[cell.edition] = shown
        return dict(sorted(cells.items(), reverse=True))

    def as_dict(self) -> Mapping[str, Any]:
        """The JSON form."""
        return {
            "target": self.target,
            "summary": self.counts(),
            "matrix": self.matrix(),
            "scenarios": [result.as_dict() for result in self.results],
        }
