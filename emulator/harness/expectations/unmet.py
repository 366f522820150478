"""An expectation that does not hold, with everything that explains why."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.errors import ContractViolation
from emulator.harness.client import Endpoint, Timeline, failures_at, timeline_of

_MOST_TROUBLES = 8


class Unmet(ContractViolation, AssertionError):
    """What was expected and what is, then the story of the person and what else went wrong."""

    # The name to catch it by, and the shorter one in a report.
    __module__ = "emulator"


def unmet(endpoint: Endpoint, sentence: str, *, email: str | None = None) -> Unmet:
    """The error to raise. Where there is no control API, nobody can tell the story."""
    return Unmet("\n".join([sentence, *(_explanation(endpoint, email) if endpoint.controlled else ())]))


def _explanation(endpoint: Endpoint, email: str | None) -> Iterator[str]:
    others = failures_at(endpoint)
    if email is not None:
        story = timeline_of(endpoint, email=email)
        yield from story.lines()
        yield from _what_to_do(story)
        others = others.beside(story)
    if others:
        yield "What else was refused:" if email is not None else "What was refused:"
        yield from (f"  {line}" for line in others.lines(most=_MOST_TROUBLES))


def _what_to_do(story: Timeline) -> Iterator[str]:
    if any(record["outcome"] == "queued" for record in story.records):
        yield '  hint        the latency has not passed yet: stackadapt.clock.advance("4h")'
