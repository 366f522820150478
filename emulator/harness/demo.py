"""The demo: syncs generated people from Segment to StackAdapt over HTTP, and counts the outcomes of all events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from emulator.generator.people import Person, identify, no_longer_vip, people
from emulator.harness.client import Control
from emulator.harness.expected import ExpectedOutcome, has_valid_email
from emulator.workspace import Workspace


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
    StackAdapt: applied, rejected with a reason, or waiting for a profile. `unbalanced` are the equations of the
    emulator's own funnel (`emulator/harness/funnel.py`) that do not hold.
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
    waiting: int
    applied: int
    profiles: frozenset[str]
    expected_profiles: frozenset[str]
    invalid_profiles: tuple[str, ...]
    segments: tuple[SegmentCount, ...]
    unbalanced: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        """Events lost in failed batches."""
        return sum(len(batch.events) for batch in self.failed_batches)

    def imbalances(self) -> list[str]:
        """The sums that do not balance, as text; empty when every event is accounted for."""
        refused = sum(self.rejected_by_mapping.values())
        rejected = sum(self.rejected_by_stackadapt.values())
        ends = self.not_triggered + refused + self.failed + self.sent
        found = list(self.unbalanced)
        if self.calls != self.calls_accepted:
            found.append(f"{self.calls} calls were made, {self.calls_accepted} were accepted")
        if self.events != ends:
            found.append(f"{self.events} events were emitted for the destination, {ends} have an outcome")
        settled = rejected + self.waiting + self.applied
        if self.sent != settled:
            found.append(f"{self.sent} records were sent, {settled} have an outcome at StackAdapt")
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
            "waiting": self.waiting,
            "applied": self.applied,
            "profiles_visible": len(self.profiles),
            "segments": [segment.as_dict() for segment in self.segments],
            "balanced": not imbalances,
            "imbalances": imbalances,
        }


def _difference(what: str, found: frozenset[str], expected: frozenset[str]) -> str:
    surplus, missing = len(found - expected), len(expected - found)
    return f"{what}: {len(found)} found, {len(expected)} expected ({surplus} too many, {missing} missing)"


CALLS_PER_REQUEST = 100
BATCH_SIZE = 10
LEAVES = 10
LATENCY_HOURS = 4

# The outcomes of records that changed no profile.
_REJECTED = ("rejected", "suppressed")

Progress = Callable[[str], None]


def demo_workspace(workspace: Workspace, *, seed: int, endpoint: str) -> Workspace:
    """The workspace of the demo: a latency of four hours, small batches, requests over a real socket."""
    destination = replace(workspace.destinations[0], batch_size=BATCH_SIZE, endpoint=endpoint)
    ingestion = replace(workspace.ingestion, latency=f"{LATENCY_HOURS}h")
    return replace(workspace, seed=seed, destinations=(destination,), ingestion=ingestion)


def play(url: str, workspace: Workspace, *, count: int, seed: int, report: Progress) -> Funnel:
    """Plays the demo against the emulator at `url` and returns the outcomes of all events."""
    with httpx.Client(base_url=url, timeout=60.0, trust_env=False) as client:
        return _Demo(client, workspace, report).play(list(people(seed, count)))


class _Demo:
    def __init__(self, client: httpx.Client, workspace: Workspace, report: Progress) -> None:
        self._client = client
        self._control = Control(client)
        self._workspace = workspace
        self._report = report
        self._audience = workspace.audiences[0]
        self._advertiser = workspace.destinations[0].settings["advertiser_id"]
        self._expected = ExpectedOutcome(BATCH_SIZE, tuple(workspace.destinations[0].connections[0].traits))
        self._calls = 0

    def play(self, population: Sequence[Person]) -> Funnel:
        self._report(
            f"{len(population)} people are identified through /v1/batch; Engage computes {self._audience.name!r}."
        )
        self._send([identify(person) for person in population])
        leaving = [person for person in population if person.vip][::LEAVES]
        self._report(f"{len(leaving)} of them stop being VIPs and leave the audience again.")
        self._send([identify(no_longer_vip(person), sequence=1) for person in leaving])
        self._report(f"The clock moves {LATENCY_HOURS} hours: profiles appear in StackAdapt.")
        self._control.post("clock/advance", {"hours": LATENCY_HOURS})
        return self._funnel(len(population))

    def _send(self, calls: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(calls), CALLS_PER_REQUEST):
            request = calls[start : start + CALLS_PER_REQUEST]
            body = {"batch": request, "writeKey": self._workspace.sources[0].write_key}
            self._client.post("/v1/batch", json=body).raise_for_status()
            self._calls += len(request)
            self._expected.request(request)

    def _segments(self) -> Iterator[SegmentCount]:
        for kind, field, value in (("ID", "id", self._audience.id), ("name", "name", self._audience.key)):
            name = f"VIPs by audience {kind}"
            rule = {"field": f"segment_engage_audience_{field}", "operator": "equals", "value": value}
            created = self._control.post("segments", {"advertiserId": self._advertiser, "name": name, "rule": rule})
            members = frozenset(self._control.pages(f"segments/{created['id']}", "members"))
            yield SegmentCount(name=name, rule=rule, members=members, expected=frozenset(self._expected.members))

    def _funnel(self, count: int) -> Funnel:
        segments = tuple(self._segments())
        funnel = self._control.get("funnel")
        steps, ends = funnel["steps"], funnel["stackadapt"]
        visible = frozenset(profile["email"] for profile in self._control.pages("profiles", "profiles"))
        rejected = Counter(
            delivery["message"] for delivery in self._control.pages("deliveries", "deliveries", outcome="rejected")
        )
        return Funnel(
            people=count,
            calls=self._calls,
            calls_accepted=funnel["totals"]["accepted"],
            events=steps["eventsFromAudience"]["count"],
            not_triggered=steps["filteredAtDestination"]["count"],
            rejected_by_mapping=rejected,
            failed_batches=tuple(
                FailedBatch(
                    reason=batch["reason"],
                    error=batch["error"],
                    locations=tuple(batch["locations"]),
                    events=tuple(batch["events"]),
                    segment_reports=batch["segmentReports"],
                )
                for batch in self._control.get("batches", failed="true")["batches"]
            ),
            sent=steps["successfulDelivery"]["count"] - ends["refused"]["count"],
            rejected_by_stackadapt={
                reason["code"]: reason["count"] for end in _REJECTED for reason in ends[end]["reasons"]
            },
            waiting=ends["pending"]["count"],
            applied=ends["visible"]["count"],
            unbalanced=tuple(funnel["imbalances"]),
            profiles=visible,
            expected_profiles=frozenset(self._expected.profiles),
            invalid_profiles=tuple(sorted(email for email in visible if not has_valid_email({"email": email}))),
            segments=segments,
        )
