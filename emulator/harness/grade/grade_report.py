"""The grade of a client: its score, as JSON, as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.harness.grade.points import FAILED, NOT_SEEN, PASSED, Graded
from emulator.harness.grade.seen_in_runs import Evidence
from emulator.harness.grade.sent_requests import Run
from emulator.text import escaped_markdown

_SHOWN = 3
_PAGE = "grade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The graded points of a client, and the runs that show them."""

    runs: Sequence[Run]
    points: Sequence[Graded]

    @property
    def score(self) -> int | None:
        """How many percent of the points that were seen passed, rounded down; None where none was seen."""
        counts = self.counts
        seen = counts[PASSED] + counts[FAILED]
        return 100 * counts[PASSED] // seen if seen else None

    @property
    def counts(self) -> Counter[str]:
        """How many points have each result."""
        return Counter(each.result for each in self.points)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: `contracts/grade.schema.json`."""
        counts = self.counts
        return {
            "score": self.score,
            "passed": counts[PASSED],
            "failed": counts[FAILED],
            "notSeen": counts[NOT_SEEN],
            "runs": [
                {
                    "name": run.name,
                    "requests": len(run.requests),
                    "exitCode": run.exit_code,
                    "stopped": run.stopped,
                    "seconds": round(run.seconds, 3),
                }
                for run in self.runs
            ],
            "points": [_point(each) for each in self.points],
        }


def _point(graded: Graded) -> dict[str, Any]:
    return {
        "name": graded.point.name,
        "result": graded.result,
        "expected": graded.point.expected,
        "evidence": [each.as_dict() for each in graded.evidence],
        "read": f"{_PAGE}.md#{graded.point.read}",
    }


def lines_of_grade(grade: Grade) -> Iterator[str]:
    """The text: the failed points first, with what is against each."""
    for result in (FAILED, PASSED, NOT_SEEN):
        for graded in grade.points:
            if graded.result == result:
                yield f"{result:<8}  {graded.point.name}: {graded.point.expected}"
                yield from (f"          {line}" for line in _evidence(graded))
    yield from ("", summary_of(grade))


def summary_of(grade: Grade) -> str:
    """The score and the counts in a sentence."""
    counts = grade.counts
    score = "no score" if grade.score is None else f"score {grade.score}"
    return f"{score}: {', '.join(f'{counts[result]} {result}' for result in (PASSED, FAILED, NOT_SEEN))}"


def as_markdown(grade: Grade) -> str:
    """The Markdown text, with a line end."""
    return "\n".join([*_markdown(grade), ""])


def _evidence(graded: Graded) -> Iterator[str]:
    if graded.result == NOT_SEEN:
        return
    shown = graded.evidence[: _SHOWN if graded.result == FAILED else 1]
    yield from (_line(each) for each in shown)
    more = len(graded.evidence) - len(shown)
    if more and graded.result == FAILED:
        yield f"and {more:,} more"
    if graded.result == FAILED:
        yield f"read more: stackadapt-emulator docs {_PAGE} ({graded.point.read.replace('-', ' ')})"


def _line(evidence: Evidence) -> str:
    return f"{evidence.place}: {evidence.text}"


def _markdown(grade: Grade) -> Iterator[str]:
    yield from (f"### Grade of the client: {summary_of(grade)}", "", "| point | result | expected | evidence |")
    yield "|---|---|---|---|"
    for graded in grade.points:
        evidence = "<br>".join(escaped_markdown(_line(each)) for each in graded.evidence[:_SHOWN])
        yield f"| `{graded.point.name}` | {graded.result} | {graded.point.expected} | {evidence} |"
