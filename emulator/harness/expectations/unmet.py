"""The error of a failed expectation, with everything that explains it."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.errors import ContractViolation
from emulator.harness.client import Endpoint, failures_at, timeline_of

_MOST_FAILURES = 8


class Unmet(ContractViolation, AssertionError):
    """What was expected and what was found, then the timeline of the profile and other failures."""

    # The public name, also in pytest's report.
    __module__ = "emulator"


def unmet(endpoint: Endpoint, message: str, *, email: str | None = None) -> Unmet:
    """The error to raise. Without a control API it has no timeline."""
    return Unmet("\n".join([message, *(_explanation(endpoint, email) if endpoint.controlled else ())]))


def _explanation(endpoint: Endpoint, email: str | None) -> Iterator[str]:
    failures = failures_at(endpoint)
    if email is not None:
        timeline = timeline_of(endpoint, email=email)
        yield from timeline.lines()
        if any(record["outcome"] == "queued" for record in timeline.records):
            yield '  hint        the latency has not passed yet: stackadapt.clock.advance("4h")'
        failures = failures.excluding(timeline)
    if failures:
        yield "Failures:" if email is None else "Other failures:"
        yield from (f"  {line}" for line in failures.lines(most=_MOST_FAILURES))
