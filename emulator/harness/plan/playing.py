"""A population run through one workspace, on a clock that nothing but the run moves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from emulator.events import Event, GraphQLExchanged
from emulator.harness.plan.calls import CallsOf
from emulator.harness.plan.end_state import Cause, EndState, ProfileState, SegmentKey, Who
from emulator.harness.plan.sent_fields import Sent, sent_fields
from emulator.harness.sized_batches import sized_batches
from emulator.harness.why import OpenTrial, Question, Stop, Trial, gather, membership_stop, set_memberships, why
from emulator.segment import BATCH_LIMIT_BYTES
from emulator.stackadapt import outcome_of
from emulator.timestamps import parse_timestamp
from emulator.workspace import Workspace

_CALLS_AT_ONCE = 500
# With the text around the calls.
_BYTES_AT_ONCE = BATCH_LIMIT_BYTES - 1000
_PAGE = 1000
_ALL = 1_000_000_000
_FIELDS = (("segment_engage_audience_id", "id"), ("segment_engage_audience_name", "key"))

Report = Callable[[int], object]


class Run:
    """What a population became in one workspace. Answers why a person stopped where, as long as it is open."""

    def __init__(self, services: Trial, open_trial: OpenTrial, started: datetime, requests: Counter[str]) -> None:
        self._services = services
        self._open_trial = open_trial
        self._started = started
        self._requests = requests
        self._refused: Counter[str] = Counter()

    @classmethod
    def of(cls, services: Trial, open_trial: OpenTrial, started: datetime) -> Run:
        """A run in services that have just been opened; it counts their requests."""
        requests: Counter[str] = Counter()

        def count(events: Sequence[Event]) -> None:
            requests.update(outcome_of(event) for event in events if isinstance(event, GraphQLExchanged))

        services.sandbox.journal.listen(count)
        return cls(services, open_trial, started, requests)

    def play(self, population: CallsOf, *, further: timedelta, report: Report = lambda _: None) -> None:
        """Sends the calls, sets the memberships, moves the clock, and goes on until everything accepted is visible.

        `report` gets the number of calls of each request.
        """
        for batch in _batches(population.make()):
            received = self._services.segment.ingest("batch", b'{"batch":[%b]}' % b",".join(batch))
            self._refused.update(call.reason for call in received.failed)
            report(len(batch))
        set_memberships(population.members, self._services)
        self._services.advance(further)
        self.settle()

    def settle(self) -> None:
        """Moves the clock until everything accepted is visible."""
        while (due := parse_timestamp(self._services.stackadapt.counts()["lastDueAt"])) is not None:
            self._services.advance(max(due - self._services.sandbox.clock.now(), timedelta()))

    def end(self) -> EndState:
        """The profiles, and why others have none."""
        return EndState(
            profiles=dict(self._profiles()),
            causes=dict(self._causes()),
            segments=dict(self._segments()),
            requests=dict(self._requests),
            refused=dict(self._refused),
        )

    def stop(self, email: str | None, *, user_id: str | None = None, property_key: str | None = None) -> Stop | None:
        """Where a person, or one property, stopped."""
        question = Question(email=email, user_id=user_id, property=property_key)
        return why(question, self._services, self._open_trial, search=False).stop

    def not_in_audience(self, email: str, audience_name: str) -> Stop:
        """Why a profile is not in an audience."""
        return membership_stop(gather(Question(email=email), self._services), audience_name)

    def sent(self, email: str) -> Sent:
        """What the mappings sent about a person."""
        return sent_fields(gather(Question(email=email), self._services), self._services.sandbox.workspace)

    def _profiles(self) -> Iterator[tuple[Who, ProfileState]]:
        after: int | None = 0
        while after is not None:
            page = self._services.stackadapt.profile_page(after=after, limit=_PAGE)
            for profile in page.profiles:
                yield (
                    (profile["advertiserId"], profile["email"]),
                    ProfileState(
                        profile["marketingStatus"],
                        profile["properties"],
                        frozenset(str(each["name"] or each["id"]) for each in profile["audiences"]),
                        self._hours_until(profile["visibleAt"]),
                    ),
                )
            after = page.next

    def _causes(self) -> Iterator[tuple[str, Cause]]:
        """The last cause of each person; what StackAdapt refused came further than what Segment did not send."""
        for user_id, email, reason, message in self._services.segment.unsent():
            cause = Cause("Segment", reason or "UNKNOWN", message or "")
            yield from ((name, cause) for name in (user_id, email) if name)
        for record in self._services.stackadapt.rejections(pending=True, limit=_ALL):
            cause = Cause("StackAdapt", record["reason"], record["message"] or "")
            yield from ((value.lower(), cause) for value in record["record"].values() if isinstance(value, str))

    def _segments(self) -> Iterator[tuple[SegmentKey, int]]:
        workspace = self._services.sandbox.workspace
        for advertiser in workspace.advertisers:
            for audience in workspace.audiences:
                for field, attribute in _FIELDS:
                    value = getattr(audience, attribute)
                    rule = {"field": field, "operator": "equals", "value": value}
                    found = self._services.stackadapt.segments.preview(advertiser.id, rule, limit=1)
                    yield (advertiser.id, field, value), found["size"]

    def _hours_until(self, visible_at: str) -> float:
        at = parse_timestamp(visible_at)
        return 0.0 if at is None else round((at - self._started) / timedelta(hours=1), 3)


def _batches(calls: Iterable[Any]) -> Iterator[Sequence[bytes]]:
    """The calls as JSON, as many at once as the Tracking API takes."""
    texts = (json.dumps(call).encode() for call in calls)
    # With a comma each.
    return sized_batches(texts, lambda text: len(text) + 1, most=_CALLS_AT_ONCE, most_bytes=_BYTES_AT_ONCE)


@contextmanager
def opened(workspace: Workspace, population: CallsOf, open_trial: OpenTrial) -> Iterator[Run]:
    """A run that has not begun. Raises WorkspaceError."""
    with open_trial(workspace, population.at) as services:
        yield Run.of(services, open_trial, population.at)
