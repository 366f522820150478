"""What came of scenarios: checks, results, and the matrix of generations and API versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from emulator.harness.scenarios.model import Cell

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"
OUTCOMES = (PASSED, FAILED, SKIPPED)


class Case(Protocol):
    """What a result is about: a scenario, or an exchange that was recorded."""

    @property
    def path(self) -> Path:
        """The file that it stands in."""
        ...

    @property
    def group(self) -> str:
        """Under which word it is listed."""
        ...

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        ...

    @property
    def shows(self) -> tuple[str, ...]:
        """Ids of the fidelity ledger."""
        ...

    @property
    def cell(self) -> Cell | None:
        """Its place in the matrix, if it has one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must be true, what was found, and the stories of the people it is about when it is not.

    `place` is where a scenario says so: `steps[1].then.profiles`.
    """

    expected: str
    passed: bool
    found: str
    timelines: tuple[str, ...] = ()
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a case. `checks` end with the step in which one failed; `reason` says why it was not played,
    or not to its end.
    """

    case: Case
    outcome: str
    checks: tuple[Check, ...] = ()
    reason: str | None = None
    seconds: float = 0.0

    @property
    def failures(self) -> list[Check]:
        """The checks that do not hold."""
        return [check for check in self.checks if not check.passed]

    def lines(self) -> Iterator[str]:
        """Why it did not pass, for a person."""
        if self.reason:
            yield self.reason
        for check in self.failures:
            if check.place:
                yield f"at        {check.place}"
            yield f"expected  {check.expected}"
            yield f"found     {check.found}"
        for story in dict.fromkeys(story for check in self.failures for story in check.timelines):
            yield from story.splitlines()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "file": self.case.path.as_posix(),
            "title": self.case.title,
            "shows": list(self.case.shows),
            "outcome": self.outcome,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "checks": [
                {
                    "place": check.place,
                    "expected": check.expected,
                    "passed": check.passed,
                    "found": check.found,
                    "timelines": list(check.timelines),
                }
                for check in self.checks
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of scenarios, and of recorded exchanges, in the order in which they were played, and where that was."""

    target: str
    scenarios: Sequence[Result] = ()
    exchanges: Sequence[Result] = ()

    @property
    def results(self) -> list[Result]:
        """All of them."""
        return [*self.scenarios, *self.exchanges]

    def counts(self) -> dict[str, int]:
        """How many results of each outcome."""
        counted = Counter(result.outcome for result in self.results)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    def matrix(self) -> dict[str, dict[str, str]]:
        """By generation, then by API version: what is so there (`works`, `refused`), else `failed` or `skipped`."""
        cells: dict[str, dict[str, str]] = {}
        for result in self.scenarios:
            cell = result.case.cell
            if cell is not None:
                shown = cell.expected if result.outcome == PASSED else result.outcome
                cells.setdefault(cell.generation, {})[cell.api_version] = shown
        return dict(sorted(cells.items(), reverse=True))

    def as_dict(self) -> Mapping[str, Any]:
        """The JSON form."""
        return {
            "target": self.target,
            "summary": self.counts(),
            "matrix": self.matrix(),
            "scenarios": [result.as_dict() for result in self.scenarios],
            "exchanges": [result.as_dict() for result in self.exchanges],
        }
