"""The points that a client is graded by, and the runs that show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from emulator.errors import unknown
from emulator.harness.grade import content_checks, leak_checks, repeat_checks
from emulator.harness.grade.seen_in_runs import Case, Check, Evidence

PASSED, FAILED, NOT_SEEN = "passed", "failed", "not seen"
# The run without a fault, which every grade begins with.
PLAIN: Final = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyRun:
    """A run of the client: `faults` in the form of the control API, `many` people or few."""

    name: str
    faults: Sequence[Mapping[str, Any]] = ()
    many: bool = False


RUNS: Final[Mapping[str, FaultyRun]] = MappingProxyType(
    {
        each.name: each
        for each in (
            FaultyRun(name=PLAIN, many=True),
            FaultyRun(name="429", faults=[{"fault": "status", "status": 429, "times": 4}]),
            FaultyRun(name="429-again", faults=[{"fault": "status", "status": 429, "times": 4}]),
            FaultyRun(name="503", faults=[{"fault": "status", "status": 503, "times": 4}]),
            FaultyRun(name="retry-after", faults=[{"fault": "status", "status": 429, "retryAfter": 1, "times": 1}]),
            FaultyRun(
                name="no-response",
                faults=[{"fault": "latency", "milliseconds": 1000 * repeat_checks.LONGEST_SECONDS, "times": 1}],
            ),
            FaultyRun(name="400", faults=[{"fault": "status", "status": 400}]),
            FaultyRun(name="user-errors", faults=[{"fault": "userErrors"}]),
            FaultyRun(
                name="lost-response",
                faults=[
                    {"fault": "reset", "applied": True, "times": 1, **match}
                    for match in (
                        {"email": "*"},
                        {"operation": "createProfileList"},
                        {"operation": "createUserUploadedProfiles"},
                    )
                ],
            ),
        )
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What is expected of a client; the runs that show it, none for all of them; the heading of its page to read."""

    name: str
    expected: str
    check: Check
    runs: Sequence[str] = (PLAIN,)
    read: str


_REPEATS, _PAUSES, _FINAL, _CONTENT, _LEAKS = "repeats", "pauses", "what-is-final", "what-is-sent-and-read", "leaks"
POINTS: Final = (
    Point(
        name="retry-429",
        expected="a request with status 429 is sent again, up to 4 times, or the failure reported after 3 attempts",
        check=repeat_checks.repeats_429,
        runs=("429",),
        read=_REPEATS,
    ),
    Point(
        name="retry-5xx",
        expected="a request with status 503 is sent again, up to 4 times, or the failure reported after 3 attempts",
        check=repeat_checks.repeats_5xx,
        runs=("503",),
        read=_REPEATS,
    ),
    Point(
        name="growing-pauses",
        expected="the last pause before a repeat is at least 1.5 times the first",
        check=repeat_checks.growing_pauses,
        runs=("429", "503"),
        read=_PAUSES,
    ),
    Point(
        name="jitter",
        expected="pauses are random: they differ from one run to the next",
        check=repeat_checks.jitter,
        runs=("429", "429-again"),
        read=_PAUSES,
    ),
    Point(
        name="retry-after",
        expected="a request is sent again no earlier than Retry-After says",
        check=repeat_checks.retry_after,
        runs=("retry-after",),
        read=_PAUSES,
    ),
    Point(
        name="time-limit",
        expected="a response that does not come is not waited for longer than 30 seconds",
        check=repeat_checks.gives_up,
        runs=("no-response",),
        read=_REPEATS,
    ),
    Point(
        name="stop-4xx",
        expected="a request with status 400 is not sent again, and the command fails",
        check=repeat_checks.stops_after_4xx,
        runs=("400",),
        read=_FINAL,
    ),
    Point(
        name="user-errors",
        expected="the command fails when a write had userErrors, although the status was 200",
        check=content_checks.reads_user_errors,
        runs=("user-errors",),
        read=_FINAL,
    ),
    Point(
        name="lost-response",
        expected="a write whose response was lost is repeated unchanged, with its syncId, and creates nothing twice",
        check=repeat_checks.lost_response,
        runs=("lost-response",),
        read=_REPEATS,
    ),
    Point(
        name="paging",
        expected="every next page is requested; a page has at most 100",
        check=content_checks.reads_all_pages,
        read=_CONTENT,
    ),
    Point(
        name="batch-limit",
        expected="a request has at most 1,000 people and 4 MiB",
        check=content_checks.respects_batch_limits,
        read=_CONTENT,
    ),
    Point(
        name="read-token",
        expected="requests that only read are sent with a token that has READ alone",
        check=content_checks.needs_read_only,
        read=_CONTENT,
    ),
    Point(
        name="consent",
        expected="people whose consent is no are not sent",
        check=content_checks.sends_with_consent,
        read=_CONTENT,
    ),
    Point(
        name="token-leak",
        expected="tokens are in the header Authorization only: not in output, URLs or other headers",
        check=leak_checks.keeps_tokens,
        runs=(),
        read=_LEAKS,
    ),
    Point(
        name="personal-data-leak",
        expected="no email or phone number of a person is in output, URLs or headers",
        check=leak_checks.keeps_people,
        runs=(),
        read=_LEAKS,
    ),
)
NAMES: Final = tuple(point.name for point in POINTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A point with its evidence: of a failed one, what is against it."""

    point: Point
    evidence: Sequence[Evidence]

    @property
    def result(self) -> str:
        """`passed`, `failed`, or `not seen` where the client did nothing that the point is about."""
        if not self.evidence:
            return NOT_SEEN
        return PASSED if all(each.ok for each in self.evidence) else FAILED


def chosen(names: Iterable[str] | None) -> Sequence[Point]:
    """The points of these names in their order, all without names. Raises UnknownName."""
    if names is None:
        return POINTS
    wanted = [*names]
    for name in wanted:
        if name not in NAMES:
            raise unknown("point", name, NAMES, where="only")
    return [point for point in POINTS if point.name in wanted]


def runs_for(points: Iterable[Point]) -> Sequence[FaultyRun]:
    """The runs that show points, the one without a fault first. All where a point is about every run."""
    named = {name for point in points for name in (point.runs or RUNS)}
    return [run for name, run in RUNS.items() if name == PLAIN or name in named]


def graded(case: Case, points: Iterable[Point] = POINTS) -> Sequence[Graded]:
    """What each point shows. Of a failed one, only the evidence against it is kept."""
    found = [(point, [*point.check(case)]) for point in points]
    return [
        Graded(point=point, evidence=[each for each in evidence if not each.ok] or evidence)
        for point, evidence in found
    ]
