"""The demo: syncs generated people from Segment to StackAdapt through the HTTP endpoints of an emulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from emulator.generator.people import Person, identify, no_longer_vip, people
from emulator.harness.client import Control
from emulator.harness.expected import ExpectedOutcome, has_valid_email
from emulator.harness.funnel import FailedBatch, Funnel, SegmentCount
from emulator.workspace import Workspace

CALLS_PER_REQUEST = 100
BATCH_SIZE = 10
LEAVES = 10
LATENCY_HOURS = 4

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
        segments = tuple(self._segment(*rule) for rule in self._rules())
        return self._funnel(len(population), segments)

    def _send(self, calls: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(calls), CALLS_PER_REQUEST):
            request = calls[start : start + CALLS_PER_REQUEST]
            body = {"batch": request, "writeKey": self._workspace.sources[0].write_key}
            self._client.post("/v1/batch", json=body).raise_for_status()
            self._calls += len(request)
            self._expected.request(request)

    def _rules(self) -> list[tuple[str, dict[str, str]]]:
        by_id = {"field": "segment_engage_audience_id", "operator": "equals", "value": self._audience.id}
        by_name = {"field": "segment_engage_audience_name", "operator": "equals", "value": self._audience.key}
        return [("VIPs by audience ID", by_id), ("VIPs by audience name", by_name)]

    def _segment(self, name: str, rule: dict[str, str]) -> SegmentCount:
        body = {"advertiserId": self._advertiser, "name": name, "rule": rule}
        created = self._control.post("segments", body)["id"]
        members = self._control.pages(f"segments/{created}", "members")
        return SegmentCount(
            name=name, rule=rule, members=frozenset(members), expected=frozenset(self._expected.members)
        )

    def _funnel(self, count: int, segments: tuple[SegmentCount, ...]) -> Funnel:
        counts = self._control.get("counts")
        segment, stackadapt = counts["segment"], counts["stackadapt"]
        visible = frozenset(profile["email"] for profile in self._control.pages("profiles", "profiles"))
        rejected = Counter(
            delivery["message"] for delivery in self._control.pages("deliveries", "deliveries", outcome="rejected")
        )
        return Funnel(
            people=count,
            calls=self._calls,
            calls_accepted=segment["calls"]["accepted"],
            events=segment["events"],
            not_triggered=segment["outcomes"].get("discarded", 0),
            rejected_by_mapping=rejected,
            failed_batches=tuple(_failed(batch) for batch in self._control.get("batches", failed="true")["batches"]),
            sent=segment["outcomes"].get("sent", 0),
            rejected_by_stackadapt=stackadapt["rejections"],
            applied=stackadapt["records"].get("visible", 0),
            profiles=visible,
            expected_profiles=frozenset(self._expected.profiles),
            invalid_profiles=tuple(sorted(email for email in visible if not has_valid_email({"email": email}))),
            segments=segments,
        )


def _failed(batch: Mapping[str, Any]) -> FailedBatch:
    return FailedBatch(
        reason=batch["reason"],
        error=batch["error"],
        locations=tuple(batch["locations"]),
        events=tuple(batch["events"]),
        segment_reports=batch["segmentReports"],
    )
