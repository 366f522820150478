"""The error of a failed expectation: what was expected and found, the timeline of the person, other failures."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.errors import ContractViolation
from emulator.harness.client import Endpoint, failures_at, timeline_of

_MOST_FAILURES = 8


class Unmet(ContractViolation, AssertionError):
    """What was expected and what was found, then the timeline of the person and other failures."""

    # The public name, also in pytest's report.
    __module__ = "emulator"


def unmet(
    endpoint: Endpoint,
    message: str,
    *,
    email: str | None = None,
    user_id: str | None = None,
    property_: str | None = None,
) -> Unmet:
    """The error to raise, with the timeline of a person and why they, or a property, did not arrive.

    Without a control API it has neither.
    """
    explained = _explanation(endpoint, email, user_id, property_) if endpoint.controlled else ()
    return Unmet("\n".join([message, *explained]))


def _explanation(endpoint: Endpoint, email: str | None, user_id: str | None, property_: str | None) -> Iterator[str]:
    failures = failures_at(endpoint)
    of_one = email is not None or user_id is not None
    if of_one:
        timeline = timeline_of(endpoint, email=email, user_id=user_id)
        yield from timeline.lines()
        if any(record["outcome"] == "queued" for record in timeline.records):
            yield '  hint        the latency has not passed yet: stackadapt.clock.advance("4h")'
        yield from _why(endpoint, email, user_id, property_)
        failures = failures.excluding(timeline)
    if failures:
        yield "Other failures:" if of_one else "Failures:"
        yield from (f"  {line}" for line in failures.lines(most=_MOST_FAILURES))


def _why(endpoint: Endpoint, email: str | None, user_id: str | None, property_: str | None) -> Iterator[str]:
    """Where the person stopped, and the change that would have let them through; nothing when they arrived."""
    answer = endpoint.control.get("why", email=email, userId=user_id, property=property_)
    if not answer["arrived"]:
        yield from answer["conclusion"]
