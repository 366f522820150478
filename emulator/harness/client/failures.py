"""Everything that failed at an endpoint, for a failed check that does not know which profile was affected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from emulator.harness.client.endpoint import Endpoint
from emulator.harness.client.lines import Shown, delivery_line, record_line, request_line
from emulator.harness.client.timeline import Timeline, delivery_key, record_key

_UNDELIVERED = ("rejected", "retrying", "failed")
_MOST_USERS = 3
# A syntax error quotes the document around its location.
_ADDRESS = re.compile(r"[^\s\"'@]+@[^\s\"'@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Events that Segment did not deliver, requests that StackAdapt refused, and records that it rejected.

    A refused request that belongs to one of the events is not listed a second time.
    """

    deliveries: Sequence[Shown]
    requests: Sequence[Shown]
    records: Sequence[Shown]

    def __len__(self) -> int:
        return len(self.deliveries) + len(self.requests) + len(self.records)

    def excluding(self, timeline: Timeline) -> Failures:
        """Those that are not part of a timeline."""
        deliveries, records = map(delivery_key, timeline.deliveries), map(record_key, timeline.records)
        shown = {*deliveries, *records, *(each["traceId"] for each in timeline.requests)}
        return replace(
            self,
            deliveries=[each for each in self.deliveries if delivery_key(each) not in shown],
            requests=[each for each in self.requests if each["traceId"] not in shown],
            records=[each for each in self.records if record_key(each) not in shown],
        )

    def lines(self, *, most: int) -> Iterator[str]:
        """At most `most` failures, one a line, then the number of those left out."""
        yield from islice((f"{line}{_affected([user])}" for line, user in self._lines(whole=True)), most)
        if len(self) > most:
            yield f"and {len(self) - most} more"

    def counted(self, *, most: int) -> Iterator[str]:
        """The kinds of failure, most frequent first, with their counts and the affected users, without emails."""
        kinds: dict[str, list[object]] = {}
        for line, user in self._lines(whole=False):
            kinds.setdefault(_ADDRESS.sub("***", line), []).append(user)
        ordered = sorted(kinds.items(), key=lambda kind: len(kind[1]), reverse=True)
        for line, users in ordered[:most]:
            yield f"{len(users):>3} x  {line}{_ADDRESS.sub('***', _affected(users))}"
        if len(kinds) > most:
            yield f"and {len(kinds) - most} more kinds"

    def _lines(self, *, whole: bool) -> Iterator[tuple[str, object]]:
        """Each failure as a line, and the user id that it affects where it is known."""
        yield from ((f"Segment     {delivery_line(each)}", each["userId"]) for each in self.deliveries)
        yield from ((f"GraphQL     {request_line(each, near=whole)}", None) for each in self.requests)
        for each in self.records:
            # A whole record contains its user id.
            yield f"StackAdapt  {record_line(each, whole=whole)}", None if whole else each["record"].get("userId")


def _affected(users: Sequence[object]) -> str:
    """` (user u1, u2 and 3 more)`; empty when no user is known."""
    known = list(dict.fromkeys(str(user) for user in users if user is not None))
    if not known:
        return ""
    others = f" and {len(known) - _MOST_USERS} more" if len(known) > _MOST_USERS else ""
    return f" (user {', '.join(known[:_MOST_USERS])}{others})"


def failures_at(endpoint: Endpoint) -> Failures:
    """Everything that failed so far. Raises NoControl where there is no control API."""
    control = endpoint.control
    deliveries = [
        each for outcome in _UNDELIVERED for each in control.pages("deliveries", "deliveries", outcome=outcome)
    ]
    traces = {each["traceId"] for each in deliveries}
    return Failures(
        deliveries=deliveries,
        requests=[
            each
            for each in control.pages("journal", "entries")
            if each["outcome"] != "accepted" and each["traceId"] not in traces
        ],
        records=list(control.pages("rejections", "rejections")),
    )
