"""The outcomes of all events of the demo as counts, and the sums that must balance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedBatch:
    """A batch that was refused as a whole: the reason, the locations in the document, and the lost events."""

    reason: str
    error: str
    locations: tuple[Mapping[str, int], ...]
    events: tuple[str, ...]
    segment_reports: str | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "reason": self.reason,
            "error": self.error,
            "locations": [dict(location) for location in self.locations],
            "events": len(self.events),
            "message_ids": list(self.events),
            "segment_reports": self.segment_reports,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCount:
    """A segment's rule and members, and the expected members."""

    name: str
    rule: Mapping[str, Any]
    members: frozenset[str]
    expected: frozenset[str]

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "rule": dict(self.rule), "size": len(self.members), "expected": len(self.expected)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The demo in numbers.

    `calls` were sent to the Tracking API; `events` are those that Engage emitted for the destination instance. Each
    event is sent, not triggered, rejected by the mapping or lost in a failed batch. Each sent event is one record at
    StackAdapt: applied, or rejected with a reason.
    """

    people: int
    calls: int
    calls_accepted: int
    events: int
    not_triggered: int
    rejected_by_mapping: Mapping[str, int]
    failed_batches: tuple[FailedBatch, ...]
    sent: int
    rejected_by_stackadapt: Mapping[str, int]
    applied: int
    profiles: frozenset[str]
    expected_profiles: frozenset[str]
    invalid_profiles: tuple[str, ...]
    segments: tuple[SegmentCount, ...]

    @property
    def failed(self) -> int:
        """Events lost in failed batches."""
        return sum(len(batch.events) for batch in self.failed_batches)

    def imbalances(self) -> list[str]:
        """The sums that do not balance, as text; empty when every event is accounted for."""
        refused = sum(self.rejected_by_mapping.values())
        rejected = sum(self.rejected_by_stackadapt.values())
        ends = self.not_triggered + refused + self.failed + self.sent
        found = []
        if self.calls != self.calls_accepted:
            found.append(f"{self.calls} calls were made, {self.calls_accepted} were accepted")
        if self.events != ends:
            found.append(f"{self.events} events were emitted for the destination, {ends} have an outcome")
        if self.sent != rejected + self.applied:
            found.append(f"{self.sent} records were sent, {rejected + self.applied} have an outcome at StackAdapt")
        if self.invalid_profiles:
            found.append(f"profiles without a valid email are visible: {', '.join(self.invalid_profiles)}")
        if self.profiles != self.expected_profiles:
            found.append(_difference("visible profiles", self.profiles, self.expected_profiles))
        found += [
            _difference(f"segment {segment.name!r}", segment.members, segment.expected)
            for segment in self.segments
            if segment.members != segment.expected
        ]
        return found

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that `demo --json` prints."""
        imbalances = self.imbalances()
        return {
            "people": self.people,
            "calls": self.calls,
            "events": self.events,
            "not_triggered": self.not_triggered,
            "rejected_by_mapping": sum(self.rejected_by_mapping.values()),
            "rejected_by_mapping_reasons": dict(sorted(self.rejected_by_mapping.items())),
            "failed_batches": [batch.as_dict() for batch in self.failed_batches],
            "failed": self.failed,
            "sent": self.sent,
            "rejected_by_stackadapt": dict(sorted(self.rejected_by_stackadapt.items())),
            "applied": self.applied,
            "profiles_visible": len(self.profiles),
            "segments": [segment.as_dict() for segment in self.segments],
            "balanced": not imbalances,
            "imbalances": imbalances,
        }


def _difference(what: str, found: frozenset[str], expected: frozenset[str]) -> str:
    surplus, missing = len(found - expected), len(expected - found)
    return f"{what}: {len(found)} found, {len(expected)} expected ({surplus} too many, {missing} missing)"
