"""Whether one event about one person has led to what it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.harness.client import Timeline

REACHED, LATENCY, NOT_REACHED = "reached", "latency", "notReached"
_UNDELIVERED = ("rejected", "retrying", "failed")
_QUEUED = "queued"
_KEYS = ("id", "name")
_NOT_APPLIED = ("rejected", "suppressed", "pending")


def arrived(timeline: Timeline) -> str:
    """Of an identify call: a profile of the person is visible."""
    return _result(timeline, holds=bool(timeline.profiles))


def in_audience(timeline: Timeline, names: tuple[str, ...], *, entered: bool) -> str:
    """Of an audience event: a visible profile is in the audience with one of these names and ids, or none is."""
    member = any(each[key] in names for profile in timeline.profiles for each in profile["audiences"] for key in _KEYS)
    return _result(timeline, holds=member == entered)


def deleted(timeline: Timeline, regulation: dict[str, Any]) -> str:
    """Of a deletion: every destination instance has accepted it, and no profile is visible."""
    accepted = all(each["outcome"] == "sent" for each in regulation["destinations"])
    return REACHED if accepted and not timeline.profiles else NOT_REACHED


def _result(timeline: Timeline, *, holds: bool) -> str:
    """`REACHED` when `holds` and nothing failed, `LATENCY` when nothing failed and something is not due yet."""
    if any(_failures(timeline)):
        return NOT_REACHED
    waiting = any(each["outcome"] == _QUEUED for each in (*timeline.deliveries, *timeline.records))
    return LATENCY if waiting else REACHED if holds else NOT_REACHED


def _failures(timeline: Timeline) -> Iterator[bool]:
    yield from (each["outcome"] in _UNDELIVERED for each in timeline.deliveries)
    yield from (each["outcome"] in _NOT_APPLIED for each in timeline.records)
